package budget

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate/plan"
)

var start = time.Date(2026, 12, 1, 20, 0, 0, 0, time.UTC)

// ends are those of a move after as many hours, early, likely and late.
func ends(early, likely, late int) plan.Range {
	at := func(hours int) time.Time { return start.Add(time.Duration(hours) * time.Hour) }
	return plan.Range{P10: at(early), P50: at(likely), P90: at(late)}
}

// of returns a budget by its lines.
func of(t *testing.T, p Prices, w Work) (map[string]Line, Range) {
	t.Helper()
	b, err := Of(p, w)
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]Line{}
	for _, l := range b.Lines {
		lines[l.Key] = l
	}
	return lines, b.Total
}

func TestEachLineIsWhatThereIsAtItsPrice(t *testing.T) {
	p := Prices{Lead: 15000, Engineer: 12000, Support: 6000, Mailbox: 10 * time.Minute, Wave: 2 * time.Hour, Day: 30 * time.Minute,
		Incidents: 5, Incident: time.Hour, Reports: 2, Report: 3 * time.Hour, Licence: 700, OldSystem: 40000, DualDays: 14,
		Million: 300, Free: 1_000_000, Contingency: 10}
	w := Work{Mailboxes: 90, Waves: 3, Start: start, End: ends(24, 49, 24*18), Units: []int64{900_000, 1_000_000, 3_500_000, 1_250_000}}
	lines, total := of(t, p, w)
	if len(lines) != 9 {
		t.Errorf("there are %d lines", len(lines))
	}
	for key, want := range map[string]Line{
		Mailboxes:   {Count: Range{90, 90, 90}, Amount: Range{180_000, 180_000, 180_000}, Each: 10 * time.Minute, Price: 12000},
		Waves:       {Count: Range{3, 3, 3}, Amount: Range{90_000, 90_000, 90_000}, Each: 2 * time.Hour, Price: 15000},
		Supervision: {Count: Range{1, 3, 18}, Amount: Range{6000, 18_000, 108_000}, Each: 30 * time.Minute, Price: 12000},
		Incidents:   {Count: Range{3, 5, 9}, Amount: Range{18_000, 30_000, 54_000}, Each: time.Hour, Price: 6000},
		Reports:     {Count: Range{2, 2, 2}, Amount: Range{90_000, 90_000, 90_000}, Each: 3 * time.Hour, Price: 15000},
		Licences:    {Count: Range{90, 90, 180}, Amount: Range{63_000, 63_000, 126_000}, Price: 700},
		OldSystem:   {Count: Range{1, 1, 2}, Amount: Range{40_000, 40_000, 80_000}, Price: 40000},
		Calls:       {Count: Range{2_750_000, 2_750_000, 2_750_000}, Amount: Range{825, 825, 825}, Price: 300},
		Contingency: {Amount: Range{48_783, 51_183, 72_883}},
	} {
		want.Key = key
		if got := lines[key]; got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if want := (Range{536_608, 563_008, 801_708}); total != want {
		t.Errorf("the total is %+v, want %+v", total, want)
	}
}

func TestATargetThatNeverChargesHasNoLineOfCalls(t *testing.T) {
	lines, _ := of(t, Prices{Million: 300}, Work{Start: start, End: ends(1, 1, 1), Units: []int64{math.MaxInt64}})
	if _, ok := lines[Calls]; ok {
		t.Error("there is one")
	}
}

func TestALineIsRoundedOnceHalfUp(t *testing.T) {
	for _, c := range []struct {
		rate int64
		each time.Duration
		n    int64
		want int64
	}{
		{100, 18 * time.Second, 1, 1}, // 0.5
		{100, 18*time.Second - 1, 1, 0},
		{100, 54 * time.Second, 1, 2}, // 1.5
		{1, 20 * time.Minute, 3, 1},   // not three times 0
		{1, 20 * time.Minute, 1, 0},
		{1, 0, 1000, 0},
	} {
		lines, _ := of(t, Prices{Engineer: c.rate, Mailbox: c.each}, Work{Mailboxes: c.n, Start: start, End: ends(1, 1, 1)})
		if got := lines[Mailboxes].Amount.High; got != c.want {
			t.Errorf("%d of %s at %d are %d, want %d", c.n, c.each, c.rate, got, c.want)
		}
	}
	lines, total := of(t, Prices{OldSystem: 5, Contingency: 10}, Work{Start: start, End: ends(1, 1, 1)})
	if lines[Contingency].Amount.Low != 1 || total.Low != 6 {
		t.Errorf("ten percent of 5 are %+v, in all %+v", lines[Contingency], total)
	}
}

func TestIncidentsAreWhole(t *testing.T) {
	for n, want := range map[int64]Range{0: {}, 1: {1, 1, 1}, 20: {1, 1, 2}, 40: {1, 2, 4}, 41: {2, 3, 5}} {
		lines, _ := of(t, Prices{Incidents: 5}, Work{Mailboxes: n, Start: start, End: ends(1, 1, 1)})
		if got := lines[Incidents].Count; got != want {
			t.Errorf("%d mailboxes: %+v, want %+v", n, got, want)
		}
	}
}

func TestWhatIsTooLargeIsAnErrorAndNeverWraps(t *testing.T) {
	w := Work{Mailboxes: 1000, Waves: 1, Start: start, End: ends(1, 2, 3)}
	for name, c := range map[string]struct {
		p Prices
		w Work
	}{
		"an amount":  {Prices{Engineer: math.MaxInt64, Mailbox: math.MaxInt64}, w},
		"a sum":      {Prices{Lead: most - 10, Wave: time.Hour, OldSystem: 11}, w},
		"contingent": {Prices{OldSystem: most, Contingency: 1}, w},
		"a count":    {Prices{Incidents: math.MaxInt64}, w},
		"units":      {Prices{Free: 1}, Work{Start: start, End: w.End, Units: []int64{math.MaxInt64, math.MaxInt64}}},
	} {
		if b, err := Of(c.p, c.w); !errors.Is(err, ErrTooMuch) {
			t.Errorf("%s: %+v, %v", name, b, err)
		}
	}
	if _, total := of(t, Prices{Lead: most - 11, Wave: time.Hour, OldSystem: 11}, w); total.High != most {
		t.Errorf("the largest is %+v", total)
	}
}

// Whatever the prices are, more time never costs less and the lines add up.
func TestTheCasesAreInOrderAndTheLinesAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	n := func(most int64) int64 { return r.Int64N(most + 1) }
	d := func() time.Duration { return time.Duration(n(int64(10 * time.Hour))) }
	for range 3000 {
		p := Prices{Lead: n(1e6), Engineer: n(1e6), Support: n(1e6), Mailbox: d(), Wave: d(), Day: d(), Incidents: n(100), Incident: d(), Reports: n(9), Report: d(),
			Licence: n(1e5), OldSystem: n(1e6), DualDays: int(n(100)), Million: n(1e4), Free: n(2) * 1e6, Contingency: n(100)}
		end := plan.Range{P10: start.Add(50 * d())}
		end.P50 = end.P10.Add(50 * d())
		end.P90 = end.P50.Add(50 * d())
		if n(3) == 0 {
			end.P90 = end.P10
			end.P50 = end.P10
		}
		b, err := Of(p, Work{Mailboxes: n(5000), Waves: n(20), Start: start, End: end, Units: []int64{n(1e8), n(1e8)}})
		if err != nil {
			t.Fatal(err)
		}
		var total Range
		for _, l := range b.Lines {
			for _, r := range []Range{l.Count, l.Amount} {
				if r.Low < 0 || r.Low > r.Expected || r.Expected > r.High {
					t.Fatalf("%s is %+v", l.Key, r)
				}
				if end.P10.Equal(end.P90) && r.Low != r.High && l.Key != Incidents && l.Key != Contingency {
					t.Fatalf("all is done at one time, and %s is %+v", l.Key, r)
				}
			}
			total = Range{total.Low + l.Amount.Low, total.Expected + l.Amount.Expected, total.High + l.Amount.High}
		}
		if total != b.Total {
			t.Fatalf("the lines are %+v, the total %+v", total, b.Total)
		}
	}
}
