package migrate

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestAStopLetsWritesFinishAndStartsNoNewOnes(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		ctx, stop := context.WithCancelCause(t.Context())
		interrupted := errors.New("interrupted")
		n := 0
		w.onAppend = func(*world, *Message) error {
			if n++; n == 2 {
				stop(interrupted)
			}
			return nil
		}
		if err := w.runWith(ctx, w.engine()); !errors.Is(err, interrupted) {
			t.Fatalf("got %v", err)
		}
		synctest.Wait()
		if n > w.parallel+1 {
			t.Errorf("%d writes after the stop", n-2)
		}
		for id, r := range w.ledger {
			if r.Doubt {
				t.Errorf("%v is in doubt, though every write finished", id)
			}
		}
		if w.state.Complete || w.state.Ended.IsZero() {
			t.Errorf("%+v", w.state)
		}
		w.onAppend = nil
		clear(w.calls)
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		if w.calls["find"] > 0 {
			t.Errorf("%d looks after a clean stop", w.calls["find"])
		}
		w.check()
	})
}

func TestAWriteThatOutlivesTheGracePeriodIsLeftInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("INBOX", "one")
		ctx, stop := context.WithCancel(t.Context())
		slow := &slowTarget{worldTarget: (*worldTarget)(w), started: stop}
		_, err := w.engine().Run(ctx, []Mailbox{{
			OpenSource: func(context.Context) (Source, error) { return (*worldSource)(w), nil },
			OpenTarget: func(context.Context) (Target, error) { return slow, nil },
		}})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
		if r := w.record(w.folders[0], 1); r.Outcome != Pending || !r.Doubt {
			t.Errorf("%+v", r)
		}
	})
}

type slowTarget struct {
	*worldTarget
	started func()
}

func (s *slowTarget) Append(ctx context.Context, _ FolderID, _ *Message) (Stored, error) {
	s.started()
	<-ctx.Done()
	return Stored{}, &Error{Op: "append", Err: ctx.Err()}
}

func TestARefusedWriteThatIsStoppedWhileItWaitsIsNotInDoubt(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		ctx, stop := context.WithCancel(t.Context())
		w.onAppend = func(*world, *Message) error {
			return &Error{Op: "append", Delay: time.Hour, Refused: true, Throttled: true, Err: errors.New("429")}
		}
		time.AfterFunc(time.Minute, stop)
		if err := w.runWith(ctx, w.engine()); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
		for id, r := range w.ledger {
			if r.Doubt || r.Outcome != Pending {
				t.Errorf("%v: %+v", id, r)
			}
		}
	})
}
