package main

import (
	"context"
	"math"
	"runtime"
	"sync"
	"time"

	"github.com/mailhaul/mailhaul/cmd/mailhaul/live"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/plan"
	"github.com/mailhaul/mailhaul/migrate/window"
)

// An eta simulates what is left of a run while it works, as a plan simulates all
// of it, with what the run has measured until then.
type eta struct {
	snapshot func() []migrate.MailboxSnapshot
	limiters func() map[string]*pace.Limiter // by source
	pause    func() (reason string, until time.Time)
	settled  func() map[[2]string]int64 // messages with an outcome by the checkpoints, by source and target; nil before they were counted

	mu     sync.Mutex
	terms  terms
	latest live.Simulation

	// Of the goroutine that simulates:
	sizes   map[string]*size // by source
	typical int64            // octets of a message
	marks   []mark           // the oldest first

	// What the work since a mark tells of the rest:
	bandwidth int64   // octets a second of the source; 0: no bound
	factor    float64 // how many times longer it takes than the model says
	proven    bool    // it was compared
}

// terms are what a simulation takes from the files of a run.
type terms struct {
	jobs   int
	window *window.Window
	model  func() (plan.Model, plan.Source, plan.Doubt) // by what was measured until now
	load   func(source string) (l plan.Load, of int64)  // of a mailbox with so many messages, by its assessment; 0 if there is none
}

// newETA returns what simulates the run of w. Until it follows the terms of the
// run it may not start.
func newETA(w *watch) *eta {
	return &eta{snapshot: w.snapshot, limiters: w.limiters, pause: w.waits, settled: w.accounted, factor: 1, sizes: map[string]*size{}}
}

// follow makes e simulate by what the files say now.
func (e *eta) follow(t terms) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.terms = t
}

// simulated returns the latest simulation, if there is one.
func (e *eta) simulated() (live.Simulation, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.latest, !e.latest.At.IsZero()
}

// When a run is simulated: not before it has measured something, and then every
// minute, or less often if that takes long: at most 2 % of the time of a core.
const (
	etaFirst = 30 * time.Second
	etaEvery = time.Minute
	etaShare = 50
)

// pauseEvery is how often a pause is looked for.
const pauseEvery = 5 * time.Second

// start simulates until stop is called, which waits for that.
func (e *eta) start(ctx context.Context) (stop func()) {
	ctx, end := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(pauseEvery)
		defer tick.Stop()
		next := time.Now().Add(etaFirst)
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			if reason, _ := e.pause(); reason != "" {
				e.marks = nil
			}
			begun := time.Now()
			if begun.Before(next) {
				continue
			}
			latest := e.simulate(ctx, begun)
			e.mu.Lock()
			e.latest = latest
			e.mu.Unlock()
			next = begun.Add(max(etaEvery, etaShare*time.Duration(runtime.GOMAXPROCS(0))*time.Since(begun)))
		}
	})
	return func() {
		end()
		wg.Wait()
	}
}

// simulate says when the run ends; the zero value if that cannot be told.
func (e *eta) simulate(ctx context.Context, now time.Time) live.Simulation {
	e.mu.Lock()
	t := e.terms
	e.mu.Unlock()
	here := e.note(now, t)
	there := e.past(here)
	var f outlook
	if worked := here.at.Sub(there.at); worked < comparedAfter {
		f = e.end(ctx, here, t)
	} else {
		e.bandwidth = 0
		if f = e.compare(ctx, there, here, t); e.factor > unexplained {
			e.bandwidth = int64(float64(here.octets-there.octets) / worked.Seconds())
			f = e.compare(ctx, there, here, t)
		}
	}
	if !f.known {
		return live.Simulation{}
	}
	left := func(end time.Time) time.Duration {
		work := min(e.factor*float64(t.window.Between(now, end)), math.MaxInt64/2) // as much as fits, and nobody waits for it
		return t.window.After(now, time.Duration(work)).Sub(now)
	}
	return live.Simulation{At: now, P10: left(f.P10), P50: left(f.P50), P90: left(f.P90), Guessed: f.guessed, Proven: e.proven}
}

// Bounds on what is concluded from how long the work took.
const (
	comparedAfter = 3 * time.Minute // of work; what is shorter is chance
	comparedOver  = time.Hour       // at least, where it lasted so long
	unexplained   = 1.25            // times longer: limits and answers are known, so the source is slow
	leastFactor   = 0.5
	mostFactor    = 20
)

// past returns a mark of the work before here without a pause between them: of an
// hour ago at least, or the first.
func (e *eta) past(here mark) mark {
	if n := len(e.marks); n == 0 || here.at.Sub(e.marks[n-1].at) >= comparedOver {
		e.marks = append(e.marks, here)
	}
	if len(e.marks) > 2 {
		e.marks = e.marks[1:]
	}
	return e.marks[0]
}

// compare finds out how many times longer the work between two marks took than
// the model says: by how much sooner it lets the run end from the later one. It
// returns when that is.
func (e *eta) compare(ctx context.Context, there, here mark, t terms) outlook {
	before, f := e.end(ctx, there, t), e.end(ctx, here, t)
	if e.factor = 1; before.known && f.known {
		e.proven = true
		said := t.window.Between(there.at, before.P50) - t.window.Between(here.at, f.P50)
		e.factor = min(max(here.at.Sub(there.at).Seconds()/max(said.Seconds(), 1), leastFactor), mostFactor)
	}
	return f
}
