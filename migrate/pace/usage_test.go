package pace

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// used compares a usage with the calls, points and waits that it should have.
func used(t *testing.T, l *Limiter, calls, points int64, waited map[string]time.Duration) {
	t.Helper()
	u := l.Usage()
	for name, d := range u.Waited {
		u.Waited[name] = d.Round(time.Millisecond)
	}
	if u.Calls != calls || u.Cost[Points] != points || !maps.Equal(u.Waited, waited) {
		t.Errorf("%d calls, %d points, waited %v; want %d, %d, %v", u.Calls, u.Cost[Points], u.Waited, calls, points, waited)
	}
}

func TestUsageCountsCallsCostsAndWaitsByTheirLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(nil,
			Limit{Name: "rate", Unit: Points, Amount: 60, Per: time.Minute, Burst: 10},
			Limit{Name: "calls", Unit: Requests, Amount: 3, Per: time.Hour})
		used(t, l, 0, 0, nil)
		for range 3 {
			if err := l.Wait(t.Context(), Cost{Requests: 1, Points: 10}); err != nil {
				t.Fatal(err)
			}
		}
		used(t, l, 3, 30, map[string]time.Duration{"rate": 20 * time.Second})
		if err := l.Wait(t.Context(), Cost{Requests: 1}); err != nil {
			t.Fatal(err)
		}
		used(t, l, 4, 30, map[string]time.Duration{"rate": 20 * time.Second, "calls": time.Hour - 20*time.Second})
		l.Park(time.Now().Add(time.Minute), "an answer of the server, which may be long and different each time")
		if err := l.Wait(t.Context(), Cost{}); err != nil {
			t.Fatal(err)
		}
		if got := l.Usage().Waited[Asked]; got != time.Minute {
			t.Errorf("the vendor's own wait counts %v", got)
		}
		if n := len(l.Usage().Waited); n != 3 {
			t.Errorf("%d kinds of waits", n)
		}
	})
}

func TestAWaitCountsWhileItLastsAndOnceAndNotLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(nil, Limit{Name: "day", Unit: Points, Amount: 1, Per: 24 * time.Hour})
		if err := l.Wait(t.Context(), Cost{Points: 1}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Hour)
		defer cancel()
		done := make(chan error)
		go func() { done <- l.Wait(ctx, Cost{Points: 1}) }()
		synctest.Wait()
		for hours := range 3 {
			if got := l.Usage().Waited["day"]; got != time.Duration(hours)*time.Hour {
				t.Errorf("after %d hours it is %v", hours, got)
			}
			time.Sleep(time.Hour)
		}
		if <-done == nil {
			t.Fatal("it did not wait")
		}
		time.Sleep(time.Hour)
		used(t, l, 1, 1, map[string]time.Duration{"day": 3 * time.Hour}) // and spent nothing
	})
}

func TestAWaitBehindAnotherMailboxCountsForTheLimitOrTheTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent := NewLimiter(nil, Limit{Name: "project", Unit: Points, Amount: 60, Per: time.Minute, Burst: 60})
		first, second := NewLimiter(parent), NewLimiter(parent)
		var wg sync.WaitGroup
		wait := func(l *Limiter, c Cost) {
			wg.Go(func() {
				if err := l.Wait(t.Context(), c); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		wait(second, Cost{Points: 60})
		wait(first, Cost{Points: 60})
		wait(second, Cost{Requests: 1}) // free of limits, but not its turn
		wg.Wait()
		used(t, first, 1, 60, map[string]time.Duration{"project": time.Minute})
		used(t, second, 2, 60, map[string]time.Duration{Turn: time.Minute})
		wait(first, Cost{Points: 30})
		wait(second, Cost{Points: 30})
		wg.Wait()
		used(t, first, 2, 90, map[string]time.Duration{"project": 90 * time.Second})
		used(t, second, 3, 90, map[string]time.Duration{Turn: time.Minute, "project": time.Minute})
		used(t, parent, 0, 0, nil)
	})
}

func TestWhatUsageReturnedNoLongerChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(nil, Limit{Name: "rate", Unit: Points, Amount: 1, Per: time.Second, Burst: 1})
		wait := func() {
			for range 2 {
				if err := l.Wait(t.Context(), Cost{Points: 1}); err != nil {
					t.Fatal(err)
				}
			}
		}
		wait()
		u := l.Usage()
		wait()
		if u.Calls != 2 || u.Waited["rate"].Round(time.Millisecond) != time.Second {
			t.Errorf("now it is %+v", u)
		}
	})
}

func TestALimiterTellsItsLimitsAndThoseThatItShares(t *testing.T) {
	mine := Limit{Name: "mailbox", Unit: Points, Amount: 1, Per: time.Second, Burst: 1}
	ours := Limit{Name: "project", Unit: Points, Amount: 60, Per: time.Minute, Burst: 60}
	parent := NewLimiter(nil, ours)
	own, shared := NewLimiter(parent, mine).Limits()
	if !slices.Equal(own, []Limit{mine}) || !slices.Equal(shared, []Limit{ours}) {
		t.Errorf("its own are %v, shared are %v", own, shared)
	}
	if own, shared := parent.Limits(); !slices.Equal(own, []Limit{ours}) || shared != nil {
		t.Errorf("the parent's own are %v, shared are %v", own, shared)
	}
}

func TestANilLimiterHasNoUsage(t *testing.T) {
	var l *Limiter
	if u := l.Usage(); u.Calls != 0 || u.Waited != nil {
		t.Errorf("%+v", u)
	}
}

func BenchmarkWait(b *testing.B) {
	for name, l := range map[string]*Limiter{"alone": NewLimiter(nil), "below a parent": NewLimiter(NewLimiter(nil))} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				l.Wait(b.Context(), Cost{Requests: 1, Points: 25})
			}
		})
	}
}
