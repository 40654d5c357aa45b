package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// A vault is a simulator whose mailboxes a test damages behind mailhaul's back.
type vault struct {
	kind, url string
	dump      func(dir string) error
	held      func(user string) int // messages
	drop      func(user, id string) error
	trash     func(user, id string) error // out of the inbox
	move      func(user, id string) error // out of the inbox, to Sent
	double    func(user, id string) error
	reflag    func(user, id string) error // unread mail gets read
	redate    func(user, id string, at time.Time) error
	rewrite   func(user, id string, edit func([]byte) []byte) error

	mu       sync.Mutex
	requests []string              // method and path
	meet     func(r *http.Request) // called with each request, if not nil
}

// vaults runs a test with each target.
func vaults(t *testing.T, test func(t *testing.T, v *vault)) {
	t.Run("gmail", func(t *testing.T) {
		t.Parallel()
		test(t, gmailVault(t))
	})
	t.Run("graph", func(t *testing.T) {
		t.Parallel()
		v := &vault{kind: "graph"}
		sim, url := graphFor(t, graphsim.Options{}, v.watch)
		v.url, v.dump, v.drop, v.redate, v.rewrite = url, sim.Dump, sim.Drop, sim.SetReceived, sim.Rewrite
		v.held = func(user string) int { return len(sim.Messages(user)) }
		v.trash = func(user, id string) error { return sim.Move(user, id, "deleteditems") }
		v.move = func(user, id string) error { return sim.Move(user, id, "sentitems") }
		v.double = func(user, id string) error { _, err := sim.Double(user, id); return err }
		v.reflag = func(user, id string) error { return sim.Mark(user, id, graphsim.Marks{Read: true}) }
		test(t, v)
	})
}

func gmailVault(t *testing.T) *vault {
	v := &vault{kind: "gmail"}
	sim, url := gmailFor(t, gmailsim.Options{}, v.watch)
	v.url, v.dump, v.drop, v.redate, v.rewrite = url, sim.Dump, sim.Drop, sim.SetDate, sim.Rewrite
	v.held = func(user string) int { return len(sim.Messages(user)) }
	v.trash = func(user, id string) error { return sim.Relabel(user, id, []string{"INBOX"}, []string{"TRASH"}) }
	v.move = func(user, id string) error { return sim.Relabel(user, id, []string{"INBOX"}, []string{"SENT"}) }
	v.double = func(user, id string) error { _, err := sim.Double(user, id); return err }
	v.reflag = func(user, id string) error { return sim.Relabel(user, id, []string{"UNREAD"}, nil) }
	return v
}

func (v *vault) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		v.requests = append(v.requests, r.Method+" "+r.URL.RequestURI())
		meet := v.meet
		v.mu.Unlock()
		if meet != nil {
			meet(r)
		}
		next.ServeHTTP(w, r)
	})
}

// asked returns the requests since it was called last.
func (v *vault) asked() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	asked := v.requests
	v.requests = nil
	return asked
}

// state returns all that the simulator holds, as one text.
func (v *vault) state(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := v.dump(dir); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			text, err := os.ReadFile(filepath.Join(dir, path))
			fmt.Fprintf(&all, "%s\n%s\n", path, text)
			return err
		}
		return err
	})
	if err != nil || all.Len() < 100 {
		t.Fatalf("a dump of %d octets, error %v", all.Len(), err)
	}
	return all.String()
}

// arrives delivers new mail to the inbox of a user at the target.
func (v *vault) arrives(t *testing.T, user string) {
	t.Helper()
	path, body := "/v1.0/users/"+user+"/mailFolders/inbox/messages", `{"subject":"news"}`
	if v.kind == "gmail" {
		path = "/gmail/v1/users/" + user + "/messages"
		body = `{"labelIds":["INBOX"],"raw":"` + base64.URLEncoding.EncodeToString([]byte("From: new@example.net\r\nSubject: news\r\n\r\nNew.\r\n")) + `"}`
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, strings.TrimSuffix(v.url, "/")+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+officeToken)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		t.Fatalf("%s: %s", path, answer.Status)
	}
}

