package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/cmd/mailhaul/live"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/plan"
)

// An aheadRun is a run that says meanwhile when it ends.
type aheadRun struct {
	scenario
	planned bool // its mailboxes were assessed
}

var aheadRuns = []aheadRun{
	{scenario{name: "one mailbox", gmail: true, staff: []staff{{1, 800, 0, 2000}}, jobs: 1, small: gmailCall, large: gmailImport, project: 1_200_000}, true},
	{scenario{name: "three of twelve at once", gmail: true, staff: []staff{{12, 100, 1, 2000}}, jobs: 3, small: gmailCall, large: gmailImport, project: 1_200_000}, true},
	{scenario{name: "the project decides", gmail: true, staff: []staff{{8, 150, 0.7, 2000}}, jobs: 8, small: gmailCall, large: gmailImport, project: 12_000}, true},
	{scenario{name: "a window", gmail: true, staff: []staff{{4, 180, 0.5, 2000}}, jobs: 2, small: gmailCall, large: gmailImport, project: 1_200_000, window: minutes}, true},
	{scenario{name: "no plan was made", staff: []staff{{4, 400, 0.8, 2000}}, jobs: 4, small: graphCall, large: graphImport, compressed: 40}, false},
	{scenario{name: "the source is slow", staff: []staff{{5, 80, 0.8, 30_000}}, jobs: 3, small: graphCall, large: graphImport, compressed: 10, bandwidth: 20_000}, true},
}

// onItsWay is work that nothing tells of yet: what was sent or recorded since the
// counters were read, and how the last messages share the calls.
const onItsWay = 3 * time.Second

func TestARunSaysWhenItEnds(t *testing.T) {
	var table strings.Builder
	within, all := 0, 0
	for i, r := range aheadRuns {
		t.Run(r.String(), func(t *testing.T) {
			said, took := r.ahead(t, rand.New(rand.NewPCG(1, uint64(i))))
			for _, share := range []float64{0.25, 0.5, 0.75} {
				at := time.Duration(share * float64(took))
				e, left := said(at), took-at
				if all++; e.Low <= left && left <= e.High {
					within++
				}
				fmt.Fprintf(&table, "| %s | %v | %.0f %% | %v | %v | %v to %v | %.3f |\n", r.String(), took.Round(time.Second), 100*share, left.Round(time.Second),
					e.Likely.Round(time.Second), e.Low.Round(time.Second), e.High.Round(time.Second), e.Likely.Seconds()/left.Seconds())
				if (e.Likely - left).Abs() > left/10+onItsWay {
					t.Errorf("when %v are left it says %v, %v to %v", left, e.Likely, e.Low, e.High)
				}
			}
		})
	}
	t.Logf("%d of %d are within the range\n%s", within, all, table.String())
	if within < all*8/10 {
		t.Errorf("%d of %d are within the range", within, all)
	}
}

// ahead runs r in virtual time, and returns what it said was left, by the time
// since its beginning, and how long it took.
func (r *aheadRun) ahead(t *testing.T, random *rand.Rand) (said func(at time.Duration) live.Estimate, took time.Duration) {
	var estimates []live.State
	synctest.Test(t, func(t *testing.T) {
		d := r.target(t, 1.05, random)
		defer d.Handler.(io.Closer).Close()
		kind := "graph"
		if r.gmail {
			kind = "gmail"
		}
		h := haul{line: newLine(d, 0, 0)}
		transport := h.line.transport()
		defer h.stop(transport)
		clock := new(stopwatch)
		work := r.work(t, clock.wrap(transport))
		loads := map[string]plan.Load{}
		line := pace.NewLimiter(nil)
		if r.bandwidth > 0 {
			line = pace.NewLimiter(nil, pace.Limit{Name: "line", Unit: pace.Bytes, Amount: r.bandwidth, Per: time.Second, Burst: r.bandwidth / 10})
		}
		for i, l := range r.loads() {
			l = mixed(l)
			work.boxes[i].OpenSource = func(context.Context) (migrate.Source, error) { return slowLoad{l, pace.NewLimiter(line)}, nil }
			if r.planned {
				loads[l.user] = r.seen(l)
			}
		}
		path := filepath.Join(t.TempDir(), "mailhaul.db")
		w := watchOnce(path, work)
		e := newETA(w)
		e.follow(terms{jobs: r.jobs, window: work.window, model: func() (m plan.Model, s plan.Source, d plan.Doubt) {
			times := clock.measured().completed(kind)
			if m = graphModel(GraphConfig{Parallel: 4}, times); r.gmail {
				m = gmailModel(GmailConfig{Parallel: 8}, times)
			}
			m.Own, m.Shared = r.limits()
			return m, plan.Source{}, times.doubt()
		}, load: func(source string) (plan.Load, int64) {
			l := loads[source]
			of := l.Merged
			for _, s := range l.Sizes {
				of += s.Messages
			}
			return l, of
		}})
		defer e.start(t.Context())()
		taker := &live.Taker{Pause: w.waits, Simulated: e.simulated}
		taker.Follow(w.snapshot, w.limiters)
		ctx, end := context.WithCancel(t.Context())
		go func() {
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for {
				select {
				case now := <-tick.C:
					estimates = append(estimates, taker.Take(now))
				case <-ctx.Done():
					return
				}
			}
		}()
		begun := time.Now()
		err := w.run(t.Context())
		for _, result := range w.results() {
			err = cmp.Or(err, result.Err)
		}
		if err != nil {
			t.Fatal(err)
		}
		took = time.Since(begun)
		for _, l := range r.loads() {
			if n := w.accounted()[[2]string{l.user, l.user}]; n != int64(mixed(l).messages()) {
				t.Errorf("of %s %d messages have an outcome", l.user, n)
			}
		}
		end()
		synctest.Wait()
	})
	began := estimates[0].Began
	return func(at time.Duration) (e live.Estimate) {
		for _, s := range estimates {
			if s.At.Sub(began) <= at {
				e = s.Left
			}
		}
		return e
	}, took
}

