// Package report makes of the memory of a migration what is handed to the
// client: what was moved, what was not and why, what was changed, and how that
// was verified. docs/report.md says what is in it.
//
// Every sum comes from the tallies, and is an error if it does not close. Rows
// about messages are read from the ledgers whenever a face of the document asks
// for them; nothing is kept of a message.
package report

import (
	"context"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document"
)

// Format and Version name the JSON of a report.
const (
	Format  = "mailhaul-report"
	Version = 1
)

// A Migration is what a report is about.
type Migration struct {
	document.Cover
	Routes    []Route
	Mailboxes []Mailbox // numbered from 1 in this order
	Rules     []string  // that leave mail out, as records name them

	Limits []string // of the vendor, that were kept

	Host  string // of the machine that moved the mail
	Key   string // name and hash of the key that signs the report
	Draft Draft

	// Nonce returns the nonce, in hex, that blinds a name in the log: of kind
	// "source", "target" or "path". Without it, or unless Privacy shows
	// everything, the report has no nonces.
	Nonce func(kind, value string) string
}

// A Mailbox is one of a migration.
type Mailbox struct {
	Source, Target string
	Ledger         Ledger          // nil if no run came to it
	Tallies        []migrate.Tally // of its folders
}

// A Route is a way into a target. docs/fidelity.md says what each carries.
type Route string

const (
	Gmail  Route = "gmail"
	Import Route = "importmime"
	JSON   Route = "json"
)

// A Draft is a report that proves nothing, for a reason.
type Draft string

const (
	Final   Draft = ""        // it is none
	Running Draft = "running" // a run was at work meanwhile
	Partial Draft = "partial" // some mailboxes are not in it
)

// New returns the report for the client. Its rows read the ledgers under ctx
// until the document is let go. An error that is none of a ledger says which
// sum does not close.
func New(ctx context.Context, m Migration) (*document.Document, error) {
	r, err := newReport(ctx, m)
	if err != nil {
		return nil, err
	}
	d := r.document(r.say("title", "name", m.Name), r.say("subtitle", "target", r.target()))
	d.Sections = []document.Section{
		r.summary(), r.sums(), r.exceptions(), r.changes(), r.carried(), r.verified(),
		r.renames(), r.times(), r.leftOut(), r.about(),
	}
	return d, nil
}

// report is a Migration of which all has been read but what is about single
// messages.
type report struct {
	Migration
	words
	ctx      context.Context
	accounts []*account
	total    migrate.Tally
}

func newReport(ctx context.Context, m Migration) (*report, error) {
	w, err := newWords(m.Language)
	if err != nil {
		return nil, err
	}
	r := &report{Migration: m, words: w, ctx: ctx}
	for i, box := range m.Mailboxes {
		a, err := r.read(int64(i+1), box)
		if err != nil {
			return nil, err
		}
		add(&r.total, a.total)
		r.accounts = append(r.accounts, a)
	}
	return r, nil
}

func (r *report) document(title, subtitle string) *document.Document {
	d := &document.Document{Format: Format, Version: Version, Language: r.Language, Zone: r.Zone, Title: title, Subtitle: subtitle, Made: r.Made, Brand: r.Brand}
	if r.Draft != Final {
		d.Draft = r.say("draft." + string(r.Draft))
	}
	return d
}

// target is the new system's name.
func (r *report) target() string { return r.say("system." + r.Target) }
