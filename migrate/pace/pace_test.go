package pace

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	bucket = Limit{Name: "points", Unit: Points, Amount: 6000, Per: time.Minute, Burst: 100}
	window = Limit{Name: "requests", Unit: Requests, Amount: 100, Per: 10 * time.Minute}
)

// start is some instant; nothing depends on which.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// drive makes n calls as early as the budgets allow and returns their times.
func drive(n int, cost func(i int) Cost, budgets ...*Budget) []time.Time {
	now := start
	var at []time.Time
	for i := range n {
		c := cost(i)
		now, _ = Ask(now, c, budgets...)
		Spend(now, c, budgets...)
		at = append(at, now)
	}
	return at
}

func TestABucketSpendsItsBurstAndThenItsRate(t *testing.T) {
	at := drive(1004, func(int) Cost { return Cost{Points: 25} }, bucket.New())
	if at[3] != start {
		t.Errorf("the burst of 100 waited until %v", at[3].Sub(start))
	}
	// 1,000 calls of 25 points beyond the burst, at 100 points a second.
	if got := at[1003].Sub(start); got < 250*time.Second || got > 250*time.Second+time.Millisecond {
		t.Errorf("1,004 calls took %v, want 250 s", got)
	}
}

func TestAWindowIsNeverExceededAndIsUsedUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	costs := make([]int64, 3000)
	for i := range costs {
		costs[i] = 1 + rng.Int64N(9)
	}
	at := drive(len(costs), func(i int) Cost { return Cost{Requests: costs[i]} }, window.New())
	var sum int64
	for i, from := 0, 0; i < len(at); i++ {
		for sum += costs[i]; at[i].Sub(at[from]) >= window.Per; from++ {
			sum -= costs[from]
		}
		if sum > window.Amount {
			t.Fatalf("%d were spent within %v before call %d", sum, window.Per, i)
		}
	}
	var total int64
	for _, c := range costs {
		total += c
	}
	best := time.Duration(total/window.Amount) * window.Per
	if got := at[len(at)-1].Sub(start); float64(got) > 1.06*float64(best) {
		t.Errorf("took %v where the limit allows %v", got, best)
	}
}

func TestAWindowRemembersABoundedNumberOfCalls(t *testing.T) {
	limit := Limit{Unit: Requests, Amount: 1 << 40, Per: time.Hour}
	b := limit.New()
	now := start
	for range 200_000 {
		now = now.Add(100 * time.Millisecond)
		Spend(now, Cost{Requests: 1}, b)
	}
	if len(b.spent) > slots+2 {
		t.Errorf("%d entries", len(b.spent))
	}
}

func TestACallLargerThanTheLimitStartsWhenNothingElseIsSpent(t *testing.T) {
	for _, limit := range []Limit{
		{Unit: Bytes, Amount: 100, Per: time.Minute},
		{Unit: Bytes, Amount: 100, Per: time.Minute, Burst: 100},
	} {
		b := limit.New()
		at := drive(3, func(i int) Cost { return Cost{Bytes: []int64{10, 500, 1}[i]} }, b)
		if at[1].Equal(start) {
			t.Error("it did not wait for what was spent before")
		}
		if at[2].Sub(at[1]) < time.Second/2 {
			t.Errorf("the next call came %v after it", at[2].Sub(at[1]))
		}
	}
}

func TestAskNamesTheLimitThatBinds(t *testing.T) {
	w, b := window.New(), bucket.New()
	if _, name := Ask(start, Cost{Requests: 1, Points: 25}, w, b); name != "" {
		t.Errorf("%q binds at the start", name)
	}
	Spend(start, Cost{Requests: 100, Points: 100}, w, b)
	at, name := Ask(start, Cost{Requests: 1, Points: 25}, w, b)
	if name != "requests" || at.Sub(start) != 10*time.Minute {
		t.Errorf("%q binds until %v", name, at.Sub(start))
	}
	if _, name := Ask(start, Cost{Points: 25}, w, b); name != "points" {
		t.Errorf("%q binds a call that makes no request", name)
	}
}

func TestAskingSpendsNothing(t *testing.T) {
	b := bucket.New()
	for range 100 {
		if at, _ := Ask(start, Cost{Points: 100}, b); !at.Equal(start) {
			t.Fatal("asking made it wait")
		}
	}
}

