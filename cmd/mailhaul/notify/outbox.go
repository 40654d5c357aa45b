package notify

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/privacy"
)

// A Way carries events to people. One goroutine uses it.
type Way interface {
	// Name is what people call it: "webhook".
	Name() string

	// Send sends the event once, within a bounded time. The error is an
	// *migrate.Error, Transient if it may be tried again.
	Send(ctx context.Context, e Event) error
}

// schedule is how events are sent again: for an hour, so that an outage of the
// network at night does not swallow them.
var schedule = migrate.Retry{First: 5 * time.Second, Max: 15 * time.Minute, Patience: time.Hour}

// queueLimit is how many events wait for one way. The oldest gives way.
const queueLimit = 64

// An Outbox sends events by each of its ways, in their order, without ever
// making its user wait.
type Outbox struct {
	policy privacy.Policy
	report func(error)
	lanes  []*lane
	cancel context.CancelFunc
	sent   sync.WaitGroup
}

// A lane is one way with what waits for it.
type lane struct {
	way    Way
	wake   chan struct{} // something changed below
	mu     sync.Mutex
	queue  []Event
	lost   int // that gave way to later ones
	closed bool
}

// NewOutbox starts an outbox whose events the policy governs. What cannot be
// sent is reported, from any goroutine and at any time before Close returns.
func NewOutbox(policy privacy.Policy, report func(error), ways ...Way) *Outbox {
	ctx, cancel := context.WithCancel(context.Background())
	o := &Outbox{policy: policy, report: report, cancel: cancel}
	for _, w := range ways {
		l := &lane{way: w, wake: make(chan struct{}, 1)}
		o.lanes = append(o.lanes, l)
		o.sent.Go(func() { o.run(ctx, l) })
	}
	return o
}

// Add lets an event be sent. It does not wait. After Close it does nothing.
func (o *Outbox) Add(e Event) {
	e = e.under(o.policy)
	for _, l := range o.lanes {
		l.change(func() {
			if l.closed {
				return
			}
			if len(l.queue) == queueLimit {
				l.queue = l.queue[1:]
				l.lost++
			}
			l.queue = append(l.queue, e)
		})
	}
}

// Close sends what is left until ctx ends, and ends the outbox. What was not
// sent is reported.
func (o *Outbox) Close(ctx context.Context) {
	for _, l := range o.lanes {
		l.change(func() { l.closed = true })
	}
	stop := context.AfterFunc(ctx, o.cancel)
	defer stop()
	o.sent.Wait()
	o.cancel()
}

func (l *lane) change(fn func()) {
	l.mu.Lock()
	fn()
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default: // it is about to look
	}
}

// next returns the event to send, and false if there will be none. It waits.
func (l *lane) next() (e Event, lost int, ok bool) {
	for {
		l.mu.Lock()
		if len(l.queue) > 0 {
			e, lost = l.queue[0], l.lost
			l.queue, l.lost = l.queue[1:], 0
			l.mu.Unlock()
			return e, lost, true
		}
		closed := l.closed
		l.mu.Unlock()
		if closed {
			return e, 0, false
		}
		<-l.wake
	}
}

func (o *Outbox) run(ctx context.Context, l *lane) {
	unsent := 0
	for {
		e, lost, ok := l.next()
		if lost > 0 {
			o.report(fmt.Errorf("%s: %s dropped: more than %d waited to be sent", l.way.Name(), were(lost), queueLimit))
		}
		switch {
		case !ok && unsent > 0:
			o.report(fmt.Errorf("%s: %s not sent before the end", l.way.Name(), were(unsent)))
			return
		case !ok:
			return
		case ctx.Err() != nil:
			unsent++
			continue
		}
		var last error
		err := schedule.Do(ctx, func(string, time.Time) {}, func() error {
			last = l.way.Send(ctx, e)
			return last
		})
		if ctx.Err() != nil && last != nil {
			err = fmt.Errorf("%w; the end came before it could be tried again", last)
		}
		if err != nil {
			o.report(fmt.Errorf("the notification %q of %s was not sent: %w", e.Kind, e.Time.Format(time.DateTime), err))
		}
	}
}

func were(n int) string {
	if n == 1 {
		return "1 notification was"
	}
	return fmt.Sprintf("%d notifications were", n)
}

// Try sends an event once by each way and returns how that ended, in their
// order.
func Try(ctx context.Context, policy privacy.Policy, e Event, ways ...Way) []error {
	var errs []error
	for _, w := range ways {
		errs = append(errs, w.Send(ctx, e.under(policy)))
	}
	return errs
}