// recorded returns the records of a person's folder, by UID.
func recorded(t *testing.T, config, person, folder string) map[migrate.UID]migrate.Record {
	t.Helper()
	store, err := sqlite.OpenReadOnly(filepath.Join(filepath.Dir(config), "mailhaul.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	l, err := store.Mailbox(t.Context(), person+"@example.com", person+"@example.org")
	if err != nil {
		t.Fatal(err)
	}
	folders, err := l.Folders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := map[migrate.UID]migrate.Record{}
	for _, f := range folders {
		if f.Folder.String() != folder {
			continue
		}
		for r, err := range l.Records(t.Context(), f.ID, 1, ^migrate.UID(0)) {
			if err != nil {
				t.Fatal(err)
			}
			out[r.UID] = r
		}
	}
	return out
}

func TestVerifyFindsNothingAfterARunAndWritesNothing(t *testing.T) {
	t.Parallel()
	vaults(t, func(t *testing.T, v *vault) {
		o := newOffice(t, "ann", "bob")
		config := o.migration(t, v.kind, v.url, "", "", "ann", "bob")
		ends(t, exitError, []string{"verify", "--config", config}, "The first run makes it")
		o.untouched(t)
		ends(t, exitDone, []string{"run", "--config", config})
		if v.kind == "gmail" {
			edit(t, config, `route = "import"`, `route = "auto"`)
		}
		before := v.state(t)
		v.asked()
		for depth, said := range map[string]string{
			"counts":   "No difference was found.",
			"metadata": "No difference was found.",
			"sample":   "Content of a sample: 0 differences in 12 of 12, which is all.",
			"content":  "Content: 12 messages were read back, 12 verified",
		} {
			ends(t, exitDone, []string{"verify", "--config", config, "--depth", depth}, "asked for", said)
		}
		for _, r := range v.asked() {
			if !strings.HasPrefix(r, "GET ") {
				t.Errorf("verify asked for %s", r)
			}
		}
		if v.state(t) != before {
			t.Error("verify changed something at the target")
		}
	})
}

// hurt runs a migration of one mailbox with a message for each kind of finding
// and brings them about.
func hurt(t *testing.T, v *vault) (o *office, config string) {
	t.Helper()
	o = newOffice(t)
	bob := o.person(t, "bob")
	for i := range 9 {
		put(t, bob, "INBOX", letter("bob", i, ""))
	}
	put(t, bob, "Sent", letter("bob", 20, ""), imap.FlagSeen)
	config = o.migration(t, v.kind, v.url, "", "", "bob")
	ends(t, exitDone, []string{"run", "--config", config})
	inbox := recorded(t, config, "bob", "INBOX")
	id := func(uid migrate.UID) (user, id string) { return "bob@example.org", string(inbox[uid].Target) }
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	do(v.drop(id(1)))
	do(v.trash(id(2)))
	do(v.move(id(3)))
	do(v.double(id(4)))
	do(v.reflag(id(5)))
	user, sixth := id(6)
	do(v.redate(user, sixth, time.Date(2020, 2, 2, 2, 2, 2, 0, time.UTC)))
	user, seventh := id(7)
	do(v.rewrite(user, seventh, func(b []byte) []byte { return bytes.Replace(b, []byte("Hello"), []byte("Adieu"), 1) }))
	v.arrives(t, "bob@example.org")
	put(t, bob, "INBOX", letter("bob", 30, "")) // which no run has seen
	return o, config
}

var (
	anyTime   = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:[0-9.]+Z)? (content)|"(started|ended)": "[^"]*"`)
	anyTarget = regexp.MustCompile(`"target":\s*"[0-9A-Za-z_=-]+"`)
)

// timeless takes from a text what differs between runs.
func timeless(text string) string {
	text = anyTime.ReplaceAllStringFunc(text, func(s string) string {
		if name, _, found := strings.Cut(s, ": "); found {
			return name + `: "…"`
		}
		return "… content"
	})
	return anyTarget.ReplaceAllString(text, `"target": "…"`)
}

