package pace

import (
	"context"
	"sync"
	"time"
)

// A Limiter makes callers wait for the limits of one mailbox, and for those of
// its parent, which it shares with other mailboxes. A nil Limiter never waits.
type Limiter struct {
	parent  *Limiter
	turn    chan struct{} // callers of one mailbox are served in order
	mu      *sync.Mutex   // shared with the parent; guards all below
	budgets []*Budget
	parked  time.Time
	reason  string
	waiting string // the limit that the next call waits for
	until   time.Time
}

// NewLimiter returns a limiter with its own limits below those of parent,
// which may be nil.
func NewLimiter(parent *Limiter, limits ...Limit) *Limiter {
	l := &Limiter{parent: parent, turn: make(chan struct{}, 1), mu: new(sync.Mutex)}
	if parent != nil {
		l.mu = parent.mu
	}
	for _, limit := range limits {
		l.budgets = append(l.budgets, limit.New())
	}
	if parent != nil {
		l.budgets = append(l.budgets, parent.budgets...)
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
	for {
		wait := l.take(c)
		if wait <= 0 {
			return ctx.Err()
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// take spends c and returns 0, or returns how long to wait before asking again.
func (l *Limiter) take(c Cost) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	start, limit := Ask(now, c, l.budgets...)
	for p := l; p != nil; p = p.parent {
		if p.parked.After(start) {
			start, limit = p.parked, p.reason
		}
	}
	if !start.After(now) {
		Spend(now, c, l.budgets...)
		l.waiting = ""
		return 0
	}
	l.waiting, l.until = limit, start
	return start.Sub(now)
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

// Waiting says what the next call waits for, and until when; "" if nothing.
func (l *Limiter) Waiting() (limit string, until time.Time) {
	if l == nil {
		return "", time.Time{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting, l.until
}
