package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// What must never be printed.
const (
	officePassword = "pa55-of-the-office"
	officeToken    = "t0ken-of-the-office"
)

// An office is an IMAP server in memory with the mailboxes of a few people, and
// a migration of them.
type office struct {
	mail *imapmemserver.Server
	port int
	dir  string // of the migration
}

// newOffice serves the mailboxes of people, each with officeMail messages.
func newOffice(t *testing.T, people ...string) *office {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return newOfficeOn(t, l, people...)
}

func newOfficeOn(t *testing.T, l net.Listener, people ...string) *office {
	t.Helper()
	o := &office{mail: imapmemserver.New(), port: l.Addr().(*net.TCPAddr).Port, dir: t.TempDir()}
	for _, p := range people {
		u := o.person(t, p)
		for i := range officeMail {
			put(t, u, []string{"INBOX", "Sent"}[i%2], letter(p, i, ""))
		}
	}
	t.Cleanup(serveIMAP(l, o.mail))
	o.write(t, "password", officePassword+"\n")
	o.write(t, "token", officeToken+"\n")
	return o
}

// officeMail is how many messages a person has.
const officeMail = 6

// person adds an empty mailbox.
func (o *office) person(t *testing.T, name string) *imapmemserver.User {
	t.Helper()
	u := imapmemserver.NewUser(name+"@example.com", officePassword)
	for _, f := range []string{"INBOX", "Sent"} {
		if err := u.Create(f, nil); err != nil {
			t.Fatal(err)
		}
	}
	o.mail.AddUser(u)
	return u
}

// put stores a message in a folder, which must exist.
func put(t *testing.T, u *imapmemserver.User, folder, text string, flags ...imap.Flag) {
	t.Helper()
	_, err := u.Append(folder, literal{bytes.NewReader([]byte(text))}, &imap.AppendOptions{Flags: flags, Time: time.Unix(1_700_000_000, 0)})
	if err != nil {
		t.Fatal(err)
	}
}

// letter is the i-th message of a person, with more at its end.
func letter(person string, i int, more string) string {
	return fmt.Sprintf("From: %s@example.com\r\nTo: all@example.com\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n"+
		"Message-ID: <%s-%d@example.com>\r\nSubject: Letter %d\r\n\r\nHello from %[1]s.\r\n%[5]s", person, person, i, i, more)
}

