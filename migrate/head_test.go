package migrate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"
)

// read returns the Head of octets that are written in pieces.
func read(octets string) (Head, []string) {
	var h HeadReader
	for piece := range slices.Chunk([]byte(octets), 1000) {
		if n, err := h.Write(piece); n != len(piece) || err != nil {
			panic("a HeadReader takes all that it is given")
		}
	}
	return h.Head()
}

func TestAHeadIsReadAsPeopleRead(t *testing.T) {
	date := time.Date(2009, 7, 3, 14, 15, 16, 0, time.UTC)
	for _, test := range []struct {
		header string
		want   Head
	}{
		{"From: Ann <ann@example.org>\r\nDate: Fri, 03 Jul 2009 16:15:16 +0200\r\nSubject: Hello\r\n\r\nSubject: no\r\n", Head{"ann@example.org", date, "Hello"}},
		{"from:ann@example.org\nSUBJECT :  a\t b  \n\nbody", Head{From: "ann@example.org", Subject: "a b"}},
		{"Subject: folded\r\n over\r\n\tlines\r\nDate: Fri, 03\r\n Jul 2009 14:15:16 +0000", Head{Date: date, Subject: "folded over lines"}},
		{"Subject:\r\nSubject: the second\r\nSubject: the third\r\n", Head{Subject: "the second"}},
		{"From: nobody\r\nFrom: b@example.org\r\nFrom: c@example.org\r\n", Head{From: "b@example.org"}},
		{"Date: never\r\nDate: Fri, 03 Jul 2009 14:15:16 +0000\r\nDate: Sat, 04 Jul 2009 14:15:16 +0000\r\n", Head{Date: date}},
		{"Received: by x; Fri, 03 Jul 2009 14:15:16 +0000\r\n", Head{}},
		{"", Head{}},
		{"\r\nFrom: a@example.org\r\n", Head{}},
		{" folded: into nothing\r\nSubject: s\r\n", Head{Subject: "s"}},

		{"From: =?koi8-r?B?8NLJ18XU?= <a@example.org>\r\n", Head{From: "a@example.org"}},
		{"From: =?no-such?Q?x?= <a@example.org>, b@example.org\r\n", Head{From: "a@example.org"}},
		{`From: "b@example.net" <a@example.org>` + "\r\n", Head{From: "a@example.org"}},
		{"From: J\xf6rg@home (M\xfcller <a@example.org>, <b@example.org>\r\n", Head{From: "a@example.org"}},
		{"From: Ann, a@example.org, what\r\n", Head{From: "a@example.org"}},
		{"From: b@example.net <>\r\n", Head{From: "b@example.net"}},
		{"From: undisclosed-recipients:;\r\n", Head{}},

		{"Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe_?=\r\n =?UTF-8?b?YXVz?= Ulm\r\n", Head{Subject: "Grüße aus Ulm"}},
		{"Subject: =?utf-8?Q?=C3?= =?utf-8?Q?=A9?= =?iso-8859-1?q?=e9?=\r\n", Head{Subject: "éé"}},
		{"Subject: =?utf-8*de?B?w6k?= a =?utf-8?B?w6k=?=b\r\n", Head{Subject: "é a éb"}},
		{"Subject: =?iso-2022-jp?B?GyRCRnxLXBsoQg==?=\r\n", Head{Subject: "日本"}},
		{"Subject: =?koi8-r*ru?Q?=F0=D2=C9=D7=C5=D4?=\r\n", Head{Subject: "Привет"}},
		{"Subject: =?us-ascii?Q?=C3=A9?= =?no-such?Q?=E9?=\r\n", Head{Subject: "éé"}},
		{"Subject: =?utf-8?B?YWJj!!?= =?utf-8?Q?=4?= =?utf-8?X?x?= =?\r\n", Head{Subject: "abc=4 =?utf-8?X?x?= =?"}},
		{"Subject: caf\xe9 =?utf-8?Q?x?= caf\xe9\r\n", Head{Subject: "café x café"}},
		{"Subject: café\r\n", Head{Subject: "café"}},
		{"Subject: =?utf-8?Q?=FF?=\r\n", Head{Subject: "\ufffd"}},
		{"Subject: a=?utf-8?Q?=0D=0ABcc:_=00=1B[2J=E2=80=AEb=E2=80=A8c?=\r\n", Head{Subject: "a Bcc: [2Jb c"}},
	} {
		if got, _ := read(test.header); got != test.want {
			t.Errorf("%.100q:\n got %+v\nwant %+v", test.header, got, test.want)
		}
	}
}

