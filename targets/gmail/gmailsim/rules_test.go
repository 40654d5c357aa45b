package gmailsim

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"
)

// inserting prepares an insert of text with the given labels.
func inserting(g *gmail.UsersService, text string, labels ...string) *gmail.UsersMessagesInsertCall {
	return g.Messages.Insert(user, &gmail.Message{LabelIds: labels}).
		Media(strings.NewReader(text), googleapi.ContentType("message/rfc822"), googleapi.ChunkSize(0))
}

func TestFromMustBeOneValidAddress(t *testing.T) {
	const single, invalidFrom = "Expected a single 'From' header", "Invalid From header"
	for _, test := range []struct{ header, reason, message string }{
		{"From: bob@example.org", "", ""},
		{"From: <bob@example.org>", "", ""},
		{"From: (work) bob@example.org", "", ""},
		{`FROM: "Last, First" <bob@example.org> (work, home)`, "", ""},
		{"From: =?utf-8?q?J=C3=BCrgen?=\r\n <bob@example.org>", "", ""},
		{"From: J. R. Öz <bob@example.org>", "", ""},
		{"To: bob@example.org", "invalidArgument", single},
		{"From: a@b.org\r\nFrom: c@d.org", "invalidArgument", single},
		{"From: (unknown sender)", "invalidArgument", invalidFrom},
		{"From:", "invalidArgument", invalidFrom},
		{"From: <>", "invalidArgument", invalidFrom},
		{"From: Bob", "invalidArgument", invalidFrom},
		{"From: bob@", "invalidArgument", invalidFrom},
		{"From: undisclosed:;", "invalidArgument", invalidFrom},
		{"From: a@b.org, c@d.org", "badRequest", "Bad Request"},
	} {
		t.Run(test.header, func(t *testing.T) {
			s, g := serve(t, Options{})
			_, err := importing(g, test.header+"\r\nSubject: x\r\n\r\nhello").Do()
			if test.reason != "" {
				wantError(t, err, 400, test.reason, test.message)
			} else if err != nil {
				t.Error(err)
			}
			if n := len(s.Messages(user)); (n == 1) != (test.reason == "") {
				t.Errorf("%d messages", n)
			}
		})
	}
	_, g := serve(t, Options{AnyFrom: true})
	mustImport(t, g, "Subject: x\r\n\r\nhello")
}

func attachment(header string, content []byte) string {
	return "From: bob@example.org\r\nContent-Type: multipart/mixed;\r\n boundary=\"x y\"\r\n\r\npreamble\r\n--x y\r\n\r\ntext\r\n--x y\r\n" +
		header + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString(content) + "\r\n--x y--\r\n"
}

func archive(t *testing.T, name string, encrypted bool) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: name}
	if encrypted {
		h.Flags |= 1
	}
	w, err := z.CreateRaw(h)
	if err == nil {
		_, err = w.Write(nil)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBlockedAttachmentsAreRefused(t *testing.T) {
	const disposition = "Content-Disposition: attachment; filename="
	nested := attachment("Content-Type: application/x; name=a.exe", nil)
	for _, test := range []struct {
		name, text string
		refused    bool
	}{
		{"a document", attachment(disposition+"a.pdf", nil), false},
		{"a program", attachment(disposition+`"Setup.EXE"`, nil), true},
		{"a name in the type", nested, true},
		{"a name with a dot behind", attachment(disposition+`"a.exe."`, nil), true},
		{"an encoded name", attachment(disposition+`"=?utf-8?B?YS5leGU=?="`, nil), true},
		{"a name of RFC 2231", attachment("Content-Disposition: attachment; filename*=utf-8''a%2Eexe", nil), true},
		{"a program in a zip archive", attachment(disposition+"a.zip", archive(t, "dir/a.js", false)), true},
		{"a document in a zip archive", attachment(disposition+"a.zip", archive(t, "a.txt", false)), false},
		{"an encrypted archive", attachment(disposition+"a.zip", archive(t, "a.txt", true)), true},
		{"no archive", attachment(disposition+"a.zip", []byte("no archive")), false},
		{"a program in a forwarded message", "From: a@b.org\r\nContent-Type: message/rfc822\r\n\r\n" + nested, true},
		{"a message that is a program", "From: a@b.org\r\nContent-Disposition: attachment;\r\n filename=a.bat\r\n\r\nx", true},
		{"a name in the text", mailOf("a@x") + "Content-Disposition: attachment; filename=a.exe\r\n", false},
		{"no boundary", "From: a@b.org\r\nContent-Type: multipart/mixed\r\n\r\n--\r\n\r\n", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, g := serve(t, Options{InsertAnyFile: true})
			_, err := importing(g, test.text).Do()
			if test.refused {
				wantError(t, err, 400, "invalidArgument", "Invalid attachment. Please check https://support.google.com/mail/answer/6590.")
			} else if err != nil {
				t.Error(err)
			}
			if _, err := inserting(g, test.text).Do(); err != nil {
				t.Errorf("insert: %v", err)
			}
		})
	}
	_, g := serve(t, Options{})
	if _, err := inserting(g, nested).Do(); err == nil {
		t.Error("insert was not refused")
	}
	_, g = serve(t, Options{Blocked: []string{}})
	mustImport(t, g, nested)
}

