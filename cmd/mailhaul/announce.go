package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/mailhaul/mailhaul/cmd/mailhaul/notify"
)

const (
	notifyGrace = 30 * time.Second // how long the end of a run waits for its notifications
	gather      = time.Hour        // in which mailboxes that need a person after the first are told together
)

// An announcer picks the events that a person wants to be told of at night.
type announcer struct {
	name    string
	after   time.Duration // how long a pause lasts before it is told
	digest  bool
	targets func(source string) string
	quiet   func() bool // a person is there, who ended the run
	send    func(notify.Event)
	failing func(bool)

	mu     sync.Mutex
	needy  map[string]bool // mailboxes that need a person
	more   []event         // of them, those that are not told yet
	gather *time.Timer     // runs while they are gathered
	pause  *time.Timer     // runs until the pause is told
	paused bool            // it was told
	ended  bool
}

// announce returns where the events of a run are to be told, and what to call
// when it has ended, with whether it ended well. Both may be nil-like: they do
// nothing if nobody is to be told. Problems are said to report.
func (c *Config) announce(ctx context.Context, mailboxes []Mailbox, report func(error)) (tell events, end func(), err error) {
	n := c.Notify
	ways, err := n.ways()
	if err != nil {
		return nil, nil, err
	}
	policy, err := n.policy(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("hash_key: %w", err)
	}
	targets := map[string]string{}
	for _, m := range mailboxes {
		targets[m.Source] = m.Target
	}
	outbox := notify.NewOutbox(policy, report, ways...)
	a := &announcer{
		name: n.Name, after: n.after, digest: n.digest >= 0, targets: func(source string) string { return targets[source] },
		quiet: func() bool { return context.Cause(ctx) == errInterrupted },
		send:  outbox.Add, failing: func(bool) {}, needy: map[string]bool{},
	}
	var pings *notify.Pings
	if !n.PingURL().IsZero() {
		pings = notify.NewPings(revealed(n.PingURL()), n.pingEvery, nil, report)
		a.failing = pings.Failing
	}
	well := false
	tell = func(e event) {
		well = e.Kind == done
		a.tell(e)
	}
	end = func() {
		a.end()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), notifyGrace)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() { outbox.Close(ctx) })
		if pings != nil {
			wg.Go(func() { pings.Close(ctx, well) })
		}
		wg.Wait()
	}
	return tell, end, nil
}

// tell takes an event of the run.
func (a *announcer) tell(e event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch e.Kind {
	case needsPerson:
		a.need(e)
	case mailboxRecovered:
		delete(a.needy, e.Mailbox)
		a.more = slices.DeleteFunc(a.more, func(m event) bool { return m.Mailbox == e.Mailbox })
	case paused:
		if a.pause != nil { // for another reason
			a.pause.Stop()
		}
		a.pause = time.AfterFunc(a.after, func() { a.lasts(e) })
	case resumed:
		if a.pause != nil {
			a.pause.Stop()
			a.pause = nil
		}
		if a.paused {
			a.paused = false
			a.post(notify.Resumed, e)
		}
	case digest:
		if a.digest {
			a.post(notify.Digest, e)
		}
	case done:
		a.flush()
		a.post(notify.Done, e)
	case stopped:
		a.flush()
		if !a.quiet() {
			a.post(notify.Stopped, e)
		}
	}
	a.failing(a.paused || len(a.needy) > 0)
}

// need tells that a person is needed: of the first mailbox at once, of others
// soon after it together.
func (a *announcer) need(e event) {
	if e.Mailbox == "" {
		a.post(notify.NeedsPerson, e)
		return
	}
	if a.needy[e.Mailbox] {
		return
	}
	a.needy[e.Mailbox] = true
	if a.gather != nil {
		a.more = append(a.more, e)
		return
	}
	a.post(notify.NeedsPerson, e)
	a.gather = time.AfterFunc(gather, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.flush()
	})
}

// flush tells of those that were gathered.
func (a *announcer) flush() {
	if n := len(a.more); n > 0 && !a.ended {
		e := a.more[n-1]
		if n > 1 {
			e = event{Time: time.Now().In(e.Time.Location()), Text: count(int64(n), "more mailbox needs", "more mailboxes need") + " a person.",
				Hint: `"mailhaul status" lists each with its reason and what to do.`}
		}
		a.post(notify.NeedsPerson, e)
	}
	a.more = nil
	if a.gather != nil {
		a.gather.Stop()
		a.gather = nil
	}
}

// lasts tells of a pause that lasts.
func (a *announcer) lasts(e event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pause == nil || a.ended {
		return // it ended at this moment
	}
	a.pause, a.paused = nil, true
	a.post(notify.Paused, e)
	a.failing(true)
}

// end stops the timers.
func (a *announcer) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	for _, t := range []*time.Timer{a.pause, a.gather} {
		if t != nil {
			t.Stop()
		}
	}
}

func (a *announcer) post(kind notify.Kind, e event) {
	n := notify.Event{ID: uuid.NewString(), Kind: kind, Time: e.Time, Migration: a.name, Text: e.Text, Mailbox: e.Mailbox, Hint: e.Hint, Reason: e.Reason, Until: e.Until}
	if e.Mailbox != "" {
		n.Names = []string{a.targets(e.Mailbox)}
	}
	if e.Tally.Mailboxes > 0 {
		n.Tally = (*notify.Tally)(&e.Tally)
	}
	a.send(n)
}
