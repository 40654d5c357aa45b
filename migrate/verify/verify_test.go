package verify_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/canon"
	"github.com/mailhaul/mailhaul/migrate/transform"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

func depths() []verify.Depth {
	return []verify.Depth{verify.Counts, verify.Metadata, verify.Sampled, verify.Content}
}

func at(d verify.Depth) *verify.Verifier {
	return &verify.Verifier{Depth: d, Sample: verify.Sample{Percent: 100}, Jobs: 1}
}

// both runs a test with a target that labels and with one that does not.
func both(t *testing.T, test func(t *testing.T, labels bool)) {
	for name, labels := range map[string]bool{"folders": false, "labels": true} {
		t.Run(name, func(t *testing.T) { test(t, labels) })
	}
}

func TestACopyThatIsRightHasNoFindingAtAnyDepth(t *testing.T) {
	both(t, func(t *testing.T, labels bool) {
		for _, d := range depths() {
			w := newWorld(labels, "INBOX", "Sent", "Empty")
			w.fill(20)
			for o := range migrate.Outcomes {
				if !o.Arrived() {
					w.record(w.deliver(1), o, "")
				}
			}
			w.verify(t, at(d))
			w.expect(t)
			var present, compared int64
			for _, f := range w.latest.Folders {
				present, compared = present+f.Present, compared+f.Compared
			}
			if present != 60 || compared != 60 {
				t.Errorf("%s: %d present and %d compared, want 60", d, present, compared)
			}
			if want := map[verify.Depth]int{verify.Counts: 0, verify.Metadata: 0, verify.Sampled: 60, verify.Content: 60}[d]; w.opens != want {
				t.Errorf("%s: %d messages were read back, want %d", d, w.opens, want)
			}
		}
	})
}

// A harm is something that can happen to a copy.
type harm struct {
	name string
	do   func(w *world, r *replica) (kind migrate.Kind, target migrate.MessageID)
	from verify.Depth // that finds it
}

func harms() []harm {
	return []harm{
		{"dropped", func(w *world, r *replica) (migrate.Kind, migrate.MessageID) {
			delete(w.copies, r.ID)
			return migrate.KindMissing, r.ID
		}, verify.Counts},
		{"moved", func(w *world, r *replica) (migrate.Kind, migrate.MessageID) {
			r.Folders = []migrate.FolderID{"another"}
			return migrate.KindMisplaced, r.ID
		}, verify.Counts},
		{"deleted", func(w *world, r *replica) (migrate.Kind, migrate.MessageID) {
			r.Folders, r.Deleted = []migrate.FolderID{"trash"}, true
			return migrate.KindDeleted, r.ID
		}, verify.Counts},
		{"doubled", func(w *world, r *replica) (migrate.Kind, migrate.MessageID) {
			return migrate.KindDoubled, w.double(r).ID
		}, verify.Metadata},
		{"marked", func(w *world, r *replica) (migrate.Kind, migrate.MessageID) {
			if slices.Contains(r.Flags, migrate.Seen) {
				r.Flags = slices.DeleteFunc(slices.Clone(r.Flags), func(f migrate.Flag) bool { return f == migrate.Seen })
			} else {
				r.Flags = append(slices.Clone(r.Flags), migrate.Seen)
			}
			return migrate.KindFlags, r.ID
		}, verify.Metadata},
		{"dated", func(w *world, r *replica) (migrate.Kind, migrate.MessageID) {
			r.Date = r.Date.Add(-90 * time.Minute)
			return migrate.KindDate, r.ID
		}, verify.Metadata},
		{"one octet", func(w *world, r *replica) (migrate.Kind, migrate.MessageID) {
			r.octets = bytes.Replace(r.octets, []byte("Text"), []byte("Texz"), 1)
			return migrate.KindContent, r.ID
		}, verify.Sampled},
		{"subject", func(w *world, r *replica) (migrate.Kind, migrate.MessageID) {
			r.octets = bytes.Replace(r.octets, []byte("Subject: l"), []byte("Subject: L"), 1)
			return migrate.KindContent, r.ID
		}, verify.Sampled},
		{"a minute", func(w *world, r *replica) (migrate.Kind, migrate.MessageID) {
			r.Date = r.Date.Add(time.Minute)
			return migrate.KindDate, r.ID
		}, verify.Sampled},
	}
}

