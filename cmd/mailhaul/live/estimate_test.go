package live

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestASimulationTellsWhatIsLeftAndElseTheRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWork("a")
		w.begin(0, 10_000)
		var latest Simulation
		var known bool
		w.Simulated = func() (Simulation, bool) { return latest, known }
		if e := w.seconds(60, 0, 10).Left; !near(e.Low, 940*time.Second) || e.Likely != 0 {
			t.Errorf("without a simulation: %+v", e)
		}
		latest, known = Simulation{At: time.Now(), P10: time.Hour, P50: 2 * time.Hour, P90: 3 * time.Hour, Guessed: 3}, true
		if e := w.Take(time.Now()).Left; !near(e.Low, 940*time.Second) || e.Likely != 2*time.Hour || e.High != 3*time.Hour || e.Guessed != 3 {
			t.Errorf("before it is proven: %+v", e)
		}
		latest.P90 = 10 * time.Minute
		if e := w.Take(time.Now()).Left; e.High < 900*time.Second {
			t.Errorf("before it is proven, when the rates say more: %+v", e)
		}
		latest.Proven, latest.P90 = true, 3*time.Hour
		if e := w.Take(time.Now()).Left; e != (Estimate{Low: time.Hour, Likely: 2 * time.Hour, High: 3 * time.Hour, Guessed: 3}) {
			t.Errorf("%+v", e)
		}
		w.mailboxes[0].Ended = time.Now()
		if e := w.Take(time.Now()).Left; e != (Estimate{}) {
			t.Errorf("when all is done: %+v", e)
		}
	})
}

func TestASimulationCountsDown(t *testing.T) {
	s := Simulation{At: start, P10: time.Minute, P50: 2 * time.Minute, P90: 3 * time.Minute}
	for passed, want := range map[time.Duration]Estimate{
		0:                           {Low: time.Minute, Likely: 2 * time.Minute, High: 3 * time.Minute},
		50 * time.Second:            {Low: 10 * time.Second, Likely: 70 * time.Second, High: 130 * time.Second},
		100 * time.Second:           {Low: 1, Likely: 20 * time.Second, High: 80 * time.Second},
		2 * time.Minute:             {},
		time.Hour:                   {},
		2*time.Minute - time.Second: {Low: 1, Likely: time.Second, High: 61 * time.Second},
	} {
		if e := s.estimate(start.Add(passed)); e != want {
			t.Errorf("after %v: %+v, want %+v", passed, e, want)
		}
	}
}

func TestAReaderOfBeforeReadsTheRange(t *testing.T) {
	data, err := json.Marshal(State{Version: 1, Left: Estimate{Low: 1, Likely: 2, High: 3}})
	if err != nil || !strings.Contains(string(data), `"left":{"low":1,"likely":2,"high":3}`) {
		t.Errorf("%s, %v", data, err)
	}
}
