package plan

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
)

// A run is one simulated run. Its times are since Migration.Start.
type run struct {
	*Migration
	number  uint64
	outline *outline
	latency float64       // how much longer than the model says calls take
	pace    float64       // and everything
	shared  *pace.Limiter // of the target
	line    *pace.Limiter // of the source; nil if its bandwidth has no bound
	boxes   []*box
	of      map[*pace.Limiter]*box
	first   map[*pace.Limiter]*pace.Limiter // who was first in the queue of a limiter
	queue   queue
	waiting []*box // that have still to begin in this phase
	meter   *meter // nil if nothing is measured

	now    time.Duration
	open   bool          // the window is
	change time.Duration // when it is not any more
}

// An ending is what a run came to.
type ending struct {
	run   uint64 // its number
	whole time.Duration
	waves []span
	boxes []span
}

type span struct{ start, end time.Duration }

// A phase is a pass over the mailboxes of a wave, or their verification.
type phase struct {
	wave   int
	pass   int // from 0
	verify bool
}

// phases returns what is done with each wave.
func (m *Migration) phases() (ps []phase) {
	for wave := range m.waves() {
		for pass := range 1 + m.Deltas {
			ps = append(ps, phase{wave: wave, pass: pass})
		}
		if m.Depth != "" {
			ps = append(ps, phase{wave: wave, verify: true})
		}
	}
	return ps
}

// newRun returns a run of a migration. Its number is all that makes it differ
// from others.
func newRun(m *Migration, o *outline, number uint64) *run {
	random := rand.New(rand.NewPCG(m.Seed, number))
	r := &run{Migration: m, number: number, outline: o, of: map[*pace.Limiter]*box{}, first: map[*pace.Limiter]*pace.Limiter{}}
	r.latency = math.Exp(m.Doubt.Latency * random.NormFloat64())
	r.pace = math.Exp(m.Doubt.Pace * random.NormFloat64())
	if m.quick {
		r.latency /= 2
	}
	r.shared = pace.NewLimiter(nil, r.allowed(m.Model.Shared, step{})...)
	r.shared.Resume(m.Spent)
	if n := m.Source.Bandwidth; n > 0 {
		r.line = pace.NewLimiter(nil, r.allowed([]pace.Limit{{Name: Reading, Unit: pace.Bytes, Amount: n, Per: time.Second, Burst: n}}, step{})...)
	}
	for i := range m.Loads {
		b := &box{Load: &m.Loads[i], number: i, start: -1, random: rand.New(rand.NewPCG(m.Seed+number, uint64(i)+1<<32))}
		b.limiter = pace.NewLimiter(r.shared, r.allowed(m.Model.Own, o.first[i].step())...)
		b.limiter.Resume(b.Spent)
		r.of[b.limiter] = b
		if r.line != nil {
			b.source = pace.NewLimiter(r.line)
			r.of[b.source] = b
		}
		r.boxes = append(r.boxes, b)
	}
	return r
}

// allowed returns what limits allow at the pace of the run. A window has half a
// step more: a step that does not fit in whole leaves as much unused as another
// would have used, on average.
func (r *run) allowed(limits []pace.Limit, one step) (ls []pace.Limit) {
	for _, l := range limits {
		l.Amount = max(int64(float64(l.Amount)/r.pace), 1)
		if l.Burst == 0 {
			l.Amount += one.cost[l.Unit] / 2
		}
		ls = append(ls, l)
	}
	return ls
}

// forever is where a run is given up: nobody waits for it.
const forever = 100 * 365 * 24 * time.Hour

var errForever = errors.New("the migration would take more than a hundred years")

// run simulates to the end.
func (r *run) run(ctx context.Context) (*ending, error) {
	e := &ending{run: r.number, waves: make([]span, len(r.waves()))}
	for _, p := range r.phases() {
		wave := &e.waves[p.wave]
		if p.pass == 0 && !p.verify {
			r.now = max(r.now, r.waves()[p.wave].Start.Sub(r.Start))
			wave.start = r.now
		}
		r.begin(p)
		for n := 1; len(r.queue) > 0; n++ {
			b := r.queue[0]
			r.now = b.at
			if r.now >= forever {
				return nil, errForever
			}
			if n%4096 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if r.isOpen(b) && r.goOn(b) {
				r.end(b, p)
			}
		}
		wave.end = r.now
	}
	e.whole = r.now
	for _, b := range r.boxes {
		e.boxes = append(e.boxes, span{b.start, b.end})
	}
	return e, nil
}

// begin lets as many mailboxes begin as may be at work at once.
func (r *run) begin(p phase) {
	r.waiting = nil
	for _, b := range r.boxes {
		if len(r.Waves) == 0 || b.Wave == r.Waves[p.wave].Name {
			b.due = r.now
			if r.ahead != "" && r.ahead == b.Name {
				r.waiting = slices.Insert(r.waiting, 0, b)
			} else {
				r.waiting = append(r.waiting, b)
			}
		}
	}
	r.sort(p)
	for range min(r.Jobs, len(r.waiting)) {
		r.admit(p)
	}
	r.left()
}

// sort puts mailboxes in the order in which they begin: a later pass knows which
// are the largest.
func (r *run) sort(p phase) {
	switch {
	case p.verify:
	case p.pass > 0:
		slices.SortStableFunc(r.waiting, func(a, b *box) int { return cmp.Compare(b.Known+b.written.Messages, a.Known+a.written.Messages) })
	case r.largest:
		alone := func(b *box) float64 { return r.alone(&r.outline.first[b.number]) }
		slices.SortStableFunc(r.waiting, func(a, b *box) int { return cmp.Compare(alone(b), alone(a)) })
	}
}

// admit lets the next mailbox begin, if one is left.
func (r *run) admit(p phase) {
	if len(r.waiting) == 0 {
		return
	}
	b := r.waiting[0]
	r.waiting = r.waiting[1:]
	r.meter.waited(b, Jobs, b.due, r.now)
	b.at, b.state = r.now, next
	r.lay(b, p)
	r.queue.add(b)
}

// end notes that a mailbox has gone through a phase.
func (r *run) end(b *box, p phase) {
	b.end = r.now
	r.queue.remove(b)
	r.meter.worked(b, b.began, r.now)
	r.over(b)
	r.admit(p)
	r.left()
}
