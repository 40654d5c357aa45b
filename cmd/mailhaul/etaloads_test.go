package main

import (
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/plan"
	"github.com/mailhaul/mailhaul/migrate/window"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

// A leftover is what is left of a run, of which a test says how far it is. Each
// message takes 100 ms, and 10 units.
type leftover struct {
	*eta
	terms
	boxes  []migrate.MailboxSnapshot
	limits map[string]*pace.Limiter
	paused string
}

func newLeftover(sources ...string) *leftover {
	l := &leftover{limits: map[string]*pace.Limiter{}}
	for _, s := range sources {
		l.boxes = append(l.boxes, migrate.MailboxSnapshot{Source: s, Target: "new " + s})
		l.limits[s] = pace.NewLimiter(nil)
	}
	l.eta = &eta{
		factor:   1,
		snapshot: func() []migrate.MailboxSnapshot { return l.boxes },
		limiters: func() map[string]*pace.Limiter { return l.limits },
		pause:    func() (string, time.Time) { return l.paused, time.Time{} },
		settled:  func() map[[2]string]int64 { return nil },
		sizes:    map[string]*size{},
	}
	l.terms = terms{
		jobs: 1,
		model: func() (m plan.Model, s plan.Source, d plan.Doubt) {
			m = plan.Model{Parallel: 1, Write: []plan.Write{{Calls: []plan.Call{{Cost: pace.Cost{pace.Requests: 1, pace.Points: 10}, Median: 100 * time.Millisecond}}}}}
			for _, limiter := range l.limits {
				m.Own, m.Shared = limiter.Limits()
			}
			return m, s, d
		},
		load: func(string) (l plan.Load, of int64) { return l, 0 },
	}
	return l
}

// work begins mailbox i, of so many messages, of which some are done.
func (l *leftover) work(i int, total, done int64) {
	l.boxes[i].Started, l.boxes[i].Total, l.boxes[i].Done = time.Now(), total, done
}

// goOn works on the first mailbox for so long, at so many messages a second.
func (l *leftover) goOn(d time.Duration, rate float64, octets int64) {
	for begun, done := time.Now(), l.boxes[0].Done; time.Since(begun) < d; {
		<-time.After(time.Second)
		synctest.Wait()
		l.boxes[0].Done = done + int64(time.Since(begun).Seconds()*rate)
		l.boxes[0].Bytes = l.boxes[0].Done * octets
	}
}

// lasts expects that what is left takes so long.
func (l *leftover) lasts(t *testing.T, want time.Duration, guessed int) {
	t.Helper()
	l.follow(l.terms)
	if s := l.simulate(t.Context(), time.Now()); (s.P50-want).Abs() > want/50+time.Second || s.Guessed != guessed {
		t.Errorf("%v are left, with %d guessed; want %v and %d", s.P50, s.Guessed, want, guessed)
	}
}

func TestAMailboxThatWasNotAssessedIsTakenToBeLikeTheOthers(t *testing.T) {
	l := newLeftover("a", "b", "c", "d")
	l.work(0, 1000, 500)
	l.work(1, 2000, 0)
	l.lasts(t, 0, 0) // two tell too little of the others
	l.boxes[2].Known = 3000
	l.work(2, 3000, 0)
	l.boxes[2].Ended = time.Now()
	l.lasts(t, 450*time.Second, 1)
	l.boxes[3].Ended, l.boxes[3].Err = time.Now(), errors.New("refused")
	l.lasts(t, 250*time.Second, 0)
	l.boxes[3].Err = errWindow // it goes on when it is open
	l.lasts(t, 450*time.Second, 1)
	for i := range l.boxes {
		l.boxes[i].Ended, l.boxes[i].Err = time.Now(), nil
	}
	l.lasts(t, 0, 0)
}

func TestAnAssessmentIsCorrectedByWhatTheSourceAnnounces(t *testing.T) {
	l := newLeftover("a", "b")
	l.terms.load = func(source string) (plan.Load, int64) { // half of it is left out by a rule
		return plan.Load{Sizes: []plan.Size{{Messages: 500, Bytes: 500}}}, map[string]int64{"a": 1000}[source]
	}
	l.work(1, 100, 0)
	l.lasts(t, 60*time.Second, 0)
	l.work(0, 3000, 2000)
	l.lasts(t, 60*time.Second, 0)
	l.boxes[0] = migrate.MailboxSnapshot{Source: "a", Target: "new a"} // it is to be begun again
	l.lasts(t, 60*time.Second, 0)
}

func TestWhatAnEarlierRunDidIsNotLeft(t *testing.T) {
	l := newLeftover("a")
	l.settled = func() map[[2]string]int64 { return map[[2]string]int64{{"a", "new a"}: 400} }
	l.terms.load = func(string) (plan.Load, int64) {
		return plan.Load{Sizes: []plan.Size{{Messages: 1000, Bytes: 1000}}}, 1000
	}
	l.lasts(t, 60*time.Second, 0)
	l.work(0, 1000, 0) // those that are known are counted as they are listed
	l.lasts(t, 60*time.Second, 0)
	l.work(0, 1000, 700)
	l.lasts(t, 30*time.Second, 0)
}

func TestMessagesThatAreLeftAreLikeThoseThatArrived(t *testing.T) {
	l := newLeftover("a")
	l.work(0, 1100, 100)
	model := l.terms.model
	l.terms.model = func() (plan.Model, plan.Source, plan.Doubt) {
		m, s, d := model()
		m.Write[0].Calls[0].Rate = 1_000_000
		return m, s, d
	}
	l.lasts(t, 175*time.Second, 0)
	l.boxes[0].Bytes = 40_000_000
	l.lasts(t, 500*time.Second, 0)
}

func TestMailboxesAtWorkGoFirst(t *testing.T) {
	l := newLeftover("a", "b", "c")
	l.terms.jobs = 2
	l.terms.load = func(string) (plan.Load, int64) {
		return plan.Load{Sizes: []plan.Size{{Messages: 1000, Bytes: 1000}}}, 1000
	}
	l.work(2, 2000, 0)
	l.lasts(t, 200*time.Second, 0)
}

func TestWhatWasSpentOfADayIsSpentInTheSimulation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		day := pace.NewLimiter(nil, pace.Limit{Name: "day", Unit: pace.Points, Amount: 1000, Per: 24 * time.Hour})
		l := newLeftover("a", "b")
		for s := range l.limits {
			l.limits[s] = pace.NewLimiter(day, pace.Limit{Name: "hour", Unit: pace.Requests, Amount: 50, Per: time.Hour})
		}
		l.work(0, 100, 50)
		l.boxes[1].Ended = time.Now()
		for range 40 {
			if err := l.limits["a"].Wait(t.Context(), pace.Cost{pace.Requests: 1, pace.Points: 10}); err != nil {
				t.Fatal(err)
			}
		}
		<-time.After(30 * time.Minute)
		l.lasts(t, 30*time.Minute, 0) // ten of 50 may go at once
		if err := l.limits["b"].Wait(t.Context(), pace.Cost{pace.Points: 600}); err != nil {
			t.Fatal(err)
		}
		l.lasts(t, 24*time.Hour, 0) // of the day 40 may go half an hour before that, and then the rest
	})
}

