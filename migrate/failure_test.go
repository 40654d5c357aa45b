package migrate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestThrottlingIsNoFailure(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		refusals := 0
		w.onAppend = func(*world, *Message) error {
			if refusals++; refusals <= 200 {
				delay := time.Duration(refusals%2) * time.Hour // or no time is told
				return &Error{Op: "append", Delay: delay, Refused: true, Throttled: true, Err: errors.New("429")}
			}
			return nil
		}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.check()
		if w.calls["find"] > 0 {
			t.Errorf("%d looks after refusals that leave no doubt", w.calls["find"])
		}
	})
}

func TestAnHourOfErrorsStopsTheMailboxAndLeavesItResumable(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		start := time.Now()
		w.onAppend = func(*world, *Message) error { return &Error{Op: "append", Err: errors.New("503")} }
		err := w.run()
		if err == nil || !strings.Contains(err.Error(), "gave up") {
			t.Fatalf("got %v", err)
		}
		if d := time.Since(start); d < 50*time.Minute || d > 3*time.Hour {
			t.Errorf("gave up after %v", d)
		}
		if w.state.Error == "" || w.state.Complete {
			t.Errorf("state does not tell: %+v", w.state)
		}
		w.onAppend = nil
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.check()
	})
}

func TestTransientErrorsDoNotAddUpToAFailure(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		n := 0
		w.onAppend = func(*world, *Message) error {
			if n++; n <= 60 {
				return &Error{Op: "append", Err: errors.New("503")}
			}
			return nil
		}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.check()
	})
}

func TestAMessageThatIsAlwaysToWaitFailsAlone(t *testing.T) {
	for _, delay := range []time.Duration{time.Second, 25 * time.Minute} {
		both(t, func(t *testing.T, w *world) {
			w.onAppend = func(_ *world, m *Message) error {
				if m.Size == int64(len("three")) {
					return &Error{Op: "append", Delay: delay, Err: errors.New("503, Retry-After")}
				}
				return nil
			}
			if err := w.run(); err != nil {
				t.Fatal(err)
			}
			if r := w.record(w.folders[0], 4); r.Outcome != Failed || !r.Doubt || !strings.Contains(r.Reason, "gave up") {
				t.Errorf("%+v", r)
			}
			if r := w.record(w.folders[0], 7); r.Outcome != Copied {
				t.Errorf("another message: %+v", r)
			}
		})
	}
}

func TestAWriteThatGetsOnIsNotGivenUp(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		failures := 0
		w.onAppend = func(_ *world, m *Message) error {
			if m.Size != int64(len("three")) {
				return nil
			}
			if failures++; failures <= 10*patience {
				return &Error{Op: "append", Refused: true, Advanced: failures%(patience-1) == 0, Err: errors.New("cut off")}
			}
			return nil
		}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		if r := w.record(w.folders[0], 4); r.Outcome != Copied {
			t.Errorf("%+v", r)
		}
	})
}

func TestWaitsThatAServerAsksForEndAfterAnHour(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		start := time.Now()
		w.onAppend = func(*world, *Message) error {
			return &Error{Op: "append", Delay: 10 * time.Minute, Err: errors.New("503, Retry-After")}
		}
		if err := w.run(); err == nil || !strings.Contains(err.Error(), "gave up") {
			t.Fatalf("got %v", err)
		}
		if d := time.Since(start); d < time.Hour || d > 2*time.Hour {
			t.Errorf("gave up after %v", d)
		}
	})
}

func TestAMessageThatAlwaysFailsDoesNotHoldUpTheOthers(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.onAppend = func(_ *world, m *Message) error {
			if m.Size == int64(len("three")) {
				return &Error{Op: "append", Err: errors.New("500")}
			}
			return nil
		}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		r := w.record(w.folders[0], 4)
		if r.Outcome != Failed || !r.Doubt || r.MessageID != "<4@example.org>" || !strings.Contains(r.Reason, "500") {
			t.Errorf("poison: %+v", r)
		}
		if r := w.record(w.folders[0], 7); r.Outcome != Copied {
			t.Errorf("another message: %+v", r)
		}
	})
}

func TestARefusedMessageFailsWithReasonAndHint(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.onAppend = func(_ *world, m *Message) error {
			if m.UID == 1 {
				return &Error{Op: "append", Class: Permanent, Hint: "Repair it.", Err: errors.New("no From")}
			}
			return nil
		}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		r := w.record(w.folders[0], 1)
		if r.Outcome != Failed || r.Doubt || r.Reason != "append: no From" || r.Hint != "Repair it." {
			t.Errorf("%+v", r)
		}
		if w.calls["find"] > 0 {
			t.Error("a refusal leaves no doubt, but it was looked for")
		}
	})
}

func TestAFolderThatCannotBePlacedFailsAloneWithAReason(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.badPlace = w.folders[1].String()
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		if r := w.record(w.folders[1], 2); r.Outcome != Failed || r.Hint != "Rename it." {
			t.Errorf("%+v", r)
		}
		if r := w.record(w.folders[0], 6); !r.Outcome.Arrived() {
			t.Errorf("%+v", r)
		}
	})
}

