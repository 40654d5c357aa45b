package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
)

// A work is a run whose counters a test turns.
type work struct {
	Taker
	mailboxes []migrate.MailboxSnapshot
	limiters  map[string]*pace.Limiter
}

func newWork(sources ...string) *work {
	w := &work{Taker: Taker{Command: "run", Migration: "acme", Bad: "failed"}, limiters: map[string]*pace.Limiter{}}
	for _, s := range sources {
		w.mailboxes = append(w.mailboxes, migrate.MailboxSnapshot{Source: s, Target: "new " + s})
	}
	w.Follow(func() []migrate.MailboxSnapshot { return w.mailboxes }, func() map[string]*pace.Limiter { return w.limiters })
	return w
}

func (w *work) begin(i int, total int64) {
	w.mailboxes[i].Started, w.mailboxes[i].Total = time.Now(), total
}

// seconds makes so many messages a second in a mailbox.
func (w *work) seconds(n, i int, rate int64) (s State) {
	for range n {
		<-time.After(time.Second)
		w.mailboxes[i].Done += rate
		s = w.Take(time.Now())
	}
	return s
}

func TestEveryMailboxHasAStage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWork("a", "b", "c", "d", "e")
		for i := range 4 {
			w.begin(i, 100)
		}
		w.mailboxes[1].Wait, w.mailboxes[1].Until = "connect: refused", time.Now().Add(time.Minute)
		w.mailboxes[2].Ended = time.Now()
		w.mailboxes[3].Ended, w.mailboxes[3].Err = time.Now(), &migrate.Error{Op: "login", Class: migrate.Fatal, Err: errors.New("refused")}
		s := w.Take(time.Now())
		for i, want := range []Stage{Running, Waiting, Done, Stopped, NotBegun} {
			if got := s.Mailboxes[i].Stage(); got != want {
				t.Errorf("%s is in stage %d, want %d", s.Mailboxes[i].Source, got, want)
			}
		}
		if m := s.Mailboxes[1]; m.Wait != "connect: refused" || m.Until != w.mailboxes[1].Until || m.Target != "new b" {
			t.Errorf("%+v", m)
		}
		if len(s.Failures) != 1 || s.Failures[0].Source != "d" || s.Failures[0].Reason != "login: refused" || s.Failures[0].Messages != 0 {
			t.Errorf("%+v", s.Failures)
		}
		if s.Version != Version || s.Command != "run" || s.Migration != "acme" || s.PID == 0 || s.Host == "" || !s.Began.Equal(time.Now()) {
			t.Errorf("%+v", s)
		}
	})
}

func TestAWaitForALimitIsAWaitOnlyIfItIsLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWork("a")
		w.begin(0, 100)
		limiter := pace.NewLimiter(nil, pace.Limit{Name: "10 calls per minute", Unit: pace.Requests, Amount: 10, Per: time.Minute, Burst: 1})
		w.limiters["a"] = limiter
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ask := func() {
			go limiter.Wait(ctx, pace.Cost{pace.Requests: 1})
			synctest.Wait()
		}
		ask()
		ask() // goes on in 6 s
		if m := w.Take(time.Now()).Mailboxes[0]; m.Stage() != Waiting || m.Wait != "10 calls per minute" || time.Until(m.Until).Round(time.Second) != 6*time.Second {
			t.Errorf("%+v", m)
		}
		<-time.After(5500 * time.Millisecond)
		if m := w.Take(time.Now()).Mailboxes[0]; m.Stage() != Running || m.AtLimit != "10 calls per minute" {
			t.Errorf("half a second before: %+v", m)
		}
		<-time.After(time.Second)
		if m := w.Take(time.Now()).Mailboxes[0]; m.Stage() != Running || m.AtLimit != "" {
			t.Errorf("after it: %+v", m)
		}
		limiter.Park(time.Now().Add(time.Hour), "Gmail asked to wait")
		ask()
		if m := w.Take(time.Now()).Mailboxes[0]; m.Stage() != Waiting || m.Wait != "Gmail asked to wait" {
			t.Errorf("parked: %+v", m)
		}
	})
}

