package plan

import (
	"cmp"
	"context"
	"math/rand/v2"

	"github.com/mailhaul/mailhaul/migrate/pace"
)

// An outline is what can be said of the mailboxes, by their numbers, before any
// run.
type outline struct {
	limits   []pace.Limit
	first    []stage   // of a first pass, in which messages are written
	engaged  []float64 // calls at once that the engine keeps going
	compared []float64 // and that a verification does
	fine     bool      // each thing is a step
	coarse   float64   // how many times fewer steps there are than would do for a few mailboxes
}

// stepsInAll is how many steps a first pass over all mailboxes has at most,
// about: a plan shall not take long.
const stepsInAll = 1 << 20

// outline finds out what the engine makes of each mailbox.
func (m *Migration) outline(ctx context.Context) (*outline, error) {
	n := len(m.Loads)
	o := &outline{m.limits(), make([]stage, n), make([]float64, n), make([]float64, n), m.fine, 1}
	err := parallel(ctx, n, func(ctx context.Context, i int) error {
		l, random := &m.Loads[i], rand.New(rand.NewPCG(m.Seed, uint64(i)))
		s := stage{parts: m.parts(l), first: float64(m.Model.First), messages: l.all().Messages}
		s.parallel = m.engaged(s.parts, random)
		s.after = s.last()
		o.engaged[i], o.first[i] = s.parallel, s
		o.compared[i] = m.compared(m.compares(m.verification(l, l.all())), random)
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	var steps int64
	for i := range o.first {
		o.divide(&o.first[i])
		steps += o.first[i].steps
	}
	if o.coarse = max(1, float64(steps)/float64(cmp.Or(m.steps, stepsInAll))); !o.fine && o.coarse > 1 {
		for i := range o.first {
			o.divide(&o.first[i])
		}
	}
	return o, nil
}

// parts returns how the messages of a first pass are written.
func (m *Migration) parts(l *Load) (parts []part) {
	for _, s := range l.Sizes {
		if s.Messages > 0 {
			parts = append(parts, part{s.Messages, effortOf(m.Model.write(mean(s)), mean(s)), mean(s)})
		}
	}
	if l.Merged > 0 {
		parts = append(parts, part{l.Merged, effortOf(m.Model.Merge, 0), mean(l.all())})
	}
	return parts
}

// alone returns how many seconds a stage takes at least.
func (m *Migration) alone(s *stage) float64 {
	sum := s.sum()
	longest := sum.mean / s.parallel
	for _, l := range m.limits() {
		longest = max(longest, float64(sum.cost[l.Unit])/float64(l.Amount)*l.Per.Seconds())
	}
	return longest
}
