package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

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

func TestADoubtThatCannotBeDecidedIsReported(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.onAppend = func(w *world, m *Message) error {
			if m.UID == 6 { // no other message has its content
				return &Error{Op: "append", Err: errors.New("connection reset")}
			}
			return nil
		}
		w.findErr = &Error{Op: "find", Class: Permanent, Err: ErrUndecided}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		r := w.record(w.folders[0], 6)
		if r.Outcome != Failed || !r.Doubt || !strings.Contains(r.Hint, "may or may not") {
			t.Errorf("%+v", r)
		}
	})
}

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

func TestACopyThatWasWrittenForItsTwinGetsTheFlagsOfBoth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, flags := range [][2][]Flag{{{Seen, Flagged}, {}}, {{}, {Seen}}} {
			w := newWorld(t)
			w.labels, w.parallel = true, 1
			w.add("INBOX", "same")
			w.add("Archive", "same")
			w.mark("INBOX", 0, flags[0]...)
			w.mark("Archive", 0, flags[1]...)
			w.interrupt(1)
			if n := len(w.store); n != 1 || !w.record(w.folders[0], 1).Doubt || !w.record(w.folders[1], 1).Doubt {
				t.Fatalf("%d copies, %+v", n, w.ledger)
			}
			slices.Reverse(w.folders) // the twin of the one that was written is looked for first
			if err := w.run(); err != nil {
				t.Fatal(err)
			}
			w.check()
			archive, inbox := w.record(w.folders[0], 1), w.record(w.folders[1], 1)
			if archive.Outcome != Adopted || inbox.Outcome != Merged || inbox.Target != archive.Target {
				t.Errorf("%+v, %+v", archive, inbox)
			}
			got := w.copyOf(archive.Target).flags
			if more, less := difference(slices.Concat(flags[0], flags[1]), got); len(more)+len(less) > 0 {
				t.Errorf("flags %q of a copy of %q", got, flags)
			}
		}
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
