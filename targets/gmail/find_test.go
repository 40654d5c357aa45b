package gmail

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// anonymous returns a letter without a Message-ID.
func anonymous(subject string) *migrate.Message {
	octets := targettest.Letter(subject).Body.(targettest.Octets)
	return targettest.Message(bytes.Replace(octets, []byte("Message-ID:"), []byte("X-Other:"), 1), "")
}

func TestALostReplyIsFoundAndALostRequestIsNot(t *testing.T) {
	for _, lags := range []int{0, 1000} {
		for _, kind := range []string{"lost-reply", "cut", "503"} {
			for name, message := range map[string]*migrate.Message{"letter": targettest.Letter("doubt"), "anonymous": anonymous("doubt")} {
				sim, server := serve(t, gmailsim.Options{IndexRequests: lags, Fault: gmailsim.Faults{{Kind: kind, At: 2}}})
				target := open(t, config(server))
				since, err := target.Position(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if _, err := target.Append(t.Context(), inbox, targettest.Letter("other")); err != nil {
					t.Fatal(err)
				}
				_, err = target.Append(t.Context(), inbox, message)
				if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient || e.Refused {
					t.Errorf("%s: the error is %#v, want one in doubt", kind, err)
				}
				if sim.Fired()[kind] != 1 {
					t.Errorf("%s did not fire", kind)
				}
				stored, err := target.Find(t.Context(), inbox, message, since)
				messages := sim.Messages(user)
				switch kind {
				case "lost-reply":
					if err != nil || !slices.ContainsFunc(messages, func(m gmailsim.Message) bool { return m.ID == string(stored.ID) }) || len(messages) != 2 {
						t.Errorf("%s, %s, lag %d: %d messages, found %q, error %v", kind, name, lags, len(messages), stored.ID, err)
					}
				default:
					if !errors.Is(err, migrate.ErrNotFound) || len(messages) != 1 {
						t.Errorf("%s, %s, lag %d: %d messages, found %q, error %v", kind, name, lags, len(messages), stored.ID, err)
					}
				}
			}
		}
	}
}

func TestNothingIsPromisedWhileALostWriteMayStillTakeEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, target := inside(t, gmailsim.Options{Fault: gmailsim.Faults{{Kind: "cut", At: 1}, {Kind: "503", At: 2}}}, Config{Settle: 5 * time.Second})
		message := targettest.Letter("late")
		for _, pause := range []time.Duration{0, time.Minute} {
			time.Sleep(pause)
			began := time.Now()
			if _, err := target.Find(t.Context(), inbox, message, "1"); !errors.Is(err, migrate.ErrNotFound) {
				t.Error(err)
			}
			// After a start it is the write of the run before that may be late.
			if waited := time.Since(began); waited != max(0, 5*time.Second-pause) {
				t.Errorf("%v after the start, Find took %v", pause, waited)
			}
		}
		if _, err := target.Append(t.Context(), inbox, message); err == nil {
			t.Fatal("the fault did not strike")
		}
		time.Sleep(time.Second)
		began := time.Now()
		if _, err := target.Find(t.Context(), inbox, message, "1"); !errors.Is(err, migrate.ErrNotFound) {
			t.Error(err)
		}
		if waited := time.Since(began); waited != 4*time.Second {
			t.Errorf("a second after a lost answer, Find took %v, want 4s", waited)
		}
		if _, err := target.Append(t.Context(), inbox, message); err == nil {
			t.Fatal("the fault did not strike")
		}
		began = time.Now()
		if _, err := target.Find(t.Context(), inbox, message, "1"); !errors.Is(err, migrate.ErrNotFound) {
			t.Error(err)
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("after an answer that the call failed, Find took %v", waited)
		}
	})
}

