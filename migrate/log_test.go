package migrate

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheLogNamesWhatFailedAndWhatTheRunWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("INBOX", "good", "bad", "slow")
		w.add("Locked", "unseen")
		w.add("Refused", "no place")
		w.badPlace = "Refused"
		waited := false
		w.onAppend = func(w *world, m *Message) error {
			switch content := m.UID; {
			case content == 2:
				return &Error{Op: "import", Class: Permanent, Refused: true, Err: errors.New("invalid argument"), Hint: "Look at it."}
			case content == 3 && !waited:
				waited = true
				return &Error{Op: "import", Class: Transient, Refused: true, Delay: 7 * time.Second, Err: errors.New("later")}
			}
			return nil
		}
		w.onList = func(f Folder) error {
			if f.Path[0] == "Locked" {
				return &Error{Op: "list", Class: Permanent, Err: errors.New("no right to read"), Hint: "Give it."}
			}
			return nil
		}
		var out bytes.Buffer
		e := w.engine()
		e.Log = slog.New(slog.NewTextHandler(&out, nil))
		_ = w.runWith(t.Context(), e)
		for want, n := range map[string]int{
			`level=INFO msg="mailbox begins" mailbox=`:                          1,
			`level=WARN msg="message failed" mailbox=`:                          2,
			`folder=INBOX uid=2 `:                                               1,
			`folder=Refused uid=1 `:                                             1,
			`reason="import: invalid argument" hint="Look at it." doubt=false`:  1,
			`level=WARN msg=waits mailbox=`:                                     1,
			`reason="import: later" until=`:                                     1,
			`level=WARN msg="folder stopped"`:                                   1,
			`folder=Locked error="folder Locked: list: no right to read" hint=`: 1,
			`level=WARN msg="mailbox ends"`:                                     1,
			`listed=4 known=1 done=3 failed=1`:                                  1,
		} {
			if got := strings.Count(out.String(), want); got != n {
				t.Errorf("%s is there %d times, want %d", want, got, n)
			}
		}
		if t.Failed() {
			t.Log(out.String())
		}
	})
}

func TestWhatOthersOfAMailboxWaitForAlreadyIsADetail(t *testing.T) {
	var out bytes.Buffer
	m := new(Progress).Add("ann", "ann")
	m.LogTo(slog.New(slog.NewTextHandler(&out, nil)))
	for range 3 {
		m.Wait("quota", time.Now())
	}
	m.Wait("", time.Time{})
	m.Wait("source", time.Now())
	m.Wait("quota", time.Now())
	if got := strings.Count(out.String(), "msg=waits"); got != 3 {
		t.Errorf("%d lines:\n%s", got, out.String())
	}
}

func TestAMessageThatIsFoundIsInTheLog(t *testing.T) {
	var out bytes.Buffer
	m := new(Progress).Add("ann", "ann")
	m.LogTo(slog.New(slog.NewTextHandler(&out, nil)))
	m.know(FolderState{ID: 4, Folder: Folder{Path: []string{"Clients", "2019"}}})
	for o := range Outcomes {
		m.done(Record{Folder: 4, UID: UID(o), Outcome: o})
	}
	m.doubts([]Tally{{Doubts: 2}, {Doubts: 1}})
	m.doubts([]Tally{{}})
	for _, want := range []string{fmt.Sprintf("msg=\"message found\" mailbox=ann folder=\"Clients / 2019\" uid=%d ", Adopted), fmt.Sprintf("uid=%d ", Failed), `msg="in doubt" mailbox=ann messages=3`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
	if n := strings.Count(out.String(), "\n"); n != 3 {
		t.Errorf("%d lines:\n%s", n, out.String())
	}
}
