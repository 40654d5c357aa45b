package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/mailhaul/mailhaul/migrate"
)

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
