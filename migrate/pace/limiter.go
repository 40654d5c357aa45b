package pace

import (
	"cmp"
	"context"
	"sync"
	"time"
)

// A Limiter makes callers wait for the limits of one mailbox, and for those of
// its parent, which it shares with other mailboxes in proportion to their
// weights. A nil Limiter never waits.
type Limiter struct {
	parent  *Limiter
	turn    chan struct{} // callers of one mailbox are served in order
	woken   chan struct{} // it may be the first in its parent's queue
	mu      *sync.Mutex   // shared with the parent; guards all below
	budgets []*Budget
	queue   queue // of those that wait for the budgets
	place   place // in the parent's queue
	parked  time.Time
	reason  string
	waiting string // the limit that the next call waits for
	until   time.Time
	usage   Usage
	held    string    // what usage counts the present wait as
	since   time.Time // of the present wait; zero if there is none
}

// NewLimiter returns a limiter with its own limits below those of parent,
// which may be nil and has no parent itself.
func NewLimiter(parent *Limiter, limits ...Limit) *Limiter {
	l := &Limiter{parent: parent, turn: make(chan struct{}, 1), woken: make(chan struct{}, 1), mu: new(sync.Mutex)}
	l.place.weight = 1
	if parent != nil {
		l.mu = parent.mu
	}
	for _, limit := range limits {
		l.budgets = append(l.budgets, limit.New())
	}
	return l
}

// Wait returns when a call that costs c may start, and spends it; or with the
// context's error, and then spends nothing.
func (l *Limiter) Wait(ctx context.Context, c Cost) error {
	if l == nil {
		return ctx.Err()
	}
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	defer l.leave()
	for ctx.Err() == nil {
		wait, spent := l.Try(time.Now(), c)
		if spent {
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-l.woken:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return ctx.Err()
}

// untilWoken is the wait of those that others stand before in the queue.
const untilWoken = 365 * 24 * time.Hour

// Try spends c if a call that costs c may start now, or returns how long to wait
// before trying again. [Limiter.Wait] does so with the real clock, and a
// simulation with its own, which goes on from call to call. One call of a limiter
// tries at a time. It tries again at once when it is [Limiter.First].
func (l *Limiter) Try(now time.Time, c Cost) (wait time.Duration, spent bool) {
	if l == nil {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.released(now)
	start, limit := Ask(now, c, l.budgets...)
	kind := limit
	for p := l; p != nil; p = p.parent {
		if p.parked.After(start) {
			start, limit, kind = p.parked, p.reason, Asked
		}
	}
	p := l.parent
	switch {
	case start.After(now):
		if p != nil {
			p.queue.remove(l)
		}
	case p != nil:
		p.queue.add(l)
		start, limit = Ask(now, c, p.budgets...)
		kind = cmp.Or(limit, Turn)
		if p.queue.first() != l {
			l.waiting, l.until, l.held, l.since = limit, start, kind, now
			return untilWoken, false
		}
	}
	if start.After(now) {
		l.waiting, l.until, l.held, l.since = limit, start, kind, now
		return start.Sub(now), false
	}
	l.usage.add(c)
	Spend(now, c, l.budgets...)
	if p != nil {
		Spend(now, c, p.budgets...)
		p.queue.serve(l, share(c, p.budgets))
	}
	l.waiting = ""
	return 0, true
}

// First returns which of the limiters below l is the first to wait for the limits
// of l, nil if none waits.
func (l *Limiter) First() *Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue.limiters) == 0 {
		return nil
	}
	return l.queue.first()
}

// leave lets the next one have the place in the queue that l may still have.
func (l *Limiter) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.since.IsZero() { // the context ended it
		l.released(time.Now())
	}
	if l.parent != nil {
		l.parent.queue.remove(l)
	}
}

// SetWeight sets how much of its parent's limits a mailbox gets while several
// wait for them, compared with the weights of the others; 1 at first. Where the
// weight is the work that is left, all mailboxes end at the same time.
func (l *Limiter) SetWeight(weight float64) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.place.weight = max(weight, 1)
}

// Park lets no call of this limiter, or of those below it, start before until:
// the vendor said so. An earlier time than one given before is ignored.
func (l *Limiter) Park(until time.Time, reason string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if until.After(l.parked) {
		l.parked, l.reason = until, reason
	}
}

// ParkAll parks the parent, and so every mailbox that shares its limits.
func (l *Limiter) ParkAll(until time.Time, reason string) {
	if l == nil || l.parent == nil {
		l.Park(until, reason)
		return
	}
	l.parent.Park(until, reason)
}

// Waiting says what the next call waits for, and until when; "" if nothing.
// Where others are served first it may take longer.
func (l *Limiter) Waiting() (limit string, until time.Time) {
	if l == nil {
		return "", time.Time{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting, l.until
}
