package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/window"
)

// A vigil is a watch over mailboxes without messages, which fail as a test
// wants it.
type vigil struct {
	*watch
	begin time.Time
	path  string // of the checkpoints
	told  []string
	says  []string // why the run as a whole needs a person

	mu    sync.Mutex
	fails map[string]func() error // by mailbox; nil while it works
	takes map[string]time.Duration
	tries []string // "1m0s ann": when which mailbox was tried
}

// empty is a target that holds nothing.
type empty struct{ migrate.Target }

func (empty) Capabilities() migrate.Capabilities                 { return migrate.Capabilities{Parallel: 1} }
func (empty) Position(context.Context) (migrate.Position, error) { return "", nil }
func (empty) Close() error                                       { return nil }
func (empty) Place(_ context.Context, fs []migrate.Folder) ([]migrate.Placement, error) {
	return make([]migrate.Placement, len(fs)), nil
}

func newVigil(t *testing.T, mailboxes ...string) *vigil {
	t.Helper()
	v := &vigil{begin: time.Now(), path: filepath.Join(t.TempDir(), "mailhaul.db"), fails: map[string]func() error{}, takes: map[string]time.Duration{}}
	v.watch = &watch{
		schedule: schedule{zone: time.UTC, digest: 7 * time.Hour},
		open:     func() (migrate.Checkpoints, error) { return sqlite.Open(v.path) },
		load:     func(context.Context) (*work, error) { return v.work, nil },
		tell: func(e event) {
			if e.Kind == needsPerson && e.Mailbox == "" {
				v.says = append(v.says, e.Reason)
			}
			v.told = append(v.told, strings.TrimSpace(fmt.Sprintf("%v %s %s", e.Time.Sub(v.begin).Round(time.Second), e.Kind, e.Mailbox)))
		},
	}
	v.take(v.on(mailboxes...))
	return v
}

// on is the work on some mailboxes.
func (v *vigil) on(mailboxes ...string) *work {
	w := &work{engine: migrate.Engine{Spool: migrate.NewSpool("", 1<<20, 1<<20), Jobs: 2, Grace: grace}}
	for _, name := range mailboxes {
		w.boxes = append(w.boxes, migrate.Mailbox{Source: name, Target: name,
			OpenSource: func(ctx context.Context) (migrate.Source, error) {
				v.mu.Lock()
				v.tries = append(v.tries, fmt.Sprint(time.Since(v.begin).Round(time.Second), " ", name))
				fail, long := v.fails[name], v.takes[name]
				v.mu.Unlock()
				if fail != nil {
					if err := fail(); err != nil {
						return nil, err
					}
				}
				select {
				case <-time.After(long):
				case <-ctx.Done():
				}
				return &load{user: name}, ctx.Err()
			},
			OpenTarget: func(context.Context) (migrate.Target, error) { return empty{}, nil },
		})
	}
	return w
}

func (v *vigil) store(t *testing.T) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(v.path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// events expects those that were told, but for passes and digests.
func (v *vigil) events(t *testing.T, want ...string) {
	t.Helper()
	got := slices.DeleteFunc(slices.Clone(v.told), func(s string) bool { return strings.Contains(s, " pass ") || strings.HasSuffix(s, " digest") })
	if !slices.Equal(got, want) {
		t.Errorf("it told\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func (v *vigil) tried(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(v.tries, want) {
		t.Errorf("it tried\n  %s\nwant\n  %s", strings.Join(v.tries, "\n  "), strings.Join(want, "\n  "))
	}
}

// ends runs to the end and expects the error that it ends with.
func (v *vigil) ends(t *testing.T, want error) {
	t.Helper()
	if err := v.run(t.Context()); !errors.Is(err, want) {
		t.Errorf("it ended with %v, want %v", err, want)
	}
}

// until fails until so much time has passed.
func (v *vigil) until(d time.Duration, text string) func() error {
	return func() error {
		if time.Since(v.begin) < d {
			return &migrate.Error{Op: "open", Class: migrate.Fatal, Err: errors.New(text)}
		}
		return nil
	}
}

const never = 1000 * time.Hour

func bubble(t *testing.T, fn func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, fn)
}

func TestOnePassTriesEachMailboxOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		v := newVigil(t, "ann", "bob", "cid", "dan")
		v.schedule.once = true
		for _, name := range []string{"ann", "bob", "cid"} {
			v.fails[name] = v.until(never, "no")
		}
		v.ends(t, nil)
		slices.Sort(v.tries)
		v.tried(t, "0s ann", "0s bob", "0s cid", "0s dan")
		for _, r := range v.results() {
			if (r.Err == nil) != (r.Mailbox.Source == "dan") {
				t.Errorf("%s: %v", r.Mailbox.Source, r.Err)
			}
		}
	})
}