func TestEachHarmIsFoundFromTheDepthThatPromisesIt(t *testing.T) {
	both(t, func(t *testing.T, labels bool) {
		for _, h := range harms() {
			found := false
			for _, d := range depths() {
				found = found || d == h.from
				if h.name == "doubled" && !labels {
					found = true // the key tells
				}
				w := newWorld(labels, "INBOX", "Sent")
				all := w.fill(10)
				kind, id := h.do(w, all[13])
				w.verify(t, at(d))
				if !found {
					w.expect(t)
					continue
				}
				w.expect(t, fmt.Sprintf("%s 14 %s", kind, id))
				if f := w.findings[0]; f.Kind == kind && (f.Folder != 2 || f.MessageID != "<14@example.com>" || f.From != "ann@example.com" || f.Subject != "letter 14" || !f.Date.Equal(w.mail[14].InternalDate)) {
					t.Errorf("%s, %s: the finding does not name its message: %+v", h.name, d, f)
				}
			}
		}
	})
}

func TestManyHarmsAtOnceAreFoundWithNoneMissedAndNoneInvented(t *testing.T) {
	both(t, func(t *testing.T, labels bool) {
		w := newWorld(labels, "INBOX", "Sent", "Clients")
		all := w.fill(300)
		random := rand.New(rand.NewPCG(1, 2))
		var want []string
		for i, r := range all {
			if random.IntN(3) == 0 {
				kind, id := harms()[random.IntN(len(harms()))].do(w, r)
				want = append(want, fmt.Sprintf("%s %d %s", kind, i+1, id))
			}
		}
		w.verify(t, at(verify.Content))
		w.expect(t, want...)
	})
}

func TestMailOfTheNewAccountItselfIsNoDifference(t *testing.T) {
	both(t, func(t *testing.T, labels bool) {
		for _, d := range depths() {
			w := newWorld(labels, "INBOX")
			own := w.double(w.fill(5)[2])
			own.octets, own.MessageID, own.Key = []byte("Subject: new\r\n\r\nNew."), "<new@example.org>", ""
			w.verify(t, at(d))
			w.expect(t)
			if len(w.findings) != 1 || w.findings[0].Kind != migrate.KindExtra || w.findings[0].Target != own.ID {
				t.Errorf("%s: %+v", d, w.findings)
			}
		}
	})
}

func TestAMessageThatWasWrittenAnewElsewhereIsNotMissing(t *testing.T) {
	both(t, func(t *testing.T, labels bool) {
		for _, d := range []verify.Depth{verify.Metadata, verify.Content} {
			w := newWorld(labels, "INBOX", "Sent")
			r := w.fill(5)[2]
			anew := w.double(r)
			anew.Folders, anew.Key = []migrate.FolderID{"at-Sent"}, ""
			delete(w.copies, r.ID)
			w.verify(t, at(d))
			w.expect(t, fmt.Sprintf("misplaced 3 %s", anew.ID))
		}
	})
}

func TestADoubleWithAKeyIsThatOfItsMessageAlone(t *testing.T) {
	for _, d := range []verify.Depth{verify.Metadata, verify.Content} {
		w := newWorld(false, "INBOX")
		a, b := w.deliver(0), w.deliver(0)
		b.octets, b.MessageID, b.InternalDate = a.octets, a.MessageID, a.InternalDate
		delete(w.copies, w.copy(a).ID)
		r := w.copy(b)
		r.Date = start.Add(time.Hour)
		twin := w.double(r)
		w.verify(t, at(d))
		w.expect(t, "missing 1 id-1", "doubled 2 "+string(twin.ID))
	}
}