func TestVerifyListsEachDifference(t *testing.T) {
	t.Parallel()
	vaults(t, func(t *testing.T, v *vault) {
		_, config := hurt(t, v)
		text := ends(t, exitPerson, []string{"verify", "--config", config, "--depth", "content"}, "mailhaul: compared; 7 differences need a person")
		list := ends(t, exitPerson, []string{"status", "--config", config})
		if v.kind == "gmail" {
			golden(t, "verify.txt", text)
			golden(t, "verify-status.txt", timeless(list))
		}
		for part := range strings.SplitSeq(text, "\n\n") { // the table and what follows from it are no part of status
			if strings.HasPrefix(part, "bob@") && !strings.Contains(list, part) {
				t.Errorf("status does not show\n%s\n\nit shows\n%s", part, list)
			}
		}

		text = ends(t, exitPerson, []string{"verify", "--config", config, "--depth", "content", "--json"})
		if v.kind == "gmail" {
			golden(t, "verify.json", timeless(text))
		}
		var told struct {
			Closes    bool
			Mailboxes []struct {
				Verification verification
				Findings     []difference
			}
		}
		if err := json.Unmarshal([]byte(text), &told); err != nil {
			t.Fatal(err)
		}
		var kinds []migrate.Kind
		for i, f := range told.Mailboxes[0].Findings {
			kinds = append(kinds, f.Kind)
			if f.Kind != migrate.KindExtra && (f.UID != migrate.UID(i+1) || f.MessageID != fmt.Sprintf("<bob-%d@example.com>", i)) {
				t.Errorf("%+v", f)
			}
		}
		if want := slices.Concat(findingKinds[:4], findingKinds[5:], findingKinds[4:5]); !slices.Equal(kinds, want) || !told.Closes {
			t.Errorf("found %v, want %v; the sums close: %v", kinds, want, told.Closes)
		}
		if c := told.Mailboxes[0].Verification.Counts; c.Arrived != 10 || c.Present != 7 || c.New != 1 || c.Found[migrate.KindExtra] != 1 {
			t.Errorf("%+v", c)
		}
		if s := sumsOf(t, config, exitPerson); s.Mailboxes[0].Verification == nil || s.Mailboxes[0].Verification.Counts.different() != 7 {
			t.Errorf("status: %+v", s.Mailboxes[0].Verification)
		}
	})
}

func TestARunFromVerifyCopiesWhatIsMissingAndNothingElse(t *testing.T) {
	t.Parallel()
	vaults(t, func(t *testing.T, v *vault) {
		_, config := hurt(t, v)
		heal := []string{"run", "--config", config, "--from-verify"}
		ends(t, exitError, heal, "none of these mailboxes was verified", `Run "mailhaul verify" first.`)
		ends(t, exitPerson, []string{"verify", "--config", config, "--depth", "content"})
		before := recorded(t, config, "bob", "INBOX")
		held := v.held("bob@example.org")
		ends(t, exitDone, heal, "bob@example.com: 1 message is missing at the target")
		if n := v.held("bob@example.org") - held; n != 1 {
			t.Errorf("%d messages were written", n)
		}
		for uid, r := range recorded(t, config, "bob", "INBOX") {
			was := before[uid]
			if changed := r.Target != was.Target; changed != (uid == 1) || r.Outcome != migrate.Copied {
				t.Errorf("message %d was %+v and is %+v", uid, was, r)
			}
		}
		ends(t, exitPerson, []string{"status", "--config", config}, "content: 7 differences, a pass since")
		ends(t, exitDone, heal, "The latest verification found nothing missing.")
		text := ends(t, exitPerson, []string{"verify", "--config", config, "--depth", "content"}, "compared; 6 differences need a person", "deleted:", "misplaced:",
			"1 message came to the source since the last run")
		if strings.Contains(text, "missing:") || strings.Contains(text, "--from-verify") {
			t.Errorf("something is missing still:\n%s", text)
		}
		ends(t, exitDone, heal, "The latest verification found nothing missing.")
	})
}

