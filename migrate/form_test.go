package migrate

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mailhaul/mailhaul/migrate/transform"
)

const (
	fields   = "Date: Fri, 03 Jul 2009 14:15:16 +0000\r\nMessage-ID: <1@example.org>\r\n"
	sound    = "From: ann@example.org\r\n" + fields + "\r\nsound\r\n"
	noFrom   = fields + "\r\nno From\r\n"
	bareLF   = "From: ann@example.org\r\n" + fields + "\r\nbare\nLF\r\n"
	neither  = fields + "\r\nno From and bare\nLF\r\n"
	hopeless = fields + "\r\nno From, refused in any form\r\n"
)

// oddities fills a world with messages that its target refuses: those without
// From, those with bare LF, and some that it always refuses.
func oddities(w *world) {
	w.add("INBOX", sound, noFrom, bareLF, noFrom, neither)
	w.add("Clients", neither, "plain", noFrom)
	w.onAppend = refuseOddities
}

func contentOf(m *Message) string {
	r, err := m.Body.Open()
	if err != nil {
		return ""
	}
	defer r.Close()
	b, _ := io.ReadAll(r)
	return string(b)
}

func refuseOddities(_ *world, m *Message) error {
	content := contentOf(m)
	refused := func(why string) error {
		return &Error{Op: "append", Class: Permanent, Refused: true, Content: true, Err: errors.New(why), Hint: "Keep it."}
	}
	switch {
	case content == "plain":
		return nil
	case strings.Contains(content, "in any form"):
		return refused("it is hopeless, form of " + fmt.Sprint(len(content)))
	case !strings.HasPrefix(content, "From: "):
		return refused("no From")
	case strings.Contains(strings.ReplaceAll(content, "\r\n", ""), "\n"):
		return refused("bare LF")
	}
	return nil
}

// bothOdd runs a test on targets that refuse what is odd.
func bothOdd(t *testing.T, test func(t *testing.T, w *world)) {
	for _, labels := range []bool{false, true} {
		t.Run(fmt.Sprintf("labels=%v", labels), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.labels = labels
				oddities(w)
				test(t, w)
			})
		})
	}
}

func TestAMessageThatIsRefusedArrivesChangedAndItsRecordSaysHow(t *testing.T) {
	bothOdd(t, func(t *testing.T, w *world) {
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.check()
		for uid, want := range [][]string{nil, {"from-repaired"}, {"line-ends-repaired"}, {"from-repaired"}, {"from-repaired", "line-ends-repaired"}} {
			r := w.record(w.folders[0], UID(uid+1))
			content := w.mail["INBOX"][uid].content
			if !slices.Equal(r.Notes, want) || r.Digest != sha256.Sum256([]byte(content)) || r.Size != int64(len(content)) {
				t.Errorf("message %d: notes %v, size %d, want notes %v", uid+1, r.Notes, r.Size, want)
			}
		}
	})
}

// appends counts how often each content is offered to the target.
func (w *world) appends(refuse func(w *world, m *Message) error) map[string]int {
	n := map[string]int{}
	w.onAppend = func(w *world, m *Message) error {
		n[contentOf(m)]++
		return refuse(w, m)
	}
	return n
}

func TestARefusalStandsWhereNothingCanBeChanged(t *testing.T) {
	for _, test := range []struct {
		name    string
		content string
		config  transform.Config
		refusal Error
		offers  int
		hint    string
	}{
		{"sound", sound, transform.Config{}, Error{Content: true}, 1, "Keep it."},
		{"not for its content", neither, transform.Config{}, Error{}, 1, "Keep it."},
		{"never", noFrom, transform.Config{Policies: map[string]transform.Policy{"from": transform.Never}}, Error{Content: true}, 1,
			"Keep it. What is odd about it may be changed in the copy if [transform] allows that: from."},
		{"in any form", neither, transform.Config{}, Error{Content: true}, 3, "Keep it."},
		{"signed", "DKIM-Signature: h=from\r\n" + neither, transform.Config{}, Error{Content: true}, 1,
			`Keep it. It is signed or encrypted, which a change would break (from, line_ends): set signed = "change" in [transform] if that may be.`},
		{"signed, and may change", "DKIM-Signature: h=from\r\n" + neither, transform.Config{ChangeSigned: true}, Error{Content: true}, 3, "Keep it."},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.add("INBOX", test.content)
			n := 0
			w.onAppend = func(w *world, m *Message) error {
				n++
				e := test.refusal
				e.Op, e.Class, e.Refused, e.Err, e.Hint = "append", Permanent, true, fmt.Errorf("no. %d", n), "Keep it."
				return &e
			}
			e := w.engine()
			e.Transform = test.config
			if err := w.runWith(context.Background(), e); err != nil {
				t.Fatal(err)
			}
			r := w.record(w.folders[0], 1)
			if r.Outcome != Failed || r.Doubt || r.Notes != nil || r.Reason != "append: no. 1" || r.Hint != test.hint || n != test.offers {
				t.Errorf("%s: offered %d times, %+v", test.name, n, r)
			}
		})
	}
}

