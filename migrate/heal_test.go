package migrate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// drop takes the copies of a content from the target.
func (w *world) drop(content string) {
	for _, c := range w.store {
		if c.content == content {
			*c = worldCopy{}
		}
	}
}

// lose makes records whose messages are no more at the target Pending.
func (w *world) lose() (lost int) {
	for id, r := range w.ledger {
		if r.Outcome.Arrived() && w.copyOf(r.Target) == nil {
			r.Outcome, lost = Pending, lost+1
			w.ledger[id] = r
		}
	}
	return lost
}

func (w *world) heal() error {
	e := w.engine()
	e.Heal = true
	return w.runWith(context.Background(), e)
}

func TestHealingCopiesWhatIsLostAndNothingElse(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		inbox := w.folders[0]
		w.drop("four")
		left := w.record(inbox, 6) // a run that was stopped left it
		left.Outcome, left.Target = Pending, ""
		w.ledger[rowID{left.Folder, left.UID}] = left
		w.drop("three")
		w.drop("same")
		lost, appends := w.lose(), w.calls["append"]
		if lost != 4 {
			t.Fatalf("%d are lost, want 4", lost)
		}
		w.mail["INBOX"] = append(w.mail["INBOX"], worldMail{uid: 90, content: "new"})
		w.add("New", "newer")
		w.state.Complete = false

		if err := w.heal(); err != nil {
			t.Fatal(err)
		}
		written := w.calls["append"] - appends
		if want := map[bool]int{false: 4, true: 2}[w.labels]; written != want { // "same" is in two folders, twice in one of them
			t.Errorf("%d were written, want %d", written, want)
		}
		if n := w.lose(); n > 0 {
			t.Errorf("%d are lost still", n)
		}
		if r := w.record(inbox, 6); r.Outcome != Pending || r.Doubt {
			t.Errorf("what was pending is now %+v", r)
		}
		if r := w.record(inbox, 90); r.Folder != 0 || len(w.states) != 3 {
			t.Errorf("something new was recorded: %+v, %d folders", r, len(w.states))
		}
		if w.state.Complete || w.state.Ended.IsZero() || w.state.Error != "" {
			t.Errorf("the state of a mailbox that was not complete: %+v", w.state)
		}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.check()
		if err := w.heal(); err != nil || !w.state.Complete {
			t.Errorf("error %v, state of a mailbox that was complete: %+v", err, w.state)
		}
	})
}

// A sibling that is recorded as copied is at the target no more either, and
// nobody has noticed yet.
func TestHealingIsNotMisledByASiblingThatIsLostToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.labels = true
		w.add("INBOX", "same")
		w.add("Sent", "same")
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.drop("same")
		r := w.record(w.folders[1], 1)
		r.Outcome = Pending
		w.ledger[rowID{r.Folder, r.UID}] = r
		if err := w.heal(); err != nil {
			t.Fatal(err)
		}
		if r := w.record(w.folders[1], 1); r.Outcome != Copied || w.copyOf(r.Target) == nil {
			t.Errorf("it is %+v", r)
		}
		if r := w.record(w.folders[0], 1); !r.Outcome.Arrived() || w.copyOf(r.Target) != nil {
			t.Errorf("its sibling is %+v", r)
		}
		w.lose()
		if err := w.heal(); err != nil {
			t.Fatal(err)
		}
		w.check()
	})
}

func TestWhatIsLostAtBothEndsFails(t *testing.T) {
	for _, heal := range []bool{true, false} {
		t.Run(fmt.Sprintf("heal=%v", heal), func(t *testing.T) {
			both(t, func(t *testing.T, w *world) {
				if err := w.run(); err != nil {
					t.Fatal(err)
				}
				inbox, clients := w.folders[0], w.folders[1]
				w.drop("one") // the source lists it, and does not deliver it
				w.drop("three")
				w.drop("four")
				w.drop("five")
				w.lose()
				doubt := w.record(inbox, 6) // of a run that was killed
				doubt.Doubt = true
				w.ledger[rowID{doubt.Folder, doubt.UID}] = doubt
				w.mail["INBOX"] = slices.DeleteFunc(w.mail["INBOX"], func(m worldMail) bool { return m.uid == 4 || m.uid == 6 })
				w.folders = slices.Delete(w.folders, 1, 2)

				e := w.engine()
				e.Heal = heal
				results, err := e.Run(t.Context(), []Mailbox{{
					Source: "ann@example.org", Target: "ann@example.com",
					OpenSource: func(context.Context) (Source, error) { return forgetful{(*worldSource)(w)}, nil },
					OpenTarget: func(context.Context) (Target, error) { return (*worldTarget)(w), nil },
				}})
				if err := cmp.Or(err, results[0].Err); err != nil {
					t.Fatal(err)
				}
				for _, r := range []Record{w.record(inbox, 1), w.record(inbox, 4), w.record(inbox, 6), w.record(clients, 2)} {
					if r.Outcome != Failed || r.Doubt || r.Target == "" || !strings.Contains(r.Reason, "the source has it no more") || r.Hint == "" {
						t.Errorf("%+v", r)
					}
				}
			})
		})
	}
}

func TestHealingThatDiesAtAnyStepIsResumedWithoutLossOrDouble(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		for n, died := 1, true; died; n++ {
			w.fresh()
			if err := w.run(); err != nil {
				t.Fatal(err)
			}
			w.drop("two")
			w.drop("same")
			w.lose()
			died = false
			at := w.n + n
			w.step = func(n int) error {
				if died = died || n >= at; died {
					return errPower
				}
				return nil
			}
			if err := w.heal(); died && err == nil {
				t.Fatalf("step %d: no error", n)
			}
			w.step = func(int) error { return nil }
			if err := cmp.Or(w.heal(), w.heal()); err != nil {
				t.Fatalf("step %d: %v", n, err)
			}
			w.check()
			if t.Failed() {
				t.Fatalf("after dying at step %d", n)
			}
		}
	})
}
