package migrate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// sample fills a world with two folders, equal contents within and across
// them, and one message too large for the spool's memory.
func sample(w *world) {
	big := strings.Repeat("0123456789abcdef", 1<<16) + "!"
	w.add("INBOX", "one", "two", "same", "three", "same", "four", big)
	w.add("Clients/2019", "same", "five", "two")
	w.add("Empty")
}

// both runs a test on a target with folders and on one with labels.
func both(t *testing.T, test func(t *testing.T, w *world)) {
	for _, labels := range []bool{false, true} {
		t.Run(fmt.Sprintf("labels=%v", labels), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.labels = labels
				sample(w)
				test(t, w)
			})
		})
	}
}

func TestACompleteRunCopiesEveryMessageOnce(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.check()
		if !w.state.Complete || w.state.Ended.IsZero() || w.state.Error != "" {
			t.Errorf("state after a complete pass: %+v", w.state)
		}
	})
}

// Dropping the final record is invisible to a run that looks for each message:
// so a second run must not even look.
func TestASecondRunNeitherWritesNorLooks(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		clear(w.calls)
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		for _, call := range []string{"append", "find", "update", "add", "save"} {
			if w.calls[call] > 0 {
				t.Errorf("%d calls of %s in a run with nothing to do", w.calls[call], call)
			}
		}
	})
}

func TestARunThatDiesAtAnyStepIsResumedWithoutLossOrDouble(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		for at := 1; ; at++ {
			w.fresh()
			w.step = func(n int) error {
				if n >= at {
					return errPower
				}
				return nil
			}
			if err := w.run(); err == nil {
				if at < 40 {
					t.Errorf("only %d crash points", at-1)
				}
				return // at is past the last step
			}
			w.step = func(int) error { return nil }
			if err := w.run(); err != nil {
				t.Fatalf("crash at %d: resume: %v", at, err)
			}
			w.check()
			if t.Failed() {
				t.Fatalf("crash at %d", at)
			}
		}
	})
}

func TestARunMayDieAgainAndAgain(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		for lives := 3; lives < 25; lives++ {
			w.fresh()
			runs := 0
			for {
				left := lives
				w.step = func(int) error {
					if left--; left < 0 {
						return errPower
					}
					return nil
				}
				if runs++; w.run() == nil {
					break
				}
				if runs > 500 {
					t.Fatalf("with %d steps a run nothing gets done", lives)
				}
				lives++ // the work left shrinks slowly when doubts are looked up first
			}
			w.check()
		}
	})
}

// An error whose effect is unknown is tried again without doubling.
func TestALostAnswerAtAnyStepDoesNotDouble(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		adopted := 0
		for at := range 80 {
			w.fresh()
			w.step = func(n int) error {
				if n == at {
					return &Error{Op: "call", Err: errors.New("connection reset")}
				}
				return nil
			}
			if w.run() != nil { // trouble of the checkpoints ends a run
				if err := w.run(); err != nil {
					t.Fatal(err)
				}
			}
			w.check()
			for _, r := range w.ledger {
				if r.Outcome == Adopted {
					adopted++
				}
			}
		}
		if adopted == 0 {
			t.Error("no answer of an append was ever lost")
		}
	})
}