func TestLimitsAreToldByWhatIsUsedOfThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWork("a", "b")
		shared := pace.NewLimiter(nil, pace.Limit{Name: "project", Unit: pace.Points, Amount: 6000, Per: time.Minute, Burst: 1000},
			pace.Limit{Name: "hardly used", Unit: pace.Points, Amount: 1_000_000, Per: 24 * time.Hour})
		for i, s := range []string{"a", "b"} {
			w.begin(i, 1000)
			w.limiters[s] = pace.NewLimiter(shared,
				pace.Limit{Name: "user", Unit: pace.Points, Amount: 1200, Per: time.Minute, Burst: 100},
				pace.Limit{Name: "calls", Unit: pace.Requests, Amount: 300, Per: 10 * time.Minute})
		}
		var s State
		for range 60 { // a: 10 units in a call a second; b: 5 units in a call every other second
			<-time.After(time.Second)
			w.limiters["a"].Wait(t.Context(), pace.Cost{pace.Requests: 1, pace.Points: 10})
			if time.Now().Second()%2 == 0 {
				w.limiters["b"].Wait(t.Context(), pace.Cost{pace.Requests: 1, pace.Points: 5})
			}
			s = w.Take(time.Now())
		}
		want := []Limit{
			{Name: "user", Used: 0.5, Rate: 10, Unit: "units", Source: "a"},
			{Name: "calls", Used: 0.2, Rate: 1, Unit: "calls", Source: "a"},
			{Name: "project", Used: 0.125, Rate: 12.5, Unit: "units"},
		}
		if len(s.Limits) != len(want) {
			t.Fatalf("%+v", s.Limits)
		}
		for i, l := range s.Limits {
			if l.Name != want[i].Name || l.Source != want[i].Source || l.Unit != want[i].Unit || abs(l.Used-want[i].Used) > 0.02 || abs(l.Rate-want[i].Rate) > 0.3 {
				t.Errorf("%+v, want %+v", l, want[i])
			}
		}
		// A mailbox that has ended is near no limit of its own.
		w.mailboxes[0].Ended = time.Now()
		s = w.Take(time.Now())
		for _, l := range s.Limits {
			if l.Source == "a" {
				t.Errorf("%+v", l)
			}
		}
		if len(w.spent) != 4 {
			t.Errorf("%d meters are kept, want those of b and of all", len(w.spent))
		}
	})
}

func TestABurstIsNoExcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWork("a")
		w.begin(0, 100)
		w.limiters["a"] = pace.NewLimiter(nil, pace.Limit{Name: "user", Unit: pace.Requests, Amount: 60, Per: time.Minute, Burst: 60})
		w.Take(time.Now())
		for range 50 {
			w.limiters["a"].Wait(t.Context(), pace.Cost{pace.Requests: 1})
		}
		<-time.After(10 * time.Second)
		if s := w.Take(time.Now()); len(s.Limits) != 1 || s.Limits[0].Used != 1 || s.Limits[0].Rate != 5 {
			t.Errorf("%+v", s.Limits)
		}
	})
}

func TestANewPassMayHaveOtherLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWork("a", "b")
		pass := func(calls int64) {
			w.limiters = map[string]*pace.Limiter{}
			for i, s := range []string{"a", "b"} {
				w.begin(i, 1000)
				w.limiters[s] = pace.NewLimiter(nil, pace.Limit{Name: fmt.Sprint(calls, " calls per hour"), Unit: pace.Requests, Amount: calls, Per: time.Hour})
			}
		}
		spend := func(n int) (s State) {
			for range n {
				<-time.After(time.Second)
				w.limiters["a"].Wait(t.Context(), pace.Cost{pace.Requests: 1})
				s = w.Take(time.Now())
			}
			return s
		}
		pass(100)
		spend(50)
		w.limiters["b"].Park(time.Now().Add(time.Hour), "asked to wait")
		ctx, cancel := context.WithCancel(t.Context())
		go w.limiters["b"].Wait(ctx, pace.Cost{pace.Requests: 1})
		synctest.Wait()
		if m := w.Take(time.Now()).Mailboxes[1]; m.Wait != "asked to wait" {
			t.Errorf("%+v", m)
		}
		cancel()
		pass(200)
		s := spend(100)
		if len(s.Limits) != 1 || s.Limits[0].Name != "200 calls per hour" || abs(s.Limits[0].Used-0.5) > 0.02 {
			t.Errorf("%+v, want half of the new limit", s.Limits)
		}
		if m := s.Mailboxes[1]; m.Stage() != Running {
			t.Errorf("%+v waits for a limit of before", m)
		}
	})
}

func abs(f float64) float64 { return max(f, -f) }