func TestAMailboxThatFailsIsTriedAgainAndHoldsUpNoOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		v := newVigil(t, "ann", "bob", "cid", "dan")
		v.schedule.complete = true
		v.fails["ann"] = v.until(20*time.Minute, "no")
		v.takes["bob"], v.takes["cid"], v.takes["dan"] = 10*time.Second, 10*time.Second, 2*time.Minute
		v.ends(t, nil)
		slices.Sort(v.tries[:2])
		v.tried(t, "0s ann", "0s bob", "0s cid", "10s dan", "1m0s ann", "3m0s ann", "7m0s ann", "15m0s ann", "31m0s ann")
		v.events(t, "0s run started", "10s mailbox failed ann", "15m0s needs a person ann", "31m0s mailbox recovered ann", "31m0s done")
	})
}

func TestTheSameFailureOfAllPausesTheRunAndItGoesOnByItself(t *testing.T) {
	bubble(t, func(t *testing.T) {
		v := newVigil(t, "ann", "bob", "cid", "dan", "eve")
		v.schedule.complete = true
		for _, name := range []string{"ann", "bob", "cid", "dan", "eve"} {
			v.fails[name] = v.until(2*time.Hour, "token of "+name+"@example.org revoked")
		}
		v.ends(t, nil)
		v.events(t, "0s run started", "0s paused", "2h0m0s resumed", "2h0m0s done")
		if len(v.tries) > 3+2+11+4 {
			t.Errorf("it tried %d times: %v", len(v.tries), v.tries)
		}
		seen := map[string]bool{}
		for _, try := range v.tries[:8] {
			seen[strings.Fields(try)[1]] = true
		}
		if len(seen) != 5 {
			t.Errorf("probes were made with %v alone", seen)
		}
	})
}

func TestAPauseEndsWhenAPersonMendsTheConfiguration(t *testing.T) {
	bubble(t, func(t *testing.T) {
		v := newVigil(t, "ann", "bob", "cid")
		v.schedule.every, v.schedule.complete = 24*time.Hour, true
		mended := false
		for _, name := range []string{"ann", "bob", "cid"} {
			v.fails[name] = func() error {
				if mended {
					return nil
				}
				return &migrate.Error{Op: "login", Class: migrate.Fatal, Err: errors.New("no")}
			}
		}
		v.load = func(context.Context) (*work, error) {
			mended = time.Since(v.begin) > time.Hour
			return v.work, nil
		}
		v.ends(t, nil)
		v.events(t, "0s run started", "0s paused", "1h15m0s resumed", "1h15m0s done")
	})
}

func TestAMailboxThatFailedGoesAfterThoseThatDidNot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		v := newVigil(t, "ann", "bob", "cid", "dan")
		for i, b := range v.boxes {
			b.wanted, b.failures = true, []int{1, 2, 0, 0}[i]
		}
		for _, want := range []string{"cid", "dan", "ann", "bob"} {
			b := v.pick(time.Now())
			if b == nil || b.Source != want {
				t.Fatalf("%v begins, want %s", b, want)
			}
			b.running = true
		}
		if b := v.pick(time.Now()); b != nil {
			t.Errorf("%s begins twice", b.Source)
		}
	})
}

// While the source is unchanged, a pass asks nothing of the target.
func TestMailboxesWithNothingNewDoNotHideThatTheTargetRefusesAll(t *testing.T) {
	bubble(t, func(t *testing.T) {
		v := newVigil(t, "ann", "idle1", "bob", "idle2", "cid", "idle3", "dan", "idle4")
		v.schedule.complete = true
		for i := range v.work.boxes {
			m := &v.work.boxes[i]
			if strings.HasPrefix(m.Source, "idle") {
				continue
			}
			name := m.Source
			m.OpenSource = func(context.Context) (migrate.Source, error) {
				return &load{name, []loadFolder{{"INBOX", 0, 0, false}}}, nil
			}
			m.OpenTarget = func(context.Context) (migrate.Target, error) {
				if err := v.until(50*time.Minute, "token refused")(); err != nil {
					return nil, err
				}
				return empty{}, nil
			}
		}
		v.work.engine.Jobs = 1
		v.take(v.work)
		v.ends(t, nil)
		v.events(t, "0s run started", "0s paused", "1h0m0s resumed", "1h0m0s done")
	})
}

