package main

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
)

func TestFailedMessagesAreTriedAgainWhenAsked(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	bob := o.person(t, "bob")
	for i := range 3 {
		put(t, bob, "INBOX", fmt.Sprintf("Subject: without From %d\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n\r\nbody\r\n", i))
	}
	sim, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", "", "ann", "bob")
	edit(t, config, "[run]", "[transform]\nfrom = \"never\"\n[run]")
	ends(t, exitError, []string{"retry", "--config", config}, "The first run makes it")
	ends(t, exitPerson, []string{"run", "--config", config})

	failed := func(n int64, args ...string) {
		t.Helper()
		ends(t, exitDone, append([]string{"retry", "--config", config}, args...), "bob@example.com: 3 failed messages\n3 messages w")
		code := exitPerson
		if n == 0 {
			code = exitStopped
		}
		if s := sumsOf(t, config, code); s.Total.Outcomes["failed"] != n || s.Total.Outcomes["pending"] != 3-n {
			t.Errorf("after retry %v: %v", args, s.Total.Outcomes)
		}
	}
	for _, args := range [][]string{{"--reason", "no such reason"}, {"--mailbox", "ann@example.com"}} {
		ends(t, exitDone, append([]string{"retry", "--config", config}, args...), "No message has failed")
	}
	failed(3, "--dry-run")
	failed(0, "--reason", "FROM", "--mailbox", "bob@example.org")

	edit(t, config, `from = "never"`, "")
	ends(t, exitDone, []string{"run", "--config", config})
	if n := len(sim.Messages("bob@example.org")); n != 3 {
		t.Errorf("%d messages arrived", n)
	}
	ends(t, exitDone, []string{"retry", "--config", config}, "No message has failed")
}

// A doubt that was forgotten would be written twice.
func TestAMessageInDoubtStaysInDoubtWhenItIsTriedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mailhaul.db")
	store, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	m := Mailbox{Source: "ann@example.com", Target: "ann@example.org"}
	ledger, err := store.Mailbox(t.Context(), m.Source, m.Target)
	if err != nil {
		t.Fatal(err)
	}
	folder := migrate.FolderState{Folder: migrate.Folder{Path: []string{"INBOX"}, UIDValidity: 1}}
	if err := ledger.SaveFolder(t.Context(), &folder); err != nil {
		t.Fatal(err)
	}
	const many = 2*retryBatch + 1
	var records []migrate.Record
	for uid := range migrate.UID(many) {
		records = append(records, migrate.Record{Folder: folder.ID, UID: 3*uid + 1, Outcome: migrate.Failed, Doubt: uid%2 == 0, Size: 7,
			Digest: migrate.Digest{byte(uid), 1}, MessageID: "<a@example.com>", Reason: "why", Hint: "what to do"})
		records = append(records, migrate.Record{Folder: folder.ID, UID: 3*uid + 2, Outcome: migrate.Copied, Target: "t"})
	}
	if err := ledger.AddListed(t.Context(), records...); err != nil {
		t.Fatal(err)
	}
	if n, err := failedIn(t.Context(), store, m, "", true); n != many || err != nil {
		t.Fatalf("%d messages, error %v", n, err)
	}
	pending := 0
	for r, err := range ledger.Records(t.Context(), folder.ID, 1, ^migrate.UID(0)) {
		if err != nil {
			t.Fatal(err)
		}
		switch uid := r.UID / 3; {
		case r.UID%3 == 2:
			if r.Outcome != migrate.Copied {
				t.Errorf("%+v", r)
			}
		case r.Outcome != migrate.Pending || r.Doubt != (uid%2 == 0) || r.Digest != (migrate.Digest{byte(uid), 1}) || r.Size != 7 || r.Reason != "" || r.Hint != "":
			t.Errorf("%+v", r)
		default:
			pending++
		}
	}
	if pending != many {
		t.Errorf("%d messages are pending", pending)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}
