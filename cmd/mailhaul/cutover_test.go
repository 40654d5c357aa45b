package main

import (
	"os"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

func TestACutoverLetsTheTargetWinUntilItIsUndone(t *testing.T) {
	t.Parallel()
	dovecot := sourcetest.Dovecot(t, sourcetest.Options{Separator: "/"})
	s := &site{dovecot, map[string][]delivered{peopleUser: nil}}
	sim, url := serveGmail(t, nil)
	config := s.migration(t, "gmail", url)
	inbox := []string{"INBOX"}
	deliver := func(text string) migrate.UID {
		return dovecot.Append(peopleUser, inbox, sourcetest.Letter{Content: "Date: Mon, 2 Jan 2023 15:04:05 +0000\r\nSubject: " + text + "\r\n\r\n" + text + "\r\n"})
	}
	command := func(want int, args ...string) string {
		t.Helper()
		code, stdout, stderr := mailhaul(t.Context(), append(args, "--config", config)...)
		if code != want {
			t.Fatalf("%q: exit code %d: %s", args, code, stderr)
		}
		return stdout
	}
	unread := func(want bool) {
		t.Helper()
		for _, m := range sim.Messages(target(peopleUser)) {
			if m.Unread != want && !probed(m) {
				t.Errorf("unread %v, want %v", m.Unread, want)
			}
		}
	}
	uid := deliver("one")
	command(exitDone, "run")
	if out := command(exitDone, "cutover"); !strings.Contains(out, "the target counts from now on") {
		t.Errorf("%q", out)
	}
	dovecot.AddFlags(peopleUser, inbox, []migrate.Flag{migrate.Seen}, uid)
	deliver("two")
	command(exitDone, "run")
	unread(true)
	if out := command(exitDone, "status"); !strings.Contains(out, "complete, cut over") {
		t.Errorf("%q", out)
	}
	if out := command(exitDone, "cutover"); !strings.Contains(out, "was cut over on") {
		t.Errorf("%q", out)
	}
	command(exitDone, "cutover", "--undo")
	if out := command(exitDone, "cutover", "--undo"); !strings.Contains(out, "was not cut over") {
		t.Errorf("%q", out)
	}
	dovecot.AddFlags(peopleUser, inbox, []migrate.Flag{migrate.Seen}, uid+1)
	command(exitDone, "run")
	unread(false)
	if n := len(sim.Messages(target(peopleUser))); n != 2 {
		t.Errorf("%d messages", n)
	}
}

func TestWhatWasDeletedAtTheSourceIsReportedIfThatIsWanted(t *testing.T) {
	t.Parallel()
	dovecot := sourcetest.Dovecot(t, sourcetest.Options{Separator: "/"})
	s := &site{dovecot, map[string][]delivered{peopleUser: nil}}
	_, url := serveGraph(t, nil)
	config := s.migration(t, "graph", url)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, append(text, "[run]\ndeletions = \"report\"\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	inbox := []string{"INBOX"}
	uid := dovecot.Append(peopleUser, inbox, sourcetest.Letter{Content: "Subject: one\r\n\r\none\r\n"})
	for range 2 {
		code, stdout, stderr := mailhaul(t.Context(), "run", "--config", config)
		if code != exitDone {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		const left = "1 message is at the target, and no longer at the source\n  INBOX: 1\n"
		if gone := len(dovecot.UIDs(peopleUser, inbox)) == 0; strings.Contains(stdout, left) != gone {
			t.Errorf("deleted %v:\n%s", gone, stdout)
		}
		if len(dovecot.UIDs(peopleUser, inbox)) > 0 {
			dovecot.Expunge(peopleUser, inbox, uid)
		}
	}
}