func TestUsersWhoDoNotExistPauseNothingAndAreTriedInTheNextPass(t *testing.T) {
	bubble(t, func(t *testing.T) {
		v := newVigil(t, "ann", "bob", "cid", "dan", "eve")
		v.schedule.every = 24 * time.Hour
		v.schedule.complete = true
		for _, name := range []string{"ann", "bob", "cid"} {
			v.fails[name] = func() error {
				if time.Since(v.begin) < 30*time.Hour {
					return &migrate.Error{Op: "open", Class: migrate.Fatal, Err: errors.New("404"), Hint: "Check the address: no such user. Create the user or correct the mailbox list."}
				}
				return nil
			}
		}
		v.ends(t, nil)
		slices.Sort(v.told)
		v.events(t, "0s mailbox failed ann", "0s mailbox failed bob", "0s mailbox failed cid", "0s needs a person ann", "0s needs a person bob", "0s needs a person cid",
			"0s run started", "48h0m0s done", "48h0m0s mailbox recovered ann", "48h0m0s mailbox recovered bob", "48h0m0s mailbox recovered cid")
		if len(v.tries) != 15 {
			t.Errorf("it tried %d times: %v", len(v.tries), v.tries)
		}
	})
}

func TestAFailureWhileOthersWorkIsThatOfItsMailboxAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		v := newVigil(t, "ann", "bob", "cid", "dan", "eve", "fay")
		v.schedule.complete = true
		v.work.engine.Jobs = 1
		for _, name := range []string{"ann", "cid", "eve"} {
			v.fails[name] = v.until(time.Minute, "no")
		}
		v.ends(t, nil)
		if slices.ContainsFunc(v.told, func(s string) bool { return strings.Contains(s, "paused") }) {
			t.Error(v.told)
		}
	})
}

func TestAPassThatIsDueWaitsForTheEarlierOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		v := newVigil(t, "ann", "bob")
		v.schedule.every = 24 * time.Hour
		v.schedule.until = v.begin.Add(100 * time.Hour)
		v.takes["ann"] = 30 * time.Hour
		go func() {
			time.Sleep(10 * time.Hour)
			v.mu.Lock()
			defer v.mu.Unlock()
			v.takes["ann"] = 0
		}()
		v.ends(t, errUntil)
		slices.Sort(v.tries)
		v.tried(t, "0s ann", "0s bob", "30h0m0s ann", "30h0m0s bob", "48h0m0s ann", "48h0m0s bob", "72h0m0s ann", "72h0m0s bob", "96h0m0s ann", "96h0m0s bob")
		v.events(t, "0s run started", "100h0m0s done")
	})
}

func TestTheTimeOfUntilStopsWhatRuns(t *testing.T) {
	bubble(t, func(t *testing.T) {
		v := newVigil(t, "ann", "bob", "cid")
		v.schedule.until = v.begin.Add(time.Hour)
		v.takes["ann"], v.takes["bob"] = 2*time.Hour, time.Minute
		v.ends(t, errUntil)
		for _, r := range v.results() {
			if (r.Err == nil) != (r.Mailbox.Source != "ann") {
				t.Errorf("%s: %v", r.Mailbox.Source, r.Err)
			}
		}
		v.events(t, "0s run started", "1h0m0s stopped")
	})
}

func TestOutsideTheWindowNothingRuns(t *testing.T) {
	bubble(t, func(t *testing.T) { // which begins on Saturday, 2000-01-01, 00:00 UTC
		v := newVigil(t, "ann", "bob")
		var err error
		if v.work.window, err = window.Parse("Sat 02:00-03:00, Mon-Tue", time.UTC); err != nil {
			t.Fatal(err)
		}
		v.schedule.once = true
		v.takes["ann"], v.takes["bob"] = 2*time.Hour, time.Minute
		v.ends(t, nil)
		slices.Sort(v.tries)
		v.tried(t, "2h0m0s ann", "2h0m0s bob", "48h0m0s ann")
		v.events(t, "0s run started", "0s window closed", "2h0m0s window opened", "3h0m0s window closed", "48h0m0s window opened", "50h0m0s done")
	})
}

func TestAnInterruptionEndsAWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		v := newVigil(t, "ann")
		v.schedule.every = 24 * time.Hour
		ctx, stop := context.WithCancelCause(t.Context())
		go func() {
			time.Sleep(30*time.Hour + 10*time.Second)
			stop(errInterrupted)
		}()
		if err := v.run(ctx); !errors.Is(err, errInterrupted) || time.Since(v.begin) != 30*time.Hour+10*time.Second {
			t.Errorf("after %v: %v", time.Since(v.begin), err)
		}
		v.events(t, "0s run started", "30h0m10s stopped")
	})
}