func (o *office) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(o.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// migration writes mailhaul.toml and mailboxes.csv and returns the path of the
// former. Keys of [source] and [run] may be added.
func (o *office) migration(t *testing.T, kind, url string, source, run string, people ...string) string {
	t.Helper()
	if !strings.Contains(source, "tls") {
		source += "\ntls = \"none\""
	}
	if !strings.Contains(source, "host") {
		source += "\nhost = \"127.0.0.1\""
	}
	route := map[string]string{"gmail": "import", "graph": "auto"}[kind] // these tests count requests
	o.write(t, "mailhaul.toml", fmt.Sprintf("[source]\nport = %d\npassword_file = \"password\"\n%s\n[target]\nkind = %q\n[%[3]s]\nroute = %q\nendpoint = %q\ntoken_file = \"token\"\nprofile = \"none\"\n[run]\n%s\n",
		o.port, source, kind, route, url, run))
	csv := "source,target,wave\n"
	for i, p := range people {
		csv += fmt.Sprintf("%s@example.com,%[1]s@example.org,wave%d\n", p, i+1)
	}
	o.write(t, "mailboxes.csv", csv)
	return filepath.Join(o.dir, "mailhaul.toml")
}

// ends runs a command line, expects its exit code, that no secret is printed,
// and that each of texts is, on stdout or stderr. It returns stdout.
func ends(t *testing.T, code int, args []string, texts ...string) string {
	t.Helper()
	got, stdout, stderr := mailhaul(t.Context(), args...)
	ended(t, strings.Join(args, " "), got, code, stdout+stderr, texts...)
	return stdout
}

func ended(t *testing.T, what string, got, code int, output string, texts ...string) {
	t.Helper()
	if got != code {
		t.Errorf("%s: exit code %d, want %d:\n%s", what, got, code, output)
	}
	for _, text := range texts {
		if !strings.Contains(output, text) {
			t.Errorf("%s: %q is missing in:\n%s", what, text, output)
		}
	}
	for _, secret := range []string{officePassword, officeToken} {
		if strings.Contains(output, secret) {
			t.Errorf("%s: a secret is printed:\n%s", what, output)
		}
	}
}

// sumsOf reads status --json, expects its exit code, and checks that the sums
// close for every folder, mailbox and in all.
func sumsOf(t *testing.T, config string, code int) status {
	t.Helper()
	var s status
	text := ends(t, code, []string{"status", "--json", "--config", config})
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	closes := func(what string, sum sums, parts []sums) {
		var n int64
		for _, o := range sum.Outcomes {
			n += o
		}
		if n != sum.Listed {
			t.Errorf("%s: %d listed, the outcomes are %v", what, sum.Listed, sum.Outcomes)
		}
		for o, n := range sum.Outcomes {
			if parts == nil {
				break
			}
			for _, p := range parts {
				n -= p.Outcomes[o]
			}
			if n != 0 {
				t.Errorf("%s: the parts have %d fewer %s than the whole", what, n, o)
			}
		}
	}
	var all []sums
	for _, m := range s.Mailboxes {
		folders := []sums{}
		for _, f := range m.Folders {
			closes(m.Source+" "+strings.Join(f.Path, "/"), f.Sums, nil)
			folders = append(folders, f.Sums)
		}
		closes(m.Source, m.Sums, folders)
		all = append(all, m.Sums)
	}
	closes("total", s.Total, all)
	return s
}

// gmailFor serves a Gmail that takes the office's token.
func gmailFor(t *testing.T, options gmailsim.Options, wrap func(http.Handler) http.Handler) (*gmailsim.Server, string) {
	t.Helper()
	options.Tokens = []string{officeToken}
	sim, err := gmailsim.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	return sim, serveTest(t, sim, wrap)
}

func graphFor(t *testing.T, options graphsim.Options, wrap func(http.Handler) http.Handler) (*graphsim.Server, string) {
	t.Helper()
	options.Tokens = []string{officeToken}
	sim, err := graphsim.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	return sim, serveTest(t, sim, wrap)
}

func TestOnlyTheChosenMailboxesMove(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args string
		want []string
	}{
		{"--mailbox ann@example.com", []string{"ann"}},
		{"--mailbox ANN@EXAMPLE.ORG", []string{"ann"}},
		{"--mailbox ann@example.com,cleo@example.org", []string{"ann", "cleo"}},
		{"--wave wave2", []string{"bob"}},
		{"--wave wave2 --mailbox ann@example.com", []string{"ann", "bob"}},
		{"--jobs 1", []string{"ann", "bob", "cleo"}},
	} {
		o := newOffice(t, "ann", "bob", "cleo")
		sim, url := gmailFor(t, gmailsim.Options{}, nil)
		config := o.migration(t, "gmail", url, "", "", "ann", "bob", "cleo")
		ends(t, exitDone, append([]string{"run", "--config", config}, strings.Fields(c.args)...))
		code := exitDone
		if len(c.want) < 3 {
			code = exitStopped // the others have had no pass
		}
		s := sumsOf(t, config, code)
		for i, p := range []string{"ann", "bob", "cleo"} {
			want := 0
			if slices.Contains(c.want, p) {
				want = officeMail
			}
			if got := len(sim.Messages(p + "@example.org")); got != want {
				t.Errorf("%s: %d messages of %s arrived, want %d", c.args, got, p, want)
			}
			if got := s.Mailboxes[i].Sums.Listed; got != int64(want) {
				t.Errorf("%s: status knows %d messages of %s, want %d", c.args, got, p, want)
			}
		}
	}
}

func TestAChoiceThatFitsNothingIsAUsageError(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	config := o.migration(t, "gmail", "http://127.0.0.1:1", "", "", "ann")
	for _, c := range []struct{ args, text string }{
		{"--mailbox nobody@example.com", `no mailbox "nobody@example.com" in the list of mailboxes`},
		{"--wave last", `no wave "last" in the list of mailboxes`},
		{"--jobs 0", "--jobs must be at least 1"},
	} {
		ends(t, exitUsage, append([]string{"run", "--config", config}, strings.Fields(c.args)...), c.text)
	}
	o.untouched(t)
}

// untouched expects that no run was started.
func (o *office) untouched(t *testing.T) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(o.dir, "mailhaul.db*"))
	if len(files) > 0 {
		t.Errorf("something was started: there are %q", files)
	}
}

// crowd counts the mailboxes that a simulator serves at once.
type crowd struct {
	mu       sync.Mutex
	seen     map[string]bool
	gathered chan struct{} // closed once want of them are there
	want     int
	alone    atomic.Bool // they did not come
}

