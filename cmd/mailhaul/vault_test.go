package main

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// A vault is a simulator whose mailboxes a test damages behind mailhaul's back.
type vault struct {
	kind, url string
	dump      func(dir string) error
	held      func(user string) int // messages
	drop      func(user, id string) error
	trash     func(user, id string) error // out of the inbox
	move      func(user, id string) error // out of the inbox, to Sent
	double    func(user, id string) error
	reflag    func(user, id string) error // unread mail gets read
	redate    func(user, id string, at time.Time) error
	rewrite   func(user, id string, edit func([]byte) []byte) error

	mu       sync.Mutex
	requests []string              // method and path
	meet     func(r *http.Request) // called with each request, if not nil
}

// vaults runs a test with each target.
func vaults(t *testing.T, test func(t *testing.T, v *vault)) {
	t.Run("gmail", func(t *testing.T) {
		t.Parallel()
		test(t, gmailVault(t))
	})
	t.Run("graph", func(t *testing.T) {
		t.Parallel()
		v := &vault{kind: "graph"}
		sim, url := graphFor(t, graphsim.Options{}, v.watch)
		v.url, v.dump, v.drop, v.redate, v.rewrite = url, sim.Dump, sim.Drop, sim.SetReceived, sim.Rewrite
		v.held = func(user string) int { return len(sim.Messages(user)) }
		v.trash = func(user, id string) error { return sim.Move(user, id, "deleteditems") }
		v.move = func(user, id string) error { return sim.Move(user, id, "sentitems") }
		v.double = func(user, id string) error { _, err := sim.Double(user, id); return err }
		v.reflag = func(user, id string) error { return sim.Mark(user, id, graphsim.Marks{Read: true}) }
		test(t, v)
	})
}

func gmailVault(t *testing.T) *vault {
	v := &vault{kind: "gmail"}
	sim, url := gmailFor(t, gmailsim.Options{}, v.watch)
	v.url, v.dump, v.drop, v.redate, v.rewrite = url, sim.Dump, sim.Drop, sim.SetDate, sim.Rewrite
	v.held = func(user string) int { return len(sim.Messages(user)) }
	v.trash = func(user, id string) error { return sim.Relabel(user, id, []string{"INBOX"}, []string{"TRASH"}) }
	v.move = func(user, id string) error { return sim.Relabel(user, id, []string{"INBOX"}, []string{"SENT"}) }
	v.double = func(user, id string) error { _, err := sim.Double(user, id); return err }
	v.reflag = func(user, id string) error { return sim.Relabel(user, id, []string{"UNREAD"}, nil) }
	return v
}

func (v *vault) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		v.requests = append(v.requests, r.Method+" "+r.URL.RequestURI())
		meet := v.meet
		v.mu.Unlock()
		if meet != nil {
			meet(r)
		}
		next.ServeHTTP(w, r)
	})
}

// asked returns the requests since it was called last.
func (v *vault) asked() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	asked := v.requests
	v.requests = nil
	return asked
}

// state returns all that the simulator holds, as one text.
func (v *vault) state(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := v.dump(dir); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			text, err := os.ReadFile(filepath.Join(dir, path))
			fmt.Fprintf(&all, "%s\n%s\n", path, text)
			return err
		}
		return err
	})
	if err != nil || all.Len() < 100 {
		t.Fatalf("a dump of %d octets, error %v", all.Len(), err)
	}
	return all.String()
}

// arrives delivers new mail to the inbox of a user at the target.
func (v *vault) arrives(t *testing.T, user string) {
	t.Helper()
	path, body := "/v1.0/users/"+user+"/mailFolders/inbox/messages", `{"subject":"news"}`
	if v.kind == "gmail" {
		path = "/gmail/v1/users/" + user + "/messages?internalDateSource=dateHeader"
		body = `{"labelIds":["INBOX"],"raw":"` + base64.URLEncoding.EncodeToString([]byte("From: new@example.net\r\nDate: Wed, 15 Nov 2023 08:00:00 +0000\r\nSubject: news\r\n\r\nNew.\r\n")) + `"}`
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, strings.TrimSuffix(v.url, "/")+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+officeToken)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		t.Fatalf("%s: %s", path, answer.Status)
	}
}

// recorded returns the records of a person's folder, by UID.
func recorded(t *testing.T, config, person, folder string) map[migrate.UID]migrate.Record {
	t.Helper()
	store, err := sqlite.OpenReadOnly(filepath.Join(filepath.Dir(config), "mailhaul.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	l, err := store.Mailbox(t.Context(), person+"@example.com", person+"@example.org")
	if err != nil {
		t.Fatal(err)
	}
	folders, err := l.Folders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := map[migrate.UID]migrate.Record{}
	for _, f := range folders {
		if f.Folder.String() != folder {
			continue
		}
		for r, err := range l.Records(t.Context(), f.ID, 1, ^migrate.UID(0)) {
			if err != nil {
				t.Fatal(err)
			}
			out[r.UID] = r
		}
	}
	return out
}