func TestAMergedMessageShowsTheFlagsOfAllItsCopies(t *testing.T) {
	for _, d := range []verify.Depth{verify.Metadata, verify.Content} {
		w := newWorld(true, "INBOX", "Sent", "Clients")
		a, b, c := w.deliver(0), w.deliver(1, migrate.Seen, migrate.Flagged), w.deliver(2, migrate.Seen)
		b.octets, c.octets = a.octets, a.octets
		r := w.copy(a)
		w.place(r, b)
		w.place(r, c)
		w.verify(t, at(d))
		w.expect(t)
		if w.opens > 1 {
			t.Errorf("one message was read back %d times", w.opens)
		}
		whole := r.Flags
		for i := range whole {
			r.Flags = whole[i : i+1]
			w.verify(t, at(d))
			w.expect(t, "flags 1 id-1")
		}
		r.Flags, r.Folders = whole, r.Folders[:2]
		w.verify(t, at(d))
		w.expect(t, "misplaced 3 id-1")
	}
}

func TestAMessageThatMergingTookOutOfTheTrashIsNotMisplaced(t *testing.T) {
	w := newWorld(true, "Trash", "INBOX", "Sent")
	w.states[0].Folder.Role = migrate.RoleTrash
	a, b := w.deliver(0), w.deliver(1, migrate.Seen)
	b.octets = a.octets
	r := w.copy(a)
	w.place(r, b)
	r.Folders = []migrate.FolderID{"at-INBOX"}
	w.verify(t, at(verify.Content))
	w.expect(t)
	r.Folders = []migrate.FolderID{"at-Sent"} // and somebody moved it on
	w.verify(t, at(verify.Content))
	w.expect(t, "misplaced 2 id-1")
	w.copy(w.deliver(0)).Folders = []migrate.FolderID{"at-Sent"} // which was nowhere else
	w.verify(t, at(verify.Content))
	w.expect(t, "misplaced 2 id-1", "misplaced 3 id-2")
}

func TestNotesExplainWhatTheySayAndNothingElse(t *testing.T) {
	both(t, func(t *testing.T, labels bool) {
		w := newWorld(labels, "INBOX")
		subject := func(r *replica) {
			r.octets = bytes.Replace(r.octets, []byte("Subject: l"), []byte("Subject: L"), 1)
		}
		subject(w.copy(w.deliver(0), "subject-lost"))
		r := w.copy(w.deliver(0), "subject-lost")
		r.octets = bytes.Replace(r.octets, []byte("Text"), []byte("text"), 1)
		w.copy(w.deliver(0), "dated-by-import").Date = time.Now()
		w.copy(w.deliver(0), "elsewhere").Folders = []migrate.FolderID{"another"}
		trashed := w.copy(w.deliver(0), "elsewhere")
		trashed.Folders, trashed.Deleted = []migrate.FolderID{"trash"}, true
		attach := func(l *letter, octets []byte, more ...string) {
			r := w.copy(l, append(more, "attached")...)
			r.octets = fmt.Appendf(nil, "Subject: see below\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nRebuilt.\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=a.bin\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n%s\r\n--b--\r\n",
				strings.ReplaceAll(strings.ReplaceAll(string(octets), "=", "=3D"), "\r\n", "=0D=0A=\r\n"))
		}
		l := w.deliver(0)
		attach(l, l.octets)
		l = w.deliver(0)
		attach(l, append([]byte("X"), l.octets...))
		for _, changed := range []bool{true, false} { // what is attached is what was to be written
			l = w.deliver(0)
			l.octets = append([]byte("Return-Receipt-To: a@example.com\r\n"), l.octets...)
			octets := l.octets
			if changed {
				octets = append([]byte("X-Mailhaul-Original-"), octets...)
			}
			attach(l, octets, "receipt-request-disarmed")
		}
		w.verify(t, at(verify.Content))
		w.expect(t, "content 2 id-2", "deleted 5 id-5", "content 7 id-7", "content 9 id-9")
		if n := w.latest.Folders[0].Explained; n != 3 {
			t.Errorf("%d are explained, want 3", n)
		}
	})
}

