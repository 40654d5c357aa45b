package migrate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// Retry is the one schedule for everything that is tried again. A wait that
// the server asked for does not count.
type Retry struct {
	First, Max time.Duration // first pause, then doubling up to Max
	Patience   time.Duration // how long to go on from one failure after the other
}

// DefaultRetry waits out the restart of a server or a bad hour of a vendor.
var DefaultRetry = Retry{First: time.Second, Max: time.Minute, Patience: time.Hour}

// do calls fn until it succeeds or an error is not transient, until patience
// or enough (if not nil) say that n failures are enough, or until ctx ends:
// then it returns the cause, and the last error was transient. fn is not
// interrupted by ctx.
func (r Retry) do(ctx context.Context, wait func(reason string, until time.Time), enough func(n int) bool, fn func() error) error {
	var tired time.Duration
	for n := 1; ; {
		err := fn()
		if err == nil {
			return nil
		}
		e := classify(err)
		if e.Class != Transient {
			return err
		}
		pause := e.Delay
		if pause <= 0 {
			pause = min(r.First<<min(n-1, 20), r.Max)
			if tired += pause; tired > r.Patience || enough != nil && enough(n) {
				return &Error{Op: e.Op, Class: Fatal, Hint: e.Hint, Err: fmt.Errorf("gave up after %d attempts: %w", n, e.Err)}
			}
			n++
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
