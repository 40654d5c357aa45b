package assess

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/plan"
)

func loadSizes(messages, bytes int64) []plan.Size {
	return []plan.Size{{Messages: messages, Bytes: bytes}}
}

func TestALoadTakesAsLongAsItsMessagesOneByOne(t *testing.T) {
	// As Microsoft 365 takes them: other calls above a size, a part that grows
	// with octets, and a call for each range of a large message.
	seconds := func(size float64) float64 {
		if size <= 3_000_000 {
			return 0.4 + size/4_000_000
		}
		return 0.45 + 0.15*math.Ceil(size/4_369_066) + size/4_000_000
	}
	r := rand.New(rand.NewPCG(1, 2))
	for name, size := range map[string]func() float64{
		"all sizes":  func() float64 { return math.Exp(9.5 + 2*r.NormFloat64()) }, // from a few hundred octets to tens of megabytes
		"large ones": func() float64 { return math.Exp(15 + r.NormFloat64()) },
		"two sizes":  func() float64 { return []float64{700, 8_000_000}[r.IntN(2)] },
	} {
		w := &world{}
		b := w.folder("INBOX")
		var exact float64
		for range 20_000 {
			size := int64(size())
			exact += seconds(float64(size))
			b.add(migrate.Message{Size: size, InternalDate: day})
		}
		l := Load(w.assess(t, nil, options()), Target{})
		if len(l.Sizes) > loadClasses {
			t.Errorf("%s: %d classes", name, len(l.Sizes))
		}
		var messages, bytes int64
		var took float64
		for _, s := range l.Sizes {
			messages, bytes = messages+s.Messages, bytes+s.Bytes
			took += float64(s.Messages) * seconds(float64(s.Bytes)/float64(s.Messages))
		}
		if messages != 20_000 || bytes != b.Bytes {
			t.Errorf("%s: %d messages of %d octets, want 20000 of %d", name, messages, bytes, b.Bytes)
		}
		if off := took/exact - 1; math.Abs(off) > 0.01 {
			t.Errorf("%s: the time is off by %.2g", name, off)
		}
	}
}

func TestClassesThatABoundPartsStayApart(t *testing.T) {
	var classes []Class
	var bounds []int64
	for i := range int64(20) {
		classes, bounds = append(classes, Class{i + 1, Tally{1, i + 1}}), append(bounds, i+1)
	}
	if got := fewer(classes, bounds); len(got) != 20 {
		t.Errorf("%d classes are left of 20 that differ", len(got))
	}
	got := fewer(classes, bounds[9:10])
	if len(got) != loadClasses || !slices.ContainsFunc(got, func(c Class) bool { return c.Most == 10 }) {
		t.Errorf("%v", got)
	}
}

func TestDoublesAreMergedOnlyByATargetThatLabels(t *testing.T) {
	w := &world{}
	w.folder("INBOX", sized(5, 1000)...)
	w.folder("Copy", append(sized(2, 1000), sized(1, 3_000_001)...)...)
	w.folder("More", append(sized(1, 3_000_001), sized(1, 3_000_000)...)...)
	a := w.assess(t, nil, options())
	for _, c := range []struct {
		target Target
		merged int64
		want   []plan.Size
	}{
		{Target{}, 0, []plan.Size{{Messages: 7, Bytes: 7000}, {Messages: 1, Bytes: 3_000_000}, {Messages: 2, Bytes: 6_000_002}}},
		{Target{Labels: true}, 3, []plan.Size{{Messages: 5, Bytes: 5000}, {Messages: 1, Bytes: 3_000_000}, {Messages: 1, Bytes: 3_000_001}}},
		{Target{Labels: true, MaxMessage: 3_000_000}, 2, []plan.Size{{Messages: 5, Bytes: 5000}, {Messages: 1, Bytes: 3_000_000}}},
	} {
		if l := Load(a, c.target); l.Merged != c.merged || !slices.Equal(l.Sizes, c.want) {
			t.Errorf("%+v, want %d merged and %v", l, c.merged, c.want)
		}
	}
}
