package plan

import (
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
)

func TestEndsSaysWhatAForecastSays(t *testing.T) {
	m := &Migration{Loads: company(170, 340_000), Model: gmailModel(), Jobs: 40, Start: monday, Doubt: Doubt{0.2, 0.05}, Window: hours(t, "20:00-06:00"), Runs: 4}
	got, err := m.Ends(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, ends, err := m.simulate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := m.spans(ends).Whole.End
	for name, d := range map[string][2]time.Time{"P10": {got.P10, want.P10}, "P50": {got.P50, want.P50}, "P90": {got.P90, want.P90}} {
		if d[0].Sub(d[1]).Abs() > want.P50.Sub(monday)/100 {
			t.Errorf("%s is %v, and by the forecast %v", name, d[0], d[1])
		}
	}
	m.Jobs = 0
	if _, err := m.Ends(t.Context()); err == nil {
		t.Error("it simulates what makes no sense")
	}
}

func TestALoadIsScaled(t *testing.T) {
	l := Load{Name: "a", Folders: 3, Sizes: []Size{{1000, 5000}, {10, 1_000_000}}, Merged: 90}
	got := l.Scaled(550, 1100)
	if got.Name != "a" || got.Folders != 3 || got.Sizes[0] != (Size{500, 2500}) || got.Sizes[1] != (Size{5, 500_000}) || got.Merged != 45 {
		t.Errorf("%+v", got)
	}
	if l.Sizes[0].Messages != 1000 {
		t.Error("the load itself changed")
	}
	if got := l.Scaled(1<<62, 1); got.Sizes[1].Bytes != most || got.check() != nil {
		t.Errorf("%+v", got)
	}
}

func TestAMailboxAtWorkNeedsNoMoreThanItsMessages(t *testing.T) {
	m := moving(100)
	m.Source.Connect = 10 * time.Second
	m.Model.First = 1
	m.Model.Open, m.Model.Begin, m.Model.Folder = []Call{call(1, 10*time.Second)}, []Call{call(1, 10*time.Second)}, []Call{call(1, 10*time.Second)}
	m.Loads[0].Folders = 3
	lasts(t, m, 60*time.Second+33*time.Second) // 64 messages one after the other, and then two at once
	m.Loads[0].Begun = true
	lasts(t, m, 10*time.Second)
}

func TestWhatWasSpentBeforeCounts(t *testing.T) {
	day, hour := pace.Limit{Name: "day", Unit: pace.Points, Amount: 2000, Per: 24 * time.Hour}, pace.Limit{Name: "hour", Unit: pace.Requests, Amount: 60, Per: time.Hour}
	m := moving(50, 50)
	m.Model.Own, m.Model.Shared = []pace.Limit{hour}, []pace.Limit{day}
	lasts(t, m, 5*time.Second)
	spent := pace.NewLimiter(nil, day, hour)
	spend := func(before time.Duration, c pace.Cost) {
		if _, ok := spent.Try(monday.Add(-before), c); !ok {
			t.Fatal("too much is spent")
		}
	}
	spend(20*time.Hour, pace.Cost{pace.Points: 900})
	spend(10*time.Minute, pace.Cost{pace.Requests: 20})
	m.Loads[1].Spent = spent
	lasts(t, m, 50*time.Minute)
	m.Spent = spent
	spend(time.Minute, pace.Cost{pace.Points: 200})
	lasts(t, m, 4*time.Hour)
}
