package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	model "github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/locale"
)

// What bob has that a person must look at, or may want to.
const (
	refused = "Subject: =HYPERLINK(\"http://evil.example\")\r\nMessage-ID: <refused@example.com>\r\n\r\nNo sender.\r\n"
	old     = "From: bob@example.com\r\nDate: Tue, 01 Jan 2019 00:00:00 +0000\r\nMessage-ID: <old@example.com>\r\nSubject: Old\r\n\r\nOld.\r\n"
)

// A handover is a migration to Gmail whose report is due. Of ann's mail all
// arrived. Of bob's a message failed and another one has a note.
type handover struct {
	*office
	config string
	bob    *imapmemserver.User
}

func newHandover(t *testing.T) *handover {
	t.Helper()
	h := &handover{office: newOffice(t, "ann")}
	h.bob = h.person(t, "bob")
	put(t, h.bob, "INBOX", letter("bob", 1, ""))
	put(t, h.bob, "INBOX", refused)
	put(t, h.bob, "INBOX", old)
	put(t, h.bob, "Sent", letter("bob", 1, "")) // the same content
	h.config = h.migration(t, "gmail", gmailVault(t).url, "", "time_zone = \"UTC\"", "ann", "bob")
	edit(t, h.config, "[run]", "[transform]\nfrom = \"never\"\n[run]")
	h.move(t)
	return h
}

func (h *handover) move(t *testing.T) {
	t.Helper()
	ends(t, exitPerson, []string{"run", "--config", h.config})
	ends(t, exitDone, []string{"verify", "--config", h.config, "--depth", "content"})
}

// report writes a report into a folder of that name and returns the folder.
func (h *handover) report(t *testing.T, name string, args ...string) string {
	t.Helper()
	out := filepath.Join(h.dir, name)
	ends(t, exitDone, append([]string{"report", "--config", h.config, "--out", out}, args...), "The report is in "+out)
	return out
}

// files returns the names of what is in a folder.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAReportIsWrittenAndAcceptedByItsCheck(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	out := ends(t, exitDone, []string{"report", "--config", h.config}, "Made "+filepath.Join(h.dir, "report.key"))
	s := sumsOf(t, h.config, exitPerson)

	dirs, err := filepath.Glob(filepath.Join(h.dir, "report-????-??-??"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("reports: %q, %v", dirs, err)
	}
	dir := dirs[0]
	if got, want := files(t, dir), []string{reportHTML, reportJSON, reportLog, reportPub, reportXLSX}; !slices.Equal(got, want) {
		t.Errorf("a report has the files %q, want %q", got, want)
	}
	for _, path := range append([]string{dir, filepath.Join(h.dir, "report.key")}, paths(dir, files(t, dir))...) {
		if info, err := os.Stat(path); err != nil || private(info) != 0 {
			t.Errorf("%s may be read by others: %v, %v", path, info.Mode(), err)
		}
	}
	if page := string(read(t, dir, reportHTML)); !strings.Contains(page, "<h1><bdi>127.0.0.1: ") || strings.Contains(page, "bob@") {
		t.Errorf("the page is not named after the host, or names people:\n%s", page)
	}
	for _, text := range []string{"10 messages were in the old system", "one is not, and it is listed with the reason", "The report is in " + dir} {
		if !strings.Contains(out, text) {
			t.Errorf("%q is missing in\n%s", text, out)
		}
	}

	var doc struct {
		Mailboxes []map[string]any
		Log       struct{ Entries int64 }
		Heads     []string
	}
	if err := json.Unmarshal(read(t, dir, reportJSON), &doc); err != nil {
		t.Fatal(err)
	}
	for i, m := range s.Mailboxes {
		for outcome, n := range m.Sums.Outcomes {
			j := slices.IndexFunc(doc.Mailboxes, func(row map[string]any) bool { return row["mailbox"] == float64(i+1) })
			if j < 0 || doc.Mailboxes[j][outcome] != float64(n) || doc.Mailboxes[j]["listed"] != float64(m.Sums.Listed) {
				t.Errorf("%s has %d messages %s by status, and by the report %v", m.Source, n, outcome, doc.Mailboxes)
			}
		}
	}
	if want := s.Total.Listed + 4; doc.Log.Entries != want || doc.Heads == nil || len(doc.Heads) != 0 {
		t.Errorf("the log has %d entries, want %d; earlier heads: %q", doc.Log.Entries, want, doc.Heads)
	}
	if strings.Contains(out, "\nB ") || strings.Contains(out, "  0  ") {
		t.Errorf("grades that no mailbox has are shown:\n%s", out)
	}
	checked := ends(t, exitDone, []string{"report", "check", filepath.Join(dir, reportJSON)},
		"report.json is good", "10 messages in 4 folders of 2 mailboxes", "8 copied, 1 merged, 1 failed", "The key was beside it")
	for _, line := range []string{"Fingerprint:  ", "Key:          "} {
		_, a, _ := strings.Cut(out, line)
		_, b, _ := strings.Cut(checked, line)
		a, _, _ = strings.Cut(a, "\n")
		if a == "" || !strings.HasPrefix(b, a) {
			t.Errorf("%sreport says %q, check %q", line, a, b)
		}
	}
}

