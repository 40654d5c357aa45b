package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/transform"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// defectiveMail are messages with a defect, or several, and the notes of what
// is done about them where targets refuse them. Those are keys of [transform].
var defectiveMail = []struct{ needs, header, body string }{
	{"", oddFrom + oddDate + oddID, "in order\r\n"},
	{"from", oddDate + oddID, "no From\r\n"},
	{"nul", oddFrom + oddDate + oddID, "an octet \x00\r\n"},
	{"line_ends", oddFrom + oddDate + oddID, "a line end\nof LF\r\n"},
	{"long_lines", oddFrom + oddDate + oddID, strings.Repeat("long ", 300) + "\r\n"},
	{"header_8bit", oddFrom + oddDate + oddID + "X-Subject: gr\xfc\xdfe\r\n", "8 bits\r\n"},
	{"content_type", oddFrom + oddDate + oddID + "Content-Type: text/plain; charset=us-ascii; charset=utf-8\r\n", "no Content-Type\r\n"},
	{"charset", oddFrom + oddDate + oddID + "Content-Type: text/plain; charset=x-unheard-of\r\n", "no charset\r\n"},
	{"message_id", oddFrom + oddDate + "Message-ID: 1@example.com\r\n", "no brackets\r\n"},
	{"missing_message_id", oddFrom + oddDate, "no Message-ID\r\n"},
	{"date", oddFrom + oddID, "no Date\r\n"},
	{"from nul date", oddID, "neither Date nor From, and an octet \x00\r\n"},
}

const (
	oddFrom = "From: ann@example.com\r\n"
	oddDate = "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
	oddID   = "Message-ID: <1@example.com>\r\n"
)

// choosy are simulators that refuse every defect, or none.
func choosy(t *testing.T, kind string, refuse bool) (url string, arrived func() [][]byte) {
	if kind == "gmail" {
		o := gmailsim.Options{Same: gmailsim.SameNever, AnyFrom: !refuse}
		if refuse {
			o.Defects = []gmailsim.Defect{gmailsim.DefectNUL, gmailsim.DefectLineEnd, gmailsim.DefectLongLine, gmailsim.DefectHeader8Bit, gmailsim.DefectContentType,
				gmailsim.DefectCharset, gmailsim.DefectMessageID, gmailsim.DefectNoMessageID, gmailsim.DefectNoDate}
		}
		sim, url := gmailFor(t, o, nil)
		return url, func() (all [][]byte) {
			for _, m := range sim.Messages("bob@example.org") {
				all = append(all, readAll(t, m.Received()))
			}
			return all
		}
	}
	var o graphsim.Options
	if refuse {
		o.Defects = []graphsim.Defect{graphsim.DefectFrom, graphsim.DefectNUL, graphsim.DefectLineEnd, graphsim.DefectLongLine, graphsim.DefectHeader8Bit, graphsim.DefectContentType,
			graphsim.DefectCharset, graphsim.DefectMessageID, graphsim.DefectNoMessageID, graphsim.DefectNoDate}
	}
	sim, url := graphFor(t, o, nil)
	return url, func() (all [][]byte) {
		for _, m := range sim.Messages("bob@example.org") {
			octets, err := m.Octets()
			if err != nil {
				t.Fatal(err)
			}
			_, octets, _ = bytes.Cut(octets, []byte("\n")) // X-Mailhaul-Key
			all = append(all, octets)
		}
		return all
	}
}

