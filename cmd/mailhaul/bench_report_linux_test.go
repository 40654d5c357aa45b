package main

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document/browsertest"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

// BenchmarkReport times whole processes that report on a million messages at
// Microsoft 365, of which 10,000 failed and 50,000 were changed, all verified: the
// first report, one in which little is new, and the check of that. Then it opens
// the page in Chromium. docs/benchmarks.md has the command.
func BenchmarkReport(b *testing.B) {
	for b.Loop() {
		dir := b.TempDir()
		fillForReport(b, filepath.Join(dir, "mailhaul.db"), 1_000_000)
		for name, text := range map[string]string{
			"mailhaul.toml": "[source]\nhost = \"mail.example.com\"\npassword_file = \"password\"\n[target]\nkind = \"graph\"\n[graph]\nendpoint = \"http://127.0.0.1:1\"\ntoken_file = \"token\"\n",
			"mailboxes.csv": "source,target\nuser0@example.com,user0@example.org\nuser1@example.com,user1@example.org\nuser2@example.com,user2@example.org\nuser3@example.com,user3@example.org\n",
			"password":      sourcetest.Password + "\n",
			"token":         "test\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				b.Fatal(err)
			}
		}
		command := func(name string, args ...string) {
			metered(b, name, program(args...))
		}
		config, first, second := filepath.Join(dir, "mailhaul.toml"), filepath.Join(dir, "first"), filepath.Join(dir, "second")
		command("first", "report", "--config", config, "--out", first)
		command("second", "report", "--config", config, "--out", second)
		command("check", "report", "check", filepath.Join(second, "report.json"), "--earlier", filepath.Join(first, "report.json"))
		page := browsertest.Open(b).Load(filepath.Join(first, "report.html"))
		b.ReportMetric(page.Took.Seconds(), "page-s")
	}
}

// fillForReport writes checkpoints as a run and a verification leave them.
func fillForReport(b *testing.B, path string, messages int) {
	b.Helper()
	store, err := sqlite.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	const mailboxes, folders, batch = 4, 5, 1000
	n, began := messages/mailboxes/folders, time.Now().Add(-time.Hour)
	do := func(err error) {
		if err != nil {
			b.Helper()
			b.Fatal(err)
		}
	}
	for m := range mailboxes {
		source, target := fmt.Sprintf("user%d@example.com", m), fmt.Sprintf("user%d@example.org", m)
		ledger, err := store.Mailbox(b.Context(), source, target)
		do(err)
		verified, err := store.Verifications(b.Context(), source, target)
		do(err)
		var states [folders]migrate.FolderState
		for f := range folders {
			s := &states[f]
			*s = migrate.FolderState{Folder: migrate.Folder{Path: []string{"Clients", fmt.Sprint(f)}, UIDValidity: 1}, Target: migrate.FolderID(fmt.Sprint("f", f)), Name: fmt.Sprint("Clients/", f)}
			do(ledger.SaveFolder(b.Context(), s))
			for from := 0; from < n; from += batch {
				var rs []migrate.Record
				for i := from; i < min(from+batch, n); i++ {
					r := migrate.Record{Folder: s.ID, UID: migrate.UID(i + 1), Outcome: migrate.Copied, Size: 20_000, Flags: []migrate.Flag{migrate.Seen},
						MessageID: fmt.Sprintf("<%024x.%d.%d@mail.example.com>", i, m, f)}
					r.Digest = sha256.Sum256([]byte(r.MessageID))
					r.Target = migrate.MessageID(base64.URLEncoding.EncodeToString(fmt.Appendf(nil, "%080d%020d%010d", m, f, i)))
					head := migrate.Head{From: fmt.Sprintf("author%d@example.net", i%1000), Date: began, Subject: fmt.Sprint("Minutes of meeting ", i)}
					switch {
					case i%100 == 0:
						r.Outcome, r.Target, r.Head = migrate.Failed, "", head
						r.Reason, r.Hint = "import: HTTP 413: the message is too large", "Put the attachments elsewhere, and forward the message."
					case i%20 == 1:
						r.Notes, r.Head = []string{"long-lines-broken"}, head
					}
					rs = append(rs, r)
				}
				do(ledger.AddListed(b.Context(), rs...))
			}
		}
		do(ledger.SaveState(b.Context(), migrate.MailboxState{Started: began, Ended: time.Now(), Complete: true}))
		v := migrate.Verification{Depth: "content", Started: time.Now()}
		do(verified.BeginVerification(b.Context(), v))
		for f := range folders {
			arrived := int64(n - (n+99)/100)
			count := migrate.FolderVerification{Folder: states[f].ID, Arrived: arrived, Present: arrived, Held: arrived, Compared: arrived}
			for from := 0; from < n; from += batch {
				var replicas []migrate.Replica
				for i := from; i < min(from+batch, n); i++ {
					if i%100 != 0 {
						replicas = append(replicas, migrate.Replica{UID: migrate.UID(i + 1), Content: sha256.Sum256(fmt.Append(nil, m, f, i))})
					}
				}
				count.Next = migrate.UID(min(from+batch, n) + 1)
				do(verified.SaveVerified(b.Context(), count, replicas))
			}
		}
		v.Ended = time.Now()
		do(verified.EndVerification(b.Context(), v))
	}
	do(store.Close())
}
