package report

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/locale"
	"github.com/mailhaul/mailhaul/migrate/privacy"
)

// memory is a ledger in memory.
type memory struct {
	state        migrate.MailboxState
	folders      []migrate.FolderState
	verification migrate.Verification
	findings     []migrate.Finding
	passes       []migrate.Pass
	notable      []migrate.Record
	excluded     map[string]int64
	hours        []Hour
	err          error // of every method that has no other
	read         int   // records that were asked for
}

func (m *memory) State(context.Context) (migrate.MailboxState, error) { return m.state, m.err }

func (m *memory) Folders(context.Context) ([]migrate.FolderState, error) { return m.folders, m.err }

func (m *memory) Verification(context.Context) (migrate.Verification, error) {
	return m.verification, m.err
}

func (m *memory) Findings(context.Context) iter.Seq2[migrate.Finding, error] {
	return rows(m.findings, m.err, new(int))
}

func (m *memory) Passes(context.Context) ([]migrate.Pass, error) { return m.passes, m.err }

func (m *memory) Notable(context.Context) iter.Seq2[migrate.Record, error] {
	return rows(m.notable, m.err, &m.read)
}

func (m *memory) Excluded(context.Context) (map[string]int64, error) { return m.excluded, m.err }

func (m *memory) Timeline(context.Context) ([]Hour, error) { return m.hours, m.err }

func rows[T any](all []T, err error, read *int) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, one := range all {
			if *read++; !yield(one, nil) {
				return
			}
		}
		if err != nil {
			yield(*new(T), err)
		}
	}
}

// morning is when the first pass of the sample began.
var morning = time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)

func at(hours float64) time.Time { return morning.Add(time.Duration(hours * float64(time.Hour))) }

// tally counts messages of one folder: pairs of an outcome and how many.
func tally(id int64, path string, role migrate.Role, counts ...any) migrate.Tally {
	t := migrate.Tally{ID: id, Folder: migrate.Folder{Path: strings.Split(path, "/"), Role: role, UIDValidity: 7}, Target: path}
	for i := 0; i < len(counts); i += 2 {
		o, n := counts[i].(migrate.Outcome), int64(counts[i+1].(int))
		t.Count[o], t.Bytes[o] = n, n*30_000
		t.Listed += n
	}
	return t
}

// verified is a verification that found all of tallies where it belongs, but
// what differs.
func verified(depth string, hour float64, ts []migrate.Tally, findings ...migrate.Finding) (migrate.Verification, []migrate.Finding) {
	v := migrate.Verification{Depth: depth, Started: at(hour), Ended: at(hour + 1)}
	if depth == "sample" {
		v.Sample = "400"
	}
	for _, t := range ts {
		n := t.Arrived()
		f := migrate.FolderVerification{Folder: t.ID, Arrived: n, Present: n, Held: n, Compared: n, Merged: t.Count[migrate.Merged]}
		if depth == "sample" {
			f.Compared = min(400, n)
		}
		for _, x := range findings {
			if x.Folder == t.ID && (x.Kind == migrate.KindMissing || x.Kind == migrate.KindDeleted || x.Kind == migrate.KindMisplaced) {
				f.Present--
			}
		}
		v.Folders = append(v.Folders, f)
	}
	return v, findings
}

