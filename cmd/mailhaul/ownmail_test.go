package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// A vendor is what a user and a test do with a mailbox beside mailhaul.
type vendor struct {
	t     *testing.T
	url   string
	gmail *gmailsim.Server // or
	graph *graphsim.Server
}

const bobAtTheTarget = "bob@example.org"

// call makes a call to the vendor's API and returns its answer.
func (v vendor) call(method, path, body string) (answer struct{ ID string }) {
	v.t.Helper()
	root := "/v1.0/users/"
	if v.gmail != nil {
		root = "/gmail/v1/users/"
	}
	request, err := http.NewRequestWithContext(v.t.Context(), method, v.url+root+bobAtTheTarget+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+officeToken)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		v.t.Fatalf("%s %s: %s %s %v", method, path, response.Status, text, err)
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		v.t.Fatal(err)
	}
	return answer
}

// folder makes a folder of the user's own.
func (v vendor) folder(name string) string {
	if v.gmail != nil {
		return v.call("POST", "/labels", fmt.Sprintf(`{"name":%q}`, name)).ID
	}
	return v.call("POST", "/mailFolders", fmt.Sprintf(`{"displayName":%q}`, name)).ID
}

// deliver puts mail of the user's own into a folder.
func (v vendor) deliver(folder, text string) {
	if v.gmail != nil {
		v.call("POST", "/messages", fmt.Sprintf(`{"labelIds":[%q,"UNREAD"],"raw":%q}`, folder, base64.URLEncoding.EncodeToString([]byte(text))))
		return
	}
	v.call("POST", "/mailFolders/"+folder+"/messages", fmt.Sprintf(`{"subject":"own","body":{"contentType":"text","content":%q}}`, text))
}

// read marks a message as read.
func (v vendor) read(id string) {
	if v.gmail != nil {
		v.call("POST", "/messages/"+id+"/modify", `{"removeLabelIds":["UNREAD"]}`)
		return
	}
	v.call("PATCH", "/messages/"+id, `{"isRead":true}`)
}

// state says of each message where it is and what it is.
func (v vendor) state() map[string]string {
	all := map[string]string{}
	if v.gmail != nil {
		for _, m := range v.gmail.Messages(bobAtTheTarget) {
			all[m.ID] = fmt.Sprint(slices.Sorted(slices.Values(m.Labels)), m.Unread, m.Starred, m.InternalDate, m.SHA256)
		}
		return all
	}
	for _, m := range v.graph.Messages(bobAtTheTarget) {
		all[m.ID] = fmt.Sprint(m.Folder, m.IsRead, m.IsDraft, m.Flag, m.Categories, m.ReceivedDateTime, m.SHA256)
	}
	return all
}

// kept expects that each message of before is there, as it was.
func (v vendor) kept(before map[string]string) {
	v.t.Helper()
	now := v.state()
	for id, was := range before {
		if now[id] != was {
			v.t.Errorf("%s was %q and is %q", id, was, now[id])
		}
	}
}

// The target need not be empty, is never tidied up, and its user goes on
// working in it.
func TestWhatTheUserHasOrDoesAtTheTargetStays(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"gmail", "graph"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var calls []string
			noted := func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					mu.Lock()
					calls = append(calls, r.Method+" "+r.URL.Path)
					mu.Unlock()
					next.ServeHTTP(w, r)
				})
			}
			v := vendor{t: t}
			if kind == "gmail" {
				v.gmail, v.url = gmailFor(t, gmailsim.Options{}, noted)
			} else {
				v.graph, v.url = graphFor(t, graphsim.Options{}, noted)
			}
			inbox := map[string]string{"gmail": "INBOX", "graph": "inbox"}[kind]
			clients := v.folder("Clients")
			for i, folder := range []string{inbox, clients} {
				v.deliver(folder, letter("own", i, ""))
			}
			o := newOffice(t)
			bob := o.person(t, "bob")
			if err := bob.Create("Clients", nil); err != nil {
				t.Fatal(err)
			}
			put(t, bob, "INBOX", letter("bob", 1, ""))
			put(t, bob, "Clients", "Disposition-Notification-To: bob@example.net\r\n"+letter("bob", 2, ""))
			config := o.migration(t, kind, v.url, "", "", "bob")

			before := v.state()
			ends(t, exitDone, []string{"run", "--config", config})
			v.kept(before)
			if n := len(v.state()); n != 4 {
				t.Fatalf("%d messages are there, want 4", n)
			}

			for id := range v.state() {
				if _, own := before[id]; !own {
					v.read(id) // what mailhaul brought
				}
			}
			v.deliver(inbox, letter("own", 3, ""))
			before = v.state()
			put(t, bob, "INBOX", letter("bob", 4, ""))
			ends(t, exitDone, []string{"run", "--config", config})
			v.kept(before)
			if n := len(v.state()); n != 6 {
				t.Errorf("%d messages are there, want 6", n)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, c := range calls {
				if strings.Contains(strings.ToLower(c), "send") {
					t.Errorf("mail was sent: %s", c)
				}
			}
		})
	}
}
