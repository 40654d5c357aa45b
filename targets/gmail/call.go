package gmail

import (
	"context"
	"errors"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// call makes one call to Gmail: it waits for the limits, lets do send the
// request, and returns what went wrong as an *migrate.Error.
func (t *Target) call(ctx context.Context, c cost, do func(context.Context) error) error {
	width, err := t.gate.Enter(ctx)
	if err != nil {
		return unsent(c.op, err)
	}
	crowded := false
	defer func() { t.gate.Leave(width, crowded) }()
	if err := t.limiter.Wait(ctx, c.pace()); err != nil {
		return unsent(c.op, err)
	}
	limited, cancel := context.WithTimeout(ctx, c.limit())
	defer cancel()
	err = do(limited)
	if err == nil {
		return nil
	}
	e, what := classify(c.op, err, time.Now())
	crowded = what == tooMany
	// Without a time given, Google asks for pauses of a second at least.
	until, reason := time.Now().Add(max(e.Delay, time.Second)), "Gmail asked to wait: "+e.Err.Error()
	switch what {
	case tooFast, tooMany:
		t.limiter.Park(until, reason)
	case allTooFast:
		t.limiter.ParkAll(until, reason)
	}
	if !e.Refused && what != ended {
		t.unsettle()
	}
	return e
}

// unsent is an error from before the request was sent.
func unsent(op string, err error) error {
	if e, ok := errors.AsType[*migrate.Error](err); ok {
		return e
	}
	return &migrate.Error{Op: op, Class: migrate.Transient, Refused: true, Err: err}
}

// unsettle notes that a request may still take effect.
func (t *Target) unsettle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settled = time.Now().Add(t.settle)
}

// awaitSettled returns when no request whose answer was lost is under way.
func (t *Target) awaitSettled(ctx context.Context) error {
	t.mu.Lock()
	wait := time.Until(t.settled)
	t.mu.Unlock()
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