// One message at Gmail may stand for several of the source.
func TestARunFromVerifyCopiesAMessageOfTwoFoldersOnce(t *testing.T) {
	t.Parallel()
	v := gmailVault(t)
	o := newOffice(t)
	bob := o.person(t, "bob")
	put(t, bob, "INBOX", letter("bob", 1, ""))
	put(t, bob, "Sent", letter("bob", 1, ""))
	config := o.migration(t, v.kind, v.url, "", "", "bob")
	ends(t, exitDone, []string{"run", "--config", config})
	if err := v.drop("bob@example.org", string(recorded(t, config, "bob", "Sent")[1].Target)); err != nil {
		t.Fatal(err)
	}
	ends(t, exitPerson, []string{"verify", "--config", config, "--depth", "counts"}, "compared; 2 differences need a person")
	ends(t, exitDone, []string{"run", "--config", config, "--from-verify"}, "2 messages are missing at the target")
	inbox, sent := recorded(t, config, "bob", "INBOX")[1], recorded(t, config, "bob", "Sent")[1]
	first, second := min(inbox.Outcome, sent.Outcome), max(inbox.Outcome, sent.Outcome) // either may be written first
	if inbox.Target != sent.Target || first != migrate.Copied || second != migrate.Merged {
		t.Errorf("%+v\n%+v", inbox, sent)
	}
	ends(t, exitDone, []string{"verify", "--config", config, "--depth", "content"}, "1 more in other folders are the same messages")
}

func TestVerifyListsTwentyDifferencesOfAKindAndStatusAll(t *testing.T) {
	t.Parallel()
	v := gmailVault(t)
	o := newOffice(t)
	bob := o.person(t, "bob")
	for i := range shownFindings + 3 {
		put(t, bob, "INBOX", letter("bob", i, ""))
	}
	config := o.migration(t, v.kind, v.url, "", "", "bob")
	ends(t, exitDone, []string{"run", "--config", config})
	for _, r := range recorded(t, config, "bob", "INBOX") {
		if err := v.drop("bob@example.org", string(r.Target)); err != nil {
			t.Fatal(err)
		}
	}
	text := ends(t, exitPerson, []string{"verify", "--config", config}, "bob@example.com: 23 missing", "  and 3 more: see mailhaul status\n")
	if n := strings.Count(text, "<bob-"); n != shownFindings {
		t.Errorf("%d are listed:\n%s", n, text)
	}
	if text := ends(t, exitPerson, []string{"status", "--config", config}); strings.Count(text, "<bob-") != shownFindings+3 || strings.Contains(text, "more") {
		t.Errorf("status does not list all:\n%s", text)
	}
}

func TestAVerificationThatWasInterruptedGoesOn(t *testing.T) {
	t.Parallel()
	vaults(t, func(t *testing.T, v *vault) {
		v.goesOn(t, func(args []string, at func(stop func())) {
			ctx, cancel := context.WithCancelCause(t.Context())
			at(func() { cancel(errInterrupted) })
			code, stdout, stderr := mailhaul(ctx, args...)
			ended(t, "verify", code, exitInterrupted, stdout+stderr, "interrupted; verify again to go on", "content, stopped")
		})
	})
}

func TestAVerificationThatWasKilledGoesOn(t *testing.T) {
	t.Parallel()
	vaults(t, func(t *testing.T, v *vault) {
		v.goesOn(t, func(args []string, at func(stop func())) {
			c, started := program(args...), make(chan struct{})
			at(func() {
				<-started
				c.Process.Kill()
			})
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			close(started)
			if c.Wait(); c.ProcessState.Success() {
				t.Error("it was not killed")
			}
		})
	})
}

