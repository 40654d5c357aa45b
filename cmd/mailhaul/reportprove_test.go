package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
)

func TestAMessageIsProvenByWhateverNamesIt(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	prove := func(args ...string) []string {
		return append([]string{"report", "prove", "--config", h.config}, args...)
	}
	ends(t, exitError, prove("--message-id", "<old@example.com>"), "there is no report yet", "Run mailhaul report first.")
	h.report(t, "report")
	key := filepath.Join(h.dir, "report.pub")
	eml := written(t, "old.eml", old)
	for i, args := range [][]string{
		{"--message-id", "<old@example.com>"},
		{"--message-id", "old@example.com", "--mailbox", "bob@example.com"},
		{"--file", eml},
		{"--mailbox", "BOB@example.org", "--folder", "INBOX", "--uid", "3"},
	} {
		text := ends(t, exitDone, prove(args...), "says of this message: copied.")
		if strings.Contains(text, "bob") || strings.Contains(text, "INBOX") {
			t.Errorf("names are in a proof that was to have none:\n%s", text)
		}
		file := written(t, "proof.json", text)
		ends(t, exitDone, []string{"report", "check", file, "--key", key}, "proof.json is good: it is in the log of 14 entries", "Message:      UID 3 in folder", "Outcome:      copied at ", "SHA-256:      ", "Id:           ", "Read back:    ")
		if i > 0 {
			continue
		}
		ends(t, exitError, []string{"report", "check", file}, "the public key", "Name it with --key")
		ends(t, exitUsage, []string{"report", "check", file, "--key", key, "--earlier", file}, "--earlier is for reports")
		ends(t, exitError, []string{"report", "check", written(t, "proof.json", strings.Replace(text, " copied ", " merged ", 1)), "--key", key}, "proof.json is NOT good:\n  what is proven is not in the log that was signed")
	}

	out := filepath.Join(t.TempDir(), "proof.json")
	ends(t, exitDone, prove("--message-id", "<old@example.com>", "--names", "--out", out))
	ends(t, exitDone, []string{"report", "check", out, "--key", key}, "Names:        INBOX, from bob@example.com to bob@example.org")
	ends(t, exitError, prove("--message-id", "<old@example.com>", "--out", out), out+" exists already")
}

func TestAProofIsOfOneMessage(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	h.report(t, "report")
	prove := func(args ...string) []string {
		return append([]string{"report", "prove", "--config", h.config}, args...)
	}
	text := ends(t, exitUsage, prove("--message-id", "<bob-1@example.com>"), "mailhaul: several messages fit: say which\n"+
		"  --mailbox bob@example.com --folder \"INBOX\" --uid 1\n  --mailbox bob@example.com --folder \"Sent\" --uid 1\n")
	if text != "" {
		t.Errorf("a proof was written: %s", text)
	}
	ends(t, exitDone, prove("--message-id", "<bob-1@example.com>", "--folder", "Sent"), "says of this message: merged.")
	for i := range 22 {
		put(t, h.bob, "Sent", strings.Replace(letter("bob", 1, ""), "Hello", "Hello "+strings.Repeat("!", i), 1))
	}
	h.move(t)
	ends(t, exitUsage, prove("--message-id", "<bob-1@example.com>"), "--uid 19\n  and more\n")
	store, err := sqlite.OpenReadOnly(filepath.Join(h.dir, "mailhaul.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	all, err := readReported(t.Context(), store, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	if hits, err := (proving{messageID: "<bob-1@example.com>"}).find(t.Context(), all); err != nil || len(hits) != mostHits+1 {
		t.Errorf("%d hits are kept, %v", len(hits), err)
	}
	ends(t, exitError, prove("--message-id", "<bob-1@example.com>", "--uid", "20"), "not in the latest report", "Run mailhaul report first.")

	ends(t, exitError, prove("--message-id", "<none@example.com>"), "no message that a run has listed fits", "CRLF")
	ends(t, exitError, prove("--file", written(t, "x.eml", "x")), "no message that a run has listed fits")
	ends(t, exitError, prove("--file", "/none.eml"), "no such file")
	ends(t, exitError, prove("--uid", "77"), "no message")
	ends(t, exitUsage, prove(), "say which message, with --message-id, --file or --uid")
	ends(t, exitUsage, prove("--mailbox", "bob@example.com"), "say which message")
	ends(t, exitUsage, prove("--uid", "many"), "invalid argument")
}

func TestAProofOfWhatChangedSinceTheReportSaysSo(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	h.report(t, "report")
	ends(t, exitDone, []string{"retry", "--config", h.config})
	edit(t, h.config, `from = "never"`, "")
	ends(t, exitDone, []string{"run", "--config", h.config})
	args := []string{"report", "prove", "--config", h.config, "--message-id", "<refused@example.com>"}
	ends(t, exitDone, args, "says of this message: failed.", "Since then more became of it: copied. For a proof of that run mailhaul report first.")
	h.report(t, "later")
	if _, _, stderr := mailhaul(t.Context(), args...); !strings.Contains(stderr, "says of this message: copied.") || strings.Contains(stderr, "Since then") {
		t.Errorf("after another report it says: %s", stderr)
	}
}

func TestALongMessageIDIsKnownByItsBeginning(t *testing.T) {
	long := "<" + strings.Repeat("long", 100) + "@example.com>"
	for _, c := range []struct {
		kept, asked string
		fits        bool
	}{
		{"<a@b>", "<a@b>", true},
		{"<a@b>", "a@b", true},
		{"a@b", " <a@b> ", true},
		{"<a@b>", "<a@b.c>", false},
		{"", "<a@b>", false},
		{long[:migrate.MaxMessageID], long, true},
		{long[:migrate.MaxMessageID-3], long, true},
		{long[:migrate.MaxMessageID-4], long, false},
		{long[:migrate.MaxMessageID], "x" + long, false},
	} {
		if got := (proving{messageID: c.asked}).fits(migrate.Record{MessageID: c.kept}); got != c.fits {
			t.Errorf("%.20q of %d octets fits %.20q: %v", c.kept, len(c.kept), c.asked, got)
		}
	}
}
