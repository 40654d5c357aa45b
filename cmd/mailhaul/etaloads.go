package main

import (
	"context"
	"errors"
	"time"

	"github.com/mailhaul/mailhaul/cmd/mailhaul/live"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/plan"
	"github.com/mailhaul/mailhaul/migrate/plan/assess"
)

// A size is what is known of a mailbox.
type size struct {
	load plan.Load // of the whole mailbox, by its assessment
	of   int64     // messages that the source announced then; 0: there is no load
	all  int64     // and at last; 0 if it did not
	done int64     // messages that have their outcome
	over bool      // it has ended
}

// A mark is how far a run had come at one time.
type mark struct {
	at     time.Time
	boxes  []markedBox   // that have not ended, in the order of the list
	octets int64         // of messages that arrived
	spent  *pace.Limiter // what was spent of the limits of all; nil: nothing
}

type markedBox struct {
	source string
	done   int64
	spent  *pace.Limiter // if it works
}

// note learns of each mailbox what the run knows now.
func (e *eta) note(now time.Time, t terms) mark {
	m := mark{at: now}
	limiters, settled := e.limiters(), e.settled()
	var arrived plan.Size
	for _, s := range e.snapshot() {
		z := e.sizes[s.Source]
		if z == nil {
			z = new(size)
			z.load, z.of = t.load(s.Source)
			z.all = z.of
			e.sizes[s.Source] = z
		}
		if s.Total > 0 {
			z.all = s.Total
		}
		z.done = max(z.done, settled[[2]string{s.Source, s.Target}], s.Known+s.Done)
		z.over = !s.Ended.IsZero() && !toldToStop(s.Err)
		arrived.Messages, arrived.Bytes = arrived.Messages+s.Done-s.Failed, arrived.Bytes+s.Bytes
		if z.over {
			continue
		}
		b := markedBox{source: s.Source, done: z.done}
		if l := limiters[s.Source]; l != nil {
			if m.spent == nil {
				m.spent = copied(l)
			}
			if s.Ended.IsZero() && s.Total > 0 {
				b.spent = copied(l)
			}
		}
		m.boxes = append(m.boxes, b)
	}
	m.octets = arrived.Bytes
	if e.typical = assess.Typical; arrived.Bytes > 0 {
		e.typical = arrived.Bytes / max(arrived.Messages, 1)
	}
	return m
}

// toldToStop says whether a pass over a mailbox ended because the run told it to,
// so that it goes on later.
func toldToStop(err error) bool {
	return errors.Is(err, errWindow) || errors.Is(err, errPause) || errors.Is(err, context.Canceled)
}

// copied returns what was spent of the limits of l.
func copied(l *pace.Limiter) *pace.Limiter {
	own, common := l.Limits()
	c := pace.NewLimiter(nil, append(own, common...)...)
	c.Resume(l)
	return c
}

// An outlook is when a run ends by a simulation.
type outlook struct {
	plan.Range
	guessed int  // mailboxes of which nothing is known, taken to be like the others
	known   bool // false: it cannot be told
}

// end simulates what was left at a mark, by what is known now.
func (e *eta) end(ctx context.Context, m mark, t terms) (f outlook) {
	p := &plan.Migration{Jobs: t.jobs, Window: t.window, Start: m.at, Spent: m.spent, Seed: 1}
	p.Model, p.Source, p.Doubt = t.model()
	p.Source.Bandwidth = e.bandwidth
	var sized, sum int64
	for _, z := range e.sizes {
		if z.all > 0 {
			sized, sum = sized+1, sum+z.all
		}
	}
	var later []plan.Load // than those at work
	for _, b := range m.boxes {
		z := e.sizes[b.source]
		all := z.all
		switch {
		case z.over: // since the mark
			all = z.done
		case all == 0 && sized < live.GuessFrom:
			return f
		case all == 0:
			all = sum / sized
			f.guessed++
		}
		l, of := z.load, z.of
		if of == 0 {
			l, of = plan.Load{Sizes: []plan.Size{{Messages: all, Bytes: all * e.typical}}}, max(all, 1)
		}
		left := max(all-b.done, 0)
		if l = l.Scaled(left, of); b.done > 0 {
			l.Folders = 0
		}
		if l.Name, l.Spent, l.Begun = b.source, b.spent, b.spent != nil; l.Begun {
			p.Loads = append(p.Loads, l)
		} else {
			later = append(later, l)
		}
	}
	if p.Loads = append(p.Loads, later...); len(p.Loads) == 0 {
		return f
	}
	var err error
	f.Range, err = p.Ends(ctx)
	f.known = err == nil
	return f
}

// terms are those of a run.
func (r *migration) terms() terms {
	c, clock, kept := r.config, r.connections.stopwatch, r.kept
	target, _ := planTarget(c.Target.Kind)
	earlier := readMeasured(kept, c)
	return terms{
		jobs:   c.Run.Jobs,
		window: c.Run.window,
		model: func() (plan.Model, plan.Source, plan.Doubt) {
			times := clock.measured().over(earlier)
			return planModel(c, times), planSource(c, times), times.doubt()
		},
		load: func(source string) (plan.Load, int64) { return loadOf(kept, source, target) },
	}
}

// loadOf returns the load of a mailbox by its assessment in dir, and how many
// messages the source announced then; 0 if there is none.
func loadOf(dir, source string, t assess.Target) (l plan.Load, of int64) {
	a := assess.Open(dir, source)
	if a == nil {
		return l, 0
	}
	for _, f := range a.Folders {
		of += f.Messages
	}
	return assess.Load(a, t), of
}