func TestAChangedMessageIsComparedWithWhatWasMeantToBeWritten(t *testing.T) {
	both(t, func(t *testing.T, labels bool) {
		w := newWorld(labels, "INBOX")
		authorless := func() *letter {
			l := w.deliver(0)
			l.octets = bytes.Replace(l.octets, []byte("From: Ann <ann@example.com>\r\n"), nil, 1)
			return l
		}
		changed := func(l *letter) *replica {
			r := w.copy(l, "from-repaired")
			octets, err := io.ReadAll(transform.Reader([]string{"from-repaired"}, l.InternalDate, bytes.NewReader(l.octets)))
			if err != nil || bytes.Equal(octets, l.octets) {
				t.Fatal("nothing was changed", err)
			}
			r.octets = octets
			return r
		}
		changed(authorless())
		r := changed(authorless())
		r.octets = bytes.Replace(r.octets, []byte("Text"), []byte("text"), 1)
		w.copy(authorless(), "from-repaired") // and is not
		w.verify(t, at(verify.Content))
		w.expect(t, "content 2 id-2", "content 3 id-3")
		if n := w.latest.Folders[0].Explained; n != 1 {
			t.Errorf("%d are explained, want 1", n)
		}
	})
}

func TestADateFromTheHeaderIsTheMessagesOwn(t *testing.T) {
	both(t, func(t *testing.T, labels bool) {
		for _, d := range []verify.Depth{verify.Metadata, verify.Content} {
			w := newWorld(labels, "INBOX")
			l := w.deliver(0)
			sent := start.Add(time.Hour)
			l.InternalDate = start.AddDate(5, 0, 0) // an earlier move lost it
			w.copy(l).Date = sent
			w.copy(w.deliver(0)).Date = start.Add(2*time.Hour + 3*time.Second) // Received
			w.verify(t, at(d))
			w.expect(t)
		}
	})
}

func TestWhatTheSourceHasNoMoreIsCountedAsUnread(t *testing.T) {
	both(t, func(t *testing.T, labels bool) {
		w := newWorld(labels, "INBOX", "Sent")
		all := w.fill(10)
		w.mail[3].expunge, w.mail[10].expunge = true, true
		w.gone["Sent"] = true
		delete(w.copies, all[15].ID)
		late := w.deliver(0)
		late.UID = 100
		w.verify(t, at(verify.Content))
		w.expect(t, "missing 16 "+string(all[15].ID))
		inbox, sent := w.latest.Folders[0], w.latest.Folders[1]
		if inbox.Folder != 1 {
			inbox, sent = sent, inbox
		}
		if inbox.Unread != 2 || inbox.Compared != 8 || inbox.New != 1 || sent.Unread != 9 || sent.Compared != 0 {
			t.Errorf("inbox %+v\nsent %+v", inbox, sent)
		}
	})
}

