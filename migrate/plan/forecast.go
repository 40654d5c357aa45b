package plan

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/mailhaul/mailhaul/migrate/pace"
)

// A Forecast is what the runs of a migration came to. What is not a range is of
// one run, that which ends in the middle of all.
type Forecast struct {
	Whole     Span
	Waves     []Span    // in their order
	Mailboxes []Mailbox // in the order of their loads
	Slices    Slices
	Limits    []Use // those of each mailbox first
	Days      []Day
	Last      Last     // without a name if there are no mailboxes
	Causes    []Change // what decides how long the whole takes, the most important first
	Changes   []Change // what could be done otherwise
	Over      []string // waves that [Migration.Packed] found to be longer than an opening of the window
}

// A Span is when something begins and ends.
type Span struct {
	Name       string
	Start, End Range
}

// A Range is a time: in one run of ten it is before P10, in one after P90.
type Range struct{ P10, P50, P90 time.Time }

// A Mailbox is what a forecast says of one mailbox.
type Mailbox struct {
	Span
	Wave   string
	Took   time.Duration // while the window was open
	Waited []Wait        // the longest first
}

// A Wait is how long a mailbox waits for something: a limit by its name,
// pace.Turn, [Jobs], [Reading] or [Closed].
type Wait struct {
	For  string
	Time time.Duration
}

// Slices are stretches of time of the same length.
type Slices struct {
	Start time.Time
	Each  time.Duration
}

// A Use is how much of a limit is used in each slice. As steps are, it may be
// above what is allowed in one slice and below in the next.
type Use struct {
	Limit   pace.Limit
	Shared  bool
	Used    []float64 // of what it allows; if it is not shared, what it allows those that are at work
	Waiting []float64 // mailboxes that wait for it, on average
}

// A Day is what is asked of the target on a day of the calendar.
type Day struct {
	Date time.Time // its first instant, in the zone of Migration.Start
	Cost pace.Cost
}

// Forecast simulates m.
func (m *Migration) Forecast(ctx context.Context) (*Forecast, error) {
	o, ends, err := m.simulate(ctx)
	if err != nil {
		return nil, err
	}
	f, err := m.tell(ctx, o, ends)
	if err != nil {
		return nil, err
	}
	return f, m.explain(ctx, o, f)
}

// stepsToEnd are enough to say when the whole ends.
const stepsToEnd = 1 << 16

// Ends simulates m in fewer steps than [Migration.Forecast] does, and says no more
// than when the whole ends.
func (m *Migration) Ends(ctx context.Context) (Range, error) {
	v := *m
	v.steps = stepsToEnd
	_, ends, err := v.simulate(ctx)
	if err != nil {
		return Range{}, err
	}
	var whole []time.Duration
	for _, e := range ends {
		whole = append(whole, e.whole)
	}
	return m.quantiles(whole), nil
}

// simulate returns what the runs of m come to, the shortest one first.
func (m *Migration) simulate(ctx context.Context) (*outline, []*ending, error) {
	if err := m.Check(); err != nil {
		return nil, nil, err
	}
	o, err := m.outline(ctx)
	if err != nil {
		return nil, nil, err
	}
	ends, err := m.runs(ctx, o, m.numbers())
	return o, ends, err
}

// numbers returns those of the runs.
func (m *Migration) numbers() (ns []uint64) {
	for n := range cmp.Or(m.Runs, defaultRuns) {
		ns = append(ns, uint64(n))
	}
	return ns
}

// runs returns what the runs with these numbers come to, the shortest one first.
func (m *Migration) runs(ctx context.Context, o *outline, numbers []uint64) ([]*ending, error) {
	ends := make([]*ending, len(numbers))
	err := parallel(ctx, len(ends), func(ctx context.Context, i int) (err error) {
		ends[i], err = newRun(m, o, numbers[i]).run(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(ends, func(a, b *ending) int { return cmp.Compare(a.whole, b.whole) })
	return ends, nil
}

// tell says what runs came to, and measures that in the middle of them.
func (m *Migration) tell(ctx context.Context, o *outline, ends []*ending) (*Forecast, error) {
	f := m.spans(ends)
	middle := ends[(len(ends)-1)/2]
	again := newRun(m, o, middle.run)
	again.meter = newMeter(again, middle.whole)
	if _, err := again.run(ctx); err != nil {
		return nil, err
	}
	again.meter.tell(f, again)
	return f, nil
}

// parallel calls fn for each of n things, as many at once as there are cores.
func parallel(ctx context.Context, n int, fn func(ctx context.Context, i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		g.Go(func() error { return fn(ctx, i) })
	}
	return g.Wait()
}

// spans says when everything begins and ends.
func (m *Migration) spans(ends []*ending) *Forecast {
	of := func(name string, of func(e *ending) span) Span {
		var starts, stops []time.Duration
		for _, e := range ends {
			s := of(e)
			starts, stops = append(starts, s.start), append(stops, s.end)
		}
		return Span{name, m.quantiles(starts), m.quantiles(stops)}
	}
	f := &Forecast{Whole: of("", func(e *ending) span { return span{e.waves[0].start, e.whole} })}
	for i, w := range m.waves() {
		f.Waves = append(f.Waves, of(w.Name, func(e *ending) span { return e.waves[i] }))
	}
	for i, l := range m.Loads {
		f.Mailboxes = append(f.Mailboxes, Mailbox{Span: of(l.Name, func(e *ending) span { return e.boxes[i] }), Wave: l.Wave})
	}
	return f
}

// quantiles returns the range of times.
func (m *Migration) quantiles(times []time.Duration) Range {
	slices.Sort(times)
	at := func(share float64) time.Time {
		i := share * float64(len(times)-1)
		low, high := times[int(i)], times[min(int(i)+1, len(times)-1)]
		return m.Start.Add(low + time.Duration((i-float64(int(i)))*float64(high-low)))
	}
	return Range{at(0.1), at(0.5), at(0.9)}
}
