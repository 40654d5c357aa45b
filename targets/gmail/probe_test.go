package gmail

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// sames are the positions of what imports Gmail takes for the same message,
// and the route that loses none in each.
var sames = map[gmailsim.Same]Route{
	gmailsim.SameMessage:   RouteImport,
	gmailsim.SameMessageID: RouteInsert,
	gmailsim.SameBody:      RouteInsert,
	gmailsim.SameContent:   RouteImport,
	gmailsim.SameNever:     RouteImport,
}

// probing opens a mailbox on server with a probe.
func probing(server string) Config {
	return Config{User: user, Endpoint: server, TokenSource: Static(token), Settle: -1}
}

func TestMessagesThatShareAMessageIDStayApart(t *testing.T) {
	letter := targettest.Letter("shared")
	octets := letter.Body.(targettest.Octets)
	messages := []*migrate.Message{
		letter,
		targettest.Message(append([]byte("Received: from localhost by mail.example.org; Fri, 03 Jul 2009 14:15:17 +0000\r\n"), octets...), letter.MessageID),
		targettest.Message(bytes.Replace(octets, []byte("this is"), []byte("that was"), 1), letter.MessageID),
	}
	for same, want := range sames {
		for _, newID := range []bool{false, true} {
			for _, fault := range []string{"", "lost-reply", "cut", "503"} {
				t.Run(fmt.Sprint(same, " ", newID, " ", fault), func(t *testing.T) {
					faults := gmailsim.Faults{{Kind: fault, At: 5}} // the second letter; the probe takes three
					if fault == "" {
						faults = nil
					}
					sim, server := serve(t, gmailsim.Options{Same: same, NewIDOnMerge: newID, Fault: faults})
					target := open(t, probing(server.URL))
					if target.Route() != want {
						t.Errorf("the route is %s, want %s", target.Route(), want)
					}
					since, err := target.Position(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					ids := map[migrate.MessageID]bool{}
					for i, m := range messages {
						stored, err := target.Append(t.Context(), []migrate.FolderID{inbox, sent, archive}[i], m)
						if err != nil {
							// A later run, which probes again, settles the doubt.
							target = open(t, probing(server.URL))
							if stored, err = target.Find(t.Context(), sent, m, since); errors.Is(err, migrate.ErrNotFound) {
								stored, err = target.Append(t.Context(), sent, m)
							}
						}
						if err != nil {
							t.Fatal(err)
						}
						ids[stored.ID] = true
					}
					all := held(t, sim)
					for i, m := range messages {
						if n := count(all, m); n != 1 {
							t.Errorf("message %d is there %d times", i, n)
						}
					}
					if len(all) != len(messages) || len(ids) != len(messages) {
						t.Errorf("%d messages are there under %d ids, want %d", len(all), len(ids), len(messages))
					}
				})
			}
		}
	}
}

// count returns how many of all were received as m.
func count(all []targettest.Held, m *migrate.Message) (n int) {
	for _, h := range all {
		if bytes.Equal(h.Octets, m.Body.(targettest.Octets)) {
			n++
		}
	}
	return n
}

func TestAProbeLeavesNothingWherePossibleAndElseTheTrash(t *testing.T) {
	for same, want := range sames {
		for _, newID := range []bool{false, true} {
			sim, server := serve(t, gmailsim.Options{Same: same, NewIDOnMerge: newID})
			for range 2 { // the second meets what the first left
				if target := open(t, probing(server.URL)); target.Route() != want {
					t.Errorf("%v, %v: the route is %s, want %s", same, newID, target.Route(), want)
				}
				if n := len(sim.Messages(user)); n != 0 {
					t.Errorf("%v, %v: %d messages are left", same, newID, n)
				}
			}
			c := probing(server.URL)
			var err error
			if c.TokenSource, err = ServiceAccount(keyFile(t, server.URL+"/token"), user); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if target := open(t, c); target.Route() != want {
					t.Errorf("%v, %v: after a probe in Trash the route is %s, want %s", same, newID, target.Route(), want)
				}
				for _, m := range sim.Messages(user) {
					if !slices.Equal(m.Labels, []string{"TRASH"}) {
						t.Errorf("%v, %v: a message is left in %q", same, newID, m.Labels)
					}
				}
			}
		}
	}
}

func TestAProbeThatFailsLeavesNothing(t *testing.T) {
	for _, fault := range []string{"lost-reply@1", "lost-reply@2", "cut@3", "503@3", "lost-reply@3", "429@2"} {
		faults, err := gmailsim.ParseFaults(fault)
		if err != nil {
			t.Fatal(err)
		}
		sim, server := serve(t, gmailsim.Options{Fault: faults, IndexRequests: 1000})
		_, err = Open(t.Context(), probing(server.URL))
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient {
			t.Errorf("%s: the error is %#v", fault, err)
		}
		if n := len(sim.Messages(user)); n != 0 {
			t.Errorf("%s: %d messages are left", fault, n)
		}
	}
}