func TestBetweenPassesTheCheckpointsAreFreeAndTheFilesAreReadAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		v := newVigil(t, "ann", "bob")
		v.schedule.every = 24 * time.Hour
		v.schedule.until = v.begin.Add(110 * time.Hour)
		loads := 0
		v.load = func(context.Context) (*work, error) {
			v.store(t).Close() // fails if they are not
			loads++
			if loads == 2 || loads == 3 {
				return nil, errors.New("mailboxes.csv:3: no target")
			}
			return v.on("bob", "cid"), nil
		}
		v.ends(t, errUntil)
		slices.Sort(v.tries)
		v.tried(t, "0s ann", "0s bob", "24h0m0s bob", "24h0m0s cid", "48h0m0s bob", "48h0m0s cid", "72h0m0s bob", "72h0m0s cid", "96h0m0s bob", "96h0m0s cid")
		v.events(t, "0s run started", "48h0m0s needs a person", "110h0m0s done")
		if len(v.says) != 1 || !strings.Contains(v.says[0], "mailboxes.csv:3: no target") {
			t.Error(v.says)
		}
	})
}

func TestTroubleOfThisMachinePausesARunThatLasts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, once := range []bool{false, true} {
			v := newVigil(t, "ann", "bob", "cid")
			v.schedule.once, v.schedule.complete = once, !once
			v.takes["bob"] = time.Hour
			for _, name := range []string{"ann", "bob", "cid"} {
				v.fails[name] = func() error {
					if time.Since(v.begin) < 30*time.Minute {
						return migrate.Saved(syscall.ENOSPC)
					}
					return nil
				}
			}
			if once {
				v.ends(t, syscall.ENOSPC)
				v.events(t, "0s run started", "0s stopped")
				continue
			}
			v.ends(t, nil)
			v.events(t, "0s run started", "0s paused", "30m0s resumed", "1h30m0s done")
		}
	})
}

func TestAMailboxThatAloneBringsTroubleToThisMachineHoldsUpNoOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		v := newVigil(t, "ann", "bob", "cid")
		v.schedule.until = v.begin.Add(5 * time.Hour)
		v.takes["bob"] = time.Hour
		v.fails["ann"] = func() error {
			return migrate.Saved(errors.New("12 messages were listed, but the outcomes add up to 13"))
		}
		v.ends(t, errUntil)
		v.events(t, "0s run started", "0s paused", "1m0s resumed", "1h1m0s mailbox failed ann", "1h1m0s needs a person ann", "5h0m0s stopped")
	})
}

func TestCheckpointsThatAnotherCommandHoldsAreWaitedFor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		v := newVigil(t, "ann")
		v.schedule.complete = true
		v.open = func() (migrate.Checkpoints, error) {
			if time.Since(v.begin) < 20*time.Minute {
				return nil, &migrate.Error{Op: "open checkpoints", Class: migrate.Fatal, Err: errors.New("in use by process 7")}
			}
			return sqlite.Open(v.path)
		}
		v.ends(t, nil)
		v.events(t, "0s run started", "0s paused", "30m0s resumed", "30m0s done")
		v.tried(t, "30m0s ann")
	})
}

func TestWhatTheRunShowsIsEveryMailboxInTheOrderOfTheList(t *testing.T) {
	bubble(t, func(t *testing.T) {
		v := newVigil(t, "ann", "bob", "cid")
		v.schedule.complete = true
		v.takes["bob"] = 5 * time.Minute
		var idle string
		v.fails["ann"] = func() error {
			if time.Since(v.begin) < 3*time.Hour {
				return errors.New("no")
			}
			return nil
		}
		go func() {
			time.Sleep(4 * time.Minute)
			var names []string
			for _, s := range v.snapshot() {
				names = append(names, s.Source)
			}
			if strings.Join(names, " ") != "ann bob cid" {
				t.Errorf("it shows %v", names)
			}
			time.Sleep(16 * time.Minute)
			idle, _ = v.waits()
		}()
		v.ends(t, nil)
		if idle != "until a mailbox that failed is tried again" {
			t.Errorf("it waits: %s", idle)
		}
	})
}

func TestADigestComesEveryDay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		v := newVigil(t, "ann")
		v.schedule.every = 12 * time.Hour
		v.schedule.until = v.begin.Add(60 * time.Hour)
		v.ends(t, errUntil)
		var digests []string
		for _, s := range v.told {
			if strings.HasSuffix(s, "digest") {
				digests = append(digests, s)
			}
		}
		if want := []string{"7h0m0s digest", "31h0m0s digest", "55h0m0s digest"}; !slices.Equal(digests, want) {
			t.Errorf("%v, want %v", digests, want)
		}
	})
}
