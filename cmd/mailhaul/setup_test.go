package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// uniqueID is what a service account is called in the Admin console.
const uniqueID = "104857600000000000001"

// A stage of setting up a vendor's side, and how check ends in it.
type stage struct {
	name   string
	code   int
	config func(t *testing.T, o *office) string // writes the migration and returns its configuration
}

// withKey is a stage in which a service account logs in.
func withKey(name string, code int, options gmailsim.Options) stage {
	return stage{name, code, func(t *testing.T, o *office) string {
		_, url := gmailFor(t, options, nil)
		config := o.migration(t, "gmail", url, "", "", "ann", "bob")
		serviceAccount(t, config)
		edit(t, filepath.Join(o.dir, "account.json"), "{", `{"client_id":"`+uniqueID+`",`)
		return config
	}}
}

// withApp is a stage in which an app logs in.
func withApp(name string, code int, options graphsim.Options) stage {
	return stage{name, code, func(t *testing.T, o *office) string {
		_, url := graphFor(t, options, nil)
		config := o.migration(t, "graph", url, "", "", "ann", "bob")
		o.write(t, "token", entraToken(t, url)+"\n")
		return config
	}}
}

// The blocks of the setup guides that start with "$ mailhaul check" are what
// check prints in these stages, in this order. The line on the source is left
// out, lines are broken elsewhere, and ids of requests differ.
func TestTheSetupGuidesShowWhatCheckPrints(t *testing.T) {
	t.Parallel()
	all := []string{"Mail.ReadWrite", "Mail-Advanced.ReadWrite.All", "MailboxSettings.ReadWrite", "User.Read.All"}
	mail, none := all[3:], all
	for guide, stages := range map[string][]stage{
		"google-workspace.md": {
			withKey("no delegation", exitPerson, gmailsim.Options{Scopes: []string{"none"}}),
			withKey("a user that does not exist", exitPerson, gmailsim.Options{Users: []string{"ann@example.org"}}),
			withKey("a user without Gmail", exitPerson, gmailsim.Options{MailServiceOff: []string{"bob@example.org"}}),
			withKey("all is well", exitDone, gmailsim.Options{}),
			{"a token that may only read", exitPerson, func(t *testing.T, o *office) string {
				_, url := gmailFor(t, gmailsim.Options{TokenScopes: []string{"https://www.googleapis.com/auth/gmail.readonly"}}, nil)
				return o.migration(t, "gmail", url, "", "", "ann", "bob")
			}},
		},
		"microsoft365.md": {
			withApp("no consent", exitPerson, graphsim.Options{WithoutRoles: none}),
			withApp("consent for mail only", exitDone, graphsim.Options{WithoutRoles: all[1:]}),
			withApp("consent for the whole organisation", exitDone, graphsim.Options{WithoutRoles: mail}),
			withApp("a mailbox outside the scope", exitPerson, graphsim.Options{WithoutRoles: none, ScopedRoles: all[:3], Scope: []string{"ann@example.org"}}),
			withApp("limited to the mailboxes that move", exitDone, graphsim.Options{WithoutRoles: none, ScopedRoles: all[:3], Scope: []string{"ann@example.org", "bob@example.org"}}),
			withApp("a user without a mailbox", exitPerson, graphsim.Options{WithoutRoles: none, ScopedRoles: all[:3], Scope: []string{"ann@example.org", "bob@example.org"}, NoMailbox: []string{"bob@example.org"}}),
		},
	} {
		text, err := os.ReadFile(filepath.Join("..", "..", "docs", guide))
		if err != nil {
			t.Fatal(err)
		}
		var shown []string
		for _, block := range regexp.MustCompile("(?s)```text\n\\$ mailhaul check\n(.*?)```").FindAllSubmatch(text, -1) {
			shown = append(shown, string(block[1]))
		}
		if len(shown) != len(stages) {
			t.Errorf("%s shows %d outputs of check, want %d", guide, len(shown), len(stages))
			continue
		}
		for i, s := range stages {
			code, stdout, stderr := mailhaul(t.Context(), "check", "--config", s.config(t, newOffice(t, "ann", "bob")))
			if code != s.code {
				t.Errorf("%s, %s: exit code %d, want %d", guide, s.name, code, s.code)
			}
			if want := stdout + stderr; essence(shown[i]) != essence(want) {
				t.Errorf("%s, %s: the guide shows\n%s\ncheck prints\n%s", guide, s.name, shown[i], want)
			}
		}
	}
}

var (
	sourceLine = regexp.MustCompile(`(?m)^Source: .*\n`)
	requestID  = regexp.MustCompile(`client-request-id [0-9a-f-]{36}`)
)

func essence(output string) string {
	output = strings.Join(strings.Fields(sourceLine.ReplaceAllString(output, "")), " ")
	return requestID.ReplaceAllString(output, "client-request-id")
}
