package pace

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestALimiterResumesWhereAnotherStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		window := Limit{Name: "window", Unit: Requests, Amount: 10, Per: time.Minute}
		bucket := Limit{Name: "bucket", Unit: Points, Amount: 60, Per: time.Minute, Burst: 30}
		from := NewLimiter(NewLimiter(nil, bucket), window)
		for range 10 {
			if err := from.Wait(t.Context(), Cost{Requests: 1, Points: 3}); err != nil {
				t.Fatal(err)
			}
		}
		window.Amount = 12 // of the same name
		copied := NewLimiter(nil, bucket, window, Limit{Name: "another", Unit: Bytes, Amount: 1, Per: time.Hour})
		copied.Resume(from)
		next := func(l *Limiter, c Cost) time.Duration {
			wait, _ := l.Try(time.Now(), c)
			return wait.Round(time.Second)
		}
		if got := next(copied, Cost{Requests: 3}); got != time.Minute {
			t.Errorf("of the window a call has to wait for %v, want a minute", got)
		}
		if got := next(copied, Cost{Points: 20}); got != 20*time.Second {
			t.Errorf("of the bucket a call has to wait for %v, want 20 s", got)
		}
		if got := next(copied, Cost{Requests: 2}); got != 0 {
			t.Errorf("what is allowed waits for %v", got)
		}
		// They go their own ways since.
		again := NewLimiter(NewLimiter(nil, bucket), window)
		again.Resume(copied)
		again.Resume(nil)
		if got := next(again, Cost{Requests: 1}); got != time.Minute {
			t.Errorf("a copy of the copy waits for %v, want a minute", got)
		}
		if got := next(from, Cost{Requests: 1}); got != time.Minute {
			t.Errorf("the first one waits for %v, want a minute", got)
		}
		if got := next(again, Cost{Points: 30}); got != 0 {
			t.Errorf("the bucket of its parent is another one, and waits for %v", got)
		}
	})
}