func TestWhatIsLeftIsGuessedFromThoseThatTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWork("a", "b", "c", "d", "e")
		w.begin(0, 10_000)
		s := w.seconds(60, 0, 10)
		if e := s.Left; e.Unknown != 4 || e.Guessed != 0 || !near(e.Low, 940*time.Second) || !near(e.High, 940*time.Second) {
			t.Errorf("one of five began: %+v", e)
		}
		if abs(s.Rate-10) > 0.1 || abs(s.Mailboxes[0].Rate-10) > 0.1 {
			t.Errorf("%v messages/s, %v in the mailbox", s.Rate, s.Mailboxes[0].Rate)
		}
		for i := 1; i < 3; i++ {
			w.begin(i, 1000)
			w.mailboxes[i].Known, w.mailboxes[i].Ended = 1000, time.Now()
		}
		// 9,400 are left in a, and d and e are taken to have 4,000 each.
		if e := w.Take(time.Now()).Left; e.Unknown != 0 || e.Guessed != 2 || !near(e.Low, 1740*time.Second) {
			t.Errorf("three of five began: %+v", e)
		}
	})
}

func TestTheWholeTakesAsLongAsItsSlowestMailbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWork("slow", "quick")
		w.begin(0, 10_000)
		w.begin(1, 10_000)
		var s State
		for range 60 {
			<-time.After(time.Second)
			w.mailboxes[0].Done++
			w.mailboxes[1].Done += 99
			s = w.Take(time.Now())
		}
		if !near(s.Left.High, 9940*time.Second) || s.Left.Low > 150*time.Second {
			t.Errorf("%+v, want up to 9,940 s", s.Left)
		}
	})
}

func TestFailuresOfOneReasonAreToldTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWork("a", "b")
		w.begin(0, 100)
		w.begin(1, 100)
		w.mailboxes[0].Failed = 2
		w.Take(time.Now())
		w.mailboxes[1].Failed = 1
		<-time.After(time.Minute)
		w.Take(time.Now())
		w.Take(time.Now()) // no news
		w.mailboxes[0].Failed = 5
		<-time.After(time.Minute)
		s := w.Take(time.Now())
		want := []Failure{{At: time.Now(), Source: "a", Messages: 5}, {At: time.Now().Add(-time.Minute), Source: "b", Messages: 1}}
		if !slices.Equal(s.Failures, want) {
			t.Errorf("%+v, want %+v", s.Failures, want)
		}
		for i := range 30 {
			w.mailboxes = append(w.mailboxes, migrate.MailboxSnapshot{Source: fmt.Sprint(i), Failed: 1})
		}
		if s := w.Take(time.Now()); len(s.Failures) != Failures {
			t.Errorf("%d failures", len(s.Failures))
		}
	})
}

func TestAMailboxThatIsBegunAgainCountsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWork("a")
		w.begin(0, 100_000)
		w.mailboxes[0].Failed = 3
		w.seconds(60, 0, 10)
		w.mailboxes[0].Ended, w.mailboxes[0].Err = time.Now(), errors.New("refused")
		w.Take(time.Now())
		<-time.After(time.Second)
		w.mailboxes[0] = migrate.MailboxSnapshot{Source: "a", Known: 600, Done: 10}
		w.begin(0, 100_000)
		s := w.seconds(59, 0, 10)
		if abs(s.Rate-10) > 0.5 || !near(s.Left.High, 9880*time.Second) {
			t.Errorf("%v messages/s, %+v", s.Rate, s.Left)
		}
		w.mailboxes[0].Failed = 1
		w.mailboxes[0].Ended, w.mailboxes[0].Err = time.Now(), errors.New("refused")
		s = w.Take(time.Now())
		want := []Failure{{At: time.Now(), Source: "a", Reason: "refused"}, {At: time.Now(), Source: "a", Messages: 4}}
		<-time.After(time.Minute)
		for _, s := range []State{s, w.Take(time.Now())} { // it is no news a minute later
			if !slices.Equal(s.Failures, want) {
				t.Errorf("%+v, want %+v", s.Failures, want)
			}
		}
	})
}

func TestAPauseOfTheWholeIsTold(t *testing.T) {
	w := newWork("a")
	until := start.Add(time.Hour)
	w.Pause = func() (string, time.Time) { return "outside the window", until }
	if s := w.Take(start); s.Pause != "outside the window" || s.Until != until {
		t.Errorf("%+v", s)
	}
}

func TestWordsFromOutsideAreBounded(t *testing.T) {
	w := newWork("a")
	w.begin(0, 1)
	w.mailboxes[0].Phase = strings.Repeat("日", 10_000)
	w.mailboxes[0].Wait = strings.Repeat("日", clip+1)
	w.mailboxes[0].Err = errors.New(strings.Repeat("日", clip))
	m := w.Take(time.Now()).Mailboxes[0]
	most := strings.Repeat("日", clip)
	if m.Phase != most+"…" || m.Wait != most+"…" || m.Error != most {
		t.Errorf("%d, %d and %d octets", len(m.Phase), len(m.Wait), len(m.Error))
	}
}
