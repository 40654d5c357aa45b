package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/verify"
	"github.com/mailhaul/mailhaul/migrate/window"
)

// nightly is a migration of mailboxes that each take so many hours by themselves,
// and work is allowed for eight hours of each night.
func nightly(t *testing.T, hoursEach ...float64) *Migration {
	t.Helper()
	var messages []int64
	for _, h := range hoursEach {
		messages = append(messages, int64(h*36_000))
	}
	m := moving(messages...)
	m.Window = hours(t, "22:00-06:00")
	return m
}

// pack packs m, and returns the numbers of the mailboxes of each wave.
func pack(t *testing.T, m *Migration, groups string) (f *Forecast, waves string) {
	t.Helper()
	of := strings.Split(groups, ",")
	for len(of) < len(m.Loads) {
		of = append(of, "")
	}
	f, err := m.Packed(t.Context(), of)
	if err != nil {
		t.Fatal(err)
	}
	all := make([][]int, len(m.Waves))
	for i, l := range m.Loads {
		n := slices.IndexFunc(m.Waves, func(w Wave) bool { return w.Name == l.Wave })
		if n < 0 || f.Mailboxes[i].Wave != l.Wave {
			t.Fatalf("mailbox %d is of wave %q, and %q in the forecast", i, l.Wave, f.Mailboxes[i].Wave)
		}
		all[n] = append(all[n], i)
	}
	return f, fmt.Sprint(all)
}

// opening returns when that closes with which a wave begins.
func opening(t *testing.T, m *Migration, wave int) time.Time {
	t.Helper()
	at := m.Waves[wave].Start
	open, closes := m.Window.Open(at)
	if before, _ := m.Window.Open(at.Add(-time.Nanosecond)); !open || before && !at.Equal(m.Start) {
		t.Errorf("wave %s begins at %v", m.Waves[wave].Name, at)
	}
	return closes
}

func TestMailboxesArePackedIntoWaves(t *testing.T) {
	for _, test := range []struct {
		groups string
		jobs   int
		want   string
		over   string
	}{
		{"", 1, "[[0 3 5] [2 6] [1] [4]]", "[4]"},
		{"", 2, "[[0 2 6] [1 3 5] [4]]", "[3]"},
		{",,a,,,,a", 1, "[[2 6] [0 3 5] [1] [4]]", "[4]"},
		{"a,,a", 1, "[[1 6] [3 5] [0 2 4]]", "[3]"},
		{"a,,a,,a,a", 9, "[[1 3 6] [0 2 4 5]]", "[2]"},
	} {
		m := nightly(t, 4.9, 3.2, 3.3, 2, 9, 1, 3.9)
		m.Jobs, m.Start = test.jobs, monday.Add(12*time.Hour)
		f, got := pack(t, m, test.groups)
		if got != test.want || fmt.Sprint(f.Over) != test.over {
			t.Errorf("in groups %q, %d at once, they are %s, want %s; %v take more than an opening, want %s", test.groups, test.jobs, got, test.want, f.Over, test.over)
		}
		for i, w := range f.Waves {
			if closes := opening(t, m, i); closes.Before(w.End.P90) != slices.Contains(f.Over, w.Name) {
				t.Errorf("wave %s ends at %v, and the window closes at %v", w.Name, w.End.P90, closes)
			}
		}
	}
}

func TestAWaveTakesNoTimeBesideItsOpening(t *testing.T) {
	m := nightly(t, 1, 3.9, 1, 2.9, 2)
	m.Jobs, m.Start = 1, monday.Add(3*time.Hour) // three hours before it closes
	if _, got := pack(t, m, ""); got != "[[3] [0 1 2 4]]" || !m.Waves[0].Start.Equal(m.Start) {
		t.Errorf("%s, the first one at %v", got, m.Waves[0].Start)
	}
	m = nightly(t, 10, 3, 20)
	m.Jobs, m.Window = 1, hours(t, "Mon-Fri 22:00-02:00, Sat-Sun")
	if _, got := pack(t, m, ""); got != "[[1] [0 2]]" || m.Waves[1].Start.Weekday() != time.Friday {
		t.Errorf("%s, the last one at %v", got, m.Waves[1].Start)
	}
}