func TestWhatATargetRefusesArrivesChanged(t *testing.T) {
	t.Parallel()
	received := time.Unix(1_700_000_000, 0)
	for _, test := range []struct {
		name      string
		refuse    bool
		transform string
		changed   func(key string) bool // whether what needs that transform is changed
	}{
		{"nothing is refused", false, "", func(string) bool { return false }},
		{"refused", true, "missing_message_id = \"when-refused\"", func(string) bool { return true }},
		{"always", false, "date = \"always\"\nnul = \"always\"", func(key string) bool { return key == "date" || key == "nul" }},
	} {
		for _, kind := range []string{"gmail", "graph"} {
			o := newOffice(t, "ann")
			bob := o.person(t, "bob")
			for _, m := range defectiveMail {
				put(t, bob, "INBOX", m.header+"\r\n"+m.body)
			}
			url, arrived := choosy(t, kind, test.refuse)
			config := o.migration(t, kind, url, "", "", "bob")
			edit(t, config, "[run]", "[transform]\n"+test.transform+"\n[run]")
			ends(t, exitDone, []string{"run", "--config", config})
			copies := arrived()
			for uid, r := range recordsOf(t, config) {
				m := defectiveMail[uid-1]
				var names []string
				for _, tr := range transform.All() {
					if slices.Contains(strings.Fields(m.needs), tr.Key) && test.changed(tr.Key) {
						names = append(names, tr.Note)
					}
				}
				if r.Outcome != migrate.Copied || !slices.Equal(transform.Applied(r.Notes), names) || slices.Contains(r.Notes, "import-refused") {
					t.Errorf("%s, %s, %s: %s with the notes %q, want %q", kind, test.name, m.needs, r.Outcome, r.Notes, names)
				}
				var want bytes.Buffer
				if _, err := want.ReadFrom(transform.Reader(names, received, strings.NewReader(m.header+"\r\n"+m.body))); err != nil {
					t.Fatal(err)
				}
				if !slices.ContainsFunc(copies, func(c []byte) bool { return bytes.Equal(c, want.Bytes()) }) {
					t.Errorf("%s, %s, %s: no copy is %q", kind, test.name, m.needs, want.Bytes())
				}
			}
			if len(copies) != len(defectiveMail) {
				t.Errorf("%s, %s: %d copies of %d messages", kind, test.name, len(copies), len(defectiveMail))
			}
		}
	}
}

// At Exchange such mail is rebuilt instead, which is noted.
func TestWhatMayNotBeChangedFailsWithTheReasonOfTheTarget(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	bob := o.person(t, "bob")
	for _, m := range defectiveMail {
		put(t, bob, "INBOX", m.header+"\r\n"+m.body)
	}
	var never strings.Builder
	for _, tr := range transform.All() {
		fmt.Fprintf(&never, "%s = \"never\"\n", tr.Key)
	}
	for _, kind := range []string{"gmail", "graph"} {
		url, _ := choosy(t, kind, true)
		o.dir = t.TempDir()
		o.write(t, "password", officePassword+"\n")
		o.write(t, "token", officeToken+"\n")
		config := o.migration(t, kind, url, "", "", "bob")
		edit(t, config, "[run]", "[transform]\n"+never.String()+"[run]")
		ends(t, map[string]int{"gmail": exitPerson, "graph": exitDone}[kind], []string{"run", "--config", config})
		for uid, r := range recordsOf(t, config) {
			m := defectiveMail[uid-1]
			hint := "if [transform] allows that: " + strings.ReplaceAll(m.needs, " ", ", ") + "."
			switch {
			case m.needs == "":
				if r.Outcome != migrate.Copied || transform.Applied(r.Notes) != nil {
					t.Errorf("%s: %+v", kind, r)
				}
			case kind == "graph":
				if r.Outcome != migrate.Copied || !slices.Contains(r.Notes, "import-refused") {
					t.Errorf("%s: %+v", m.needs, r)
				}
			case r.Outcome != migrate.Failed || !strings.Contains(r.Reason, "HTTP 400") || !strings.HasSuffix(r.Hint, hint):
				t.Errorf("%s: %+v, want the hint %q", m.needs, r, hint)
			}
		}
	}
}

// recordsOf returns the records of bob's inbox by UID.
func recordsOf(t *testing.T, config string) map[migrate.UID]migrate.Record {
	t.Helper()
	store, err := sqlite.OpenReadOnly(filepath.Join(filepath.Dir(config), "mailhaul.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	ledger, err := store.Mailbox(t.Context(), "bob@example.com", "bob@example.org")
	if err != nil {
		t.Fatal(err)
	}
	folders, err := ledger.Folders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	records := map[migrate.UID]migrate.Record{}
	for _, f := range folders {
		if f.Folder.Path[0] == "INBOX" {
			for r, err := range ledger.Records(t.Context(), f.ID, 1, ^migrate.UID(0)) {
				if err != nil {
					t.Fatal(err)
				}
				records[r.UID] = r
			}
		}
	}
	return records
}

func TestEachTransformHasItsKeyAndItsDefault(t *testing.T) {
	policies := map[string]transform.Policy{}
	for _, tr := range transform.All() {
		policies[tr.Key] = tr.Default
	}
	if got := defaults().Transform.config(); !reflect.DeepEqual(got, transform.Config{Policies: policies}) {
		t.Errorf("the defaults are %v, want %v", got, policies)
	}
}