func TestAHeadKnowsAllDatesOfTheHeader(t *testing.T) {
	_, dates := read("Received: by a; Fri, 03 Jul 2009 14:15:16 +0000\r\nX-Received: by b; Fri, 03 Jul 2009 14:15:17 +0000\r\nDate: Fri, 03 Jul 2009 14:15:18 +0000\r\n" +
		"Delivery-Date: Fri, 03 Jul 2009 14:15:19 +0000\r\nResent-Date: Fri, 03 Jul 2009 14:15:20 +0000\r\nReceived: never\r\n\r\nDate: Fri, 03 Jul 2009 14:15:21 +0000\r\n")
	for i, want := range []string{"Fri, 03 Jul 2009 14:15:16 +0000", "Fri, 03 Jul 2009 14:15:17 +0000", "Fri, 03 Jul 2009 14:15:18 +0000", "Fri, 03 Jul 2009 14:15:19 +0000", "never"} {
		if i >= len(dates) || strings.TrimSpace(dates[i]) != want {
			t.Errorf("date %d of %q is not %q", i, dates, want)
		}
	}
	if len(dates) != 5 {
		t.Errorf("got %q", dates)
	}
}

// sane fails unless a text is fit to be kept.
func sane(t *testing.T, s string) {
	t.Helper()
	if len(s) > 255 || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) {
		t.Errorf("kept %q", s)
	}
}