func (c *crowd) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, user, ok := strings.Cut(r.URL.Path, "/users/"); ok && r.Method == http.MethodGet {
			user, _, _ = strings.Cut(user, "/")
			c.mu.Lock()
			if !c.seen[user] {
				c.seen[user] = true
				if len(c.seen) == c.want {
					close(c.gathered)
				}
			}
			c.mu.Unlock()
			select {
			case <-c.gathered:
			case <-r.Context().Done():
			case <-time.After(20 * time.Second):
				c.alone.Store(true)
			}
		}
		next.ServeHTTP(w, r)
	})
}

func TestJobsSaysHowManyMailboxesMoveAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann", "bob", "cleo")
	c := &crowd{seen: map[string]bool{}, gathered: make(chan struct{}), want: 3}
	_, url := gmailFor(t, gmailsim.Options{}, c.wrap)
	config := o.migration(t, "gmail", url, "", "jobs = 1", "ann", "bob", "cleo")
	ends(t, exitDone, []string{"run", "--config", config, "--jobs", "3"})
	if c.alone.Load() {
		t.Error("three mailboxes did not move at once")
	}
}

func TestWhatIsLeftOutIsCountedAsExcluded(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	bob := o.person(t, "bob")
	put(t, bob, "INBOX", letter("bob", 1, ""))
	put(t, bob, "INBOX", letter("bob", 2, ""), imap.FlagDeleted)
	for _, f := range []string{"Private", "Private/Diary"} {
		if err := bob.Create(f, nil); err != nil {
			t.Fatal(err)
		}
		put(t, bob, f, letter("bob", 3, f))
	}
	sim, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", `exclude_folders = ["Private/**"]`, "ann", "bob")
	ends(t, exitDone, []string{"run", "--config", config})
	s := sumsOf(t, config, exitDone)
	if got := s.Mailboxes[1].Sums; got.Listed != 4 || got.Outcomes["excluded"] != 3 || got.Outcomes["copied"] != 1 {
		t.Errorf("bob: %+v", got)
	}
	if n := len(sim.Messages("bob@example.org")); n != 1 {
		t.Errorf("%d messages of bob arrived", n)
	}

	// The rules may change: what is wanted now is copied by the next run.
	config = o.migration(t, "gmail", url, "", `deleted = "copy"`, "ann", "bob")
	ends(t, exitDone, []string{"run", "--config", config})
	if got := sumsOf(t, config, exitDone).Mailboxes[1].Sums; got.Listed != 4 || got.Outcomes["excluded"] != 0 {
		t.Errorf("bob, without rules: %+v", got)
	}
	if n := len(sim.Messages("bob@example.org")); n != 4 {
		t.Errorf("%d messages of bob arrived without rules", n)
	}
}

// golden compares text with a file. With MAILHAUL_GOLDEN=write it writes it.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("MAILHAUL_GOLDEN") == "write" {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s has changed (MAILHAUL_GOLDEN=write accepts it):\n%s", path, text)
	}
}

func TestTheEndOfARunReadsWell(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	bob := o.person(t, "bob")
	put(t, bob, "INBOX", letter("bob", 1, strings.Repeat("A long line of a long letter.\r\n", 50_000)))
	put(t, bob, "INBOX", letter("bob", 2, ""), imap.FlagDeleted)
	put(t, bob, "INBOX", letter("bob", 3, ""))
	put(t, bob, "Sent", letter("bob", 3, "")) // the same content
	put(t, bob, "INBOX", "Subject: no sender\r\nMessage-ID: <lost@example.com>\r\n\r\n?\r\n")
	put(t, bob, "Sent", "Subject: no sender either\r\n\r\n?\r\n")
	if err := bob.Create("Kunden", nil); err != nil {
		t.Fatal(err)
	}
	if err := bob.Create("Archive", nil); err != nil { // Gmail keeps the name for itself
		t.Fatal(err)
	}
	_, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", "", "ann", "bob", "cleo")
	edit(t, config, "[run]", "[transform]\nfrom = \"never\"\n[run]")
	stdout := ends(t, exitStopped, []string{"run", "--config", config}, "mailhaul: 1 mailbox stopped early; run again to go on")
	golden(t, "run.txt", stdout)
	golden(t, "status.txt", ends(t, exitPerson, []string{"status", "--config", config}))
	sumsOf(t, config, exitPerson)
}
