package main

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

func TestTroubleIsCommonWhenMailboxesFailAlikeAndNothingWorks(t *testing.T) {
	type failure struct {
		after   time.Duration
		mailbox string
		why     string
		done    int64 // messages that came to an outcome so far
	}
	const s, m = time.Second, time.Minute
	for name, test := range map[string]struct {
		failures    []failure
		others, all int
		common      bool
		alone       []string // those that are known to have failed alone
	}{
		"three alike":          {[]failure{{0, "a", "x", 0}, {s, "b", "x", 0}, {2 * s, "c", "x", 0}}, 9, 9, true, nil},
		"two alike":            {[]failure{{0, "a", "x", 0}, {s, "b", "x", 0}}, 9, 9, false, nil},
		"one twice":            {[]failure{{0, "a", "x", 0}, {s, "b", "x", 0}, {m, "a", "x", 0}}, 9, 9, false, nil},
		"different reasons":    {[]failure{{0, "a", "x", 0}, {s, "b", "y", 0}, {2 * s, "c", "x", 0}}, 9, 9, false, []string{"a", "b"}},
		"others get on":        {[]failure{{0, "a", "x", 0}, {m, "b", "x", 7}, {2 * m, "c", "x", 8}}, 9, 9, false, []string{"a", "b"}},
		"much on its way":      {[]failure{{0, "a", "x", 0}, {s, "b", "x", 10}, {2 * s, "c", "x", 50}}, 9, 9, true, nil},
		"what was on its way":  {[]failure{{0, "a", "x", 0}, {s, "b", "x", 50}, {2 * m, "c", "x", 50}}, 9, 9, true, nil},
		"all there are":        {[]failure{{0, "a", "x", 0}, {s, "b", "x", 0}}, 2, 2, true, nil},
		"the only one":         {[]failure{{0, "a", "x", 0}}, 1, 1, true, nil},
		"the last two, thrice": {[]failure{{0, "a", "x", 0}, {s, "b", "x", 0}, {m, "a", "x", 0}}, 2, 9, true, nil},
		"the last two":         {[]failure{{0, "a", "x", 0}, {s, "b", "x", 0}}, 2, 9, false, nil},
		"the last one, often":  {[]failure{{0, "a", "x", 0}, {m, "a", "x", 0}, {2 * m, "a", "x", 0}}, 1, 9, false, []string{"a", "a", "a"}},
	} {
		var tr trouble
		var common bool
		var alone []string
		begin := time.Now()
		for _, f := range test.failures {
			var more []string
			common, more = tr.failed(f.mailbox, f.why, test.others, test.all, true, begin.Add(f.after), f.done)
			alone = append(alone, more...)
		}
		if common != test.common || !slices.Equal(alone, test.alone) {
			t.Errorf("%s: common %v, alone %v", name, common, alone)
		}
	}
}

func TestFailuresForTheSameReasonAreKnownByIt(t *testing.T) {
	refused := func(user string) error {
		return fmt.Errorf("list folders of the source: %w", &migrate.Error{Op: "login", Class: migrate.Fatal, Err: errors.New("the server answered NO"),
			Hint: "Check user name and password of " + user + "."})
	}
	down := func(n int, port string) error {
		return &migrate.Error{Op: "connect", Class: migrate.Fatal, Err: fmt.Errorf("gave up after %d attempts: dial tcp 127.0.0.1:%s: connection refused", n, port)}
	}
	if cause(refused("ann@example.org")) != cause(refused("bob@example.org")) {
		t.Error("two wrong passwords differ")
	}
	if cause(down(17, "993")) != cause(down(16, "993")) {
		t.Error("a server that is down differs from itself")
	}
	if cause(refused("ann@example.org")) == cause(down(1, "993")) {
		t.Error("a wrong password is like a server that is down")
	}
}

// The hints stand in the targets: they must still be those that are looked for.
func TestATargetThatKnowsNoSuchUserNeedsAPersonNow(t *testing.T) {
	const user = "nobody@example.org"
	sim, err := graphsim.New(graphsim.Options{Users: []string{"ann@example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	server := httptest.NewServer(sim)
	defer server.Close()
	target, err := graph.Open(t.Context(), graph.Config{User: user, Endpoint: server.URL, Token: graph.StaticToken("test"), Route: graph.RouteJSON, Probed: true})
	if err == nil {
		_, err = target.Place(t.Context(), []migrate.Folder{{Path: []string{"INBOX"}, Role: migrate.RoleInbox}})
	}
	if !needsPersonNow(err) {
		t.Errorf("Microsoft 365: %v", err)
	}

	google, err := gmailsim.New(gmailsim.Options{MailServiceOff: []string{user}})
	if err != nil {
		t.Fatal(err)
	}
	defer google.Close()
	gserver := httptest.NewServer(google)
	defer gserver.Close()
	open := func(ctx context.Context, token string) error {
		target, err := gmail.Open(ctx, gmail.Config{User: user, Endpoint: gserver.URL + "/", Route: gmail.RouteImport,
			TokenSource: gmail.Static(func() (string, error) { return token, nil })})
		if err == nil {
			_, err = target.Place(ctx, []migrate.Folder{{Path: []string{"INBOX"}, Role: migrate.RoleInbox}})
		}
		return err
	}
	if err := open(t.Context(), "test"); !needsPersonNow(err) {
		t.Errorf("Gmail, switched off: %v", err)
	}
	if err := open(t.Context(), "revoked"); err == nil || needsPersonNow(err) {
		t.Errorf("Gmail, a token that others share: %v", err)
	}
	for hint, want := range map[string]bool{
		"Google knows no such user as x@example.org: look in the Admin console under Directory > Users, and correct the mailbox list.":                 true,
		"Google knows no such user as x@example.org, or the service account's key is no longer valid, or this machine's clock is wrong: check the key": false,
	} {
		if err := (&migrate.Error{Op: "login", Class: migrate.Fatal, Hint: hint, Err: errors.New(strings.ToLower(hint))}); needsPersonNow(err) != want {
			t.Errorf("%s: %v", hint, !want)
		}
	}
}

func TestAMailboxIsTriedAgainLaterAndLater(t *testing.T) {
	var got []string
	for n := range 9 {
		got = append(got, backoff(firstAgain, lastAgain, n+1).String())
	}
	if want := "1m0s 2m0s 4m0s 8m0s 16m0s 32m0s 1h0m0s 1h0m0s 1h0m0s"; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
	if d := backoff(firstAgain, lastAgain, 1<<40); d != lastAgain {
		t.Error(d)
	}
}
