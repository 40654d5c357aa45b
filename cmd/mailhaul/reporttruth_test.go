package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/net/html"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/canon"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// A holding is what a report is held against: what the target holds by the
// simulator's own account, canonical digests by id.
type holding func() map[string]string

func gmailTruth(t *testing.T, k *killer, users ...string) (string, holding) {
	sim := newGmail(t, gmailsim.Options{Defects: []gmailsim.Defect{gmailsim.DefectNUL, gmailsim.DefectLongLine}})
	return serveTest(t, sim, k.wrap), func() map[string]string {
		all := map[string]string{}
		for _, user := range users {
			for _, m := range sim.Messages(user) {
				if !probed(m) {
					all[m.ID] = canonical(t, m.Raw())
				}
			}
		}
		return all
	}
}

func graphTruth(t *testing.T, k *killer, users ...string) (string, holding) {
	sim := newGraph(t, graphsim.Options{})
	return serveTest(t, sim, k.wrap), func() map[string]string {
		all := map[string]string{}
		for _, user := range users {
			for _, m := range sim.Messages(user) {
				octets, err := m.Octets()
				if err != nil {
					t.Fatal(err)
				}
				all[m.ImmutableID] = canonical(t, bytes.NewReader(octets))
			}
		}
		return all
	}
}

func canonical(t *testing.T, r io.Reader) string {
	t.Helper()
	form, err := canon.Sum(r)
	if err != nil {
		t.Fatal(err)
	}
	content := form.Content()
	return hex.EncodeToString(content[:])
}

// handed makes a migration with all that a report has to tell: failures, merged
// and changed messages, a run that was killed and one that went on. It returns
// its configuration, and a report with all names.
func handed(t *testing.T, kind string) (config, dir string, arrived holding) {
	t.Helper()
	s := smallSite(t, 2, 150)
	for _, m := range defectiveMail {
		s.deliver("user0@example.com", []string{"INBOX"}, []byte(m.header+"\r\n"+m.body), nil, time.Unix(1_700_000_000, 0))
	}
	k := &killer{}
	serve, more := gmailTruth, "[transform]\nfrom = \"never\"\n"
	if kind == "graph" {
		serve, more = graphTruth, "[transform]\ndate = \"always\"\n"
	}
	var users []string
	for user := range s.mail {
		users = append(users, target(user))
	}
	url, arrived := serve(t, k, users...)
	config = s.migration(t, kind, url)
	edit(t, config, "[target]", more+"[target]")
	if kind == "graph" {
		edit(t, config, "profile =", "route = \"json\"\nprofile =")
	}
	if life(t, config, func(kill func()) { k.arm(200, time.Millisecond, kill) }) {
		t.Fatal("the run was not killed")
	}
	k.arm(0, 0, nil)
	ends(t, exitPerson, []string{"run", "--config", config})
	verifies(t, config)
	dir = filepath.Join(t.TempDir(), "report")
	ends(t, exitDone, []string{"report", "--config", config, "--out", dir, "--privacy", "full"})
	return config, dir, arrived
}

func TestAReportSaysWhatTheCheckpointsAndTheTargetSay(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"gmail", "graph"} {
		t.Run(kind, func(t *testing.T) {
			config, dir, arrived := handed(t, kind)
			entries := entriesOf(t, dir)
			report := readFace(t, dir)
			compareWithCheckpoints(t, config, entries, report)

			// What is at the target, and nothing else, is in the log as it is there.
			there, seen := arrived(), map[string]bool{}
			for place, e := range entries {
				if !slices.Contains([]string{"copied", "adopted", "merged"}, e.outcome) {
					continue
				}
				seen[e.target] = true
				if digest, ok := there[e.target]; !ok || e.outcome != "merged" && e.replica != digest {
					t.Errorf("%v: the log has %+v, the target has %q", place, e, digest)
				}
			}
			if len(seen) != len(there) || len(there) == 0 {
				t.Errorf("%d messages are at the target, and %d in the log", len(there), len(seen))
			}

			compareSums(t, entries, report)
			compareFaces(t, dir, report)
			for _, want := range [][]string{{"copied", "failed", "merged"}, {"copied", "failed"}}[map[string]int{"gmail": 0, "graph": 1}[kind]] {
				if !slices.ContainsFunc(report.Folders, func(f map[string]any) bool { return f[want].(float64) > 0 }) {
					t.Errorf("no message is %s", want)
				}
			}
			if len(report.Changed) == 0 {
				t.Error("no message was changed")
			}
			ends(t, exitDone, []string{"report", "check", filepath.Join(dir, reportJSON)})
		})
	}
}