func TestADoubtCostsNoMoreThanWhatOthersWrote(t *testing.T) {
	sim, err := gmailsim.New(gmailsim.Options{IndexRequests: 1000, Fault: gmailsim.Faults{{Kind: "503", At: 51}}})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	var gets atomic.Int64
	_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/messages/") && r.Method == http.MethodGet {
			gets.Add(1)
		}
		sim.ServeHTTP(w, r)
	})
	target := open(t, config(server))
	since, err := target.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 51 {
		if _, err := target.Append(t.Context(), inbox, targettest.Letter(fmt.Sprint("many-", i))); (err != nil) != (i == 50) {
			t.Fatal(i, err)
		}
	}
	later := open(t, config(server))
	for i, test := range []struct {
		target *Target
		most   int64
	}{{target, 0}, {later, 50}, {later, 0}} {
		gets.Store(0)
		if _, err := test.target.Find(t.Context(), inbox, targettest.Letter("many-50"), since); !errors.Is(err, migrate.ErrNotFound) {
			t.Error(err)
		}
		if gets.Load() > test.most {
			t.Errorf("look %d: %d messages were asked for, want %d at most", i, gets.Load(), test.most)
		}
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	var m memory
	for i := range 10 * generation {
		m.put(fmt.Sprint(i), fact{digest: migrate.Digest{1}})
		if _, ok := m.get(fmt.Sprint(max(0, i-generation+1))); !ok {
			t.Fatalf("of the latest %d one is forgotten after %d", generation, i)
		}
	}
	if n := len(m.young) + len(m.old); n > 2*generation {
		t.Errorf("%d messages are remembered", n)
	}
}

func TestWhatAPersonMovedSinceIsFound(t *testing.T) {
	for _, test := range []struct {
		o       gmailsim.Options
		message *migrate.Message
	}{
		{gmailsim.Options{HistoryRecords: 1}, targettest.Letter("moved")}, // by the search
		{gmailsim.Options{IndexRequests: 1000}, targettest.Letter("moved")},
		{gmailsim.Options{}, anonymous("moved")}, // by the history
	} {
		_, server := serve(t, test.o)
		target := open(t, config(server))
		since, err := target.Position(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		stored, err := target.Append(t.Context(), inbox, test.message)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := target.service.Users.Messages.Trash(user, string(stored.ID)).Do(); err != nil {
			t.Fatal(err)
		}
		looks := map[string]*Target{"the same run": target, "the next": open(t, config(server))}
		for name, target := range looks {
			found, err := target.Find(t.Context(), inbox, test.message, since)
			if err != nil || found.ID != stored.ID {
				t.Errorf("%q, %s: found %q, error %v, want %q", test.message.MessageID, name, found.ID, err, stored.ID)
			}
		}
	}
}

func TestADoubtThatCostsTooMuchIsNotDecided(t *testing.T) {
	message := anonymous("doubt")
	_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		switch page := r.URL.Query().Get("pageToken"); {
		case strings.HasSuffix(r.URL.Path, "/profile"):
			io.WriteString(w, `{"historyId":"1"}`)
		case strings.HasSuffix(r.URL.Path, "/history"):
			w.WriteHeader(404)
		case strings.HasSuffix(r.URL.Path, "/messages"):
			fmt.Fprintf(w, `{"messages":[{"id":"a%s"}],"nextPageToken":"%sx"}`, page, page)
		default:
			fmt.Fprint(w, `{"sizeEstimate":99999999}`)
		}
	})
	target := open(t, config(server))
	_, err := target.Find(t.Context(), inbox, message, "1")
	if !errors.Is(err, migrate.ErrUndecided) {
		t.Errorf("a label without end: %v, want ErrUndecided", err)
	}
	message.Digest = migrate.Digest{}
	if _, err = target.Find(t.Context(), inbox, message, "1"); !errors.Is(err, migrate.ErrUndecided) {
		t.Errorf("unknown content: %v, want ErrUndecided", err)
	}
}

func TestAFailedLookIsNotAPromise(t *testing.T) {
	message := targettest.Letter("doubt")
	for _, path := range []string{"/messages", "/history", "/messages/a1", "raw"} {
		_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, path) || r.URL.Query().Get("format") == path {
				if path == "raw" {
					io.WriteString(w, `{"raw":"YWFh`) // cut off
					return
				}
				w.WriteHeader(500)
				return
			}
			switch {
			case strings.HasSuffix(r.URL.Path, "/profile"):
				io.WriteString(w, `{"historyId":"1"}`)
			case strings.HasSuffix(r.URL.Path, "/history"):
				io.WriteString(w, `{"history":[{"messagesAdded":[{"message":{"id":"a1","labelIds":["INBOX"]}}]}]}`)
			default:
				io.WriteString(w, `{"id":"a1"}`)
			}
		})
		_, err := open(t, config(server)).Find(t.Context(), inbox, message, "1")
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient || errors.Is(err, migrate.ErrNotFound) {
			t.Errorf("%s fails: %v, want a transient error", path, err)
		}
	}
}

