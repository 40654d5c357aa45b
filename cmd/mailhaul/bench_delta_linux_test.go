package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

// BenchmarkDelta times whole processes over a mailbox of a million messages,
// which an IMAP server in this process makes up: the first listing of it, a pass
// over it when nothing has changed, and one when ten messages came, ten left and
// ten have other flags. Nothing is copied, so that listing is all that is
// measured. docs/benchmarks.md has the command.
func BenchmarkDelta(b *testing.B) {
	const messages = 1_000_000
	_, endpoint := serveGmail(b, nil)
	for b.Loop() {
		server := sourcetest.NewGenerated(b, sourcetest.GeneratedOptions{Messages: messages})
		dir := b.TempDir()
		for name, text := range map[string]string{
			"mailhaul.toml": fmt.Sprintf(`[source]
host = %q
port = %d
tls = "none"
password_file = "password"
[target]
kind = "gmail"
[gmail]
endpoint = %q
token_file = "token"
profile = "none"
[run]
exclude_folders = ["INBOX"]
`, server.Host, server.Port, endpoint),
			"mailboxes.csv": "source,target\nann@example.com,ann@example.org\n",
			"password":      sourcetest.Password + "\n",
			"token":         "test\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				b.Fatal(err)
			}
		}
		pass := func(name string) {
			metered(b, name, program("run", "--config", filepath.Join(dir, "mailhaul.toml")))
		}
		pass("first")
		pass("unchanged")
		var old []migrate.UID
		for i := range 10 {
			old = append(old, migrate.UID(1+i*messages/10))
		}
		server.Add(10)
		server.Expunge(old...)
		server.SetFlags([]migrate.Flag{migrate.Seen}, 5, 50_005, 900_005)
		pass("changed")
	}
}
