package migrate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
)

// A source says nothing of a folder's state while it cannot open it.
func TestAFolderWhoseStateIsUnknownIsNotGone(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.parallel = 1
		w.interrupt(1)
		w.folders[0].UIDValidity = 0
		w.onList = func(f Folder) error {
			if f.UIDValidity == 0 {
				return &Error{Op: "examine", Class: Permanent, Err: errors.New("locked")}
			}
			return nil
		}
		if w.run() == nil {
			t.Error("nothing was said of the folder")
		}
		for id, r := range w.ledger {
			if r.Outcome == Gone {
				t.Errorf("%v is gone", id)
			}
		}
		w.folders[0].UIDValidity = 7
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.check()
	})
}

func TestAFolderMadeAnewLosesNothingThatIsPending(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.parallel = 1
		w.interrupt(1)
		w.folders[0].UIDValidity++
		w.run()
		w.folders[0].UIDValidity--
		if err := w.run(); err != nil && !w.labels {
			t.Fatal(err)
		}
		w.check()
	})
}

func TestAMessageThatIsListedAgainIsNotGone(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.parallel = 1
		w.interrupt(1)
		folders := w.folders
		w.folders = w.folders[1:]
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.folders = folders
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.check()
	})
}

func TestThePositionStaysBehindADoubtDuringALongPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.batch, w.parallel = 500, 1
		w.add("INBOX", "doubtful")
		w.interrupt(1)
		var contents []string
		for i := range positionEvery + 700 {
			contents = append(contents, fmt.Sprint("message ", i))
		}
		w.add("Archive", contents...)
		slices.Reverse(w.folders)
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.check()
	})
}

// forgetful is a source that lists message 1 and no longer delivers it.
type forgetful struct{ *worldSource }

func (f forgetful) Read(ctx context.Context, folder Folder, ms []*Message, body func(*Message, io.Reader) error) error {
	return f.worldSource.Read(ctx, folder, slices.DeleteFunc(slices.Clone(ms), func(m *Message) bool { return m.UID == 1 }), body)
}

func TestADoubtKeepsItsDigestWhenTheMessageVanishesBeforeItIsRead(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.parallel = 1
		w.interrupt(1)
		before := w.record(w.folders[0], 1)
		_, err := w.engine().Run(t.Context(), []Mailbox{{
			Source: "ann@example.org", Target: "ann@example.com",
			OpenSource: func(context.Context) (Source, error) { return forgetful{(*worldSource)(w)}, nil },
			OpenTarget: func(context.Context) (Target, error) { return (*worldTarget)(w), nil },
		}})
		if err != nil {
			t.Fatal(err)
		}
		if r := w.record(w.folders[0], 1); r.Outcome != Adopted || r.Digest != before.Digest || r.Size != before.Size {
			t.Errorf("%+v, was %+v", r, before)
		}
	})
}

// A folder that is left out now has its place still.
func TestADoubtIsSettledWhereItsFolderWasPlaced(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.parallel = 1
		w.onAppend = func(*world, *Message) error { return errPower } // intended, and not written
		if w.run() == nil {
			t.Fatal("the run was not interrupted")
		}
		w.onAppend = nil
		e := w.engine()
		e.Rules.Folder = func(Folder) string { return "all" }
		if err := w.runWith(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		for _, c := range w.store {
			if !slices.Contains(c.folders, "INBOX") {
				t.Errorf("%s was written to %q", c.content, c.folders)
			}
		}
		for _, s := range w.states {
			if s.Folder.String() == "INBOX" && s.Target != "INBOX" {
				t.Errorf("the place of %s is forgotten: %q", s.Folder, s.Target)
			}
		}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.check()
	})
}

func TestSeveralNewCopiesOfAMessageInDoubtDoNotHideIt(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.labels, w.parallel = true, 1
			w.add("INBOX", "same")
			w.interrupt(1)
			w.add("Archive", "same", "same", "same", "same")
			slices.Reverse(w.folders)
			if err := w.run(); err != nil {
				t.Fatal(err)
			}
			w.check()
		})
	}
}

func TestADiskFullBlamesNoMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("INBOX", "one")
		calls := 0
		w.onRead = func(*Message) ([]byte, error) {
			if calls++; calls < 4 {
				return nil, errors.New("connection reset")
			}
			return nil, nil
		}
		e := w.engine()
		e.Spool = NewSpool(t.TempDir()+"/missing", 0, 1<<26)
		err := w.runWith(t.Context(), e)
		if local := (*localError)(nil); !errors.As(err, &local) {
			t.Errorf("got %v", err)
		}
		if r := w.record(w.folders[0], 1); r.Outcome != Pending {
			t.Errorf("%+v", r)
		}
	})
}

func TestADoubtOutlivesASourceThatCannotDeliver(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.parallel = 1
		w.interrupt(1)
		w.onRead = func(m *Message) ([]byte, error) {
			if m.UID == 1 {
				return nil, &Error{Op: "read", Class: Permanent, Err: errors.New("damaged")}
			}
			return nil, nil
		}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		if r := w.record(w.folders[0], 1); r.Outcome != Failed || !r.Doubt {
			t.Errorf("%+v", r)
		}
	})
}

func TestAnEarlierTargetOfTheSameMailboxDoesNotCount(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.others = []Tally{{To: "anne@example.com", Listed: 2, Count: [Outcomes]int64{Pending: 2}, Doubts: 1}}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.check()
		if w.state.Position == "" {
			t.Error("no position was recorded")
		}
	})
}
