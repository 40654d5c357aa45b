package verify_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

func TestASampleIsANumberOrAShare(t *testing.T) {
	for in, want := range map[string]verify.Sample{"400": {N: 400}, "5%": {Percent: 5}, "0.5%": {Percent: 0.5}, "100%": {Percent: 100}} {
		if s, err := verify.ParseSample(in); err != nil || s != want || s.String() != in {
			t.Errorf("%s: %+v %v", in, s, err)
		}
	}
	for _, in := range []string{"", "0", "-1", "0%", "101%", "NaN%", "+Inf%", "many", "5 %"} {
		if s, err := verify.ParseSample(in); err == nil {
			t.Errorf("%q is taken for %v", in, s)
		}
	}
}

// sampled verifies a sample of one folder with 100 small, 10 large and 3
// changed messages and returns which were read back.
func sampled(t *testing.T, s verify.Sample) (w *world, opened map[migrate.MessageID]bool) {
	w = newWorld(true, "INBOX")
	opened = map[migrate.MessageID]bool{}
	w.fill(100)
	for range 10 {
		l := w.deliver(0)
		l.octets = append(l.octets, make([]byte, 40<<10)...)
		l.Size = int64(len(l.octets))
		w.copy(l)
	}
	for range 3 {
		w.copy(w.deliver(0), "dated-by-import")
	}
	w.trouble = func(call string, id migrate.MessageID) error {
		if call == "open" {
			opened[id] = true
		}
		return nil
	}
	w.verify(t, &verify.Verifier{Depth: verify.Sampled, Sample: s})
	w.expect(t)
	return w, opened
}

func TestASampleTakesItsShareOfEachKindOfMessage(t *testing.T) {
	for s, want := range map[verify.Sample][3]int{
		{N: 20}:        {18, 2, 1}, // shares of 113, rounded up
		{Percent: 10}:  {10, 1, 1},
		{N: 113}:       {100, 10, 3},
		{N: 100_000}:   {100, 10, 3},
		{N: 1}:         {1, 1, 1},
		{Percent: 100}: {100, 10, 3},
	} {
		w, opened := sampled(t, s)
		var got [3]int
		for id := range opened {
			var n int
			fmt.Sscanf(string(id), "id-%d", &n)
			switch {
			case n <= 100:
				got[0]++
			case n <= 110:
				got[1]++
			default:
				got[2]++
			}
		}
		if got != want {
			t.Errorf("%v: %v of the kinds were read back, want %v", s, got, want)
		}
		if f := w.latest.Folders[0]; f.Compared != int64(len(opened)) || f.Present != 113 {
			t.Errorf("%v: %+v", s, f)
		}
		work, err := (&verify.Verifier{Depth: verify.Sampled, Sample: s}).Plan(t.Context(), w)
		if err != nil || work.Opens != int64(len(opened)) || work.Looks != 113-work.Opens || work.Listed != 113 || work.Folders != 1 {
			t.Errorf("%v: the plan says %+v, %v", s, work, err)
		}
	}
}

func TestEachVerificationDrawsItsOwnSampleAndKeepsItWhenItIsStopped(t *testing.T) {
	w, first := sampled(t, verify.Sample{N: 20})
	second := map[migrate.MessageID]bool{}
	ctx, cancel := context.WithCancelCause(t.Context())
	w.trouble = func(call string, id migrate.MessageID) error {
		if call == "open" {
			second[id] = true
		}
		if len(second) == 15 {
			cancel(errors.New("interrupted"))
		}
		return ctx.Err()
	}
	v := &verify.Verifier{Depth: verify.Sampled, Sample: verify.Sample{N: 20}}
	if err := w.run(ctx, v); err == nil {
		t.Fatal("it was not interrupted")
	}
	w.trouble = func(call string, id migrate.MessageID) error {
		if call == "open" {
			second[id] = true
		}
		return nil
	}
	w.verify(t, v)
	if len(second) != len(first) {
		t.Errorf("a stopped verification read back %d messages, one that was not %d", len(second), len(first))
	}
	if maps.Equal(first, second) {
		t.Error("two verifications drew the same messages")
	}
}

func TestThePlanCountsMergedMessagesOnce(t *testing.T) {
	w := newWorld(true, "INBOX", "Sent")
	a, b := w.deliver(0), w.deliver(1)
	w.place(w.copy(a), b)
	work, err := at(verify.Content).Plan(t.Context(), w)
	if want := (verify.Work{Folders: 2, Listed: 2, Opens: 1, Bytes: a.Size}); err != nil || work != want {
		t.Errorf("%+v, %v", work, err)
	}
}

func TestTheStatementIsWhatStatisticsAllow(t *testing.T) {
	for _, c := range []struct {
		folders   []migrate.FolderVerification
		different int64
		want      string
	}{
		{[]migrate.FolderVerification{{Present: 52_000, Compared: 400}}, 0, "0 differences in 400 of 52000: with 95 % confidence under 0.75 % differ"},
		{[]migrate.FolderVerification{{Present: 52_000, Compared: 59}}, 0, "0 differences in 59 of 52000: with 95 % confidence under 5.0 % differ"},
		// 2 in 100: 6.162 % by the tables of Clopper and Pearson
		{[]migrate.FolderVerification{{Present: 5_000, Compared: 100}}, 2, "2 differences in 100 of 5000: with 95 % confidence under 6.2 % differ"},
		{[]migrate.FolderVerification{{Present: 50, Compared: 50}}, 1, "1 difference in 50 of 50, which is all"},
		{[]migrate.FolderVerification{{Present: 60, Merged: 4, Unread: 6, Compared: 50}}, 0, "0 differences in 50 of 50, which is all"},
		// of the second folder a fifth was drawn, so 1,200 count as 240
		{[]migrate.FolderVerification{{Present: 200, Compared: 200}, {Present: 1000, Compared: 200}}, 0, "0 differences in 400 of 1200: with 95 % confidence under 1.3 % differ"},
		{nil, 0, "Nothing was compared"},
	} {
		if got := verify.Statement(c.folders, c.different, func(n int64) string { return fmt.Sprint(n) }); got != c.want {
			t.Errorf("%+v: %q, want %q", c.folders, got, c.want)
		}
	}
}

// The bound is right if, at exactly that share, so few differences as were
// found have a chance of 5 %.
func TestTheBoundIsExact(t *testing.T) {
	for _, c := range []struct{ n, k int64 }{{400, 0}, {400, 3}, {10_000, 57}, {1_000_000, 12}, {5, 4}} {
		p := verify.Upper(c.n, c.k)
		chance, term := 0.0, math.Exp(float64(c.n)*math.Log1p(-p)) // of none
		for i := range c.k + 1 {
			chance += term
			term *= float64(c.n-i) / float64(i+1) * p / (1 - p)
		}
		if math.Abs(chance-0.05) > 1e-6 {
			t.Errorf("%d in %d: at %v the chance is %v", c.k, c.n, p, chance)
		}
	}
}
