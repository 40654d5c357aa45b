package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

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