// A told entry is what the log says of a message at last.
type toldEntry struct{ outcome, size, digest, replica, target string }

// entriesOf reads a log as a stranger would.
func entriesOf(t *testing.T, dir string) map[spot]toldEntry {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(read(t, dir, reportLog)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[spot]toldEntry{}
	for lines := bufio.NewScanner(z); lines.Scan(); {
		if f := strings.Fields(lines.Text()); f[0] == "message" {
			folder, _ := strconv.ParseInt(f[1], 10, 64)
			uid, _ := strconv.ParseUint(f[2], 10, 32)
			all[spot{folder, migrate.UID(uid)}] = toldEntry{f[3], f[5], f[6], f[7], f[8]}
		}
	}
	return all
}

type spot struct {
	folder int64
	uid    migrate.UID
}

// A face is what of report.json is compared.
type face struct {
	Mailboxes, Folders, Exceptions, Changed []map[string]any
}

func readFace(t *testing.T, dir string) (f face) {
	t.Helper()
	if err := json.Unmarshal(read(t, dir, reportJSON), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// places are where the messages of rows are.
func places(rows []map[string]any) map[spot]bool {
	all := map[spot]bool{}
	for _, r := range rows {
		all[spot{int64(r["folder"].(float64)), migrate.UID(r["uid"].(float64))}] = true
	}
	return all
}

func compareWithCheckpoints(t *testing.T, config string, entries map[spot]toldEntry, report face) {
	t.Helper()
	store, err := sqlite.OpenReadOnly(filepath.Join(filepath.Dir(config), "mailhaul.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	records, failed, noted := 0, map[spot]bool{}, map[spot]bool{}
	tallies, err := store.Tally(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tally := range tallies {
		ledger, err := store.Mailbox(t.Context(), tally.Mailbox, tally.To)
		if err != nil {
			t.Fatal(err)
		}
		for r, err := range ledger.Records(t.Context(), tally.ID, 1, ^migrate.UID(0)) {
			if err != nil {
				t.Fatal(err)
			}
			records++
			at := spot{r.Folder, r.UID}
			want := toldEntry{r.Outcome.String(), fmt.Sprint(r.Size), "-", entries[at].replica, "-"}
			if r.Digest != (migrate.Digest{}) {
				want.digest = hex.EncodeToString(r.Digest[:])
			}
			if r.Target != "" {
				want.target = string(r.Target)
			}
			if entries[at] != want {
				t.Errorf("%v: the log has %+v, the checkpoints %+v", at, entries[at], want)
			}
			switch {
			case r.Outcome == migrate.Failed:
				failed[at] = true
			case r.Outcome.Arrived() && len(r.Notes) > 0:
				noted[at] = true
			}
		}
	}
	if records != len(entries) {
		t.Errorf("the log has %d messages, the checkpoints %d", len(entries), records)
	}
	if got := places(report.Exceptions); !maps.Equal(got, failed) {
		t.Errorf("the report has the exceptions %v, the checkpoints %v", got, failed)
	}
	if got := places(report.Changed); !maps.Equal(got, noted) {
		t.Errorf("the report has %d messages with a note, the checkpoints %d", len(got), len(noted))
	}
}

// compareSums counts the log, folder by folder.
func compareSums(t *testing.T, entries map[spot]toldEntry, report face) {
	t.Helper()
	got := map[string]float64{}
	for _, f := range report.Folders {
		for _, o := range outcomes {
			if n := f[o].(float64); n != 0 {
				got[fmt.Sprint(f["folder"], o)] = n
			}
		}
	}
	want := map[string]float64{}
	for at, e := range entries {
		want[fmt.Sprint(float64(at.folder), e.outcome)]++
	}
	if !maps.Equal(got, want) {
		t.Errorf("the folders of the report have %v, the log %v", got, want)
	}
}

// Columns that each face of the tables has, if they are not nothing but zeros.
var toldColumns = map[string]string{"listed": "Listed", "copied": "Copied", "merged": "Merged", "excluded": "Left out", "failed": "Not copied", "subject": "Subject", "reason": "Reason"}

// compareFaces compares the tables of report.json with those of the page and of
// the workbook.
func compareFaces(t *testing.T, dir string, report face) {
	t.Helper()
	page := pageTables(t, filepath.Join(dir, reportHTML))
	book, err := excelize.OpenFile(filepath.Join(dir, reportXLSX), excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	for title, rows := range map[string][]map[string]any{"Mailboxes": report.Mailboxes, "Folders": report.Folders, "Messages that could not be copied": report.Exceptions} {
		sheet := book.GetSheetList()[slices.IndexFunc(book.GetSheetList(), func(name string) bool { return strings.HasPrefix(title, strings.TrimSuffix(name, "…")) })]
		cells, err := book.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		compared := 0
		for name, table := range map[string][][]string{"page": page[title], "workbook": cells} {
			if len(table) < len(rows)+1 {
				t.Errorf("%s: the %s has %d rows, the JSON %d", title, name, len(table)-1, len(rows))
				continue
			}
			for key, heading := range toldColumns {
				at := slices.Index(table[0], heading)
				if at < 0 {
					continue
				}
				for i, row := range rows {
					want, is := row[key]
					if got := cellAt(table[i+1], at); is && want != nil && got != fmt.Sprint(want) {
						t.Errorf("%s, row %d, %s: %q on the %s, %v in the JSON", title, i+1, key, got, name, want)
					}
					compared++
				}
			}
		}
		if compared < 2*len(rows) || compared == 0 {
			t.Errorf("%s: %d cells were compared", title, compared)
		}
	}
}

func cellAt(row []string, at int) string {
	if at >= len(row) {
		return ""
	}
	return row[at]
}

// pageTables returns the cells of each table by its caption; pages of one table
// are one.
func pageTables(t *testing.T, path string) map[string][][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	root, err := html.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string][][]string{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "table" {
			continue
		}
		caption := ""
		for c := range n.Descendants() {
			if c.Type != html.ElementNode {
				continue
			}
			switch c.Data {
			case "caption":
				caption = wordsOf(c)
				if i := slices.IndexFunc(slices.Sorted(maps.Keys(tables)), func(k string) bool { return strings.HasPrefix(caption, k) }); i >= 0 {
					caption = slices.Sorted(maps.Keys(tables))[i]
				}
			case "tr":
				if c.Parent.Data == "tfoot" {
					continue
				}
				var cells []string
				for d := range c.ChildNodes() {
					if d.Type == html.ElementNode {
						cells = append(cells, wordsOf(d))
					}
				}
				if len(tables[caption]) == 0 || !slices.Equal(cells, tables[caption][0]) { // the heading of a further page
					tables[caption] = append(tables[caption], cells)
				}
			}
		}
	}
	return tables
}

func wordsOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// What was signed stays as it was signed: a report of which any bit, or any row,
// is another one is no good.
func TestEveryChangeOfAReportIsNoticed(t *testing.T) {
	t.Parallel()
	_, dir, _ := handed(t, "gmail")
	key, good := filepath.Join(t.TempDir(), "report.pub"), read(t, dir, reportJSON)
	if err := os.WriteFile(key, read(t, dir, reportPub), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, reportJSON)
	check := func() (code int, output string) {
		code, stdout, stderr := mailhaul(t.Context(), "report", "check", path, "--key", key)
		return code, stdout + stderr
	}
	if code, output := check(); code != exitDone {
		t.Fatal(output)
	}
	rng := rand.New(rand.NewPCG(8, 1000))
	rows := bytes.SplitAfter(good, []byte("\n"))
	rows = rows[:len(rows)-1] // nothing follows the last one
	changes := map[string]func() [][]byte{
		"a bit": func() [][]byte {
			octets := bytes.Clone(good)
			octets[rng.IntN(len(octets))] ^= 1 << rng.IntN(8)
			return [][]byte{octets}
		},
		"a row left out": func() [][]byte {
			i := rng.IntN(len(rows))
			return slices.Delete(slices.Clone(rows), i, i+1)
		},
		"a row twice": func() [][]byte {
			i := rng.IntN(len(rows))
			return slices.Insert(slices.Clone(rows), i, rows[i])
		},
		"two rows exchanged": func() [][]byte {
			changed := slices.Clone(rows)
			for i, j := 0, 0; bytes.Equal(changed[i], changed[j]); {
				i, j = rng.IntN(len(rows)), rng.IntN(len(rows))
				if !bytes.Equal(rows[i], rows[j]) {
					changed[i], changed[j] = rows[j], rows[i]
					break
				}
			}
			return changed
		},
	}
	for name, change := range changes {
		n := 250
		if os.Getenv("MAILHAUL_REQUIRE") == "" {
			n = 25
		}
		for range n {
			if err := os.WriteFile(path, bytes.Join(change(), nil), 0o600); err != nil {
				t.Fatal(err)
			}
			if code, output := check(); code != exitError || strings.Contains(output, "is good") {
				t.Fatalf("%s: exit code %d: %s", name, code, output)
			}
		}
	}
}