func TestAProbeThatWasKilledIsClearedAwayByTheNext(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{})
	dead := open(t, config(server))
	for _, text := range probeMessages() {
		if _, err := dead.importTo(t.Context(), nil, &migrate.Message{Size: int64(len(text)), Body: octets(text)}); err != nil {
			t.Fatal(err)
		}
		if target := open(t, probing(server.URL)); target.Route() != RouteImport {
			t.Errorf("the route is %s", target.Route())
		}
		if n := len(sim.Messages(user)); n != 0 {
			t.Errorf("%d messages are left", n)
		}
	}
}

func TestAProbeTouchesNoMessageButItsOwn(t *testing.T) {
	// Whatever ids the answers name, they are those of other messages.
	var changes atomic.Int64
	_, server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/upload/"):
			fmt.Fprint(w, `{"id":"1"}`)
		case r.Method != http.MethodGet:
			changes.Add(1)
		case strings.HasSuffix(r.URL.Path, "/messages"):
			fmt.Fprint(w, `{"messages":[{"id":"1"},{"id":"2"}]}`)
		default:
			fmt.Fprint(w, `{"historyId":"1","payload":{"headers":[{"name":"Message-ID","value":"<ours@example.org>"}]}}`)
		}
	})
	if target := open(t, probing(server.URL)); target.Route() != RouteInsert {
		t.Errorf("the route is %s", target.Route())
	}
	if changes.Load() != 0 {
		t.Errorf("%d messages of others were changed", changes.Load())
	}
}

func TestAProbeThatIsRefusedLeadsToInsert(t *testing.T) {
	_, server := serve(t, gmailsim.Options{MailboxBytes: 0})
	refuse := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/import") {
			w.WriteHeader(400)
			return
		}
		server.Config.Handler.ServeHTTP(w, r)
	})
	_, refusing := serveFunc(t, refuse)
	if target := open(t, probing(refusing.URL)); target.Route() != RouteInsert {
		t.Errorf("the route is %s", target.Route())
	}
}

func TestWhatIsInsertedSaysWhatItLacks(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{})
	c := config(server)
	c.Route = RouteInsert
	target := open(t, c)
	others := targettest.Message(bytes.Replace(targettest.Letter("other").Body.(targettest.Octets), []byte("ann@"), []byte("bob@"), 1), "<other@example.org>")
	for _, test := range []struct {
		folder migrate.FolderID
		m      *migrate.Message
		want   string
	}{
		{inbox, others, "[inserted]"},
		{archive, targettest.Letter("own"), "[inserted]"},
		{sent, targettest.Letter("sent"), "[inserted]"},
		{draft, targettest.Letter("draft", migrate.Draft), "[date-is-import-time]"},
	} {
		stored, err := target.Append(t.Context(), test.folder, test.m)
		if err != nil || fmt.Sprint(stored.Notes) != test.want {
			t.Errorf("%s: notes %s, error %v, want %s", test.folder, stored.Notes, err, test.want)
		}
		found, err := open(t, c).Find(t.Context(), test.folder, test.m, "1000")
		if err != nil || found.ID != stored.ID || fmt.Sprint(found.Notes) != test.want {
			t.Errorf("%s: found %s with notes %s, error %v", test.folder, found.ID, found.Notes, err)
		}
	}
	if n := len(sim.Messages(user)); n != 4 {
		t.Errorf("%d messages are there", n)
	}
}

// All that the user wrote is in Sent where it is inserted: the copy that came
// back to the inbox is not the one that was sent.
func TestInsertedMailToOneselfIsTwoMessages(t *testing.T) {
	_, server := serve(t, gmailsim.Options{})
	c := config(server)
	c.Route = RouteInsert
	written := targettest.Letter("myself")
	delivered := targettest.Message(append([]byte("Received: from localhost by mail.example.org\r\n"), written.Body.(targettest.Octets)...), written.MessageID)
	if _, err := open(t, c).Append(t.Context(), inbox, delivered); err != nil {
		t.Fatal(err)
	}
	if found, err := open(t, c).Find(t.Context(), sent, written, "1000"); !errors.Is(err, migrate.ErrNotFound) {
		t.Errorf("found %q before it was sent, error %v", found.ID, err)
	}
	stored, err := open(t, c).Append(t.Context(), sent, written)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := open(t, c).Find(t.Context(), sent, written, "1000"); err != nil || found.ID != stored.ID {
		t.Errorf("found %q, error %v, want %q", found.ID, err, stored.ID)
	}
}
