package plan

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
)

// A box is a mailbox of a run.
type box struct {
	*Load
	number  int // in the list
	random  *rand.Rand
	limiter *pace.Limiter
	source  *pace.Limiter // nil if its bandwidth has no bound

	at    time.Duration // of its next event
	index int           // in the queue
	state state
	step  step

	opening []stage // which are gone through again after the window was closed
	stages  []stage // left in this phase
	calls   float64 // since it was opened
	begun   bool    // in this phase
	reopen  bool    // the window was closed since
	relist  bool    // then the source lists again what was done

	began   time.Duration // of this phase
	pass    time.Duration // began
	due     time.Duration // it might have begun, but for others
	written Size          // in all passes
	grown   float64       // messages that came and are not written
	start   time.Duration // of the first phase; negative before
	end     time.Duration // of the latest one

	asked  time.Duration // when it began to wait
	reason string        // what it waits for; "" if it does not
}

// A state says what the next event of a mailbox is.
type state uint8

const (
	next    state = iota // it begins a step
	reading              // the source may give what the step needs
	asking               // the target's limits may allow it
)

// goOn does what is due in a mailbox until it has to wait, and says whether it
// has gone through the phase.
func (r *run) goOn(b *box) (ended bool) {
	for {
		switch b.state {
		case next:
			if waits, ended := r.next(b); waits || ended {
				return ended
			}
		case reading:
			if b.source != nil && b.step.octets > 0 && !r.ask(b, r.line, b.source, pace.Cost{pace.Bytes: b.step.octets}) {
				return false
			}
			b.state = asking
		case asking:
			s := &b.stages[0]
			if !r.ask(b, r.shared, b.limiter, b.step.cost) {
				return false
			}
			b.state = next
			r.meter.spent(r.now, b.step.cost)
			if d := b.step.takes(b.random.NormFloat64()) / s.engaged(b.calls); d > 0 {
				b.calls += float64(b.step.cost[pace.Requests])
				r.work(b, d*r.latency*r.pace)
				return false
			}
		}
	}
}

// next takes the next step of a mailbox, unless it is at work without calls, or
// there is none.
func (r *run) next(b *box) (waits, ended bool) {
	if !b.begun {
		b.begun, b.began = true, r.now
		if b.start < 0 {
			b.start = r.now
		}
	}
	if len(b.stages) == 0 {
		return false, true
	}
	if b.reopen {
		b.reopen, b.calls = false, 0
		if s := &b.stages[len(b.stages)-1]; b.relist {
			b.stages = append([]stage{r.listing(b.Known + s.messages - s.left())}, b.stages...)
		}
		b.stages = slices.Concat(b.opening, b.stages)
	}
	s := &b.stages[0]
	if s.before > 0 {
		r.work(b, s.before.Seconds()*r.pace)
		s.before = 0
		return true, false
	}
	if s.next < s.steps {
		b.limiter.SetWeight(float64(s.left()))
		b.step, b.state = s.take(), reading
		return false, false
	}
	if b.stages = b.stages[1:]; s.after > 0 {
		r.work(b, s.after*r.latency*r.pace)
		return true, false
	}
	return false, false
}

// widenAfter is how many calls let a narrow gate widen by one, see pace.Gate.
const widenAfter = 64

// engaged is how many calls are made at once after so many.
func (s *stage) engaged(calls float64) float64 {
	if s.first == 0 {
		return s.parallel
	}
	return min(s.parallel, s.first+math.Floor(calls/widenAfter))
}

// work lets a mailbox go on after so many seconds of work.
func (r *run) work(b *box, seconds float64) {
	b.at = r.after(b, time.Duration(min(seconds, forever.Seconds())*float64(time.Second)))
	r.queue.changed(b)
}

// ask asks a limiter of a mailbox, which may make it wait, and lets the mailbox
// whose turn it is ask.
func (r *run) ask(b *box, parent, l *pace.Limiter, c pace.Cost) bool {
	wait, spent := l.Try(r.Start.Add(r.now), c)
	reason := ""
	if !spent {
		if reason, _ = l.Waiting(); reason == "" {
			reason = pace.Turn
		}
		b.at = r.now + wait
		r.queue.changed(b)
	}
	r.waited(b, reason)
	// Whoever is first now is to ask, and was not told when it may.
	if first := parent.First(); first != nil && first != l && first != r.first[parent] {
		f := r.of[first]
		f.at = r.now
		r.queue.changed(f)
	}
	r.first[parent] = parent.First()
	return spent
}

// waited notes that a mailbox waits for a reason from now on.
func (r *run) waited(b *box, reason string) {
	if b.reason != "" {
		r.meter.waited(b, b.reason, b.asked, r.now)
	}
	b.asked, b.reason = r.now, reason
}