func TestAWaitThatTheServerAskedForIsNoAttempt(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		refusals := 0
		w.onAppend = func(*world, *Message) error {
			if refusals++; refusals <= 200 {
				return &Error{Op: "append", Delay: time.Hour, Refused: true, Err: errors.New("429")}
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

// 60 refusals in a row are no reason to give up a message or a mailbox.
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

func TestADoubtThatCannotBeDecidedIsReported(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.onAppend = func(w *world, m *Message) error {
			if m.UID == 2 {
				return &Error{Op: "append", Err: errors.New("connection reset")}
			}
			return nil
		}
		w.findErr = &Error{Op: "find", Class: Permanent, Err: ErrUndecided}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		r := w.record(w.folders[0], 2)
		if r.Outcome != Failed || !r.Doubt || !strings.Contains(r.Hint, "may or may not") {
			t.Errorf("%+v", r)
		}
	})
}

// interrupt runs until the n-th append has been sent without an answer.
func (w *world) interrupt(n int) {
	w.step = func(int) error { return nil }
	w.onAppend = func(w *world, m *Message) error {
		if n--; n == 0 {
			after := w.n + 2 // the effect, then the cut
			w.step = func(n int) error {
				if n >= after {
					return errPower
				}
				return nil
			}
		}
		return nil
	}
	if w.run() == nil {
		w.t.Fatal("the run was not interrupted")
	}
	w.onAppend, w.step = nil, func(int) error { return nil }
}

func TestAMessageInDoubtThatVanishedFromTheSourceIsLookedFor(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.parallel = 1
		w.interrupt(1)
		if len(w.store) != 1 {
			t.Fatalf("%d copies at the target", len(w.store))
		}
		inbox := w.folders[0]
		w.mail[inbox.String()] = w.mail[inbox.String()][1:]
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		if r := w.record(inbox, 1); r.Outcome != Adopted || r.Target != "id-0" {
			t.Errorf("%+v", r)
		}
	})
}

func TestMessagesThatVanishFromTheEndOfAFolderAreGone(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.parallel = 1
		w.interrupt(1)
		inbox := w.folders[0]
		w.mail[inbox.String()] = w.mail[inbox.String()][:1]
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		if r := w.record(inbox, 3); r.Outcome != Gone && !r.Outcome.Arrived() {
			t.Errorf("%+v", r)
		}
		w.check()
	})
}

// A rule that is made after a crash says nothing about what the crash left.
func TestARuleDoesNotHideAMessageInDoubt(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.parallel = 1
		w.interrupt(1)
		e := w.engine()
		e.Rules.Message = func(*Message) string { return "all" }
		if err := w.runWith(context.Background(), e); err != nil {
			t.Fatal(err)
		}
		if r := w.record(w.folders[0], 1); r.Outcome != Adopted {
			t.Errorf("%+v", r)
		}
		if r := w.record(w.folders[0], 7); r.Outcome != Excluded {
			t.Errorf("%+v", r)
		}
	})
}

func TestAVanishedFolderLeavesNothingPending(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.parallel = 1
		w.interrupt(2)
		w.folders = w.folders[1:]
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		gone := 0
		for id, r := range w.ledger {
			if r.Outcome == Pending {
				t.Errorf("%v is pending", id)
			}
			if r.Outcome == Gone {
				gone++
			}
		}
		if gone == 0 {
			t.Error("nothing is gone")
		}
	})
}

func TestAMessageThatVanishesBeforeItIsReadIsGone(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		inbox := w.folders[0].String()
		w.onRead = func(m *Message) ([]byte, error) {
			if m.UID == 1 {
				w.mu.Lock()
				w.mail[inbox] = append(w.mail[inbox][:1:1], w.mail[inbox][2:]...)
				w.mu.Unlock()
			}
			return nil, nil
		}
		w.batch = 2
		w.folders = w.folders[:1]
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		// The message was listed, and the snapshot that Read took still has
		// it; the next batch does not.
		w.check()
		if r := w.record(w.folders[0], 3); r.Outcome != Copied && r.Outcome != Merged {
			t.Errorf("%+v", r)
		}
	})
}

func TestMailLeftOutByARuleIsCountedAndComesOverWhenTheRuleGoes(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		e := w.engine()
		e.Rules = Rules{
			Folder:  func(f Folder) string { return map[bool]string{true: "folder Clients"}[f.Path[0] == "Clients"] },
			Message: func(m *Message) string { return map[bool]string{true: "odd"}[m.UID == 1] },
		}
		if err := w.runWith(context.Background(), e); err != nil {
			t.Fatal(err)
		}
		if r := w.record(w.folders[1], 2); r.Outcome != Excluded || r.Reason != "folder Clients" {
			t.Errorf("%+v", r)
		}
		if r := w.record(w.folders[0], 1); r.Outcome != Excluded || r.Reason != "odd" {
			t.Errorf("%+v", r)
		}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.check()
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

func TestAFolderMadeAnewIsLeftAloneUnlessTheTargetLabels(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.folders[0].UIDValidity++
		before := len(w.store)
		err := w.run()
		if len(w.store) != before {
			t.Errorf("%d new copies", len(w.store)-before)
		}
		if w.labels {
			if err != nil {
				t.Fatal(err)
			}
			w.check()
		} else if err == nil || !strings.Contains(err.Error(), "UIDVALIDITY") {
			t.Errorf("got %v", err)
		}
	})
}

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