// goesOn expects that a verification reads nothing again of a folder that was
// done when it was stopped. It runs in life, which gives at what stops it.
func (v *vault) goesOn(t *testing.T, life func(args []string, at func(stop func()))) {
	o := newOffice(t, "ann")
	config := o.migration(t, v.kind, v.url, "", "", "ann")
	ends(t, exitDone, []string{"run", "--config", config})
	inbox, sent := recorded(t, config, "ann", "INBOX"), recorded(t, config, "ann", "Sent")
	reads := func(requests []string, records map[migrate.UID]migrate.Record) (n int) {
		for _, r := range requests {
			for _, rec := range records {
				if strings.Contains(r, string(rec.Target)) {
					n++
				}
			}
		}
		return n
	}
	meet := func(fn func(*http.Request)) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.meet = fn
	}
	args := []string{"verify", "--config", config, "--depth", "content"}
	stopped := func() {
		v.asked()
		life(args, func(stop func()) {
			meet(func(r *http.Request) {
				v.mu.Lock()
				done := reads(v.requests, inbox) == len(inbox)
				v.mu.Unlock()
				if done && reads([]string{r.URL.Path}, sent) > 0 {
					stop()
					<-r.Context().Done()
				}
			})
		})
		meet(nil)
		if n := reads(v.asked(), inbox); n != len(inbox) {
			t.Errorf("%d messages of the inbox were read back, want %d", n, len(inbox))
		}
		ends(t, exitDone, []string{"status", "--config", config}, "content, stopped: 0 differences")
	}
	stopped()
	ends(t, exitDone, args, "Content: 6 messages were read back, 6 verified")
	asked := v.asked()
	// A request that was stopped may reach the simulator late.
	if again, rest := reads(asked, inbox), reads(asked, sent); again != 0 || rest < len(sent) {
		t.Errorf("%d messages of the inbox were read back again, and %d of Sent", again, rest)
	}
	stopped()
	ends(t, exitDone, append(args, "--fresh"))
	if n := reads(v.asked(), inbox); n != len(inbox) {
		t.Errorf("a fresh one read back %d messages of the inbox", n)
	}
}

func TestAMailboxThatCannotBeComparedIsNamedAndTheOthersAre(t *testing.T) {
	t.Parallel()
	v := gmailVault(t)
	o := newOffice(t, "ann")
	config := o.migration(t, v.kind, v.url, "", "", "ann", "cleo", "dora")
	ends(t, exitStopped, []string{"run", "--config", config, "--mailbox", "ann@example.com,cleo@example.com"})
	ends(t, exitStopped, []string{"verify", "--config", config, "--depth", "content"},
		"dora@example.com: no run came to it yet", "cleo@example.com stopped: login:", "content, stopped", "No difference was found so far.",
		"Content: 6 messages were read back, 6 verified", "1 mailbox stopped early; verify again to go on")
	ends(t, exitStopped, []string{"verify", "--config", config, "--wave", "wave1", "--wave", "wave3"}, "1 mailbox was not compared: no run came to it yet")
	ends(t, exitStopped, []string{"verify", "--config", config, "--wave", "wave3"}, "no run came to any of these mailboxes yet")
	ends(t, exitDone, []string{"verify", "--config", config, "--wave", "wave1"})
}

func TestSumsThatDoNotCloseAreNamedWithTheirFolder(t *testing.T) {
	t.Parallel()
	v := gmailVault(t)
	o := newOffice(t, "ann")
	config := o.migration(t, v.kind, v.url, "", "", "ann")
	ends(t, exitDone, []string{"run", "--config", config})
	db, err := sql.Open("sqlite", filepath.Join(o.dir, "mailhaul.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`UPDATE folder SET listed = 5 WHERE path = '/Sent'`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	const why = "the sums do not close: ann@example.com, folder Sent: 5 messages were listed, but the outcomes add up to 3"
	ends(t, exitError, []string{"verify", "--config", config, "--depth", "counts"}, "mailhaul: "+why)
	ends(t, exitError, []string{"verify", "--config", config, "--depth", "counts", "--json"}, `"closes": false`, `"unclosed": "`+why+`"`)
}

func TestWhatVerifyIsToldIsChecked(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	config := o.migration(t, "gmail", "http://127.0.0.1:1", "", "", "ann")
	for args, text := range map[string]string{
		"--depth deep":                 `--depth: unknown depth "deep": want counts, metadata, sample or content`,
		"--sample 0":                   `--sample: sample "0"`,
		"--jobs 0":                     "--jobs must be at least 1",
		"--mailbox nobody@example.com": `no mailbox "nobody@example.com"`,
	} {
		ends(t, exitUsage, append([]string{"verify", "--config", config}, strings.Fields(args)...), text)
	}
	o.untouched(t)
}
