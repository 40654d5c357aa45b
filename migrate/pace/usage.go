package pace

import (
	"maps"
	"time"
)

// Usage is what a limiter let through, and how long that had to wait.
type Usage struct {
	Calls int64
	Cost  Cost // of them together

	// Waited is the time in which the next call of this mailbox had to wait, by
	// what it waited for: the name of a limit, [Asked] or [Turn].
	Waited map[string]time.Duration
}

// What calls wait for, besides the limits.
const (
	Asked = "asked by the vendor"     // see [Limiter.Park]
	Turn  = "turn of another mailbox" // which was first to wait for a limit of all
)

func (u *Usage) add(c Cost) {
	u.Calls++
	for unit, n := range c {
		u.Cost[unit] += n
	}
}

// Usage returns what this limiter let through until now. A wait counts while it
// lasts. Calls of the limiters below it do not count for a parent.
func (l *Limiter) Usage() Usage {
	if l == nil {
		return Usage{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.since.IsZero() {
		now := time.Now()
		l.released(now)
		l.since = now
	}
	u := l.usage
	u.Waited = maps.Clone(u.Waited)
	return u
}

// released ends the present wait, if there is one.
func (l *Limiter) released(now time.Time) {
	if l.since.IsZero() {
		return
	}
	if d := now.Sub(l.since); d > 0 {
		if l.usage.Waited == nil {
			l.usage.Waited = map[string]time.Duration{}
		}
		l.usage.Waited[l.held] += d
	}
	l.since = time.Time{}
}
