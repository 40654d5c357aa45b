package notify

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Pings tell a monitor that the run lives, as healthchecks.io and its likes
// take them: the URL itself means well, with /start that the run began, with
// /fail that a person is needed. The monitor alarms when they say so or stop.
type Pings struct {
	url    Secret
	caller caller
	every  time.Duration
	report func(error)
	cancel context.CancelFunc
	ended  sync.WaitGroup
	change chan struct{} // failing or end changed

	mu      sync.Mutex
	failing bool
	end     bool
}

// NewPings starts with a ping that the run began, and goes on with one in so
// much time. That they fail is reported once, until one arrives.
func NewPings(url Secret, every time.Duration, transport http.RoundTripper, report func(error)) *Pings {
	ctx, cancel := context.WithCancel(context.Background())
	p := &Pings{url: url, caller: newCaller("ping", transport), every: every, report: report, cancel: cancel, change: make(chan struct{}, 1)}
	p.ended.Go(func() { p.run(ctx) })
	return p
}

// Failing says whether a person is needed. A change is told at once. It does
// not wait.
func (p *Pings) Failing(failing bool) {
	p.set(func() bool {
		changed := p.failing != failing
		p.failing = failing
		return changed
	})
}

// Close says how the run ended, and ends the pings, until ctx ends.
func (p *Pings) Close(ctx context.Context, well bool) {
	p.set(func() bool {
		p.failing, p.end = !well, true
		return true
	})
	stop := context.AfterFunc(ctx, p.cancel)
	defer stop()
	p.ended.Wait()
	p.cancel()
}

func (p *Pings) set(fn func() (changed bool)) {
	p.mu.Lock()
	changed := fn()
	p.mu.Unlock()
	if !changed {
		return
	}
	select {
	case p.change <- struct{}{}:
	default: // it is about to look
	}
}

func (p *Pings) run(ctx context.Context) {
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	silent := false
	ping := func(signal string) error {
		err := p.caller.ping(ctx, p.url, signal)
		if err != nil && !silent {
			p.report(err)
		}
		silent = err != nil
		return err
	}
	ping("start")
	for {
		select {
		case <-tick.C:
		case <-p.change:
		}
		p.mu.Lock()
		signal, end := "", p.end
		if p.failing {
			signal = "fail"
		}
		p.mu.Unlock()
		if !end {
			ping(signal)
			continue
		}
		schedule.Do(ctx, func(string, time.Time) {}, func() error { return ping(signal) })
		return
	}
}

// Ping sends one ping that means well.
func Ping(ctx context.Context, url Secret, transport http.RoundTripper) error {
	return newCaller("ping", transport).ping(ctx, url, "")
}

func (c caller) ping(ctx context.Context, url Secret, signal string) error {
	u, err := c.parse(ctx, url)
	if err != nil {
		return err
	}
	if signal != "" {
		u = u.JoinPath(signal)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return failed(c.op, "", "what is set is not a URL")
	}
	return c.call(req)
}
