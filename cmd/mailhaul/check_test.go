package main

import (
	"encoding/json"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

const appID = "11111111-2222-3333-4444-555555555555"

// entraToken returns a token for an app from a simulator's login.
func entraToken(t *testing.T, graph string) string {
	t.Helper()
	resp, err := http.PostForm(graph+"/contoso/oauth2/v2.0/token", url.Values{
		"client_id": {appID}, "client_secret": {"any"}, "scope": {"https://graph.microsoft.com/.default"}, "grant_type": {"client_credentials"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Token == "" {
		t.Fatalf("no token: %v", err)
	}
	return answer.Token
}

func TestCheckSaysEachThingOnceHoweverManyMailboxesItConcerns(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann", "bob")
	once := func(out, text string) {
		t.Helper()
		if n := strings.Count(out, text); n != 1 {
			t.Errorf("%q is there %d times in:\n%s", text, n, out)
		}
	}

	_, gmail := gmailFor(t, gmailsim.Options{Scopes: []string{"none"}}, nil)
	config := o.migration(t, "gmail", gmail, "", "", "ann", "bob")
	serviceAccount(t, config)
	out := ends(t, exitPerson, []string{"check", "--config", config}, "2 of 2 mailboxes cannot be migrated yet")
	once(out, "Manage Domain Wide Delegation > Add new.")
	once(out, "ann@example.com: target: ")
	once(out, "bob@example.com: target: ")

	_, graph := graphFor(t, graphsim.Options{}, nil)
	config = o.migration(t, "graph", graph, "", "", "ann", "bob")
	o.write(t, "token", entraToken(t, graph)+"\n")
	out = ends(t, exitDone, []string{"check", "--config", config}, "2 mailboxes are ready.")
	once(out, "Target: Messages are imported as they are (route importmime).")
	once(out, "Target: The app may open every mailbox of the organisation")
}

func TestCheckFindsATokenThatMayNotWrite(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	sim, url := gmailFor(t, gmailsim.Options{TokenScopes: []string{"https://www.googleapis.com/auth/gmail.readonly"}}, nil)
	config := o.migration(t, "gmail", url, "", "", "ann")
	ends(t, exitPerson, []string{"check", "--config", config}, "insufficientPermissions", "The token lacks the scope https://www.googleapis.com/auth/gmail.modify")
	if n := len(sim.Messages("ann@example.org")); n != 0 {
		t.Errorf("check wrote %d messages", n)
	}
}

// A run waits for what Gmail says now and then of sound mailboxes; check does not.
func TestCheckTellsAtOnceOfAFailedPrecondition(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann", "bob")
	_, url := gmailFor(t, gmailsim.Options{Users: []string{"ann@example.org"}}, nil)
	config := o.migration(t, "gmail", url, "", "", "ann", "bob")
	ends(t, exitPerson, []string{"check", "--config", config}, "bob@example.com: target: ", "Precondition check failed",
		"There is no such user or no mailbox", "or the token is for nobody", "passes within a minute: try again", "1 of 2 mailboxes")
}

// risksOf returns the mailboxes of each risk about users in a new plan.
func risksOf(t *testing.T, config string) map[string][]string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "plan")
	ends(t, exitDone, []string{"plan", "--config", config, "--out", out, "--privacy", "full"})
	var plan struct {
		Touched  []struct{ Risk, Mailbox string }
		Examples []struct{ Risk, Text string }
	}
	if err := json.Unmarshal(read(t, out, planJSON), &plan); err != nil {
		t.Fatal(err)
	}
	risks := map[string][]string{}
	for _, r := range plan.Touched {
		if strings.HasPrefix(r.Risk, "target-") {
			risks[r.Risk] = append(risks[r.Risk], r.Mailbox)
		}
	}
	for _, e := range plan.Examples {
		if strings.HasPrefix(e.Risk, "target-") && !regexp.MustCompile(`^\d{4}-\d\d-\d\d: .`).MatchString(e.Text) {
			t.Errorf("%s has no date: %s", e.Risk, e.Text)
		}
	}
	return risks
}

func TestThePlanNamesUsersThatCheckDidNotFind(t *testing.T) {
	t.Parallel()
	users := []string{"ann@example.org"}
	for name, c := range map[string]struct {
		kind, risk string
		serve      func(t *testing.T) string // a target with ann alone
		repair     func(t *testing.T) string // and one with all
	}{
		"Gmail": {"gmail", "target-unlicensed",
			func(t *testing.T) string { _, url := gmailFor(t, gmailsim.Options{Users: users}, nil); return url },
			func(t *testing.T) string { _, url := gmailFor(t, gmailsim.Options{}, nil); return url }},
		"Gmail, asked for a token": {"gmail", "target-missing",
			func(t *testing.T) string { _, url := gmailFor(t, gmailsim.Options{Users: users}, nil); return url },
			func(t *testing.T) string { _, url := gmailFor(t, gmailsim.Options{}, nil); return url }},
		"Graph": {"graph", "target-missing",
			func(t *testing.T) string { _, url := graphFor(t, graphsim.Options{Users: users}, nil); return url },
			func(t *testing.T) string { _, url := graphFor(t, graphsim.Options{}, nil); return url }},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, "ann", "bob", "eve")
			var now atomic.Pointer[httputil.ReverseProxy] // the users change, and not the endpoint
			turn := func(to string) {
				u, err := url.Parse(to)
				if err != nil {
					t.Fatal(err)
				}
				now.Store(httputil.NewSingleHostReverseProxy(u))
			}
			turn(c.serve(t))
			endpoint := serveTest(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { now.Load().ServeHTTP(w, r) }), nil)
			config := o.migration(t, c.kind, endpoint, "", "", "ann", "bob", "eve")
			if c.kind == "gmail" && c.risk == "target-missing" {
				serviceAccount(t, config)
			}
			if got := risksOf(t, config); len(got) != 0 {
				t.Errorf("before check: %v", got)
			}
			ends(t, exitPerson, []string{"check", "--config", config})
			file := filepath.Join(o.dir, "assessments", "users-"+c.kind+".json")
			if info, err := os.Stat(file); err != nil || private(info) != 0 {
				t.Errorf("%v, %v", info, err)
			}
			bob, eve := "bob@example.com", "eve@example.com"
			if got := risksOf(t, config); len(got) != 1 || !slices.Equal(got[c.risk], []string{bob, eve}) {
				t.Errorf("after check: %v", got)
			}
			turn(c.repair(t))
			ends(t, exitDone, []string{"check", "--config", config, "--mailbox", bob})
			if got := risksOf(t, config); len(got) != 1 || !slices.Equal(got[c.risk], []string{eve}) {
				t.Errorf("after a check of bob: %v", got)
			}
			o.write(t, "password", "wrong\n")
			ends(t, exitPerson, []string{"check", "--config", config}) // which does not come to the target
			o.write(t, "password", officePassword+"\n")
			if got := risksOf(t, config); len(got) != 1 {
				t.Errorf("after a check that did not look: %v", got)
			}
			edit(t, filepath.Join(o.dir, "mailboxes.csv"), "eve@example.org", "eva@example.org")
			if got := risksOf(t, config); len(got) != 0 {
				t.Errorf("of another address: %v", got)
			}
			edit(t, filepath.Join(o.dir, "mailboxes.csv"), "eva@example.org", "eve@example.org")
			ends(t, exitDone, []string{"check", "--config", config})
			if got := risksOf(t, config); len(got) != 0 || strings.Contains(string(read(t, file)), "@") {
				t.Errorf("after all are there: %v", got)
			}
		})
	}
}

func TestAMailboxThatIsBeingMadeIsInThePlan(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	_, url := graphFor(t, graphsim.Options{MailboxDelay: time.Hour}, nil)
	config := o.migration(t, "graph", url, "", "", "ann")
	ends(t, exitPerson, []string{"check", "--config", config})
	if got := risksOf(t, config); len(got) != 1 || !slices.Equal(got["target-unlicensed"], []string{"ann@example.com"}) {
		t.Errorf("%v", got)
	}
}

func TestCheckEndsThoughNothingCanBeKept(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	_, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", "", "ann")
	o.write(t, "assessments", "in the way")
	ends(t, exitDone, []string{"check", "--config", config}, "What a plan could use of this is not kept", "1 mailbox is ready.")
}
