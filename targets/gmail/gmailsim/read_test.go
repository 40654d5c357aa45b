package gmailsim

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/googleapi"
)

func TestRawIsWhatCameBelowTheAddedFields(t *testing.T) {
	for _, plain := range []bool{false, true} {
		_, g := serve(t, Options{NothingAdded: plain})
		text := mailOf("a@x") + "bare\nlf \x00\xff, no end"
		id := mustImport(t, g, text, "INBOX")
		m, err := g.Messages.Get(user, id).Format("raw").Do()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := base64.URLEncoding.DecodeString(m.Raw)
		if err != nil {
			t.Fatalf("not padded base64url: %v", err)
		}
		top, ok := strings.CutSuffix(string(raw), text)
		if !ok || m.SizeEstimate != int64(len(raw)) || m.Payload != nil || m.InternalDate != 1583226672000 || m.HistoryId == 0 {
			t.Errorf("got %+v", m)
		}
		if plain {
			if top != "" {
				t.Errorf("added %q", top)
			}
			continue
		}
		var names []string
		fields([]byte(top), func(name, _ []byte) { names = append(names, string(name)) })
		if got := strings.Join(names, " "); got != "Delivered-To Received X-Forwarded-Encrypted X-Received Received" || !strings.HasSuffix(top, "\r\n") {
			t.Errorf("added %s", got)
		}
		inserted, err := inserting(g, text).Do()
		if err != nil {
			t.Fatal(err)
		}
		if m, err = g.Messages.Get(user, inserted.Id).Format("raw").Do(); err != nil {
			t.Fatal(err)
		}
		raw, _ = base64.URLEncoding.DecodeString(m.Raw)
		if top, _ = strings.CutSuffix(string(raw), text); strings.Count(top, ": ") != 1 || !strings.HasPrefix(top, "Received: from ") {
			t.Errorf("insert added %q", top)
		}
	}
}

func TestADateIsAddedToMailWithoutOneAsChosen(t *testing.T) {
	const undated = "From: a@b.org\r\nMessage-ID: <b@x>\r\n\r\nbody"
	for _, added := range []bool{false, true} {
		s, g := serve(t, Options{DateAdded: added, NothingAdded: true})
		mustImport(t, g, mailOf("a@x"))
		mustImport(t, g, undated)
		for _, m := range s.Messages(user) {
			text, err := io.ReadAll(m.Raw())
			if err != nil {
				t.Fatal(err)
			}
			top, ok := strings.CutSuffix(string(text), undated)
			if ok && strings.HasPrefix(top, "Date: ") != added || !ok && m.Prepended > 0 {
				t.Errorf("added: %v, the message is %q", added, text)
			}
		}
	}
}

func TestMetadataGivesTheHeaderFieldsAskedFor(t *testing.T) {
	_, g := serve(t, Options{})
	id := mustImport(t, g, "From: a@b.org\r\nSubject: =?utf-8?q?=C3=84?=\r\n folded\r\nContent-Type: text/html; charset=x\r\nX: 1\r\nX: \xff\r\n\r\nbody: no field\r\n")
	m, err := g.Messages.Get(user, id).Format("metadata").MetadataHeaders("subject", "X").Do()
	if err != nil || m.Payload.MimeType != "text/html" || m.Raw != "" {
		t.Fatalf("got %+v, %v", m, err)
	}
	got := ""
	for _, h := range m.Payload.Headers {
		got += fmt.Sprintf("%s=%s;", h.Name, h.Value)
	}
	if got != "Subject=Ä folded;X=1;X=\uFFFD;" {
		t.Errorf("got %s", got)
	}
	if m, err = g.Messages.Get(user, id).Format("metadata").Do(); err != nil || len(m.Payload.Headers) != 10 {
		t.Errorf("all: got %+v, %v", m.Payload, err)
	}
	_, err = g.Messages.Get(user, id).Do()
	wantError(t, err, 501, "notImplemented", "format=full is not simulated")
}

func TestAFieldsMaskSelectsMembers(t *testing.T) {
	s, g := serve(t, Options{FullAnswer: true})
	mustImport(t, g, mailOf("a@x"), "INBOX")
	const path = "/gmail/v1/users/ann@example.com/messages?fields="
	id := s.Messages(user)[0].ID
	for mask, want := range map[string]string{
		"messages/id":                     `{"messages":[{"id":"` + id + `"}]}`,
		"messages(id),resultSizeEstimate": `{"messages":[{"id":"` + id + `"}],"resultSizeEstimate":1}`,
		"messages/id,messages/threadId":   `{"messages":[{"id":"` + id + `","threadId":"` + id + `"}]}`,
		"nextPageToken":                   `{}`,
		"*":                               `{"messages":[{"id":"` + id + `","threadId":"` + id + `"}],"resultSizeEstimate":1}`,
		"messages(id":                     "Invalid field selection",
		"messages(id))":                   "Invalid field selection",
		",":                               "Invalid field selection",
		"letters":                         "Invalid field selection letters",
		"messages/uid":                    "Invalid field selection uid",
		"resultSizeEstimate/x":            "Invalid field selection x",
		strings.Repeat("a(", 99):          "Invalid field selection",
	} {
		if w := send(s, "GET", path+mask, "", ""); w.Body.String() != want && !strings.Contains(w.Body.String(), `"message":"`+want) {
			t.Errorf("%s: got %s, want %s", mask, w.Body, want)
		}
	}
	m, err := importing(g, mailOf("b@x"), "INBOX").Fields(googleapi.Field("id,labelIds")).Do()
	if err != nil || m.Id == "" || len(m.LabelIds) != 1 || m.ThreadId != "" {
		t.Errorf("import: got %+v, %v", m, err)
	}
}

func TestDumpWritesWhatIsThere(t *testing.T) {
	s, g := serve(t, Options{})
	text := mailOf("a@x")
	mustImport(t, g, text, "INBOX", makeLabel(t, g, "Work").Id, "UNREAD")
	dir := filepath.Join(t.TempDir(), "dump")
	if err := s.Dump(dir); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index []struct {
		User     string
		Labels   []struct{ ID, Name, Type string }
		Messages []struct {
			ID              string
			Labels          []string
			Unread, Starred bool
			InternalDate    time.Time
			Size            int
			File, SHA256    string
			Prepended       int
		}
	}
	if err := json.Unmarshal(b, &index); err != nil {
		t.Fatal(err)
	}
	if len(index) != 1 || index[0].User != user || len(index[0].Messages) != 1 || index[0].Labels[len(index[0].Labels)-1].Name != "Work" {
		t.Fatalf("got %s", b)
	}
	m := index[0].Messages[0]
	raw, err := os.ReadFile(filepath.Join(dir, m.File))
	if err != nil {
		t.Fatal(err)
	}
	if string(raw[m.Prepended:]) != text || m.Size != len(text) || m.Prepended == 0 ||
		strings.Join(m.Labels, " ") != "INBOX Work" || !m.Unread || m.Starred || m.InternalDate.Unix() != 1583226672 || m.SHA256 != s.Messages(user)[0].SHA256 {
		t.Errorf("got %+v", m)
	}
	if all, err := io.ReadAll(s.Messages(user)[0].Raw()); err != nil || string(all) != string(raw) {
		t.Errorf("the accessor reads something else: %v", err)
	}
	if info, err := os.Stat(filepath.Join(dir, m.File)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestCloseRemovesTheMessages(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	name := s.octets.file.Name()
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(name); !os.IsNotExist(err) {
		t.Errorf("still there: %v", err)
	}
}
