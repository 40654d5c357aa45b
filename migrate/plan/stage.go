package plan

import (
	"math"
	"math/bits"
	"time"
)

// A stage is what a pass or a verification does in a mailbox for a while: equal
// things of a few kinds, in steps of about the same share of each kind.
type stage struct {
	parts    []part
	steps    int64
	next     int64         // step
	parallel float64       // calls at once
	first    float64       // calls at once at first; 0: parallel
	before   time.Duration // without calls; the source is at work
	after    float64       // seconds until the last call is answered, which others do not shorten
	messages int64         // by which mailboxes that wait share, less those that are done
}

// A part is equal things to do.
type part struct {
	n      int64
	each   effort
	octets int64 // of each, that the source gives
}

// A step is several things that are simulated as one event.
type step struct {
	effort
	octets int64
}

// take returns the next step.
func (s *stage) take() (st step) {
	for _, p := range s.parts {
		n := share(p.n, s.next+1, s.steps) - share(p.n, s.next, s.steps)
		st.add(p.each, n)
		st.octets += n * p.octets
	}
	s.next++
	return st
}

// step is a step of mean cost, without its octets.
func (s *stage) step() (st step) {
	st.effort = s.sum()
	for unit := range st.cost {
		st.cost[unit] /= max(s.steps, 1)
	}
	return st
}

// last returns how many seconds later than a step says its last call is
// answered: of calls at once each takes as long as one alone.
func (s *stage) last() float64 {
	return s.sum().mean / float64(max(messages(s.parts), 1)) * (1 - 1/s.parallel)
}

// sum is the effort of all parts.
func (s *stage) sum() (sum effort) {
	for _, p := range s.parts {
		sum.add(p.each, p.n)
	}
	return sum
}

// messages returns how many things there are to do.
func messages(parts []part) (n int64) {
	for _, p := range parts {
		n += p.n
	}
	return n
}

// back gives a step back that was not done.
func (s *stage) back() { s.next-- }

// left is how many of the messages are not done.
func (s *stage) left() int64 {
	if s.steps == 0 {
		return 0
	}
	return s.messages - share(s.messages, s.next, s.steps)
}

// share returns i of k equal shares of n, rounded down.
func share(n, i, k int64) int64 {
	hi, lo := bits.Mul64(uint64(n), uint64(i))
	quotient, _ := bits.Div64(hi, lo, uint64(k))
	return int64(quotient)
}

// In how many steps a stage is divided, at least. More of them change little: a
// step is small beside a window of a limit, is soon over, and there are many.
const (
	stepsAtLeast  = 400
	stepsInWindow = 100
	stepTime      = time.Minute
)

// divide divides a stage into steps.
func (o *outline) divide(s *stage) {
	sum, n := s.sum(), messages(s.parts)
	if s.steps = n; o.fine {
		return
	}
	steps := max(stepsAtLeast, sum.mean/s.parallel/stepTime.Seconds())
	for _, l := range o.limits {
		cost := float64(sum.cost[l.Unit]) / float64(l.Amount)
		if l.Burst > 0 {
			steps = max(steps, cost*l.Per.Seconds()/stepTime.Seconds())
		} else {
			steps = max(steps, cost*stepsInWindow)
		}
	}
	s.steps = min(n, int64(math.Ceil(steps/o.coarse)))
}
