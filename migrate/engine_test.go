package migrate

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
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

func TestACopyThatMergesSaysWhatItLost(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.parallel = 1
		w.add("Answers", "one", "two")
		w.mail["Answers"][0].flags = []Flag{Seen, Answered}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.check()
		answers := w.folders[len(w.folders)-1]
		r, other := w.record(answers, 1), w.record(answers, 2)
		if w.labels && (r.Outcome != Merged || !slices.Equal(r.Notes, []string{`no \Seen`, `no \Answered`}) || other.Outcome != Merged || other.Notes != nil) {
			t.Errorf("%+v %+v", r, other)
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

// An error whose effect is unknown is tried again without doubling.

// 60 refusals in a row are no reason to give up a message or a mailbox.

// interrupt runs until the n-th append has been sent without an answer.

// A rule that is made after a crash says nothing about what the crash left.

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

// The position is what bounds Find. It must be from before the oldest doubt.

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