func TestOnlyAMessageIDThatIsPlainIsSearchedFor(t *testing.T) {
	for id, want := range map[string]string{
		"<a.b+c@example.org>":                 "rfc822msgid:a.b+c@example.org",
		" <a@b> ":                             "rfc822msgid:a@b",
		"a@b":                                 "rfc822msgid:a@b",
		"":                                    "",
		"<>":                                  "",
		`<a" OR in:anywhere>`:                 "",
		"<a{b}@c>":                            "",
		"<ä@b>":                               "",
		"<" + strings.Repeat("a", 500) + "@>": "",
	} {
		if got := searchTerm(id); got != want {
			t.Errorf("%q: %q, want %q", id, got, want)
		}
	}
}

func TestACopyIsTheSourceBelowHeaderFields(t *testing.T) {
	const source = "Subject: x\nFrom: a\r\n\r\nbody\rend"
	message := targettest.Message([]byte(source), "")
	for raw, want := range map[string]match{
		source: copied,
		"Received: by gmailapi.google.com with\r\n\tHTTPREST; now\r\n" + source: copied,
		"A: b\r\nReceived: by google.com\r\n" + source:                          copied,
		"Received: by google.com\r\nA: b\r\n" + source:                          ends,
		"Received: by localhost\n" + source:                                     ends,
		"A: b\r\n\r\n" + source:                                                 differs,
		"\r\n" + source:                                                         differs,
		"no line end" + source:                                                  differs,
		source + "\r\n":                                                         copied, // a line end may be added
		source[1:]:                                                              differs,
		strings.ReplaceAll(source, "body", "b0dy"):                              differs,
		"Received: by google.com\r\nSubject: x\r\nFrom: a\r\n\r\nbody\r\nend\r\n":             copied, // line ends made CRLF
		"Received: by google.com\r\nSubject: x\r\nFrom: a\r\n\r\nbody\r\n\r\nend\r\n":         differs,
		"X: " + strings.Repeat("y", 3*maxField) + "\r\nReceived: by google.com\r\n" + source:  copied,
		"Received: by google.com\r\nX: " + strings.Repeat("google.com", 1000) + "\n" + source: copied,
	} {
		_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("format") == "raw" {
				fmt.Fprintf(w, `{"raw":%q}`, base64.URLEncoding.EncodeToString([]byte(raw)))
				return
			}
			io.WriteString(w, `{"historyId":"1"}`)
		})
		got, err := open(t, config(server)).compare(t.Context(), "a1", message)
		if err != nil || got != want {
			t.Errorf("%.80q: %v, error %v, want %v", raw, got, err, want)
		}
	}
}

// What a resent message has on top may be its own, or Gmail's.
func TestOfTwoMessagesOfWhichOneEndsLikeTheOtherTheRightOneIsFound(t *testing.T) {
	for _, first := range []string{"plain", "resent"} {
		_, server := serve(t, gmailsim.Options{})
		target := open(t, config(server))
		octets := []byte("From: Ann <ann@example.org>\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\nMessage-ID: <1234@example.org>\r\n\r\nHello.\r\n")
		plain := targettest.Message(octets, "<1234@example.org>")
		resent := targettest.Message(append([]byte("Received: from x.example by y.example; Fri, 21 Nov 1997 10:05:43 -0600\r\n"), octets...), plain.MessageID)
		position, err := target.Position(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ids := map[string]migrate.MessageID{}
		for _, name := range map[string][]string{"plain": {"plain", "resent"}, "resent": {"resent", "plain"}}[first] {
			stored, err := target.Append(t.Context(), inbox, map[string]*migrate.Message{"plain": plain, "resent": resent}[name])
			if err != nil {
				t.Fatal(err)
			}
			ids[name] = stored.ID
		}
		again := open(t, config(server)) // with no memory of that
		for name, m := range map[string]*migrate.Message{"plain": plain, "resent": resent} {
			if got, err := again.Find(t.Context(), inbox, m, position); err != nil || got.ID != ids[name] {
				t.Errorf("%s first: %s is found as %s, %v; want %s", first, name, got.ID, err, ids[name])
			}
		}
	}
}