func TestAHeadIsShortWhateverTheMessageIs(t *testing.T) {
	for _, test := range []struct{ header, subject string }{
		{"Subject: " + strings.Repeat("x", 1<<20), strings.Repeat("x", 255)},
		{"Subject: " + strings.Repeat("é", 1000), strings.Repeat("é", 127)},
		{"Subject: a" + strings.Repeat("🚀", 1000), "a" + strings.Repeat("🚀", 63)},
		{"Subject: a" + strings.Repeat("\r\n b", 1<<20), strings.TrimSpace(strings.Repeat("a b b", 1) + strings.Repeat(" b", 125))},
		{"Subject: " + strings.Repeat("=?utf-8?Q?x?= ", 1<<16), strings.Repeat("x", 255)},
		{"X: " + strings.Repeat("x", 1000) + "\r\n" + strings.Repeat("Received: x\r\n", 1<<20) + "Subject: too far\r\n", ""},
		{"Subject: a" + strings.Repeat("\r\n ", 5000) + "late\r\n", "a"},
		{"Subject: a" + strings.Repeat(" ", 5000) + "late\r\n", "a"},
		{"X: " + strings.Repeat("x", 200<<10) + "\r\nSubject: near enough\r\n", "near enough"},
	} {
		var h HeadReader
		io.Copy(&h, strings.NewReader(test.header))
		if got, _ := h.Head(); got.Subject != test.subject {
			t.Errorf("%.50q: subject %q", test.header, got.Subject)
		}
		if cap(h.octets) > 2*maxHeader {
			t.Errorf("%.50q: %d octets are kept", test.header, cap(h.octets))
		}
	}
	for _, from := range []string{strings.Repeat("x", 1<<20) + "@example.org", strings.Repeat("a@example.org,", 1<<16), strings.Repeat("(", 1<<20), strings.Repeat("<", 1<<20) + "a@example.org",
		strings.Repeat("é", 300) + "@example.org", "\x1b[2J@example.org", `"` + strings.Repeat(`\`, 1<<20)} {
		head, _ := read("From: " + from + "\r\n")
		sane(t, head.From)
	}
}

func FuzzAHead(f *testing.F) {
	f.Add("From: =?utf-8?Q?x?= <a@example.org>\r\nSubject: =?iso-2022-jp?B?GyRCRnxLXBsoQg==?=\r\n b\r\n\r\n")
	f.Add("From: \xff@x\r\nSubject: =?utf-16?B?AAAA?= \u202e\r\n")
	f.Fuzz(func(t *testing.T, octets string) {
		head, _ := read(octets)
		sane(t, head.From)
		sane(t, head.Subject)
	})
}

func TestATextIsCutBetweenCharacters(t *testing.T) {
	for _, test := range []struct {
		s    string
		most int
		want string
	}{
		{"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"aé", 2, "a"}, {"aé", 3, "aé"}, {"a🚀b", 4, "a"}, {"a🚀b", 5, "a🚀"}, {"\x80\x80\x80\x80\x80\x80", 5, "\x80\x80\x80\x80\x80"}, {"é", 1, ""},
	} {
		if got := cut(test.s, test.most); got != test.want {
			t.Errorf("%q cut to %d: %q, want %q", test.s, test.most, got, test.want)
		}
	}
}

const letter = "From: Ann <ann@example.org>\r\nDate: Fri, 03 Jul 2009 14:15:16 +0000\r\nSubject: letter %d\r\n\r\n%[1]d\r\n"

func TestOnlyWhatFailsOrIsChangedIsKnownByItsHead(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.folders, w.mail = nil, map[string][]worldMail{}
		var letters []string
		for i := range 5 {
			letters = append(letters, fmt.Sprintf(letter, i+1))
		}
		letters[2] = strings.ReplaceAll(letters[2], "3\r\n", "3\n") // which is repaired
		w.add("INBOX", letters...)
		w.onAppend = func(w *world, m *Message) error {
			if m.UID == 2 {
				return &Error{Op: "append", Class: Permanent, Refused: true, Err: errors.New("too odd")}
			}
			return refuseOddities(w, m)
		}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		head := func(subject string) Head {
			return Head{"ann@example.org", time.Date(2009, 7, 3, 14, 15, 16, 0, time.UTC), subject}
		}
		for i, want := range []struct {
			outcome Outcome
			head    Head
		}{{Copied, Head{}}, {Failed, head("letter 2")}, {Copied, head("letter 3")}, {Copied, Head{}}, {Copied, Head{}}} {
			r := w.record(w.folders[0], UID(i+1))
			if r.Outcome != want.outcome || r.Head != want.head || r.MessageID != fmt.Sprintf("<%d@example.org>", i+1) || (len(r.Notes) > 0) != (i == 2) {
				t.Errorf("message %d: %+v", i+1, r)
			}
		}
	})
}

func TestWhatCouldNotBeReadIsKnownByItsIDAlone(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.onRead = func(m *Message) ([]byte, error) {
			if m.UID == 2 {
				return nil, &Error{Op: "read", Class: Permanent, Err: errors.New("damaged")}
			}
			return nil, nil
		}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		if r := w.record(w.folders[0], 2); r.Outcome != Failed || r.Head != (Head{}) || r.MessageID != "<2@example.org>" {
			t.Errorf("%+v", r)
		}
	})
}

func TestAMessageIsKnownByItsIDFromTheFirstListing(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		ids := map[UID]string{1: "<" + strings.Repeat("é", 200), 2: "", 3: "<3@x>"}
		for i := range w.mail["INBOX"] {
			m := &w.mail["INBOX"][i]
			m.id = ids[m.uid]
		}
		want := map[UID]string{1: "<" + strings.Repeat("é", 127), 2: "<2@example.org>", 3: "<3@x>"}
		ctx, cancel := context.WithCancel(t.Context())
		w.onSave = func([]Record) error { cancel(); return nil } // nothing is copied yet
		e := w.engine()
		e.Rules.Message = func(m *Message) string {
			if m.UID == 3 {
				return "odd"
			}
			return ""
		}
		_ = w.runWith(ctx, e)
		for uid, id := range want {
			if r := w.record(w.folders[0], uid); r.MessageID != id {
				t.Errorf("message %d is listed as %+v", uid, r)
			}
		}
		w.onSave = nil
		if err := w.runWith(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		for uid, id := range want {
			if r := w.record(w.folders[0], uid); r.MessageID != id || r.Outcome == Pending {
				t.Errorf("message %d is recorded as %+v", uid, r)
			}
		}
	})
}

func TestWhatWasLostAtBothEndsKeepsItsID(t *testing.T) {
	r := Record{Outcome: Pending, Target: "m", MessageID: "<1@x>"}.vanished()
	if r.Outcome != Failed || r.MessageID != "<1@x>" {
		t.Errorf("%+v", r)
	}
}

func TestTheHeirOfACopyIsKnownByItsHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.labels = true
		w.add("INBOX", bareLF, "kept")
		e := w.engine()
		e.Deletions = Trash
		w.onAppend = func(w *world, m *Message) error {
			if contentOf(m) == "kept" {
				return nil
			}
			return refuseOddities(w, m)
		}
		if err := w.runWith(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		w.add("Clients", bareLF)
		if err := w.runWith(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		heir := w.record(w.folders[1], 1)
		if heir.Outcome != Merged {
			t.Fatalf("%+v", heir)
		}
		heir.Notes, heir.Head = nil, Head{} // as if the target had not told
		w.ledger[rowID{heir.Folder, heir.UID}] = heir
		w.mail["INBOX"] = w.mail["INBOX"][1:]
		if err := w.runWith(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if heir = w.record(w.folders[1], 1); heir.Outcome != Adopted || heir.Head.From != "ann@example.org" || !slices.Equal(heir.Notes, []string{"line-ends-repaired"}) {
			t.Errorf("%+v", heir)
		}
	})
}

func TestWhatFailedAndCopiesThatDifferAreNotable(t *testing.T) {
	for o := range Outcomes {
		want := map[Outcome][2]bool{Copied: {false, true}, Adopted: {false, true}, Merged: {false, true}, Failed: {true, true}}[o]
		if got := [2]bool{Record{Outcome: o}.Notable(), Record{Outcome: o, Notes: []string{"n"}}.Notable()}; got != want {
			t.Errorf("%v, without and with notes: %v, want %v", o, got, want)
		}
	}
}

// unreadable cannot be opened, or not be read.
type unreadable struct{ open error }

func (u unreadable) Open() (io.ReadSeekCloser, error) {
	return content{io.NewSectionReader(u, 0, 100)}, u.open
}

func (unreadable) ReadAt([]byte, int64) (int, error) { return 0, errors.New("disk") }

func TestAHeadThatCannotBeReadIsEmpty(t *testing.T) {
	for _, open := range []error{nil, errors.New("gone")} {
		if head := headOf(unreadable{open}); head != (Head{}) {
			t.Errorf("%+v", head)
		}
	}
}