func TestNineOfTenRunsOfAWaveEndInItsOpening(t *testing.T) {
	for name, change := range map[string]func(m *Migration){
		"answers": func(m *Migration) { m.Doubt = Doubt{0.25, 0.05} },
		"user":    func(m *Migration) { m.Doubt, m.Model.Own = Doubt{0.25, 0.1}, []pace.Limit{rate("user", 50)} },
		"project": func(m *Migration) { m.Doubt.Pace, m.Model.Shared = 0.1, []pace.Limit{rate("project", 150)} },
		"a day": func(m *Migration) {
			m.Model.Shared = []pace.Limit{{Name: "day", Unit: pace.Points, Amount: 3_000_000, Per: 24 * time.Hour}}
		},
		"openings": func(m *Migration) { m.Window = hours(t, "22:00-02:00, 02:30-06:00") },
		"the same day": func(m *Migration) {
			m.Window = hours(t, "22:00-02:00, 02:30-06:00")
			m.Model.Shared = []pace.Limit{{Name: "day", Unit: pace.Points, Amount: 3_000_000, Per: 24 * time.Hour}}
		},
	} {
		m := nightly(t, 3, 1, 2, 2, 1, 3, 2, 1, 1, 2, 3, 1, 2, 1, 1, 2, 2, 1, 1, 2)
		m.Runs, m.Jobs, m.Deltas, m.Depth, m.Sample = 0, 4, 1, verify.Sampled, verify.Sample{N: 100}
		m.Model.Read.Content = []Call{call(10, 400*time.Millisecond)}
		for i := range m.Loads {
			m.Loads[i].Sizes[0].Messages /= 2
		}
		change(m)
		f, got := pack(t, m, "")
		if len(f.Over) > 0 || len(f.Waves) < 2 || len(f.Waves) > 14 {
			t.Errorf("%s: %s, %v take more than an opening", name, got, f.Over)
		}
		for i, w := range f.Waves {
			if closes := opening(t, m, i); w.End.P90.After(closes) || w.Start.P90 != m.Waves[i].Start {
				t.Errorf("%s: wave %s begins at %v and ends at %v, and the window closes at %v", name, w.Name, w.Start.P90, w.End.P90, closes)
			}
		}
	}
}

func TestTheNamesOfPackedWavesSort(t *testing.T) {
	m := nightly(t, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5)
	m.Jobs = 1
	f, _ := pack(t, m, "")
	var names []string
	for _, w := range f.Waves {
		names = append(names, w.Name)
	}
	if len(names) != 11 || names[0] != "01" || !slices.IsSorted(names) {
		t.Errorf("they are %q", names)
	}
	m.Loads, m.Jobs = nil, 1
	if f, err := m.Packed(t.Context(), nil); err != nil || len(f.Over) > 0 {
		t.Error(f, err)
	}
}

func TestOfPackedWavesItSaysWhatOthersWouldSave(t *testing.T) {
	m := nightly(t, 5, 5, 5)
	m.Jobs = 1
	f, _ := pack(t, m, "")
	for _, c := range f.Changes {
		if c.What == Jobs && c.Saves > 8*time.Hour {
			return
		}
	}
	t.Errorf("%v", f.Changes)
}

func TestWhatNeverClosesIsNotPacked(t *testing.T) {
	m := nightly(t, 1)
	for _, w := range []*window.Window{nil, hours(t, "Mon-Sun")} {
		m.Window = w
		if _, err := m.Packed(t.Context(), []string{""}); err == nil || !strings.Contains(err.Error(), "never closes") {
			t.Error(err)
		}
	}
}

func TestOneInTenRunsIsSlowerThanThoseForWhichWavesAreMade(t *testing.T) {
	m := moving(10)
	m.Runs, m.Doubt = 0, Doubt{0.25, 0.05}
	o, err := m.outline(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slow := m.slow(o)
	for i, takes := range []func(r *run) float64{func(r *run) float64 { return r.pace }, func(r *run) float64 { return r.pace * r.latency }} {
		slower := 0
		for _, n := range m.numbers() {
			if takes(newRun(m, o, n)) > takes(newRun(m, o, slow[i])) {
				slower++
			}
		}
		if slower != 1 {
			t.Errorf("of %d runs %d are slower than run %d", len(m.numbers()), slower, slow[i])
		}
	}
}
