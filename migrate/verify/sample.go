package verify

import (
	"cmp"
	"container/heap"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
)

// A Sample is how many messages of each folder are read back: N, or a share of
// them. A folder that has no more than that is read back whole.
type Sample struct {
	N       int
	Percent float64 // if N is 0
}

// ParseSample reads "400" or "5%".
func ParseSample(s string) (Sample, error) {
	if share, ok := strings.CutSuffix(s, "%"); ok {
		p, err := strconv.ParseFloat(share, 64)
		if err != nil || !(p > 0 && p <= 100) {
			return Sample{}, fmt.Errorf("sample %q: want more than 0%% and at most 100%%", s)
		}
		return Sample{Percent: p}, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return Sample{}, errors.New("sample " + strconv.Quote(s) + `: want a number of messages, "400", or a share, "5%"`)
	}
	return Sample{N: n}, nil
}

func (s Sample) String() string {
	if s.N > 0 {
		return strconv.Itoa(s.N)
	}
	return strconv.FormatFloat(s.Percent, 'g', -1, 64) + "%"
}

// rate is the share of n messages that is read back.
func (s Sample) rate(n int64) float64 {
	if s.N == 0 {
		return s.Percent / 100
	}
	return min(1, float64(s.N)/float64(max(n, 1)))
}

// Messages are drawn from groups by size and by whether the copy was changed,
// so that rare kinds are not left to chance.
type stratum struct {
	size    int // 0 below 32 KiB, 1 below 1 MiB, 2
	changed bool
}

func stratumOf(r migrate.Record) stratum {
	s := stratum{changed: len(r.Notes) > 0}
	switch {
	case r.Size >= 1<<20:
		s.size = 2
	case r.Size >= 32<<10:
		s.size = 1
	}
	return s
}

// pick draws the sample of a folder: from each stratum its share, rounded up.
// The same seed draws the same messages. Merged ones are not drawn, since their
// content is compared where it was written.
func (s Sample) pick(ctx context.Context, l Ledger, folder int64, seed uint64) (map[migrate.UID]bool, error) {
	count := map[stratum]int64{}
	var all int64
	drawn := func(r migrate.Record) bool { return r.Outcome.Arrived() && r.Outcome != migrate.Merged }
	for r, err := range l.Records(ctx, folder, 1, ^migrate.UID(0)) {
		if err != nil {
			return nil, err
		}
		if drawn(r) {
			count[stratumOf(r)]++
			all++
		}
	}
	lots := map[stratum]*lottery{}
	for st, n := range count {
		lots[st] = &lottery{most: int(math.Ceil(s.rate(all)*float64(n) - 1e-9))}
	}
	for r, err := range l.Records(ctx, folder, 1, ^migrate.UID(0)) {
		if err != nil {
			return nil, err
		}
		if lot := lots[stratumOf(r)]; drawn(r) && lot != nil {
			lot.draw(r.UID, lotOf(seed, folder, r.UID))
		}
	}
	picked := map[migrate.UID]bool{}
	for _, lot := range lots {
		for _, t := range lot.tickets {
			picked[t.uid] = true
		}
	}
	return picked, nil
}

// lotOf is a number by which messages are drawn, as good as random.
func lotOf(seed uint64, folder int64, uid migrate.UID) uint64 {
	var b [20]byte
	binary.BigEndian.PutUint64(b[:], seed)
	binary.BigEndian.PutUint64(b[8:], uint64(folder))
	binary.BigEndian.PutUint32(b[16:], uint32(uid))
	sum := sha256.Sum256(b[:])
	return binary.BigEndian.Uint64(sum[:])
}

// A lottery keeps the tickets with the lowest numbers. It is a heap with the
// highest of them on top.
type lottery struct {
	tickets []ticket
	most    int
}

type ticket struct {
	uid migrate.UID
	lot uint64
}

func (l *lottery) draw(uid migrate.UID, lot uint64) {
	heap.Push(l, ticket{uid, lot})
	if len(l.tickets) > l.most {
		heap.Pop(l)
	}
}

func (l *lottery) Len() int      { return len(l.tickets) }
func (l *lottery) Swap(i, j int) { l.tickets[i], l.tickets[j] = l.tickets[j], l.tickets[i] }
func (l *lottery) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(l.tickets[j].lot, l.tickets[i].lot), cmp.Compare(l.tickets[j].uid, l.tickets[i].uid)) < 0
}
func (l *lottery) Push(t any) { l.tickets = append(l.tickets, t.(ticket)) }
func (l *lottery) Pop() any {
	t := l.tickets[len(l.tickets)-1]
	l.tickets = l.tickets[:len(l.tickets)-1]
	return t
}

// Statement says in words what a sample tells of all: "0 differences in 400 of
// 52,000: with 95 % confidence under 0.75 % differ". What was drawn of each of
// several folders may be a different share of it; then the smallest share
// counts for all, so that the statement errs on the safe side. Its numbers are
// written by number.
func Statement(folders []migrate.FolderVerification, different int64, number func(int64) string) string {
	var population, compared int64
	rate := 1.0
	for _, f := range folders {
		// What is gone from the source cannot be drawn.
		if n := f.Present - f.Merged - f.Unread; n > 0 {
			population, compared = population+n, compared+f.Compared
			rate = min(rate, float64(f.Compared)/float64(n))
		}
	}
	differences := " differences"
	if different == 1 {
		differences = " difference"
	}
	s := number(different) + differences + " in " + number(compared) + " of " + number(population)
	switch {
	case population == 0:
		return "Nothing was compared"
	case compared >= population:
		return s + ", which is all"
	}
	bound := Upper(int64(rate*float64(population)+1e-6), different)
	return fmt.Sprintf("%s: with 95 %% confidence under %s %% differ", s, percent(bound))
}

// percent rounds up to two digits that count.
func percent(p float64) string {
	p *= 100
	unit := math.Pow(10, math.Floor(math.Log10(p))-1)
	return strconv.FormatFloat(min(100, math.Ceil(p/unit-1e-9)*unit), 'f', max(0, int(-math.Round(math.Log10(unit)))), 64)
}

// Upper is the share of messages that differ above which finding at most k in
// n of them has a chance below 5 % (Clopper and Pearson 1934, one-sided). That
// messages are drawn without putting them back only makes it safer.
func Upper(n, k int64) float64 {
	if k >= n {
		return 1
	}
	lo, hi := 0.0, 1.0
	for range 60 {
		p := (lo + hi) / 2
		if atMost(n, k, p) > 0.05 {
			lo = p
		} else {
			hi = p
		}
	}
	return hi
}

// atMost is the chance of at most k successes in n trials of chance p.
func atMost(n, k int64, p float64) (sum float64) {
	lg := func(x int64) float64 { v, _ := math.Lgamma(float64(x + 1)); return v }
	for i := range k + 1 {
		sum += math.Exp(lg(n) - lg(i) - lg(n-i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return min(sum, 1)
}
