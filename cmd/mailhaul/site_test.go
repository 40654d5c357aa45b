package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/migratetest"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

// A site is a real Dovecot whose every message a test knows.
type site struct {
	dovecot *sourcetest.Server
	mail    map[string][]delivered // by user
}

type delivered struct {
	folder string // path with "/" between its parts
	digest migrate.Digest
	size   int64
	flags  []migrate.Flag
	date   time.Time
}

const (
	corpusUser = "corpus@example.com"
	largeUser  = "large@example.com"
)

// newSite delivers the corpus, if it is there, and the generated mailbox with
// that many messages.
func newSite(tb testing.TB, options sourcetest.Options, messages int) *site {
	tb.Helper()
	s := &site{sourcetest.Dovecot(tb, options), map[string][]delivered{}}
	s.deliverCorpus(tb)
	box := migratetest.Large(migratetest.Spec{User: largeUser, Seed: 1, Messages: messages, Separator: options.Separator})
	for i, f := range box.Folders {
		empty := true
		for m := range box.All(i) {
			s.deliver(largeUser, f.Path, m.Octets, m.Flags, m.InternalDate)
			empty = false
		}
		if empty && f.Path[0] != "INBOX" {
			s.dovecot.Files(largeUser, f.Path) // makes the folder
		}
	}
	return s
}

func (s *site) deliver(user string, path []string, octets []byte, flags []migrate.Flag, date time.Time) {
	s.dovecot.Deliver(user, path, octets, flags, date)
	s.mail[user] = append(s.mail[user], delivered{strings.Join(path, "/"), sha256.Sum256(sourcetest.AsDovecotShows(octets)), int64(len(octets)), flags, date})
}

// corpus returns where the corpus is and the lines of its index, none if it is
// absent.
func corpus(tb testing.TB) (dir string, rows []string) {
	dir = os.Getenv("MAILHAUL_SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	dir = filepath.Join(dir, "corpus")
	index, err := os.ReadFile(filepath.Join(dir, "INDEX.tsv"))
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("MAILHAUL_REQUIRE"), ","), "shared") {
			tb.Fatal(err)
		}
		tb.Log("without the corpus: ", err)
		return dir, nil
	}
	return dir, strings.Split(strings.TrimSpace(string(index)), "\n")[1:]
}

func (s *site) deliverCorpus(tb testing.TB) {
	dir, rows := corpus(tb)
	for i, row := range rows {
		name, _, _ := strings.Cut(row, "\t")
		if !fs.ValidPath(name) {
			tb.Fatalf("path %q in the index", name)
		}
		octets, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			tb.Fatal(err)
		}
		var flags []migrate.Flag
		if i%3 == 0 {
			flags = []migrate.Flag{migrate.Seen}
		}
		s.deliver(corpusUser, []string{[]string{"INBOX", "Corpus"}[i%2]}, octets, flags, time.Unix(1_000_000_000+int64(i), 0))
	}
}

// migration writes a migration folder for the users of the site and returns
// the path of its configuration.
func (s *site) migration(tb testing.TB, kind, endpoint string) string {
	tb.Helper()
	dir := tb.TempDir()
	csv := "source,target\n"
	for user := range s.mail {
		csv += user + "," + strings.Replace(user, "@example.com", "@example.org", 1) + "\n"
	}
	for name, text := range map[string]string{
		"mailhaul.toml": fmt.Sprintf(`[source]
host = "127.0.0.1"
port = %d
ca_file = %q
password_file = "password"
[target]
kind = %q
[%[3]s]
endpoint = %q
token_file = "token"
profile = "none"
`, s.dovecot.TLSPort, s.dovecot.CAFile, kind, endpoint),
		"mailboxes.csv": csv,
		"password":      sourcetest.Password + "\n",
		"token":         "test\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return filepath.Join(dir, "mailhaul.toml")
}

// mailhaul runs a command line in this process.
func mailhaul(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = execute(ctx, args, &out, &err)
	return code, out.String(), err.String()
}

// A kept is a message as the checkpoints know it.
type kept struct {
	migrate.Record
	folder string // path with "/" between its parts
	place  string // its name at the target
}

// records reads the checkpoints of a migration and checks them against what
// was delivered: every message is listed once, under its folder and with its
// content, in one final outcome.
func (s *site) records(t *testing.T, config string) map[string][]kept {
	t.Helper()
	store, err := sqlite.OpenReadOnly(filepath.Join(filepath.Dir(config), "mailhaul.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	all := map[string][]kept{}
	for user, mail := range s.mail {
		want, got := map[string]int{}, map[string]int{}
		for _, d := range mail {
			want[d.folder]++
			want[fmt.Sprintf("%s %x", d.folder, d.digest)]++
		}
		ledger, err := store.Mailbox(t.Context(), user, strings.Replace(user, "@example.com", "@example.org", 1))
		if err != nil {
			t.Fatal(err)
		}
		folders, err := ledger.Folders(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range folders {
			path := strings.Join(f.Folder.Path, "/")
			for r, err := range ledger.Records(t.Context(), f.ID, 1, ^migrate.UID(0)) {
				if err != nil {
					t.Fatal(err)
				}
				if r.Outcome == migrate.Pending || r.Outcome == migrate.Gone {
					t.Errorf("%s, %s, UID %d: %v", user, path, r.UID, r.Outcome)
				}
				if r.Doubt {
					t.Errorf("%s, %s, UID %d: in doubt: %s", user, path, r.UID, r.Reason)
				}
				if r.Outcome == migrate.Excluded { // it was not read
					want[path]--
					continue
				}
				got[path]++
				got[fmt.Sprintf("%s %x", path, r.Digest)]++
				all[user] = append(all[user], kept{r, path, f.Name})
			}
		}
		for k, n := range got {
			if n > want[k] {
				t.Errorf("%s: %d records of %q, %d messages", user, n, k, want[k])
			}
		}
		for _, d := range mail {
			if got[d.folder] != want[d.folder] {
				t.Errorf("%s, %s: %d records, %d messages", user, d.folder, got[d.folder], want[d.folder])
				got[d.folder] = want[d.folder] // once is enough
			}
		}
	}
	return all
}
