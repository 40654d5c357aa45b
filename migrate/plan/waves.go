package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// Packed puts the mailboxes into waves that each fit into one opening of the
// window, and simulates them: it sets m.Waves and the wave of each load. A wave
// begins with its opening, or with m.Start if that is in the midst of one, and in
// nine of ten runs it ends before that closes. Mailboxes of one group stay
// together; groups are in the order of the loads, and those of group "" are
// alone. Groups that fit into no opening of a week are the last wave, which
// [Forecast.Over] names.
//
// What decides, and what would help, is told as if all were one wave, the largest
// mailboxes first: if more went into a wave, they would be packed otherwise.
func (m *Migration) Packed(ctx context.Context, groups []string) (*Forecast, error) {
	m.Waves = nil
	if err := m.Check(); err != nil {
		return nil, err
	}
	if !m.Window.Closes(m.Start) {
		return nil, errors.New("the window never closes: waves are made to fit into its openings")
	}
	o, err := m.outline(ctx)
	if err != nil {
		return nil, err
	}
	p := &packing{Migration: m, outline: o, slow: m.slow(o)}
	if err := p.bundle(ctx, groups); err != nil {
		return nil, err
	}
	ends, err := p.fill(ctx)
	if err != nil {
		return nil, err
	}
	f, err := m.tell(ctx, o, ends)
	if err != nil {
		return nil, err
	}
	for i, w := range p.waves {
		if f.Waves[i].End.P90.After(w.closes) {
			f.Over = append(f.Over, f.Waves[i].Name)
		}
	}
	whole := *m
	whole.Waves, whole.largest = nil, true
	return f, whole.explain(ctx, o, f)
}

// A packing puts the mailboxes of a migration into waves.
type packing struct {
	*Migration
	outline *outline
	slow    []uint64 // runs by which it is told whether a wave fits
	bundles []*bundle
	share   float64 // of the time of all jobs that the wave before fills
	waves   []packed
}

// A bundle is mailboxes that move together.
type bundle struct {
	boxes []int
	takes time.Duration // by itself, of working time
	work  time.Duration // of its mailboxes together
}

// A packed wave has an opening of the window.
type packed struct {
	bundles       []*bundle
	opens, closes time.Time
	long          bool // no opening is long enough for any of its bundles
}

// slow returns the runs that are as slow as P90 may be: that in which everything
// takes so long, and that in which calls do.
func (m *Migration) slow(o *outline) (numbers []uint64) {
	var runs []*run
	for _, n := range m.numbers() {
		runs = append(runs, newRun(m, o, n))
	}
	at := int(math.Ceil(0.9 * float64(len(runs)-1)))
	for _, takes := range []func(r *run) float64{func(r *run) float64 { return r.pace }, func(r *run) float64 { return r.pace * r.latency }} {
		slices.SortFunc(runs, func(a, b *run) int { return cmp.Compare(takes(a), takes(b)) })
		numbers = append(numbers, runs[at].number)
	}
	return numbers
}

// bundle finds out what moves together, and how long that takes: the longest
// first.
func (p *packing) bundle(ctx context.Context, groups []string) error {
	of := map[string]*bundle{}
	for i, group := range groups {
		b := of[group]
		if b == nil || group == "" {
			b = new(bundle)
			of[group] = b
			p.bundles = append(p.bundles, b)
		}
		b.boxes = append(b.boxes, i)
	}
	err := parallel(ctx, len(p.bundles), func(ctx context.Context, i int) (err error) {
		b := p.bundles[i]
		b.takes, b.work, err = p.together(ctx, []*bundle{b}, p.Start)
		return err
	})
	slices.SortStableFunc(p.bundles, func(a, b *bundle) int { return cmp.Compare(b.takes, a.takes) })
	return err
}

// together says how long bundles take when nothing else moves, and how long their
// mailboxes are at work, one after the other.
func (p *packing) together(ctx context.Context, bundles []*bundle, from time.Time) (takes, work time.Duration, err error) {
	m, o := *p.Migration, *p.outline
	m.Start, m.Window, m.Waves, m.Loads = from, nil, nil, nil
	o.first, o.engaged, o.compared = nil, nil, nil
	var boxes []int
	for _, b := range bundles {
		boxes = append(boxes, b.boxes...)
	}
	slices.Sort(boxes) // they begin in the order of the list
	for _, i := range boxes {
		m.Loads = append(m.Loads, p.Loads[i])
		o.first = append(o.first, p.outline.first[i])
		o.engaged = append(o.engaged, p.outline.engaged[i])
		o.compared = append(o.compared, p.outline.compared[i])
	}
	ends, err := m.runs(ctx, &o, p.slow)
	if err != nil {
		return 0, 0, err
	}
	for _, e := range ends {
		takes = max(takes, e.whole)
		for _, b := range e.boxes {
			work += (b.end - b.start) / time.Duration(len(ends))
		}
	}
	return takes, work, nil
}