// sample is a migration to Gmail of four mailboxes, one of each grade.
func sample(t testing.TB, tag string) Migration {
	l, err := locale.New(tag)
	if err != nil {
		t.Fatal(err)
	}
	zone := time.FixedZone("CET", 3600)
	date := time.Date(2019, 3, 4, 5, 6, 7, 0, time.UTC)
	passes := []migrate.Pass{{Started: at(0), Ended: at(5.5), Error: "import: HTTP 503: backend of anna.berg@example.com"}, {Started: at(20), Ended: at(21), Complete: true}}
	complete := migrate.MailboxState{Started: at(20), Ended: at(21), Complete: true}

	anna := []migrate.Tally{
		tally(1, "INBOX", migrate.RoleInbox, migrate.Copied, 30_100, migrate.Adopted, 3, migrate.Moved, 2),
		tally(2, "Sent Items", migrate.RoleSent, migrate.Copied, 9_000),
		tally(3, "Clients/2019\u202e", migrate.RoleNone, migrate.Copied, 4_000, migrate.Merged, 12),
	}
	anna[1].Target, anna[1].Note = "Sent", "Gmail's own place for it"
	anna[2].Target, anna[2].Note = "Clients/2019", "the name holds control characters"
	annas := &memory{state: complete, passes: passes, hours: []Hour{{at(0), 20_000, 600e6}, {at(1), 18_000, 500e6}, {at(20), 5_100, 190e6}},
		notable: []migrate.Record{
			{Folder: 1, UID: 5, Outcome: migrate.Copied, Size: 4_000, Notes: []string{"flags-dropped", "from-repaired"}, MessageID: "<1@mx.example.com>",
				Head: migrate.Head{From: "offers@shop.example", Date: date, Subject: "=HYPERLINK(\"http://evil.example\") <b>Offer</b>"}},
			{Folder: 3, UID: 9, Outcome: migrate.Merged, Size: 9_000, Notes: []string{"flags-dropped", "of-a-later-version"}},
		}}
	annas.verification, annas.findings = verified("sample", 22, anna, migrate.Finding{Kind: migrate.KindExtra, Folder: 1, From: "new@example.net"})

	bruno := []migrate.Tally{tally(4, "INBOX", migrate.RoleInbox, migrate.Copied, 9_000, migrate.Removed, 4), tally(5, "Privat", migrate.RoleNone, migrate.Excluded, 11)}
	bruno[0].Left, bruno[0].Vanished, bruno[0].Note = 3, 3, "Gmail's own place for it"
	brunos := &memory{state: complete, passes: []migrate.Pass{{Started: at(2)}, passes[1]}, excluded: map[string]int64{"exclude_folders Privat": 10, `flagged \Deleted`: 1}}
	brunos.verification, brunos.findings = verified("metadata", 10, bruno)

	chiyo := []migrate.Tally{tally(6, "INBOX", migrate.RoleInbox, migrate.Copied, 95, migrate.Failed, 3, migrate.Gone, 2)}
	chiyo[0].Doubts = 1
	chiyos := &memory{state: complete, passes: passes, hours: []Hour{{at(0), 50, 2e6}, {at(20), 45, 1e6}}, notable: []migrate.Record{
		{Folder: 6, UID: 11, Outcome: migrate.Failed, Size: 40_000_000, MessageID: "<a@example.com>", Reason: "import: the message has 40000000 octets",
			Hint: "Gmail takes messages of 35 MiB and drafts of 25 MiB at most. Keep it as a file.",
			Head: migrate.Head{From: "dora@client.example", Date: date, Subject: "Plans of the house in Hauptstraße 12"}},
		{Folder: 6, UID: 12, Outcome: migrate.Failed, Size: 1_200, Doubt: true, Reason: "import: HTTP 400, invalid: no such thing as chiyo.tanabe@example.com <script>",
			Hint: "Ask chiyo.tanabe@example.com."},
		{Folder: 6, UID: 13, Outcome: migrate.Failed, Size: 800, Reason: "import: HTTP 400, invalidArgument: Expected a single 'From' header",
			Hint:  "Gmail takes mail with exactly one From field that holds one valid address. Keep the message as a file. It is signed or encrypted, which a change would break (from): set signed = \"change\" in [transform] if that may be.",
			Notes: []string{"header-encoded"}, Head: migrate.Head{Subject: "二人の差出人"}},
	}}
	chiyos.verification, chiyos.findings = verified("content", 22, chiyo,
		migrate.Finding{Kind: migrate.KindMissing, Folder: 6, UID: 3, From: "erik@client.example", Date: date, Subject: "Lunch?", MessageID: "<b@example.com>"},
		migrate.Finding{Kind: migrate.KindExtra, Folder: 6, Subject: "Welcome"},
		migrate.Finding{Kind: migrate.KindFlags, Folder: 6, UID: 4, Detail: `has no flags instead of \Seen`, Subject: "Invoice"})

	return Migration{Routes: []Route{Gmail},
		Rules: []string{"exclude_folders Privat", "exclude_folders Alt/*", `flagged \Deleted`}, Limits: []string{"6,000 units per minute and user"},
		Cover: document.Cover{Name: "Example Ltd", Source: "mail.example.com", Target: "gmail", Endpoint: "http://127.0.0.1:8025",
			Program: "mailhaul 1.0", Config: strings.Repeat("0123456789abcdef", 4),
			Language: l, Zone: zone, Brand: document.Brand{Name: "Consult & Co"}, Made: at(24), Privacy: privacy.Policy{Level: privacy.Masked}},
		Host: "worker", Key: "example.com/mail+1234abcd",
		Nonce: func(kind, value string) string { return fmt.Sprintf("%x", kind+value) },
		Mailboxes: []Mailbox{
			{"anna.berg@example.com", "anna.berg@example.com", annas, anna},
			{"bruno.keller@example.com", "bruno.keller@example.com", brunos, bruno},
			{"chiyo.tanabe@example.com", "chiyo@example.com", chiyos, chiyo},
			{Source: "dora.novak@example.com", Target: "dora.novak@example.com"},
		}}
}

func made(t testing.TB, m Migration) *document.Document {
	t.Helper()
	d, err := New(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// table returns a table of a document and its rows.
func table(t testing.TB, d *document.Document, key string) (*document.Table, [][]document.Value) {
	t.Helper()
	for _, s := range d.Sections {
		for _, b := range s.Blocks {
			if table, ok := b.(*document.Table); ok && table.Key == key {
				var all [][]document.Value
				for row, err := range table.Rows {
					if err != nil {
						t.Fatal(err)
					}
					all = append(all, slices.Clone(row))
				}
				return table, all
			}
		}
	}
	t.Fatalf("there is no table %q", key)
	return nil, nil
}

// cell returns the value of a column in a row.
func cell(t testing.TB, d *document.Table, row []document.Value, key string) document.Value {
	t.Helper()
	i := slices.IndexFunc(d.Columns, func(c document.Column) bool { return c.Key == key })
	if i < 0 {
		t.Fatalf("the table %q has no column %q", d.Key, key)
	}
	return row[i]
}

var _ fs.FS = texts
var _ Ledger = (*memory)(nil)
