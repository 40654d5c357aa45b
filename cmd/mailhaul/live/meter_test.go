package live

import (
	"math"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// drive adds a reading each second for so long, at so many per second, and
// returns when and what the last was.
func drive(m *meter, now time.Time, n float64, d time.Duration, rate float64) (time.Time, float64) {
	for end := now.Add(d); now.Before(end); {
		now, n = now.Add(time.Second), n+rate
		m.add(now, n)
	}
	return now, n
}

func TestTheMeterTellsTheRateOfTheLastHalfMinute(t *testing.T) {
	m := newMeter(recent)
	m.add(start, 1000)
	if r := m.rate(start, 1000, recent); r != 0 {
		t.Errorf("%v before anything can be told", r)
	}
	now, n := drive(m, start, 1000, 100*time.Second, 20)
	if r := m.rate(now, n, recent); math.Abs(r-20) > 0.1 {
		t.Errorf("%v, want 20", r)
	}
	now, n = drive(m, now, n, 15*time.Second, 0)
	if r := m.rate(now, n, recent); math.Abs(r-10) > 1 {
		t.Errorf("%v after 15 s of nothing, want 10", r)
	}
	now, n = drive(m, now, n, 25*time.Second, 0)
	if r := m.rate(now, n, recent); r != 0 {
		t.Errorf("%v after 40 s of nothing", r)
	}
	if len(m.at) > 40 {
		t.Errorf("%d readings are kept", len(m.at))
	}
}

func TestAMeterOfAnHourKeepsFewReadings(t *testing.T) {
	m := newMeter(history)
	now, n := drive(m, start, 0, 5*time.Hour, 3)
	if len(m.at) > 370 || now.Sub(m.at[0]) < history {
		t.Errorf("%d readings, the first %v ago", len(m.at), now.Sub(m.at[0]))
	}
	if r := m.rate(now, n, history); math.Abs(r-3) > 0.01 {
		t.Errorf("%v, want 3", r)
	}
}

func TestACountThatFellAndAClockThatWentBackBeginAnew(t *testing.T) {
	m := newMeter(recent)
	now, _ := drive(m, start, 0, time.Minute, 50)
	m.add(now.Add(time.Second), 10)
	if r := m.rate(now.Add(11*time.Second), 20, recent); math.Abs(r-1) > 0.1 {
		t.Errorf("%v after the count fell, want 1", r)
	}
	m.add(start, 30)
	if r := m.rate(start.Add(10*time.Second), 50, recent); math.Abs(r-2) > 0.1 {
		t.Errorf("%v after the clock went back, want 2", r)
	}
}

func TestAnEstimateHasTheRangeOfTheRecentRates(t *testing.T) {
	m := newMeter(history)
	now, n := drive(m, start, 0, 20*time.Second, 10)
	if e := m.estimate(now, n, 1000); e != (Estimate{}) {
		t.Errorf("%+v after 20 s", e)
	}
	now, n = drive(m, now, n, 40*time.Minute, 10)
	if e := m.estimate(now, n, 36_000); !near(e.Low, time.Hour) || !near(e.High, time.Hour) {
		t.Errorf("at an even rate: %+v, want an hour", e)
	}
	// The last minute was twice as fast as all before it.
	now, n = drive(m, now, n, time.Minute, 20)
	if e := m.estimate(now, n, 36_000); e.Low < 30*time.Minute || e.Low > 33*time.Minute || e.High < 55*time.Minute || e.High > time.Hour {
		t.Errorf("after a fast minute: %+v, want about half an hour to nearly an hour", e)
	}
	now, n = drive(m, now, n, 2*time.Minute, 0)
	if e := m.estimate(now, n, 36_000); e.High != 0 || e.Low == 0 {
		t.Errorf("after two minutes of nothing: %+v, want no end", e)
	}
	now, n = drive(m, now, n, 2*time.Hour, 0)
	if e := m.estimate(now, n, 36_000); e != (Estimate{}) {
		t.Errorf("after two hours of nothing: %+v", e)
	}
	if e := m.estimate(now, n, 0); e != (Estimate{}) {
		t.Errorf("when nothing is left: %+v", e)
	}
}

func near(got, want time.Duration) bool {
	return math.Abs(float64(got-want)) < 0.02*float64(want)
}