func TestMailboxesShareTheLimitOfTheirParent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		project := NewLimiter(nil, Limit{Name: "project", Unit: Points, Amount: 600, Per: time.Minute, Burst: 10})
		begin := time.Now()
		var wg sync.WaitGroup
		for range 5 {
			l := NewLimiter(project, Limit{Name: "user", Unit: Points, Amount: 6000, Per: time.Minute, Burst: 10})
			for range 4 {
				wg.Go(func() {
					for range 10 {
						if err := l.Wait(t.Context(), Cost{Points: 10}); err != nil {
							t.Error(err)
						}
					}
				})
			}
		}
		wg.Wait()
		// 2,000 points at 10 a second, less the burst.
		if got := time.Since(begin).Round(time.Second); got != 199*time.Second {
			t.Errorf("took %v, want 199s", got)
		}
	})
}

// contend lets mailboxes of the given weights make calls below parent, four at
// once each, and returns how many calls each made in that time.
func contend(t *testing.T, parent *Limiter, weights []float64, per time.Duration, cost func(mailbox int) Cost) []int {
	ctx, cancel := context.WithTimeout(t.Context(), per)
	defer cancel()
	made := make([]int, len(weights))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i, weight := range weights {
		l := NewLimiter(parent, Limit{Name: "user", Unit: Points, Amount: 100, Per: time.Second, Burst: 50})
		l.SetWeight(weight)
		for range 4 {
			wg.Go(func() {
				for l.Wait(ctx, cost(i)) == nil {
					mu.Lock()
					made[i]++
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	return made
}

func project() *Limiter {
	return NewLimiter(nil, Limit{Name: "project", Unit: Points, Amount: 100, Per: time.Second, Burst: 50})
}

func near(got int, want float64) bool { return float64(got) > 0.97*want && float64(got) < 1.03*want }

func TestMailboxesShareInProportionToTheirWeights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := contend(t, project(), []float64{1000, 2000, 5000}, 1000*time.Second, func(int) Cost { return Cost{Points: 25} })
		for i, want := range []float64{500, 1000, 2500} {
			if !near(made[i], want) {
				t.Errorf("the mailboxes made %d calls, want 500, 1000 and 2500", made)
				break
			}
		}
	})
}

func TestWhatOneMailboxMayNotTakeTheOthersGet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wide := NewLimiter(nil, Limit{Name: "project", Unit: Points, Amount: 150, Per: time.Second, Burst: 50})
		made := contend(t, wide, []float64{1e6, 1, 1}, 1000*time.Second, func(int) Cost { return Cost{Points: 25} })
		if !near(made[0], 4000) || !near(made[1], 1000) || !near(made[2], 1000) {
			t.Errorf("the mailboxes made %d calls, want 4000, 1000 and 1000", made)
		}
	})
}

func TestLightCallsDoNotStarveHeavyOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := contend(t, project(), []float64{1, 1, 1, 1}, 1000*time.Second, func(mailbox int) Cost { return Cost{Points: []int64{25, 1, 1, 1}[mailbox]} })
		if !near(made[0], 1000) || !near(made[1], 25_000) {
			t.Errorf("the mailboxes made %d calls, want 1000 of 25 points and 25000 of one", made)
		}
	})
}

func TestAMailboxThatGivesUpItsPlaceLetsTheNextOneGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent := NewLimiter(nil, Limit{Name: "project", Unit: Points, Amount: 1, Per: time.Minute, Burst: 1})
		a, b, c := NewLimiter(parent), NewLimiter(parent), NewLimiter(parent)
		one := Cost{Points: 1}
		if err := a.Wait(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		cancelled, cancel := context.WithCancel(t.Context())
		results := make(chan error, 2)
		go func() { results <- b.Wait(cancelled, one) }()
		synctest.Wait()
		go func() { results <- c.Wait(t.Context(), one) }()
		synctest.Wait()
		if limit, until := c.Waiting(); limit != "project" || until.Sub(begin) < time.Minute {
			t.Errorf("the last one waits for %q until %v", limit, until.Sub(begin))
		}
		cancel()
		if <-results == nil {
			t.Error("the cancelled wait succeeded")
		}
		if err := <-results; err != nil || time.Since(begin).Round(time.Second) != time.Minute {
			t.Errorf("the next one got %v after %v, want a minute", err, time.Since(begin))
		}
	})
}

func TestAParkedParentParksEveryMailbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent := project()
		a, b := NewLimiter(parent), NewLimiter(parent)
		begin := time.Now()
		a.ParkAll(begin.Add(time.Minute), "the project must wait")
		if err := b.Wait(t.Context(), Cost{Points: 1}); err != nil || time.Since(begin) != time.Minute {
			t.Errorf("another mailbox got %v after %v", err, time.Since(begin))
		}
	})
}

func TestAParkedMailboxWaitsAndTheOthersDoNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		project := NewLimiter(nil)
		a, b := NewLimiter(project), NewLimiter(project)
		begin := time.Now()
		a.Park(begin.Add(15*time.Minute), "retry after")
		a.Park(begin.Add(time.Minute), "an earlier time changes nothing")
		if b.Wait(t.Context(), Cost{}) != nil || time.Since(begin) != 0 {
			t.Error("another mailbox waited")
		}
		done := make(chan error)
		go func() { done <- a.Wait(t.Context(), Cost{}) }()
		synctest.Wait()
		if reason, until := a.Waiting(); reason != "retry after" || until.Sub(begin) != 15*time.Minute {
			t.Errorf("waits for %q until %v", reason, until.Sub(begin))
		}
		if err := <-done; err != nil || time.Since(begin) != 15*time.Minute {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if reason, _ := a.Waiting(); reason != "" {
			t.Errorf("still waits for %q", reason)
		}
	})
}

func TestACancelledWaitSpendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(nil, Limit{Unit: Points, Amount: 1, Per: time.Hour, Burst: 1})
		if err := l.Wait(t.Context(), Cost{Points: 1}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if l.Wait(ctx, Cost{Points: 1}) == nil {
			t.Fatal("it did not wait")
		}
		begin := time.Now()
		if err := l.Wait(t.Context(), Cost{Points: 1}); err != nil || time.Since(begin) > time.Hour {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

func TestANilLimiterNeverWaits(t *testing.T) {
	var l *Limiter
	l.Park(time.Now().Add(time.Hour), "")
	if err := l.Wait(t.Context(), Cost{Points: 1 << 40}); err != nil {
		t.Error(err)
	}
}

func TestASimulationPacesCallsByItsOwnClock(t *testing.T) {
	project := NewLimiter(nil, Limit{Name: "project", Unit: Points, Amount: 60, Per: time.Minute, Burst: 10})
	small, large := NewLimiter(project), NewLimiter(project)
	large.SetWeight(3)
	made := map[*Limiter]int{}
	now, at := start, map[*Limiter]time.Time{small: start, large: start}
	for now.Before(start.Add(400 * time.Second)) {
		next := small
		if at[large].Before(at[small]) {
			next = large
		}
		now = at[next]
		wait, spent := next.Try(now, Cost{Points: 10})
		if spent {
			made[next]++
		}
		at[next] = now.Add(wait)
		if first := project.First(); first != nil && first != next {
			at[first] = now
		}
	}
	// 400 points beyond the burst: one call of the small mailbox for three of the large one.
	if n := made[small] + made[large]; n < 40 || n > 41 || made[small] < 10 || made[small] > 11 {
		t.Errorf("%d and %d calls in 400 s", made[small], made[large])
	}
	if _, spent := (*Limiter)(nil).Try(now, Cost{Points: 1 << 40}); !spent {
		t.Error("a nil limiter lets a call wait")
	}
}

func TestWhoWaitsForALimitOfItsOwnIsNotFirst(t *testing.T) {
	project := NewLimiter(nil, Limit{Name: "project", Unit: Points, Amount: 60, Per: time.Minute, Burst: 10})
	user := NewLimiter(project, Limit{Name: "user", Unit: Requests, Amount: 2, Per: time.Minute})
	for i, call := range []struct {
		cost  Cost
		spent bool
		first *Limiter
	}{
		{Cost{Requests: 2, Points: 10}, true, nil},
		{Cost{Requests: 1, Points: 10}, false, nil},
		{Cost{Points: 10}, false, user},
	} {
		if _, spent := user.Try(start, call.cost); spent != call.spent || project.First() != call.first {
			t.Errorf("call %d: %v, first is %p", i, spent, project.First())
		}
	}
}