func TestWhatIsLeftIsMovedWhileTheWindowIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLeftover("a")
		var err error
		if l.terms.window, err = window.Parse("20:00-20:10", time.UTC); err != nil {
			t.Fatal(err)
		}
		<-time.After(12 * time.Hour)
		l.work(0, 9000, 0)
		l.boxes[0].Ended, l.boxes[0].Err = time.Now(), errWindow
		l.lasts(t, 32*time.Hour+5*time.Minute, 0)
		l.factor = 2
		l.lasts(t, 56*time.Hour+10*time.Minute, 0)
	})
}

func TestAPlanIsWhatARunBeginsWith(t *testing.T) {
	server := sourcetest.NewGenerated(t, sourcetest.GeneratedOptions{Messages: 300})
	path := madeUp(t, "gmail", server, "ann")
	if code, _, stderr := planned(t.Context(), "--config", path, "--out", filepath.Join(t.TempDir(), "plan")); code != exitDone {
		t.Fatal(stderr)
	}
	config, err := loadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	connections, err := newConnections(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	terms := (&migration{config: config, connections: connections, kept: filepath.Join(filepath.Dir(path), "assessments")}).terms()
	load, of := terms.load("ann@example.com")
	written := load.Merged
	for _, s := range load.Sizes {
		written += s.Messages
	}
	if of != 300 || written != 300 {
		t.Errorf("of %d messages %d are written", of, written)
	}
	if _, of := terms.load("bob@example.com"); of != 0 {
		t.Errorf("of a mailbox that was not assessed there are %d", of)
	}
	model, source, _ := terms.model()
	if terms.jobs != config.Run.Jobs || model.Parallel != config.Gmail.Parallel || len(model.Own) == 0 || source.Connect == 0 {
		t.Errorf("%+v, %+v, %+v", terms, model, source)
	}
}