func TestLabelsOfANewMessageAreChecked(t *testing.T) {
	own, foreign := mailFrom("Ann <ANN@example.com>", "a@x", "s", ""), mailOf("a@x")
	for _, test := range []struct {
		name    string
		o       Options
		text    string
		labels  string
		message string
	}{
		{"sent", Options{}, foreign, "SENT", ""},
		{"sent, refused", Options{Sent: PolicyRefuse}, own, "SENT", "Invalid label: SENT"},
		{"sent by others", Options{Sent: PolicyOwn}, foreign, "SENT", "Invalid label: SENT"},
		{"sent by the user", Options{Sent: PolicyOwn}, own, "SENT", ""},
		{"draft", Options{}, own, "DRAFT", "Invalid label: DRAFT"},
		{"draft, accepted", Options{Draft: PolicyAccept}, own, "DRAFT", ""},
		{"chat", Options{}, own, "CHAT", "Invalid label: CHAT"},
		{"a name", Options{}, own, "Clients", "Invalid label: Clients"},
		{"a stale id", Options{}, own, "Label_7", "labelId not found"},
		{"two places", Options{}, own, "INBOX SPAM", "Can only add one of: INBOX, SPAM, TRASH"},
		{"the usual ones", Options{}, own, "INBOX UNREAD STARRED IMPORTANT", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, g := serve(t, test.o)
			_, err := importing(g, test.text, strings.Fields(test.labels)...).Do()
			if test.message != "" {
				wantError(t, err, 400, "invalidArgument", test.message)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			m := s.Messages(user)[0]
			if got := len(m.Labels); m.Unread != strings.Contains(test.labels, "UNREAD") || m.Unread && got != 2 || !m.Unread && got != 1 {
				t.Errorf("got %+v", m)
			}
		})
	}
}

func TestInsertSetsSentOnTheUsersOwnMail(t *testing.T) {
	s, g := serve(t, Options{})
	for _, from := range []string{user, "bob@example.org"} {
		if _, err := inserting(g, mailFrom(from, from, from, "")).Do(); err != nil {
			t.Fatal(err)
		}
	}
	if m := s.Messages(user); !slices.Equal(m[0].Labels, []string{"SENT"}) || len(m[1].Labels) != 0 {
		t.Errorf("got %v, %v", m[0].Labels, m[1].Labels)
	}
}

func TestImportMarksSpamUnlessToldNotTo(t *testing.T) {
	for _, clean := range []bool{false, true} {
		s, g := serve(t, Options{CleanMail: clean})
		if _, err := importing(g, mailOf("a@x"), "INBOX").NeverMarkSpam(false).Do(); err != nil {
			t.Fatal(err)
		}
		want := []string{"CATEGORY_PERSONAL", "SPAM"}
		if clean {
			want = []string{"INBOX"}
		}
		if m := s.Messages(user)[0]; !slices.Equal(m.Labels, want) || m.Unread == clean {
			t.Errorf("clean %v: got %v", clean, m.Labels)
		}
	}
}

func TestInternalDateFollowsTheDocumentedRule(t *testing.T) {
	clock := newClock()
	now := clock.t
	header := time.Date(2020, 3, 3, 9, 11, 12, 0, time.UTC)
	for _, test := range []struct {
		date, source string
		always       bool
		want         time.Time
	}{
		{"Tue, 3 Mar 2020 10:11:12 +0100 (CET)", "dateHeader", false, header},
		{"Tue, 3 Mar 2020 10:11:12 +0100", "receivedTime", false, now},
		{"Tue, 3 Mar 2020 10:11:12 +0100", "receivedTime", true, header},
		{"yesterday", "dateHeader", false, now},
		{"", "dateHeader", false, now},
		{"Sat, 3 Mar 2035 10:11:12 +0000", "dateHeader", false, time.Date(2035, 3, 3, 10, 11, 12, 0, time.UTC)},
		{"Thu, 3 Mar 1960 10:11:12 +0000", "dateHeader", false, time.Date(1960, 3, 3, 10, 11, 12, 0, time.UTC)},
	} {
		s, g := serve(t, Options{Now: clock.now, DateHeaderOnly: test.always})
		text := "From: a@b.org\r\nDate: " + test.date + "\r\n\r\n"
		m, err := importing(g, text).InternalDateSource(test.source).Do()
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Messages(user)[0].InternalDate; !got.Equal(test.want) || len(m.Id) != 16 {
			t.Errorf("%q by %s: got %v, want %v (id %s)", test.date, test.source, got, test.want, m.Id)
		}
	}
	_, g := serve(t, Options{Now: clock.now})
	m, err := inserting(g, mailOf("a@x")).Do()
	if err != nil {
		t.Fatal(err)
	}
	got, err := g.Messages.Get(user, m.Id).Format("minimal").Do()
	if err != nil || got.InternalDate != now.UnixMilli() {
		t.Errorf("insert without a source: got %v, %v", got, err)
	}
}