func TestAMessageLargerThanTheTargetTakesIsNotRead(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.add("Big", strings.Repeat("x", 1<<22+1))
		w.onRead = func(m *Message) ([]byte, error) {
			if m.Size > 1<<22 {
				t.Error("it was read")
			}
			return nil, nil
		}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		if r := w.record(w.folders[3], 1); r.Outcome != Failed || r.Hint == "" {
			t.Errorf("%+v", r)
		}
	})
}

func TestAMessageThatTheSourceCannotDeliverFailsAlone(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.onRead = func(m *Message) ([]byte, error) {
			if m.UID == 4 {
				return nil, &Error{Op: "fetch", Err: io.ErrUnexpectedEOF}
			}
			return nil, nil
		}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		if r := w.record(w.folders[0], 4); r.Outcome != Failed || !strings.Contains(r.Reason, "unexpected EOF") {
			t.Errorf("%+v", r)
		}
		if r := w.record(w.folders[0], 6); r.Outcome != Copied {
			t.Errorf("%+v", r)
		}
	})
}

func TestAnUnreachableSourceBlamesNoMessage(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		n := 0
		w.onRead = func(*Message) ([]byte, error) {
			if n++; n < 40 {
				return nil, &Error{Op: "connect", Err: fmt.Errorf("%w: refused", ErrUnreachable)}
			}
			return nil, nil
		}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.check()
	})
}

func TestAFolderThatCannotBeOpenedDoesNotStopTheOthers(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.onList = func(f Folder) error {
			if f.Path[0] == "INBOX" {
				return &Error{Op: "examine", Class: Permanent, Err: errors.New("permission denied"), Hint: "Ask."}
			}
			return nil
		}
		if err := w.run(); err == nil || !strings.Contains(err.Error(), "folder INBOX: examine: permission denied") {
			t.Errorf("got %v", err)
		}
		if r := w.record(w.folders[1], 2); r.Outcome != Copied {
			t.Errorf("%+v", r)
		}
		if w.state.Hint != "Ask." {
			t.Errorf("%+v", w.state)
		}
	})
}

func TestTroubleWithTheCheckpointsStopsEveryMailbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("INBOX", "one", "two")
		w.step = func(n int) error {
			if n > 6 {
				return errors.New("disk full")
			}
			return nil
		}
		start := time.Now()
		err := w.run()
		if err == nil || !strings.Contains(err.Error(), "checkpoints: disk full") {
			t.Fatalf("got %v", err)
		}
		if time.Since(start) > time.Second {
			t.Error("it was tried again")
		}
	})
}

func TestOneMailboxThatFailsDoesNotStopTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("INBOX", "one")
		bad := newWorld(t)
		e := w.engine()
		results, err := e.Run(t.Context(), []Mailbox{
			{Source: "bad@example.org", Target: "bad@example.com",
				OpenSource: func(context.Context) (Source, error) {
					return nil, &Error{Op: "login", Class: Fatal, Err: errors.New("wrong password"), Hint: "Check it."}
				},
				OpenTarget: func(context.Context) (Target, error) { return (*worldTarget)(bad), nil }},
			{Source: "ann@example.org", Target: "ann@example.com",
				OpenSource: func(context.Context) (Source, error) { return (*worldSource)(w), nil },
				OpenTarget: func(context.Context) (Target, error) { return (*worldTarget)(w), nil }},
		})
		if err != nil {
			t.Fatal(err)
		}
		if results[0].Err == nil || results[1].Err != nil {
			t.Errorf("results: %v, %v", results[0].Err, results[1].Err)
		}
		w.check()
	})
}

func TestTroubleOfOurOwnMachineStartsNoFurtherMailbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("INBOX", "one")
		w.step = func(n int) error {
			if n > 8 {
				return errors.New("disk full")
			}
			return nil
		}
		box := Mailbox{Source: "ann@example.org", Target: "ann@example.com",
			OpenSource: func(context.Context) (Source, error) { return (*worldSource)(w), nil },
			OpenTarget: func(context.Context) (Target, error) { return (*worldTarget)(w), nil }}
		next := box
		next.Source = "bob@example.org"
		next.OpenSource = func(context.Context) (Source, error) {
			t.Error("the next mailbox was opened")
			return (*worldSource)(w), nil
		}
		results, err := w.engine().Run(t.Context(), []Mailbox{box, next})
		if err == nil || results[1].Err == nil {
			t.Errorf("got %v, %v", err, results[1].Err)
		}
	})
}

func TestSumsThatDoNotCloseEndTheRun(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.onSave = func([]Record) error { w.listed[1] = 99; return nil }
		if err := w.run(); err == nil || !strings.Contains(err.Error(), "99 messages were listed") {
			t.Errorf("got %v", err)
		}
	})
}

func TestAMessageLeftUndoneEndsTheRun(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.onSave = func(rs []Record) error {
			for i := range rs {
				if rs[i].Outcome == Copied {
					rs[i].Outcome = Pending
				}
			}
			return nil
		}
		if err := w.run(); err == nil || !strings.Contains(err.Error(), "still pending") {
			t.Errorf("got %v", err)
		}
	})
}