func TestASignatureThatAChangeBreaksIsInTheRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("INBOX", "DKIM-Signature: h=subject\r\n"+noFrom)
		w.onAppend = func(w *world, m *Message) error {
			if strings.HasPrefix(contentOf(m), "DKIM") {
				return &Error{Op: "append", Class: Permanent, Refused: true, Content: true, Err: errors.New("no From")}
			}
			return nil
		}
		e := w.engine()
		e.Transform.ChangeSigned = true
		if err := w.runWith(context.Background(), e); err != nil {
			t.Fatal(err)
		}
		if r := w.record(w.folders[0], 1); !slices.Equal(r.Notes, []string{"from-repaired", "signature-broken"}) {
			t.Errorf("%+v", r)
		}
	})
}

func TestWhatIsAlwaysChangedIsNotOfferedAsItIs(t *testing.T) {
	bothOdd(t, func(t *testing.T, w *world) {
		offers := w.appends(refuseOddities)
		e := w.engine()
		e.Transform.Policies = map[string]transform.Policy{"line_ends": transform.Always}
		if err := w.runWith(context.Background(), e); err != nil {
			t.Fatal(err)
		}
		w.check()
		if offers[bareLF] != 0 || offers[neither] != 0 || offers[as([]string{"line-ends-repaired"}, neither)] == 0 {
			t.Errorf("offered as it is: %d and %d times", offers[bareLF], offers[neither])
		}
	})
}

// A target that can store the content otherwise does so only when no form of
// the message is taken whole.
func TestAMessageIsRebuiltOnlyWhenNoFormIsTakenWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("INBOX", noFrom, hopeless)
		var offers []string
		w.parallel = 1
		w.onAppend = func(w *world, m *Message) error {
			content := contentOf(m)
			offers = append(offers, fmt.Sprint(m.UID, m.Whole, strings.HasPrefix(content, "From: ")))
			if err := refuseOddities(w, m); err != nil && m.Whole {
				e := classify(err)
				e.Rebuild = true
				return e
			}
			return nil
		}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.check()
		if want := []string{"1 true false", "1 true true", "2 true false", "2 true true", "2 false false"}; !slices.Equal(offers, want) {
			t.Errorf("offered %q", offers)
		}
		if r := w.record(w.folders[0], 2); r.Outcome != Copied || len(r.Notes) > 0 {
			t.Errorf("%+v", r)
		}
	})
}

func TestARunThatDiesWhileItChangesMessagesIsResumedWithoutLossOrDouble(t *testing.T) {
	bothOdd(t, func(t *testing.T, w *world) {
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
				return
			}
			w.step = func(int) error { return nil }
			if err := w.run(); err != nil {
				t.Fatalf("crash at %d: resume: %v", at, err)
			}
			if w.check(); t.Failed() {
				t.Fatalf("crash at %d", at)
			}
		}
	})
}

func TestALostAnswerToAChangedMessageDoesNotDouble(t *testing.T) {
	bothOdd(t, func(t *testing.T, w *world) {
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
				if r.Outcome == Adopted && len(r.Notes) > 0 {
					adopted++
				}
			}
		}
		if adopted == 0 {
			t.Error("no answer to a changed message was ever lost")
		}
	})
}

func TestAChangedMessageInDoubtThatVanishedFromTheSourceIsLookedForByItsKey(t *testing.T) {
	for _, labels := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.labels, w.parallel = labels, 1
			w.add("INBOX", noFrom)
			w.onAppend = func(w *world, m *Message) error {
				if err := refuseOddities(w, m); err != nil {
					return err
				}
				after := w.n + 2
				w.step = func(n int) error {
					if n >= after {
						return errPower
					}
					return nil
				}
				return nil
			}
			if w.run() == nil || len(w.store) != 1 {
				t.Fatalf("the run was not interrupted after its write: %d copies", len(w.store))
			}
			w.step = func(int) error { return nil }
			w.mail["INBOX"] = nil
			if err := w.run(); err != nil {
				t.Fatal(err)
			}
			r := w.record(w.folders[0], 1)
			if want := []string{"from-repaired"}; !slices.Equal(r.Notes, want) {
				t.Errorf("labels=%v: notes %v", labels, r.Notes)
			}
			if !labels && r.Outcome != Adopted || labels && (r.Outcome != Failed || !r.Doubt || !strings.Contains(r.Hint, "may or may not")) {
				t.Errorf("labels=%v: %+v", labels, r)
			}
		})
	}
}

func TestChangedMessagesNeedNoRoomInAFullSpool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.batch = 100
		var contents []string
		for i := range 40 { // each fills the spool for the most part
			contents = append(contents, noFrom+strings.Repeat(fmt.Sprintf("%07d\r\n", i), 100_000))
		}
		w.add("INBOX", contents...)
		w.onAppend = refuseOddities
		e := w.engine()
		e.Spool = NewSpool(t.TempDir(), 1<<10, 1<<20)
		if err := w.runWith(context.Background(), e); err != nil {
			t.Fatal(err)
		}
		w.check()
		if !e.Spool.total.TryAcquire(e.Spool.max) || !e.Spool.memory.TryAcquire(1<<10) || !e.Spool.spare.TryAcquire(1) {
			t.Error("room in the spool was not given back")
		}
	})
}