func TestAStoppedVerificationGoesOnWhereItWas(t *testing.T) {
	both(t, func(t *testing.T, labels bool) {
		for stop := 1; stop < 50; stop += 7 {
			w := newWorld(labels, "INBOX", "Sent", "Clients")
			all := w.fill(20)
			var want []string
			for i := 0; i < 60; i += 4 {
				kind, id := harms()[i/4%len(harms())].do(w, all[i])
				want = append(want, fmt.Sprintf("%s %d %s", kind, i+1, id))
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			w.trouble = func(call string, _ migrate.MessageID) error {
				if call == "open" && w.opens == stop {
					cancel(errors.New("interrupted"))
				}
				return ctx.Err()
			}
			if err := w.run(ctx, at(verify.Content)); err == nil || !strings.Contains(err.Error(), "interrupted") {
				t.Fatal(err)
			}
			if !w.latest.Ended.IsZero() {
				t.Fatal("it says that it ended")
			}
			started := w.latest.Started
			w.trouble = nil
			w.verify(t, at(verify.Content))
			w.expect(t, want...)
			for _, f := range w.findings {
				if f.Kind == migrate.KindExtra {
					t.Errorf("stopped after %d: a double is taken for new mail: %+v", stop, f)
				}
			}
			if w.latest.Started != started {
				t.Error("it began anew")
			}
			if most := 60 + 15 + 2*7; w.opens > most {
				t.Errorf("stopped after %d: %d messages were read back, want at most %d", stop, w.opens, most)
			}
		}
	})
}

// dying keeps nothing once the end is to be saved.
type dying struct{ *world }

func (dying) EndVerification(context.Context, migrate.Verification) error {
	return errors.New("killed")
}

func TestNewMailIsToldOnceAlsoWhereTheEndIsNotSaved(t *testing.T) {
	w := newWorld(false, "INBOX")
	own := w.double(w.fill(3)[1])
	own.octets, own.MessageID, own.Key = []byte("Subject: new\r\n\r\nNew."), "<new@example.org>", ""
	v := at(verify.Content)
	v.Progress = new(migrate.Progress)
	_, err := v.Run(t.Context(), []verify.Mailbox{{Source: "ann@example.com", Ledger: dying{w},
		OpenSource: func(context.Context) (verify.Source, error) { return theSource{w}, nil },
		OpenTarget: func(context.Context) (verify.Target, error) { return theTarget{w}, nil }}})
	if err == nil || len(w.findings) != 1 {
		t.Fatal(err, w.findings)
	}
	w.verify(t, at(verify.Content))
	if len(w.findings) != 1 {
		t.Errorf("found %+v", w.findings)
	}
}

func TestAVerificationThatEndedOrIsOutdatedOrAnotherBeginsAnew(t *testing.T) {
	w := newWorld(false, "INBOX")
	all := w.fill(10)
	delete(w.copies, all[0].ID)
	w.verify(t, at(verify.Content))
	w.copies[all[0].ID] = all[0]
	w.verify(t, at(verify.Content)) // it ended
	w.expect(t)
	for name, outdate := range map[string]func() *verify.Verifier{
		"a pass since": func() *verify.Verifier { w.pass.Started = time.Now(); return at(verify.Content) },
		"another":      func() *verify.Verifier { return at(verify.Metadata) },
		"fresh":        func() *verify.Verifier { v := at(verify.Content); v.Fresh = true; return v },
	} {
		w.pass.Started = time.Time{}
		w.latest = migrate.Verification{Depth: "content", Started: time.Now().Add(-time.Hour)}
		w.findings = []migrate.Finding{{Kind: migrate.KindMissing, Folder: 1, UID: 1}}
		w.verify(t, outdate())
		if len(w.findings) != 0 {
			t.Errorf("%s: it kept %v", name, w.findings)
		}
	}
}

func TestATargetThatIsBusyIsAskedAgain(t *testing.T) {
	both(t, func(t *testing.T, labels bool) {
		w := newWorld(labels, "INBOX")
		all := w.fill(12)
		w.double(all[3])
		failed := map[string]bool{}
		w.trouble = func(call string, id migrate.MessageID) error {
			if once := call + string(id); !failed[once] {
				failed[once] = true
				return &migrate.Error{Op: call, Class: migrate.Transient, Err: errors.New("busy")}
			}
			return nil
		}
		w.verify(t, at(verify.Content))
		w.expect(t, "doubled 4 id-13")
		if f := w.latest.Folders[0]; f.Held != 13 || f.Compared != 12 {
			t.Errorf("%+v", f)
		}
	})
}

func TestAMessageThatTheTargetRefusesToShowIsADifference(t *testing.T) {
	for _, d := range []verify.Depth{verify.Metadata, verify.Content} {
		w := newWorld(true, "INBOX")
		w.fill(5)
		w.trouble = func(call string, id migrate.MessageID) error {
			if call != "list" && id == "id-2" {
				return &migrate.Error{Op: call, Class: migrate.Permanent, Err: errors.New("damaged")}
			}
			return nil
		}
		w.verify(t, at(d))
		w.expect(t, "content 2 id-2")
		if !strings.Contains(w.detail(), "damaged") {
			t.Error(w.detail())
		}
		w.copies["id-2"].Folders = []migrate.FolderID{"another"} // and it must be looked for
		w.verify(t, at(d))
		w.expect(t, "content 2 id-2")
	}
}

func TestWhatIsReadBackIsKeptWhateverItIs(t *testing.T) {
	both(t, func(t *testing.T, labels bool) {
		for _, d := range depths() {
			w := newWorld(labels, "INBOX", "Sent")
			all := w.fill(4)
			all[1].octets = bytes.Replace(all[1].octets, []byte("Subject: l"), []byte("Subject: L"), 1) // it differs
			delete(w.copies, all[2].ID)
			w.double(all[3])
			w.trouble = func(call string, id migrate.MessageID) error {
				if call == "open" && id == all[4].ID {
					return &migrate.Error{Op: call, Class: migrate.Permanent, Err: errors.New("damaged")}
				}
				return nil
			}
			if labels {
				w.place(all[0], w.deliver(1)) // which is not read back again
			}
			w.verify(t, at(d))
			var want []migrate.Replica
			for i, r := range all {
				if (d == verify.Sampled || d == verify.Content) && i != 2 && i != 4 {
					form, err := canon.Sum(bytes.NewReader(r.octets))
					if err != nil {
						t.Fatal(err)
					}
					want = append(want, migrate.Replica{UID: migrate.UID(i + 1), Content: form.Content()})
				}
			}
			if !slices.Equal(w.replicas, want) {
				t.Errorf("%s: kept %+v, want %+v", d, w.replicas, want)
			}
		}
	})
}

func TestNewMailThatCannotBeReadStopsNothing(t *testing.T) {
	for _, d := range []verify.Depth{verify.Metadata, verify.Content} {
		w := newWorld(true, "INBOX")
		w.double(w.fill(5)[2])
		w.trouble = func(call string, id migrate.MessageID) error {
			if call != "list" && id == "id-6" {
				return &migrate.Error{Op: call, Class: migrate.Permanent, Err: errors.New("damaged")}
			}
			return nil
		}
		w.verify(t, at(d))
		if len(w.findings) != 1 || w.findings[0].Kind != migrate.KindExtra {
			t.Errorf("%s: %+v", d, w.findings)
		}
	}
}

func TestAFatalErrorStopsAMailboxAndIsTold(t *testing.T) {
	w := newWorld(false, "INBOX")
	w.fill(5)
	w.trouble = func(call string, id migrate.MessageID) error {
		return &migrate.Error{Op: call, Class: migrate.Fatal, Err: errors.New("no access"), Hint: "Ask."}
	}
	err := w.run(t.Context(), at(verify.Counts))
	if reason, hint := migrate.Explain(err); !strings.Contains(reason, "no access") || hint != "Ask." {
		t.Errorf("%v, %s", err, hint)
	}
}

func TestAChangedSourceIsNotBlamedOnTheTarget(t *testing.T) {
	w := newWorld(false, "INBOX")
	w.fill(3)
	w.mail[2].octets = append(w.mail[2].octets, "More.\r\n"...)
	w.verify(t, at(verify.Content))
	w.expect(t, "content 2 id-2")
	if !strings.Contains(w.detail(), "the source has other octets") {
		t.Error(w.detail())
	}
}

func TestAFolderThatWasMadeAnewIsListedOnce(t *testing.T) {
	w := newWorld(false, "INBOX", "INBOX again")
	w.states[1].Folder.Path, w.states[1].Folder.UIDValidity, w.states[1].Target = []string{"INBOX"}, 8, w.states[0].Target
	w.folders[1] = w.states[1].Folder
	w.copy(w.deliver(0))
	w.copy(w.deliver(1))
	w.verify(t, at(verify.Counts))
	w.expect(t)
	var held int64
	for _, f := range w.latest.Folders {
		held += f.Held
	}
	if held != 2 {
		t.Errorf("the target's folder holds %d messages, want 2", held)
	}
}

// brittle breaks off when it is asked for certain messages.
type brittle struct {
	theSource
	broken map[migrate.UID]int // how often
	err    error
}

func (b *brittle) Read(ctx context.Context, f migrate.Folder, ms []*migrate.Message, body func(*migrate.Message, io.Reader) error) error {
	for _, m := range ms {
		if b.broken[m.UID] > 0 {
			b.broken[m.UID]--
			return &migrate.Error{Op: "read", Class: migrate.Transient, Err: b.err}
		}
		if err := b.theSource.Read(ctx, f, []*migrate.Message{m}, body); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) verifyFrom(t *testing.T, d verify.Depth, b *brittle, want ...string) {
	t.Helper()
	v := at(d)
	v.Progress, v.Retry = new(migrate.Progress), migrate.Retry{Patience: time.Hour}
	results, err := v.Run(t.Context(), []verify.Mailbox{{Source: "ann@example.com", Ledger: w,
		OpenSource: func(context.Context) (verify.Source, error) { return b, nil },
		OpenTarget: func(context.Context) (verify.Target, error) { return theTarget{w}, nil }}})
	if err = errors.Join(err, results[0].Err); err != nil {
		t.Fatal(err)
	}
	w.expect(t, want...)
}

func TestAMessageThatTheSourceCannotDeliverIsLeftUnreadAndTheOthersAreCompared(t *testing.T) {
	w := newWorld(false, "INBOX")
	w.fill(7)
	w.verifyFrom(t, verify.Content, &brittle{theSource{w}, map[migrate.UID]int{2: 2, 5: 1000}, errors.New("the line broke")})
	if f := w.latest.Folders[0]; f.Unread != 1 || f.Compared != 6 {
		t.Errorf("%+v", f)
	}
}

func TestASourceThatIsAwayBlamesNoMessage(t *testing.T) {
	w := newWorld(false, "INBOX")
	w.fill(7)
	w.verifyFrom(t, verify.Content, &brittle{theSource{w}, map[migrate.UID]int{5: 20}, migrate.ErrUnreachable})
	if f := w.latest.Folders[0]; f.Unread != 0 || f.Compared != 7 {
		t.Errorf("%+v", f)
	}
}

func TestADoubleIsNotForgottenWhileTheSourceIsAway(t *testing.T) {
	w := newWorld(false, "INBOX")
	twin := w.double(w.fill(7)[3])
	w.verifyFrom(t, verify.Metadata, &brittle{theSource{w}, map[migrate.UID]int{4: 2}, migrate.ErrUnreachable}, "doubled 4 "+string(twin.ID))
}

// full has no room for findings.
type full struct {
	*world
	calls int
}

func (f *full) SaveVerified(context.Context, migrate.FolderVerification, []migrate.Replica, ...migrate.Finding) error {
	f.calls++
	return errors.New("disk full")
}

func TestTroubleOfTheCheckpointsStopsAllAtOnce(t *testing.T) {
	w := newWorld(false, "INBOX")
	w.fill(7)
	ledger := &full{world: w}
	v := at(verify.Content)
	v.Progress, v.Retry = new(migrate.Progress), migrate.Retry{First: time.Millisecond, Max: time.Millisecond, Patience: 3 * time.Millisecond}
	_, err := v.Run(t.Context(), []verify.Mailbox{{Ledger: ledger,
		OpenSource: func(context.Context) (verify.Source, error) { return theSource{w}, nil },
		OpenTarget: func(context.Context) (verify.Target, error) { return theTarget{w}, nil }}})
	if err == nil || !strings.Contains(err.Error(), "disk full") || ledger.calls != 1 {
		t.Errorf("%v after %d calls", err, ledger.calls)
	}
}