func TestRepeatedImportsAreMergedAsChosen(t *testing.T) {
	a, other, bare := mailOf("a@x"), mailFrom("b@b.org", "a@x", "other", "other"), "From: a@b.org\r\n\r\nbare"
	for _, test := range []struct {
		same   Same
		second string
		merged bool
	}{
		{SameMessage, a, true}, {SameMessage, other, false}, {SameMessage, bare, false},
		{SameMessageID, a, true}, {SameMessageID, other, true}, {SameMessageID, bare, false},
		{SameContent, a, true}, {SameContent, other, false}, {SameContent, bare, true},
		{SameBody, a, true}, {SameBody, other, false}, {SameBody, "X-Other: field\r\n" + a, true}, {SameBody, bare, false},
		{SameNever, a, false},
	} {
		t.Run(fmt.Sprint(test.same, len(test.second)), func(t *testing.T) {
			s, g := serve(t, Options{Same: test.same})
			first := a
			if test.second == bare {
				first = bare
			}
			id := mustImport(t, g, first, "INBOX")
			again := mustImport(t, g, test.second, "STARRED")
			m := s.Messages(user)
			if (id == again) != test.merged || (len(m) == 1) != test.merged || test.merged && (!m[0].Starred || received(t, m[0]) != first) {
				t.Errorf("ids %s and %s, %d messages", id, again, len(m))
			}
		})
	}
	s, g := serve(t, Options{NewIDOnMerge: true})
	id := mustImport(t, g, a, "INBOX")
	again := mustImport(t, g, a, "STARRED")
	m := s.Messages(user)
	if id == again || len(m) != 1 || m[0].ID != again || !m[0].Starred || !slices.Equal(m[0].Labels, []string{"INBOX"}) {
		t.Errorf("new id: %s, %s, %+v", id, again, m)
	}
	_, err := g.Messages.Get(user, id).Format("minimal").Do()
	wantError(t, err, 404, "notFound", "Requested entity was not found.")
	if _, err := inserting(g, a).Do(); err != nil || len(s.Messages(user)) != 2 {
		t.Errorf("insert was merged: %v", err)
	}
}

func TestImportThreadsAndInsertDoesNot(t *testing.T) {
	s, g := serve(t, Options{})
	first := mustImport(t, g, mailFrom("a@b.org", "1@x", "plan", ""))
	mustImport(t, g, mailFrom("a@b.org", "2@x", "other", ""))
	mustImport(t, g, mailFrom("a@b.org", "3@x", "plan", ""))
	mustImport(t, g, "In-Reply-To: <3@x>\r\n"+mailFrom("a@b.org", "4@x", "answer", ""))
	if _, err := inserting(g, mailFrom("a@b.org", "5@x", "plan", "")).InternalDateSource("dateHeader").Do(); err != nil {
		t.Fatal(err)
	}
	for i, m := range s.Messages(user) {
		if want := i == 0 || i == 2 || i == 3; (m.ThreadID == first) != want {
			t.Errorf("message %d is in thread %s, the first in %s", i, m.ThreadID, first)
		}
	}
	_, err := g.Messages.Import(user, &gmail.Message{ThreadId: first}).Media(strings.NewReader(mailOf("6@x")), googleapi.ContentType("message/rfc822")).Do()
	wantError(t, err, 400, "invalidArgument", "threadId not allowed")
	m, err := g.Messages.Insert(user, &gmail.Message{ThreadId: first}).Media(strings.NewReader(mailOf("6@x")), googleapi.ContentType("message/rfc822")).Do()
	if err != nil || m.ThreadId != first {
		t.Errorf("got %v, %v", m, err)
	}
}

func TestAFullMailboxTakesNothing(t *testing.T) {
	s, g := serve(t, Options{MailboxBytes: int64(len(mailOf("a@x")))})
	mustImport(t, g, mailOf("a@x"))
	_, err := importing(g, mailOf("b@x")).Do()
	wantError(t, err, 403, "quotaExceeded", "The user has exceeded their storage quota.")
	if len(s.Messages(user)) != 1 {
		t.Error("it was stored")
	}
}