// watchOnce makes one pass over mailboxes, as the command run does.
func watchOnce(path string, all *work) *watch {
	w := &watch{
		schedule: schedule{once: true, zone: time.UTC, digest: digestAt},
		open:     func() (migrate.Checkpoints, error) { return sqlite.Open(path) },
		load:     func(context.Context) (*work, error) { return all, nil },
		tell:     func(event) {},
	}
	w.take(all)
	return w
}

// mixed returns l with its copies among the other messages.
func mixed(l *load) *load {
	n, size := l.messages(), l.folders[0].size
	m := &load{user: l.user}
	for i := range 5 {
		m.folders = append(m.folders, loadFolder{fmt.Sprint("Clients ", i), n/5 - n/50, size, false}, loadFolder{fmt.Sprint("Copies ", i), n / 50, size, true})
	}
	return m
}

// seen returns l as a plan sees it.
func (s *scenario) seen(l *load) plan.Load {
	load := plan.Load{Folders: len(l.folders)}
	for i, f := range l.folders {
		if f.copies && s.gmail {
			load.Merged += int64(f.messages)
			continue
		}
		load.Sizes = append(load.Sizes, plan.Size{Messages: int64(f.messages), Bytes: int64(f.messages * len(l.octets(i, 1)))})
	}
	return load
}

func TestWorkThatTakesLongerThanTheModelSaysGoesOnSo(t *testing.T) {
	for name, c := range map[string]struct {
		rate   float64 // messages a second; the model says 10
		octets int64   // of each
		left   float64 // seconds, after 10 minutes of work
	}{
		"somewhat slower": {9, 1000, 94_600.0 / 9},
		"quicker":         {12, 1000, 92_800.0 / 12},
		"much slower":     {2, 0, 98_800.0 / 2},
		"a slow source":   {2, 1000, 98_800.0 / 2},
		"hardly at all":   {0.01, 0, 99_994 / 10.0 * mostFactor},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLeftover("a")
				l.follow(l.terms)
				l.work(0, 100_000, 0)
				stop := l.start(t.Context())
				defer stop()
				if _, ok := l.simulated(); ok {
					t.Error("it tells before it has measured anything")
				}
				l.goOn(time.Minute, c.rate, c.octets)
				if s, ok := l.simulated(); !ok || s.Proven {
					t.Errorf("after a minute it tells %+v", s)
				}
				l.goOn(4*time.Minute, c.rate, c.octets)
				l.paused = "trouble"
				<-time.After(time.Hour)
				l.paused = ""
				l.goOn(5*time.Minute+10*time.Second, c.rate, c.octets) // and a little, until it is simulated
				s, ok := l.simulated()
				if want := time.Duration(c.left * float64(time.Second)); !ok || !s.Proven || (s.P50-time.Since(s.At)-want).Abs() > want/50+time.Minute {
					t.Errorf("%v are left, want %v", s.P50, want)
				}
			})
		})
	}
}

func TestASourceIsNotTakenToBeSlowForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLeftover("a")
		l.follow(l.terms)
		l.work(0, 100_000, 0)
		defer l.start(t.Context())()
		l.goOn(10*time.Minute, 2, 1000)
		l.paused = "trouble"
		<-time.After(time.Minute)
		l.paused = ""
		l.goOn(5*time.Minute, 10, 1000)
		s, _ := l.simulated()
		if want := 9580 * time.Second; (s.P50 - time.Since(s.At) - want).Abs() > want/50+time.Minute {
			t.Errorf("%v are left, want %v", s.P50, want)
		}
	})
}

func TestTheSimulationEndsWithTheRun(t *testing.T) {
	for _, end := range []string{"stop", "context"} {
		synctest.Test(t, func(t *testing.T) {
			l := newLeftover("a")
			l.work(0, 1000, 0)
			asked := 0
			model := l.terms.model
			l.terms.model = func() (plan.Model, plan.Source, plan.Doubt) { asked++; return model() }
			l.follow(l.terms)
			ctx, cancel := context.WithCancel(t.Context())
			stop := l.start(ctx)
			<-time.After(etaFirst + time.Second)
			synctest.Wait()
			before := asked
			if end == "context" {
				cancel()
			}
			stop()
			cancel()
			<-time.After(time.Hour)
			if before != 1 || asked != before {
				t.Errorf("it simulated %d times, and %d times when the run had ended", before, asked-before)
			}
		})
	}
}

func TestWhatIsLeftIsTheSameInLinesInTheViewAndForThoseWhoWatch(t *testing.T) {
	s := scenes()["one mailbox"]
	path := filepath.Join(t.TempDir(), "live")
	if err := live.Write(path, s); err != nil {
		t.Fatal(err)
	}
	read, err := live.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	const want = "about 23 min left (21 min to 26 min)"
	for name, text := range map[string]string{
		"lines": total(s),
		"view":  draw(s, noon, paper{width: 80, height: 24}),
		"watch": drawWatched(watched{Run: &read}, noon, paper{width: 80, height: 24}),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s: %s", name, text)
		}
	}
}
