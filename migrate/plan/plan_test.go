package plan

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/verify"
	"github.com/mailhaul/mailhaul/migrate/window"
)

// monday is when the migrations of these tests start.
var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// call is a call that costs so many points and always takes as long.
func call(points int64, takes time.Duration) Call {
	return Call{Cost: pace.Cost{pace.Requests: 1, pace.Points: points}, Median: takes}
}

// rate is a limit of so many points a second.
func rate(name string, points int64) pace.Limit {
	return pace.Limit{Name: name, Unit: pace.Points, Amount: points, Per: time.Second, Burst: points}
}

// moving is a migration of mailboxes with so many messages of 1,000 octets, each
// of which takes one call of 10 points and 400 ms, four at once. No limit binds.
func moving(messages ...int64) *Migration {
	m := &Migration{Jobs: len(messages), Start: monday, Runs: 5, Model: Model{Parallel: 4, Write: []Write{{Calls: []Call{call(10, 400*time.Millisecond)}}}}}
	for i, n := range messages {
		m.Loads = append(m.Loads, Load{Name: fmt.Sprint("box", i), Sizes: []Size{{n, n * 1000}}})
	}
	return m
}

func forecast(t *testing.T, m *Migration) *Forecast {
	t.Helper()
	f, err := m.Forecast(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// lasts expects that the whole takes so long, within one in a hundred and a
// second.
func lasts(t *testing.T, m *Migration, want time.Duration) *Forecast {
	t.Helper()
	f := forecast(t, m)
	if got := f.Whole.End.P50.Sub(monday); (got - want).Abs() > want/100+time.Second {
		t.Errorf("it lasts %v, want %v", got, want)
	}
	return f
}

func hours(t *testing.T, text string) *window.Window {
	t.Helper()
	w, err := window.Parse(text, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestCallsTakeAsLongAsTheTargetAnswers(t *testing.T) {
	lasts(t, moving(10_000), 1000*time.Second)
	one := moving(1)
	one.Model.Write[0].Calls[0].Median = 400 * time.Second
	lasts(t, one, 400*time.Second)
}

func TestALimitOfAMailboxHoldsItUp(t *testing.T) {
	m := moving(5000, 500)
	m.Model.Own = []pace.Limit{rate("user", 20)}
	f := lasts(t, m, 2500*time.Second)
	if end := f.Mailboxes[1].End.P50.Sub(monday); end < 245*time.Second || end > 255*time.Second {
		t.Errorf("the smaller mailbox ends after %v, want 250 s", end)
	}
}

func TestALimitOfAllIsSharedByTheWorkThatIsLeft(t *testing.T) {
	m := moving(1000, 2000, 5000)
	m.Model.Shared = []pace.Limit{rate("project", 50)}
	f := lasts(t, m, 1600*time.Second)
	for _, b := range f.Mailboxes {
		if end := b.End.P50.Sub(monday); end < 1550*time.Second {
			t.Errorf("%s ends after %v, while others go on", b.Name, end)
		}
	}
}

func TestAWindowOfALimitIsUsedUpAndThenWaitedFor(t *testing.T) {
	m := moving(25_000)
	m.Model.Own = []pace.Limit{{Name: "calls", Unit: pace.Requests, Amount: 9_900, Per: 20 * time.Minute}}
	lasts(t, m, 2*20*time.Minute+520*time.Second)
}

func TestADayOfALimitHoldsUpAllMailboxes(t *testing.T) {
	m := moving(3000, 3000)
	m.Model.Shared = []pace.Limit{{Name: "day", Unit: pace.Points, Amount: 40_000, Per: 24 * time.Hour}}
	f := lasts(t, m, 24*time.Hour+100*time.Second)
	if len(f.Days) != 2 || f.Days[0].Cost[pace.Points] > 40_000 || f.Days[0].Cost[pace.Points] < 39_500 || !f.Days[1].Date.Equal(monday.AddDate(0, 0, 1)) {
		t.Errorf("%v", f.Days)
	}
}

func TestFewerStepsTakeAsLongAsOneForEachMessage(t *testing.T) {
	rough := func(m *Migration) *Migration {
		for i := range m.Model.Write[0].Calls {
			m.Model.Write[0].Calls[i].Sigma = 0.5
		}
		m.Loads[0].Sizes = append(m.Loads[0].Sizes, Size{1000, 60_000_000}, Size{20, 60_000_000})
		return m
	}
	for name, m := range map[string]*Migration{
		"answers": rough(moving(9000, 3000, 700)),
		"user": func() *Migration {
			m := rough(moving(9000, 3000, 700))
			m.Model.Own = []pace.Limit{rate("user", 60)}
			return m
		}(),
		"project": func() *Migration {
			m := rough(moving(9000, 3000, 700))
			m.Model.Shared = []pace.Limit{rate("project", 70)}
			return m
		}(),
		"windows": func() *Migration {
			m := rough(moving(9000, 3000, 700))
			m.Model.Own = []pace.Limit{{Name: "calls", Unit: pace.Requests, Amount: 800, Per: 3 * time.Minute},
				{Name: "octets", Unit: pace.Bytes, Amount: 10_000_000, Per: 2 * time.Minute}}
			m.Model.Write[0].Calls[0].Sent = 4.0 / 3
			return m
		}(),
		"hours": func() *Migration {
			m := rough(moving(9000, 3000, 700))
			m.Window = hours(t, "00:00-00:10, 01:00-01:10, 02:00-02:10, 03:00-03:10")
			return m
		}(),
	} {
		m.Runs = 9
		coarse := forecast(t, m).Whole.End.P50.Sub(monday)
		m.fine = true
		fine := forecast(t, m).Whole.End.P50.Sub(monday)
		if ratio := coarse.Seconds() / fine.Seconds(); math.Abs(ratio-1) > 0.015 {
			t.Errorf("%s: %v in steps, %v message by message, ratio %.4f", name, coarse, fine, ratio)
		}
	}
}

func TestCoarseStepsTakeAboutAsLongAsOthers(t *testing.T) {
	for name, model := range map[string]Model{"graph": graphModel(), "gmail": gmailModel()} {
		m := &Migration{Loads: company(8, 400_000), Model: model, Jobs: 4, Start: monday}
		o, err := m.outline(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		takes := func() (whole time.Duration) {
			for n := range uint64(5) {
				e, err := newRun(m, o, n).run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				whole += e.whole / 5
			}
			return whole
		}
		others := takes()
		o.coarse = 10 // as of 100,000,000 messages
		for i := range o.first {
			o.divide(&o.first[i])
		}
		if coarse := takes(); math.Abs(coarse.Seconds()/others.Seconds()-1) > 0.04 {
			t.Errorf("%s: %v in coarse steps, %v in others", name, coarse, others)
		}
	}
}

func TestThePlanOfManyMessagesHasFewSteps(t *testing.T) {
	m := &Migration{Loads: company(20, 100_000_000), Model: graphModel(), Jobs: 5, Start: monday}
	o, err := m.outline(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	steps := int64(0)
	for _, s := range o.first {
		steps += s.steps
	}
	if steps > stepsInAll*11/10 || steps < stepsInAll/2 {
		t.Errorf("%d steps", steps)
	}
}

func TestNoMoreMailboxesAreAtWorkThanMayBe(t *testing.T) {
	m := moving(1000, 1000, 1000, 1000, 1000)
	m.Jobs = 2
	f := lasts(t, m, 300*time.Second)
	if w := f.Mailboxes[4].Waited; len(w) != 1 || w[0].For != Jobs || (w[0].Time-200*time.Second).Abs() > 3*time.Second {
		t.Errorf("the last mailbox waited for %v", w)
	}
	if start := f.Mailboxes[2].Start.P50.Sub(monday); (start - 100*time.Second).Abs() > 2*time.Second {
		t.Errorf("the third mailbox starts after %v", start)
	}
}

func TestTheLargestMailboxMayGoFirst(t *testing.T) {
	m := moving(1000, 1000, 4000)
	m.Jobs = 2
	lasts(t, m, 500*time.Second)
	m.largest = true
	lasts(t, m, 400*time.Second)
}

func TestWorkIsDoneWithinTheWindow(t *testing.T) {
	m := moving(10_000, 12_000)
	m.Window = hours(t, "08:00-08:10")
	m.Model.Open = []Call{call(1, time.Second)}
	m.Source.Connect = 2 * time.Second
	f := lasts(t, m, 2*24*time.Hour+8*time.Hour+9*time.Second)
	if start := f.Whole.Start.P50; !start.Equal(monday) {
		t.Errorf("it starts at %v", start)
	}
	if start := f.Mailboxes[0].Start.P50.Sub(monday); start != 8*time.Hour {
		t.Errorf("the first mailbox starts after %v", start)
	}
	b := f.Mailboxes[0]
	if w := b.Waited[0]; w.For != Closed || (w.Time-(31*time.Hour+50*time.Minute)).Abs() > time.Second {
		t.Errorf("it waited for %v", b.Waited)
	}
	if (b.Took - 1006*time.Second).Abs() > 12*time.Second {
		t.Errorf("it was at work for %v, want 1,000 s, and 3 s each time that it is opened", b.Took)
	}
}

func TestAMailboxBeginsAnewWhenTheWindowOpens(t *testing.T) {
	works := func(m *Migration, want time.Duration) {
		t.Helper()
		m.Window = hours(t, "08:00-08:10")
		if took := forecast(t, m).Mailboxes[0].Took; (took - want).Abs() > 3*time.Second {
			t.Errorf("it was at work for %v, want %v", took, want)
		}
	}
	works(moving(8000), 800*time.Second)
	m := moving(8000)
	m.Source.Listing = 100 // what was done is listed again: 6,000 messages
	works(m, 860*time.Second)
	m = moving(8000)
	m.Model.Open = []Call{call(1, time.Minute)}
	works(m, 920*time.Second)
	m = moving(8000)
	m.Model.First, m.fine = 1, true // twice it takes 3/4 of 64 calls, 1/2 and 1/4 longer than at the most
	works(m, 800*time.Second+2*27700*time.Millisecond)
}

func TestNothingIsLostWhenTheWindowCloses(t *testing.T) {
	m := moving(3000, 3000)
	m.Model.Shared = []pace.Limit{rate("project", 25)}
	m.Window = hours(t, "08:00-08:10, 09:00-09:10")
	points := int64(0)
	for _, d := range forecast(t, m).Days {
		points += d.Cost[pace.Points]
	}
	if points != 60_000 {
		t.Errorf("%d points, want 60,000", points)
	}
}

func TestLongWorkIsDoneInSeveralWindows(t *testing.T) {
	m := moving(10)
	m.Window = hours(t, "00:00-00:10, 01:00-01:10, 02:00-02:10, 03:00-03:10")
	o, err := m.outline(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := newRun(m, o, 0)
	r.now, r.change = 5*time.Minute, 10*time.Minute
	for work, want := range map[time.Duration]time.Duration{5 * time.Minute: 10 * time.Minute, 6 * time.Minute: 61 * time.Minute, 21 * time.Minute: 126 * time.Minute} {
		if got := r.after(r.boxes[0], work); got != want {
			t.Errorf("%v of work end at %v, want %v", work, got, want)
		}
	}
}

func TestWavesGoOneAfterTheOtherAndNotBeforeTheirTime(t *testing.T) {
	m := moving(1000, 2000, 1000)
	m.Loads[0].Wave, m.Loads[1].Wave, m.Loads[2].Wave = "b", "a", "c"
	m.Waves = []Wave{{Name: "a"}, {Name: "b"}, {Name: "c", Start: monday.Add(time.Hour)}}
	f := lasts(t, m, time.Hour+100*time.Second)
	for i, want := range []struct{ start, end time.Duration }{{0, 200 * time.Second}, {200 * time.Second, 300 * time.Second}, {time.Hour, time.Hour + 100*time.Second}} {
		w := f.Waves[i]
		if (w.Start.P50.Sub(monday)-want.start).Abs() > 2*time.Second || (w.End.P50.Sub(monday)-want.end).Abs() > 3*time.Second || w.Name != m.Waves[i].Name {
			t.Errorf("wave %s goes from %v to %v", w.Name, w.Start.P50, w.End.P50)
		}
	}
	if b := f.Mailboxes[0]; b.Wave != "b" || (b.Start.P50.Sub(monday)-200*time.Second).Abs() > 2*time.Second {
		t.Errorf("%+v", b.Start)
	}
}

func TestALaterPassBeginsWithTheLargestMailbox(t *testing.T) {
	m := moving(100, 5000)
	m.Jobs, m.Deltas = 1, 1
	for i := range m.Loads {
		m.Loads[i].Perday = Size{86_400, 86_400_000} // one a second
	}
	if f := forecast(t, m); !f.Mailboxes[0].End.P50.After(f.Mailboxes[1].End.P50) {
		t.Errorf("the small mailbox ends at %v, the large one at %v", f.Mailboxes[0].End.P50, f.Mailboxes[1].End.P50)
	}
}

func TestLaterPassesBringWhatCameMeanwhile(t *testing.T) {
	m := moving(864_000, 100) // a day's work
	m.Loads[0].Perday = Size{8640, 8_640_000}
	m.Model.Open = []Call{call(1000, 0)}
	m.Deltas, m.Depth = 2, verify.Content
	m.Model.Read.Content = []Call{call(3, 0)}
	f := lasts(t, m, 24*time.Hour+864*time.Second+9*time.Second)
	points := int64(0)
	for _, d := range f.Days {
		points += d.Cost[pace.Points]
	}
	// A mailbox to which nothing came is not opened at the target.
	if want := int64((10+3)*(864_000+100+8640+86) + 1000*4); (points-want) > 20 || points < want-20 {
		t.Errorf("%d points, want %d", points, want)
	}
}

func TestAVerificationAsksForWhatItsDepthNeeds(t *testing.T) {
	for depth, want := range map[verify.Depth]int64{
		"":              0,
		verify.Counts:   7 + 2*3 + 11,
		verify.Metadata: 7 + 2*3 + 11 + 2*1000,
		verify.Sampled:  7 + 2*3 + 11 + 2*800 + 20*200,
		verify.Content:  7 + 2*3 + 11 + 20*1000,
	} {
		m := moving(1000)
		m.Loads[0].Folders, m.Loads[0].Merged = 2, 100
		m.Model.Merge = []Call{call(5, 0)}
		m.Depth, m.Sample = depth, verify.Sample{N: 100}
		m.Model.Read = Read{Open: []Call{call(7, 0)}, Folder: []Call{call(3, 0)}, Page: []Call{call(1, 0)}, PerPage: 100,
			Look: []Call{call(2, 400*time.Millisecond)}, Content: []Call{call(20, 400*time.Millisecond)}}
		wanted := 100 * time.Second
		if depth != "" && depth != verify.Counts {
			wanted += 100 * time.Second
		}
		f := lasts(t, m, wanted+2*time.Second)
		if got := f.Days[0].Cost[pace.Points] - 10_000 - 500; got != want {
			t.Errorf("depth %q asks for %d points, want %d", depth, got, want)
		}
	}
	m := moving(640)
	m.Model.Read.Content = []Call{{Median: time.Second, Sigma: 0.5}}
	m.Depth = verify.Content
	compared := func() float64 {
		o, err := m.outline(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return o.compared[0]
	}
	if got := compared(); got < 3.5 || got > 3.95 {
		t.Errorf("%.2f messages are compared at once, want a little less than 4", got)
	}
	m.Source.Mailbox = 1000 // to read a message takes as long as to compare it
	if got := compared(); got < 0.7 || got > 0.95 {
		t.Errorf("%.2f messages are compared at once, want a little less than 1", got)
	}
	m = moving(900)
	m.Loads[0].Known = 100
	m.Depth, m.Sample = verify.Sampled, verify.Sample{Percent: 5}
	if w := m.verification(&m.Loads[0], m.Loads[0].all()); w.Listed != 1000 || w.Opens != 50 || w.Looks != 950 || w.Bytes != 50_000 {
		t.Errorf("%+v", w)
	}
}

func TestAVerificationSharesByTheWorkThatIsLeft(t *testing.T) {
	m := moving(1000, 3000)
	m.Depth = verify.Content
	m.Model.Write[0].Calls[0].Median = 0
	m.Model.Read.Content = []Call{call(10, 100*time.Millisecond)}
	m.Model.Shared = []pace.Limit{rate("project", 100)}
	f := forecast(t, m)
	if first, last := f.Mailboxes[0].End.P50, f.Mailboxes[1].End.P50; last.Sub(first) > 20*time.Second {
		t.Errorf("one ends at %v, the other at %v", first, last)
	}
}

func TestFoldersAreMadeOneAfterTheOther(t *testing.T) {
	m := moving(1000)
	m.Model.Begin = []Call{call(1, 20*time.Second)}
	m.Loads[0].Folders = 200
	m.Model.Folder = []Call{call(5, time.Second)}
	f := lasts(t, m, 320*time.Second)
	if got := f.Days[0].Cost; got[pace.Points] != 11_001 || got[pace.Requests] != 1201 {
		t.Errorf("it costs %v", got)
	}
}

func TestASourceIsAsSlowForAllOrForEachAsItIs(t *testing.T) {
	m := moving(1000, 3000)
	m.Source.Bandwidth = 5000
	lasts(t, m, 800*time.Second)
	m.Source = Source{Mailbox: 5000}
	lasts(t, m, 600*time.Second)
	m.Source = Source{Listing: 5, Connect: time.Minute}
	lasts(t, m, 660*time.Second)
	m.Loads[1].Known = 1000
	lasts(t, m, 860*time.Second)
}

func TestMessagesThatAreDoneAreListedAlone(t *testing.T) {
	l := Load{Folders: 3, Sizes: []Size{{1000, 5000}, {10, 1_000_000}}, Merged: 90, Known: 5}
	got := l.Remaining(550)
	if got.Known != 555 || got.Sizes[0] != (Size{500, 2500}) || got.Sizes[1] != (Size{5, 500_000}) || got.Merged != 45 || got.Folders != 0 {
		t.Errorf("%+v", got)
	}
	if l.Sizes[0].Messages != 1000 {
		t.Error("the load itself changed")
	}
	if got := l.Remaining(5000); got.all() != (Size{}) || got.Known != 1105 {
		t.Errorf("%+v", got)
	}
	if got := (&Load{Sizes: []Size{{10, 1000}}, Merged: 5}).all(); got != (Size{15, 1500}) {
		t.Errorf("all are %+v", got)
	}
	if got := (Load{}).Remaining(0); got.Known != 0 {
		t.Errorf("%+v", got)
	}
}

func TestAMigrationThatMakesNoSenseIsRefused(t *testing.T) {
	for want, change := range map[string]func(m *Migration){
		"at least 1":          func(m *Migration) { m.Jobs = 0 },
		"both must be":        func(m *Migration) { m.Model.Parallel = 0 },
		"how messages":        func(m *Migration) { m.Model.Write = nil },
		`"user" lets nothing`: func(m *Migration) { m.Model.Own = []pace.Limit{{Name: "user", Per: time.Second}} },
		`"all" lets nothing`:  func(m *Migration) { m.Model.Shared = []pace.Limit{{Name: "all", Amount: 1}} },
		`wave "a" is there`:   func(m *Migration) { m.Waves = []Wave{{Name: "a"}, {Name: "a"}} },
		`no wave ""`:          func(m *Migration) { m.Waves = []Wave{{Name: "a"}} },
		"box0: a number":      func(m *Migration) { m.Loads[0].Sizes[0].Bytes = -1 },
		"box1: a number":      func(m *Migration) { m.Loads[1].Known = math.MaxInt64 },
		"hundred years":       func(m *Migration) { m.Model.Own = []pace.Limit{{Amount: 1, Per: 1e6 * time.Hour}} },
	} {
		m := moving(10, 10)
		change(m)
		if _, err := m.Forecast(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestAForecastEndsWhenItIsToldTo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := moving(1_000_000).Forecast(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAMigrationOfNothingTakesNoTime(t *testing.T) {
	m := moving()
	m.Jobs = 1
	lasts(t, m, 0)
	m = moving(0)
	m.Depth = verify.Content
	lasts(t, m, 0)
}
