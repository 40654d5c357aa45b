package gmailsim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim/discovery"
	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
)

const user = "ann@example.com"

// bearer adds a token to each request.
type bearer struct{ token string }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return http.DefaultTransport.RoundTrip(r)
}

// serve starts a simulator and returns it with Google's client of it. What
// they say to each other is checked against the discovery document.
func serve(t testing.TB, o Options) (*Server, *gmail.UsersService) {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(discovery.Checked(t, s))
	t.Cleanup(func() {
		web.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, client(t, web.URL, "test")
}

// send makes a request that Google's client would not make.
func send(s *Server, method, path, contentType, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer test")
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// A clock stands still until it is moved.
type clock struct{ t time.Time }

func newClock() *clock                { return &clock{time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)} }
func (c *clock) now() time.Time       { return c.t }
func (c *clock) wait(d time.Duration) { c.t = c.t.Add(d) }

func client(t testing.TB, url, token string) *gmail.UsersService {
	t.Helper()
	g, err := gmail.NewService(context.Background(), option.WithEndpoint(url), option.WithHTTPClient(&http.Client{Transport: bearer{token}}))
	if err != nil {
		t.Fatal(err)
	}
	return g.Users
}

func mailFrom(from, id, subject, body string) string {
	return "From: " + from + "\r\nMessage-ID: <" + id + ">\r\nDate: Tue, 3 Mar 2020 10:11:12 +0100\r\nSubject: " + subject + "\r\n\r\n" + body
}

func mailOf(id string) string { return mailFrom("bob@example.org", id, "about "+id, "hello\r\n") }

// importing prepares an import of text in one request with the given labels.
func importing(g *gmail.UsersService, text string, labels ...string) *gmail.UsersMessagesImportCall {
	return g.Messages.Import(user, &gmail.Message{LabelIds: labels}).NeverMarkSpam(true).InternalDateSource("dateHeader").
		Media(strings.NewReader(text), googleapi.ContentType("message/rfc822"), googleapi.ChunkSize(0))
}

func mustImport(t testing.TB, g *gmail.UsersService, text string, labels ...string) string {
	t.Helper()
	m, err := importing(g, text, labels...).Do()
	if err != nil {
		t.Fatal(err)
	}
	return m.Id
}

// wantError checks the status, reason and text of a refusal.
func wantError(t testing.TB, err error, code int, reason, message string) {
	t.Helper()
	e, ok := errors.AsType[*googleapi.Error](err)
	if !ok {
		t.Fatalf("got %v, want %d %s", err, code, reason)
	}
	got := ""
	if len(e.Errors) > 0 {
		got = e.Errors[0].Reason
	}
	if e.Code != code || got != reason || e.Message != message {
		t.Errorf("got %d %q %q, want %d %q %q", e.Code, got, e.Message, code, reason, message)
	}
}

func received(t testing.TB, m Message) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := b.ReadFrom(m.Received()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestImportKeepsEveryOctetOfAnyUpload(t *testing.T) {
	sizes := []int{0, 1, 1000, 256<<10 - 200, 256 << 10, 256<<10 + 1, 512 << 10, 700 << 10}
	for _, chunk := range []int{0, 256 << 10} {
		t.Run(fmt.Sprint("chunk ", chunk), func(t *testing.T) {
			s, g := serve(t, Options{})
			for i, size := range sizes {
				text := mailOf(fmt.Sprint(i, "@x"))
				text += strings.Repeat("\x00\xff.\n", size/4+1)
				if size > len(text) || size >= 1000 {
					text = text[:size] // exact multiples of a chunk among them
				}
				_, err := g.Messages.Import(user, &gmail.Message{LabelIds: []string{"INBOX"}}).NeverMarkSpam(true).
					Media(strings.NewReader(text), googleapi.ContentType("message/rfc822"), googleapi.ChunkSize(chunk)).Do()
				if err != nil {
					t.Fatalf("%d octets: %v", size, err)
				}
				got := s.Messages(user)
				if len(got) != i+1 || received(t, got[i]) != text {
					t.Errorf("%d octets: not what was sent", size)
				}
			}
		})
	}
}

func TestImportAnswersOnlyTheID(t *testing.T) {
	_, g := serve(t, Options{})
	m, err := importing(g, mailOf("a@x"), "INBOX").Do()
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Id) != 16 || m.ThreadId != "" || m.LabelIds != nil {
		t.Errorf("got %+v", m)
	}
	_, g = serve(t, Options{FullAnswer: true})
	if m, err = importing(g, mailOf("a@x"), "INBOX").Do(); err != nil || m.ThreadId == "" || len(m.LabelIds) != 1 {
		t.Errorf("got %+v, %v", m, err)
	}
}