// fill packs the waves, and less into each until those that hold more than one
// bundle end in time. It returns how the runs end.
func (p *packing) fill(ctx context.Context) ([]*ending, error) {
	for tenths := 10; ; tenths-- {
		if err := p.pack(ctx, float64(tenths)/10); err != nil {
			return nil, err
		}
		ends, err := p.runs(ctx, p.outline, p.slow)
		if err == nil && p.inTime(ends) {
			if ends, err = p.runs(ctx, p.outline, p.numbers()); err == nil && p.inTime(ends) {
				return ends, nil
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

// inTime says whether each wave that could hold less ends before its opening
// closes.
func (p *packing) inTime(ends []*ending) bool {
	spans := p.spans(ends).Waves
	for i, w := range p.waves {
		if !w.long && len(w.bundles) > 1 && spans[i].End.P90.After(w.closes) {
			return false
		}
	}
	return true
}

// pack packs the waves so that each alone takes no more than a part of its
// opening.
func (p *packing) pack(ctx context.Context, part float64) error {
	p.waves, p.share = nil, 1
	left := slices.Clone(p.bundles)
	next, end := p.Start, p.Start // of the wave before
	for len(left) > 0 && next.Before(end.AddDate(0, 0, 7)) {
		w := p.opening(next)
		var err error
		if w.bundles, err = p.fits(ctx, left, w, part); err != nil {
			return err
		}
		if next = w.closes; len(w.bundles) > 0 {
			p.waves, end = append(p.waves, w), next
			left = slices.DeleteFunc(left, func(b *bundle) bool { return slices.Contains(w.bundles, b) })
		}
	}
	if len(left) > 0 {
		w := p.opening(end)
		w.bundles, w.long = left, true
		p.waves = append(p.waves, w)
	}
	p.name()
	return nil
}

// opening returns the opening of the window at a time, or the next one.
func (p *packing) opening(at time.Time) packed {
	open, change := p.Window.Open(at)
	if open {
		return packed{opens: at, closes: change}
	}
	_, closes := p.Window.Open(change)
	return packed{opens: change, closes: closes}
}

// tries is how often it is tried how much a wave holds.
const tries = 6

// fits returns those of the bundles left that go into an opening: the first that
// takes no longer, and as many others as are found to end within the part of it.
func (p *packing) fits(ctx context.Context, left []*bundle, w packed, part float64) (best []*bundle, err error) {
	length := w.closes.Sub(w.opens)
	left = slices.DeleteFunc(slices.Clone(left), func(b *bundle) bool { return b.takes > length })
	most := time.Duration(part * float64(length))
	all := float64(p.Jobs) * float64(length)
	low, high := 0.0, math.Inf(1) // work that fits, and that does not
	budget := p.share * all
	for range tries {
		set, work := choose(left, budget)
		if len(set) < 2 {
			break
		}
		takes, _, err := p.together(ctx, set, w.opens)
		if err != nil {
			return nil, err
		}
		if takes <= most {
			best, low, p.share = set, work, work/all
		} else {
			high = work
		}
		if len(best) == len(left) || high-low < high/50 {
			break
		}
		if budget = work * float64(most) / float64(takes); math.IsInf(high, 1) {
			budget = 2 * work
		} else if budget <= low || budget >= high {
			budget = (low + high) / 2
		}
	}
	if best == nil {
		best = left[:min(1, len(left))]
	}
	return best, nil
}

// choose returns the first bundle, and each further one with which all have no
// more work than the budget.
func choose(bundles []*bundle, budget float64) (set []*bundle, work float64) {
	for _, b := range bundles {
		if w := float64(b.work); len(set) == 0 || work+w <= budget {
			set, work = append(set, b), work+w
		}
	}
	return set, work
}

// name names the waves by their numbers, so that names sort.
func (p *packing) name() {
	p.Waves = nil
	width := len(strconv.Itoa(len(p.waves)))
	for n, w := range p.waves {
		name := fmt.Sprintf("%0*d", width, n+1)
		p.Waves = append(p.Waves, Wave{name, w.opens})
		for _, b := range w.bundles {
			for _, i := range b.boxes {
				p.Loads[i].Wave = name
			}
		}
	}
}