func paths(dir string, names []string) (all []string) {
	for _, name := range names {
		all = append(all, filepath.Join(dir, name))
	}
	return all
}

func TestTheKeyIsInNothingButItsFile(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	out := ends(t, exitDone, []string{"report", "key", "--config", h.config})
	key := strings.TrimSpace(string(read(t, h.dir, "report.key")))
	out += ends(t, exitDone, []string{"report", "--config", h.config, "--privacy", "full"})
	secret := []byte(strings.SplitN(key, "+", 5)[4])
	if len(secret) < 40 || strings.Contains(out, string(secret)) {
		t.Errorf("a key of %d octets, printed:\n%s", len(key), out)
	}
	err := filepath.WalkDir(h.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && d.Name() != "report.key" && bytes.Contains(read(t, path), secret) {
			t.Errorf("%s holds the key", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// log returns the entries of a report's log.
func logOf(t *testing.T, dir string) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(read(t, dir, reportLog)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAReportGoesOnFromTheEarlierOnes(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	first := h.report(t, "first")
	again := h.report(t, "again")
	if logOf(t, first) != logOf(t, again) {
		t.Error("the log grew though nothing happened")
	}
	put(t, h.bob, "Sent", letter("bob", 7, ""))
	h.move(t)
	later := h.report(t, "later", "--privacy", "full")
	if a, b := logOf(t, first), logOf(t, later); !strings.HasPrefix(b, a) || strings.Count(b, "\n") != strings.Count(a, "\n")+1 {
		t.Errorf("a message more, and the log\n%swas followed by\n%s", a, b)
	}
	key := filepath.Join(h.dir, "report.pub")
	at := func(dir string) string { return filepath.Join(dir, reportJSON) }
	text := ends(t, exitDone, []string{"report", "check", at(later), "--key", key, "--earlier", at(first), "--earlier", at(again)}, "those of 4 folders")
	if strings.Count(text, "Goes on from: ") != 2 || strings.Contains(text, "The key was beside it") {
		t.Errorf("check says\n%s", text)
	}
	ends(t, exitError, []string{"report", "check", at(first), "--earlier", at(later)}, "report.json is NOT good", "earlier report")
	other := newHandover(t).report(t, "other")
	ends(t, exitError, []string{"report", "check", at(later), "--earlier", at(other)}, "report.json is NOT good", "earlier report")
	ends(t, exitError, []string{"report", "check", at(later), "--key", filepath.Join(other, reportPub)}, "report.json is NOT good", "not signed with the given key")
	ends(t, exitError, []string{"report", "check", at(later), "--earlier", filepath.Join(h.dir, "nothing.json")}, "nothing.json")
}

func TestACheckSaysWhatWasChanged(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	dir := h.report(t, "report")
	file := filepath.Join(dir, reportJSON)
	for name, want := range map[string]string{
		reportJSON: "report.json",
		reportHTML: "report.html was changed",
		reportXLSX: "report.xlsx was changed",
		reportLog:  "report.log.gz is not the file",
	} {
		text := read(t, dir, name)
		changed := bytes.Clone(text)
		changed[len(changed)/2] ^= 1
		h.write(t, "report/"+name, string(changed))
		ends(t, exitError, []string{"report", "check", file}, "report.json is NOT good:\n  ", want)
		h.write(t, "report/"+name, string(text))
	}
	for _, name := range []string{reportHTML, reportLog} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if name == reportHTML {
			ends(t, exitDone, []string{"report", "check", file}, "Not there:    report.html")
		} else {
			ends(t, exitError, []string{"report", "check", file}, "NOT good", reportLog)
		}
	}
	ends(t, exitError, []string{"report", "check", filepath.Join(dir, "none.json")}, "no such file")
	ends(t, exitError, []string{"report", "check", h.config, "--key", filepath.Join(dir, reportPub)}, "mailhaul.toml is NOT good")
	ends(t, exitError, []string{"report", "check", written(t, reportJSON, "{}")}, "the public key", "Name it with --key")
	ends(t, exitError, []string{"report", "check", file, "--key", h.config}, "the public key: "+h.config)
	ends(t, exitUsage, []string{"report", "check"}, "name one file")
	ends(t, exitUsage, []string{"report", "chekc"}, "unknown command")
}

func TestADraftCanBeWrittenWhileARunIsAtWork(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	database := filepath.Join(h.dir, "mailhaul.db")
	store, err := sqlite.Open(database) // as a run has it
	if err != nil {
		t.Fatal(err)
	}
	ends(t, exitError, []string{"report", "--config", h.config}, "mailhaul.db is in use by process", "mailhaul report --draft")
	text := ends(t, exitDone, []string{"report", "--config", h.config, "--draft"}, "It is a draft: it is not signed, and proves nothing.", "-draft\n")
	if strings.Contains(text, "Fingerprint") {
		t.Errorf("a draft says\n%s", text)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	dirs, err := filepath.Glob(filepath.Join(h.dir, "*-draft"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("%q, %v", dirs, err)
	}
	if got, want := files(t, dirs[0]), []string{reportHTML, reportJSON, reportXLSX}; !slices.Equal(got, want) {
		t.Errorf("a draft has the files %q, want %q", got, want)
	}
	if text := read(t, dirs[0], reportJSON); !bytes.Contains(text, []byte("\n\"draft\":\"")) {
		t.Errorf("it does not say that it is a draft:\n%s", text)
	}
	if size := heads(t, database); size != 0 {
		t.Errorf("a draft left %d heads", size)
	}
	if _, err := os.Stat(filepath.Join(h.dir, "report.key")); err == nil {
		t.Error("a draft made a key")
	}
	h.write(t, "report.pub", "")
	h.report(t, "some", "--mailbox", "bob@example.com", "--draft")
}

// heads says how many there are in the checkpoints.
func heads(t *testing.T, database string) int {
	t.Helper()
	store, err := sqlite.OpenReadOnly(database)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	all, err := store.Log().Heads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestAReportOnSomeMailboxesIsADraft(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	for _, chosen := range [][]string{{"--mailbox", "bob@example.org"}, {"--wave", "wave2"}} {
		dir := h.report(t, chosen[0][2:], chosen...)
		text := string(read(t, dir, reportJSON))
		if !strings.Contains(text, `"listed":4,`) || strings.Contains(text, `"listed":6,`) || !strings.Contains(text, "\n\"draft\":\"") || strings.Contains(text, `"head"`) {
			t.Errorf("%q: %s", chosen, text)
		}
		h.write(t, chosen[0][2:]+"/report.pub", string(read(t, h.report(t, "whole"+chosen[0]), reportPub)))
		ends(t, exitError, []string{"report", "check", filepath.Join(dir, reportJSON)}, "draft", "proves nothing")
	}
}

func TestAMailboxThatLeftTheListStaysInTheReport(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	first := h.report(t, "first")
	h.write(t, "mailboxes.csv", "source,target\nbob@example.com,bob@example.org\ncleo@example.com,cleo@example.org\n")
	second := h.report(t, "second")
	ends(t, exitDone, []string{"report", "check", filepath.Join(second, reportJSON), "--earlier", filepath.Join(first, reportJSON)}, "10 messages in 4 folders of 3 mailboxes")

	h.write(t, "mailboxes.csv", "source,target\nbob@example.com,robert@example.org\n")
	ends(t, exitPerson, []string{"run", "--config", h.config})
	third := h.report(t, "third")
	ends(t, exitDone, []string{"report", "check", filepath.Join(third, reportJSON), "--earlier", filepath.Join(second, reportJSON)}, "14 messages in 6 folders of 3 mailboxes")
}

func TestNoReportIsWrittenOverAnother(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	out := filepath.Join(h.dir, "out")
	h.report(t, "out")
	before := read(t, out, reportJSON)
	ends(t, exitError, []string{"report", "--config", h.config, "--out", out}, out+" is not empty: name another folder with --out")
	ends(t, exitError, []string{"report", "--config", h.config, "--out", h.config}, "not a directory")
	if !bytes.Equal(before, read(t, out, reportJSON)) {
		t.Error("the report was changed")
	}
	if err := os.Mkdir(filepath.Join(h.dir, "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	h.report(t, "empty")
	h.report(t, "a/b")
	ends(t, exitDone, []string{"report", "--config", h.config})
	ends(t, exitDone, []string{"report", "--config", h.config}, "-2\n")
	ends(t, exitDone, []string{"report", "--config", h.config}, "-3\n")
	for _, name := range files(t, h.dir) {
		if strings.Contains(name, "unfinished") {
			t.Errorf("%s was left behind", name)
		}
	}
}

func TestAReportNeedsARunThatItIsAbout(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	config := o.migration(t, "gmail", gmailVault(t).url, "", "", "ann")
	before := files(t, o.dir)
	ends(t, exitError, []string{"report", "--config", config}, "The first run makes it")
	if after := files(t, o.dir); !slices.Equal(before, after) {
		t.Errorf("there were %q, and now %q", before, after)
	}
}

func TestTheReportCommandLineIsChecked(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--language", "tlh"}, "--language: want de or en"},
		{[]string{"--privacy", "none"}, "--privacy: want full, masked, hashed"},
		{[]string{"--privacy", "hashed"}, "hash_key_file"},
		{[]string{"--mailbox", "eve@example.com"}, `no mailbox "eve@example.com"`},
		{[]string{"--user", "eve@example.com"}, `no mailbox "eve@example.com"`},
		{[]string{"--evidence", "x"}, "--evidence and --recipient go together"},
		{[]string{"--recipient", "age1qqqq"}, "--recipient 1: want a public key of age"},
		{[]string{"extra"}, "unknown command"},
	} {
		ends(t, exitUsage, append([]string{"report", "--config", h.config}, c.args...), c.want)
	}
	if dirs, err := filepath.Glob(filepath.Join(h.dir, "report*")); err != nil || len(dirs) != 0 {
		t.Errorf("%q, %v", dirs, err)
	}
	h.write(t, "hash.txt", "a key\n")
	edit(t, h.config, "[run]", "[notify]\nhash_key_file = \"hash.txt\"\n[run]")
	dir := h.report(t, "hashed", "--privacy", "hashed", "--language", "de")
	if text := string(read(t, dir, reportJSON)); strings.Contains(text, "bob@") || strings.Contains(text, "b***@") || !strings.Contains(text, `"language":"de"`) {
		t.Errorf("hashed, in German:\n%s", text)
	}
}

func TestReportsSayWhoMadeThem(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	h.write(t, "logo.svg", `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`)
	h.write(t, "foreword.md", "We *thank* you.\n")
	edit(t, h.config, "[run]", "[report]\nname = \"Acme 2026\"\ncompany = \"Haulers & Sons\"\nlogo_file = \"logo.svg\"\ncolour = \"#123456\"\nforeword_file = \"foreword.md\"\n[run]")
	page := string(read(t, h.report(t, "one"), reportHTML))
	for _, text := range []string{"Acme 2026", "Haulers &amp; Sons", "data:image/svg+xml", "#123456", "<em>thank</em>"} {
		if !strings.Contains(page, text) {
			t.Errorf("%s is not on the page", text)
		}
	}
	h.write(t, "logo.svg", strings.Repeat("x", logoLimit+1))
	ends(t, exitError, []string{"report", "--config", h.config}, "logo_file: ", "larger than 1 MiB")
	h.write(t, "logo.svg", "MZ")
	ends(t, exitError, []string{"report", "--config", h.config}, "PNG")
	edit(t, h.config, `logo_file = "logo.svg"`, "")
	h.write(t, "foreword.md", "\xff")
	ends(t, exitError, []string{"report", "--config", h.config}, "foreword_file: foreword.md:1: not UTF-8")
	if err := os.Remove(filepath.Join(h.dir, "foreword.md")); err != nil {
		t.Fatal(err)
	}
	ends(t, exitError, []string{"report", "--config", h.config}, "foreword_file: ", "no such file")
}

func TestUsersGetPagesOfTheirOwn(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	all := h.report(t, "all", "--users")
	ends(t, exitDone, []string{"report", "--config", h.config, "--user", "bob@example.com", "--draft"}, "With it 1 page for a user.")
	if got, want := files(t, all), []string{reportHTML, reportJSON, reportLog, reportPub, reportXLSX, "user-ann.html", "user-bob.html"}; !slices.Equal(got, want) {
		t.Errorf("there are %q, want %q", got, want)
	}
	page := string(read(t, all, "user-bob.html"))
	if !strings.Contains(page, "bob@example.org") || strings.Contains(page, "ann@") {
		t.Errorf("bob's page:\n%s", page)
	}
	if text := read(t, all, reportJSON); bytes.Contains(text, []byte("user-bob")) {
		t.Error("the names of users are in a report that masks them")
	}
	if got := files(t, h.report(t, "one", "--user", "ann@example.org")); !slices.Contains(got, "user-ann.html") || slices.Contains(got, "user-bob.html") {
		t.Errorf("of ann's page and none else: %q", got)
	}
}

func TestNamesOfPagesMeanNothingToAnySystem(t *testing.T) {
	for local, want := range map[string]string{
		"anna.berg":              "user-anna.berg",
		"Anna":                   "user-anna",
		"../../etc/passwd":       "user-..-..-etc-passwd",
		`a\b:c*d?e"f<g>h|i`:      "user-a-b-c-d-e-f-g-h-i",
		"a\x00b\nc\u202ed":       "user-a-b-c-d",
		"größe":                  "user-größe",
		"\xff":                   "user--",
		"":                       "user-",
		strings.Repeat("é", 300): "user-" + strings.Repeat("é", 45),
		"a_b-c+d":                "user-a_b-c-d",
	} {
		if got := pageName(local); got != want {
			t.Errorf("%q gets %q, want %q", local, got, want)
		}
	}
	o := newOffice(t, "ann")
	dir := o.dir
	for _, want := range []string{"user-ann.html", "user-ann-2.html", "user-ann-3.html"} {
		got := freeName(filepath.Join(dir, "user-ann"), ".html")
		if filepath.Base(got) != want {
			t.Errorf("the next name is %s, want %s", got, want)
		}
		o.write(t, filepath.Base(got), "")
	}
}

func TestAReportThatIsInterruptedLeavesNothing(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	before := files(t, h.dir)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	code, _, stderr := mailhaul(ctx, "report", "--config", h.config)
	ended(t, "report", code, exitInterrupted, stderr, "mailhaul: interrupted")
	after := slices.DeleteFunc(files(t, h.dir), func(name string) bool { return name == "report.key" || name == "report.pub" })
	if !slices.Equal(before, after) {
		t.Errorf("there were %q, and now %q", before, after)
	}
}

func TestEveryCommandBelowReportStatesItsExitCodes(t *testing.T) {
	for _, c := range newReportCommand().Commands() {
		if !strings.Contains(c.Long, "Exit codes:\n  0 ") || !strings.Contains(c.Long, "\n  2    the command line is wrong") {
			t.Errorf("the help of %s does not state its exit codes", c.CommandPath())
		}
	}
}

func TestAReportThatDoesNotPassItsOwnCheckIsNotSigned(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	h.report(t, "first")
	store, err := sqlite.Open(filepath.Join(h.dir, "mailhaul.db"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := ReportConfig{KeyFile: filepath.Join(h.dir, "report.key")}.key(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	folder, err := newReportFolder(filepath.Join(h.dir, "second"))
	if err != nil {
		t.Fatal(err)
	}
	english, err := locale.New("en")
	if err != nil {
		t.Fatal(err)
	}
	empty := &model.Document{Format: "mailhaul-report", Version: 1, Language: english, Made: time.Now()}
	err = (&seal{key, store.Log()}).write(t.Context(), folder, empty, nil)
	if err == nil || !strings.HasPrefix(err.Error(), "the report does not pass its own check, and is not kept: ") {
		t.Errorf("a report on nothing: %v", err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if n := heads(t, filepath.Join(h.dir, "mailhaul.db")); n != 1 {
		t.Errorf("%d heads are kept", n)
	}
}
