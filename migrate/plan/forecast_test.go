package plan

import (
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

func TestDoubtWidensTheRange(t *testing.T) {
	m := moving(10_000)
	m.Runs = 200
	width := func(d Doubt) float64 {
		m.Doubt = d
		end := forecast(t, m).Whole.End
		if end.P50.Before(end.P10) || end.P90.Before(end.P50) {
			t.Errorf("%+v", end)
		}
		return math.Log(end.P90.Sub(monday).Seconds() / end.P10.Sub(monday).Seconds())
	}
	if got := width(Doubt{}); got > 0.001 {
		t.Errorf("without doubt the range is %v wide", got)
	}
	for _, d := range []Doubt{{Latency: 0.1}, {Pace: 0.1}} {
		if got := width(d); got < 0.2 || got > 0.32 { // 2.56 sigma
			t.Errorf("with %+v the range is %v wide", d, got)
		}
	}
	m.Model.Own = []pace.Limit{rate("user", 20)}
	m.Doubt = Doubt{Pace: 0.1}
	o, err := m.outline(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint64(5) {
		r := newRun(m, o, n)
		if e, err := r.run(t.Context()); err != nil || math.Abs(e.whole.Seconds()/5000/r.pace-1) > 0.06 {
			t.Errorf("a run that is %.3f times as long lasts %v, want 5,000 s times that, %v", r.pace, e.whole, err)
		}
	}
	if got := width(Doubt{Latency: 0.1}); got > 0.001 {
		t.Errorf("where a limit decides, latencies make the range %v wide", got)
	}
	if got := width(Doubt{Pace: 0.1}); got < 0.2 || got > 0.32 {
		t.Errorf("where a limit decides, the pace makes the range %v wide", got)
	}
}

func TestTheSameSeedGivesTheSameForecast(t *testing.T) {
	m := &Migration{Loads: company(12, 6_000), Model: gmailModel(), Jobs: 5, Start: monday, Runs: 4, Seed: 3, Doubt: Doubt{0.1, 0.02},
		Depth: verify.Metadata, Deltas: 1, Window: hours(t, "20:00-06:00")}
	m.Model.Shared[0].Amount /= 80
	text := func() string {
		data, err := json.Marshal(forecast(t, m))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	first := text()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if text() != first {
		t.Error("on one core it is another one")
	}
	m.Seed++
	if text() == first {
		t.Error("the seed does nothing")
	}
}

func TestAChartShowsWhatIsUsedOfALimit(t *testing.T) {
	m := moving(5000, 5000)
	m.Model.Own = []pace.Limit{rate("user", 20), rate("unused", 1000)}
	m.Model.Shared = []pace.Limit{rate("project", 80)}
	f := forecast(t, m)
	if len(f.Limits) != 3 || f.Limits[0].Shared || !f.Limits[2].Shared || f.Limits[2].Limit.Name != "project" {
		t.Fatalf("%+v", f.Limits)
	}
	for i, want := range []float64{1, 0.02, 0.5} {
		u := f.Limits[i]
		sum := 0.0
		for _, used := range u.Used {
			sum += used / slicesInAll
		}
		if math.Abs(sum/want-1) > 0.03 {
			t.Errorf("of %q %.3f is used, want %v", u.Limit.Name, sum, want)
		}
	}
	if w := f.Limits[0].Waiting[60]; w < 0.5 || w > 2 || f.Limits[1].Waiting[60] != 0 {
		t.Errorf("%v mailboxes wait", w)
	}
	if w := f.Mailboxes[0].Waited; len(w) != 1 || w[0].For != "user" {
		t.Errorf("it waited for %v", w)
	}
	m.Doubt.Pace, m.Runs = 0.3, 9
	f = forecast(t, m)
	if f.Slices.Start != monday || (f.Slices.Each*slicesInAll-f.Whole.End.P50.Sub(monday)).Abs() > time.Minute {
		t.Errorf("%+v", f.Slices)
	}
}

func TestAChartCountsTheTimeAtWorkAlone(t *testing.T) {
	m := moving(30_000)
	m.Model.Own = []pace.Limit{rate("user", 20)}
	m.Window = hours(t, "08:00-08:10")
	used := 0.0
	for _, share := range forecast(t, m).Limits[0].Used {
		used += share
	}
	if used < 20 || used > 30 { // in each of 25 slices all that is allowed
		t.Errorf("%.1f slices are used", used)
	}
}

func TestItSaysWhatDecides(t *testing.T) {
	user, project := rate("user", 20), rate("project", 25)
	for want, change := range map[string]func(m *Migration){
		Answers:   func(m *Migration) {},
		"user":    func(m *Migration) { m.Model.Own = []pace.Limit{user} },
		"project": func(m *Migration) { m.Model.Own, m.Model.Shared = []pace.Limit{user}, []pace.Limit{project} },
		Jobs:      func(m *Migration) { m.Jobs, m.Source.Connect = 1, time.Minute },
		Reading:   func(m *Migration) { m.Source.Bandwidth = 1000 },
		Closed:    func(m *Migration) { m.Window = hours(t, "00:00-00:02") },
	} {
		m := moving(4000, 4000, 4000, 4000)
		change(m)
		f := forecast(t, m)
		if len(f.Causes) == 0 || f.Causes[0].What != want {
			t.Errorf("it says %v, want %s", f.Causes, want)
		}
		for _, c := range f.Causes {
			if c.Saves <= 0 {
				t.Errorf("%v", c)
			}
		}
	}
}

func TestASlowMailboxOfTheSourceDecides(t *testing.T) {
	m := moving(4000)
	m.Source.Mailbox = 1000
	if f := forecast(t, m); f.Causes[0].What != Reading || f.Causes[0].Saves < 3500*time.Second {
		t.Errorf("it says %v", f.Causes)
	}
}

func TestItSaysWhatWouldHelp(t *testing.T) {
	m := moving(1000, 1000, 4000)
	m.Jobs, m.Depth, m.Doubt = 2, verify.Content, Doubt{0.5, 0.5}
	m.Model.Read.Content = []Call{call(10, 200*time.Millisecond)}
	m.Model.Shared = []pace.Limit{rate("project", 1000)}
	saves := func() map[string]time.Duration {
		all := map[string]time.Duration{}
		for _, c := range forecast(t, m).Changes {
			all[c.What] = c.Saves.Round(10 * time.Second)
		}
		return all
	}
	if got, want := fmt.Sprint(saves()), fmt.Sprint(map[string]time.Duration{Jobs: 150 * time.Second, LargestFirst: 100 * time.Second, First: 150 * time.Second, Shared: 0, Unverified: 250 * time.Second}); got != want {
		t.Errorf("it says %v, want %v", got, want)
	}
	m.Model.Shared = []pace.Limit{rate("project", 20)}
	m.Window, m.largest = hours(t, "00:00-01:00"), true
	// 3,000 s for the messages, and as long to compare them.
	if got := saves(); got[Closed] < 22*time.Hour || got[Shared] < 22*time.Hour || got[Unverified] < 22*time.Hour || len(got) != 4 {
		t.Errorf("it says %v", got)
	}
}
