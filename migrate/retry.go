package migrate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Retry is the one schedule for everything that is tried again.
type Retry struct {
	First, Max time.Duration // first pause, then doubling up to Max, or longer where the server asks for it
	Patience   time.Duration // how long to go on from one failure after the other; throttling is no failure
}

// DefaultRetry waits out the restart of a server or a bad hour of a vendor.
var DefaultRetry = Retry{First: time.Second, Max: time.Minute, Patience: time.Hour}

// errGaveUp is wrapped by what do returns when it has had enough.
var errGaveUp = errors.New("gave up")

// pause returns how long to wait after the n-th failure.
func (r Retry) pause(n int) time.Duration { return min(r.First<<min(n-1, 20), r.Max) }

// Do calls fn until it succeeds, an error is not transient, patience ends, or
// ctx does: then it returns the cause. It tells wait of each pause, and of its
// end with a zero time. fn is not interrupted by ctx.
func (r Retry) Do(ctx context.Context, wait func(reason string, until time.Time), fn func() error) error {
	return r.do(ctx, wait, nil, fn)
}

// do calls fn until it succeeds or an error is not transient, until patience
// or enough (if not nil), which is asked after each failure, say that n
// failures are enough, or until ctx ends: then it returns the cause, and the
// last error was transient. fn is not interrupted by ctx.
func (r Retry) do(ctx context.Context, wait func(reason string, until time.Time), enough func(n int) bool, fn func() error) error {
	var tired time.Duration
	for n, throttled := 1, 1; ; {
		err := fn()
		if err == nil {
			return nil
		}
		e := classify(err)
		if e.Class != Transient {
			return err
		}
		if e.Advanced {
			n, tired = 1, 0
		}
		pause := e.Delay
		switch {
		case !e.Throttled:
			if enough != nil && enough(n) || tired >= r.Patience {
				return &Error{Op: e.Op, Class: Fatal, Hint: e.Hint, Err: fmt.Errorf("%w after %d attempts: %w", errGaveUp, n, e.Err)}
			}
			pause = max(pause, r.pause(n))
			tired += pause
			n++
		case pause <= 0:
			pause = r.pause(throttled)
			throttled++
		}
		pause += rand.N(pause/8 + 1) // many workers do not come back at the same instant
		wait(err.Error(), time.Now().Add(pause))
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
			wait("", time.Time{})
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
}
