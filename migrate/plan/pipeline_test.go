package plan

import (
	"math"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
)

func TestSlowAnswersAndManyMailboxesLeaveTheEngineLessBusy(t *testing.T) {
	calls := func(change func(m *Migration)) float64 {
		m := moving(2000)
		m.Model.Parallel = 40
		change(m)
		o, err := m.outline(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return o.engaged[0]
	}
	for name, test := range map[string]struct {
		change func(m *Migration)
		want   float64
	}{
		"with one mailbox at work":                     {func(*Migration) {}, 40},
		"with so many that each may queue 32 messages": {func(m *Migration) { m.Jobs = 400 }, 32},
		"if answers take unequally long": {func(m *Migration) {
			m.Model.Parallel, m.Model.Write[0].Calls[0].Sigma = 4, 1
		}, 3.99},
		"if they do so with large messages": {func(m *Migration) {
			m.Model.Parallel, m.Loads[0].Sizes[0].Bytes = 8, 2000*290_000
			m.Model.Write[0].Calls[0].Median, m.Model.Write[0].Calls[0].Sigma = 800*time.Millisecond, 1
		}, 7.93},
	} {
		if got := calls(test.change); math.Abs(got/test.want-1) > 0.07 {
			t.Errorf("%s %.2f calls are made at once, want %v", name, got, test.want)
		}
	}
}

func TestLargeMessagesKeepTheTargetAsBusyAsSmallOnes(t *testing.T) {
	for _, size := range []int64{1000, 60_000, 300_000, 900_000, 1_200_000, 30_000_000} {
		const want = 4
		m := moving(1)
		m.Loads[0].Sizes = []Size{{400, 400 * size}}
		m.Model.Write[0].Calls[0].Sigma = 0.01
		o, err := m.outline(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := o.engaged[0]; math.Abs(got/want-1) > 0.05 {
			t.Errorf("with messages of %d octets %.2f calls are made at once, want %v", size, got, want)
		}
	}
}

func TestACallCostsAndTakesWhatItsMessageNeeds(t *testing.T) {
	c := Call{Cost: pace.Cost{pace.Requests: 1, pace.Points: 25, pace.Bytes: 7}, Sent: 4.0 / 3, Range: 1000, Median: time.Second, Rate: 500}
	e := effortOf([]Call{c}, 2500)
	if e.cost != (pace.Cost{3, 75, 21 + 3334}) || e.mean != 3+5 || e.variance != 0 {
		t.Errorf("%+v", e)
	}
	if e := effortOf([]Call{c, c}, 0); e.cost[pace.Requests] != 2 {
		t.Errorf("%+v", e)
	}
	m := Model{Write: []Write{{Upto: 10, Calls: []Call{c}}, {Upto: 20, Calls: []Call{c, c}}, {Calls: []Call{c, c, c}}}}
	for size, want := range map[int64]int{10: 1, 11: 2, 21: 3} {
		if got := len(m.write(size)); got != want {
			t.Errorf("%d octets take %d calls", size, got)
		}
	}
}

func TestTheTimesOfCallsAreLogNormal(t *testing.T) {
	e := effortOf([]Call{{Median: time.Second, Sigma: 0.5}}, 0)
	if got := e.takes(0); math.Abs(got-1) > 1e-9 {
		t.Errorf("the median is %v", got)
	}
	if got := e.takes(1); math.Abs(got-math.Exp(0.5)) > 1e-9 {
		t.Errorf("one sigma above it is %v", got)
	}
}

func TestAGateThatBeginsNarrowWidens(t *testing.T) {
	m := moving(64 + 64 + 64 + 400)
	m.Model.First = 1
	lasts(t, m, (64+32+21+100)*400*time.Millisecond)
}