// The position is what bounds Find. It must be from before the oldest doubt.
func TestThePositionStaysBehindTheOldestDoubt(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.parallel = 1
		w.interrupt(3)
		doubts := 0
		for _, r := range w.ledger {
			if r.Doubt {
				doubts++
			}
		}
		if doubts == 0 {
			t.Fatal("nothing is in doubt")
		}
		at := w.state.Position
		w.step = func(int) error { return nil }
		w.findErr = &Error{Op: "find", Class: Fatal, Err: errors.New("no")}
		if w.run() == nil {
			t.Fatal("the second run did not look")
		}
		if w.state.Position != at {
			t.Errorf("position moved from %s to %s over a doubt", at, w.state.Position)
		}
		w.findErr = nil
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.check()
	})
}

func TestThePositionAdvancesDuringALongPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.batch = 500
		var contents []string
		for i := range positionEvery + 700 {
			contents = append(contents, fmt.Sprint("message ", i))
		}
		w.add("INBOX", contents...)
		seen := map[Position]bool{}
		w.onAppend = func(w *world, _ *Message) error { seen[w.state.Position] = true; return nil }
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		if len(seen) != 2 {
			t.Errorf("%d positions were recorded during the pass, want 2", len(seen))
		}
		if len(w.store) != len(contents) {
			t.Errorf("%d copies", len(w.store))
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

func TestTheSpoolLeavesNothingBehind(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		dir := t.TempDir()
		e := w.engine()
		e.Spool = NewSpool(dir, 1<<10, 1<<26) // hardly any memory: nearly all in files
		if err := w.runWith(context.Background(), e); err != nil {
			t.Fatal(err)
		}
		w.check()
		left, err := os.ReadDir(dir)
		if err != nil || len(left) > 0 {
			t.Errorf("left in the spool: %v, %v", left, err)
		}
		if !e.Spool.total.TryAcquire(e.Spool.max) || !e.Spool.memory.TryAcquire(1<<10) {
			t.Error("room in the spool was not given back")
		}
	})
}

func TestNewMailEqualToOneInDoubtIsNotWrittenTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.labels, w.parallel = true, 1
		w.add("INBOX", "same")
		w.interrupt(1)
		w.add("Archive", "same")
		w.folders[0], w.folders[1] = w.folders[1], w.folders[0]
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.check()
	})
}

func TestACopyThatWaitsForItsTwinIsNotWrittenIfTheTwinCannotBeRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 20 {
			w := newWorld(t)
			w.labels, w.parallel = true, 2
			w.add("INBOX", "same", "same")
			w.onSave = func(rs []Record) error {
				for _, r := range rs {
					if r.Outcome == Copied {
						return errors.New("disk full")
					}
				}
				return nil
			}
			if w.run() == nil {
				t.Fatal("the run did not notice")
			}
			if len(w.store) != 1 {
				t.Fatalf("%d copies", len(w.store))
			}
			w.onSave = nil
			if err := w.run(); err != nil {
				t.Fatal(err)
			}
			w.check()
		}
	})
}

func TestARefusedWriteThatIsStoppedWhileItWaitsIsNotInDoubt(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		ctx, stop := context.WithCancel(t.Context())
		w.onAppend = func(*world, *Message) error {
			return &Error{Op: "append", Delay: time.Hour, Refused: true, Err: errors.New("429")}
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
