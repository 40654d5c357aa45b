package report

import (
	"fmt"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// An account is what a report says of one mailbox, but for single messages.
type account struct {
	Mailbox
	number       int64
	state        migrate.MailboxState
	passes       int64
	first        time.Time // when the first pass began
	total        migrate.Tally
	folders      map[int64]*migrate.Tally // by FolderState.ID
	verification migrate.Verification
	found        map[migrate.Kind]int64
	notes        map[string]int64 // messages by note
	cases        map[string]int64 // failures by case
	excluded     map[string]int64 // messages by rule
	hours        []Hour
	grade        grade
}

// read reads a mailbox and checks its sums.
func (r *report) read(number int64, m Mailbox) (*account, error) {
	a := &account{Mailbox: m, number: number, folders: map[int64]*migrate.Tally{},
		found: map[migrate.Kind]int64{}, notes: map[string]int64{}, cases: map[string]int64{}}
	for i, t := range m.Tallies {
		if err := t.Check(); err != nil {
			return nil, unclosed(err)
		}
		add(&a.total, t)
		a.folders[t.ID] = &m.Tallies[i]
	}
	if m.Ledger != nil {
		if err := r.load(a); err != nil {
			return nil, err
		}
	}
	if err := a.check(); err != nil && r.Draft != Running { // what a run does meanwhile is not read all at once
		return nil, unclosed(fmt.Errorf("%s: %w", m.Source, err))
	}
	a.grade = gradeOf(a)
	return a, nil
}

// load reads the ledger of a mailbox.
func (r *report) load(a *account) (err error) {
	if a.state, err = a.Ledger.State(r.ctx); err != nil {
		return err
	}
	passes, err := a.Ledger.Passes(r.ctx)
	if err != nil {
		return err
	}
	if a.passes = int64(len(passes)); a.passes > 0 {
		a.first = passes[0].Started
	}
	if a.verification, err = a.Ledger.Verification(r.ctx); err != nil {
		return err
	}
	for f, err := range a.Ledger.Findings(r.ctx) {
		if err != nil {
			return err
		}
		a.found[f.Kind]++
	}
	for rec, err := range a.Ledger.Notable(r.ctx) {
		if err != nil {
			return err
		}
		if rec.Outcome == migrate.Failed {
			a.cases[caseOf(rec.Reason, rec.Hint)]++
			continue
		}
		for _, n := range rec.Notes {
			a.notes[n]++
		}
	}
	if a.excluded, err = a.Ledger.Excluded(r.ctx); err != nil {
		return err
	}
	a.hours, err = a.Ledger.Timeline(r.ctx)
	return err
}

// check compares what was counted in different ways.
func (a *account) check() error {
	if n := sum(a.cases); n != a.total.Count[migrate.Failed] {
		return fmt.Errorf("%d messages failed, but there are %d records of such", a.total.Count[migrate.Failed], n)
	}
	if n := sum(a.excluded); n != a.total.Count[migrate.Excluded] {
		return fmt.Errorf("%d messages were left out, but the rules add up to %d", a.total.Count[migrate.Excluded], n)
	}
	if a.verification.Ended.IsZero() {
		return nil // it has no sums yet
	}
	c := compared(a.verification.Folders)
	if away := a.found[migrate.KindMissing] + a.found[migrate.KindDeleted] + a.found[migrate.KindMisplaced]; c.Arrived != c.Present+away {
		return fmt.Errorf("of %d messages that were verified, %d are present and %d elsewhere or missing", c.Arrived, c.Present, away)
	}
	if n := a.total.Arrived(); !a.outdated() && c.Arrived != n {
		return fmt.Errorf("%d messages arrived, but %d were verified", n, c.Arrived)
	}
	return nil
}

func unclosed(err error) error { return fmt.Errorf("the sums do not close: %w", err) }

// compared sums up what a verification counted in folders.
func compared(folders []migrate.FolderVerification) (c migrate.FolderVerification) {
	for _, f := range folders {
		c.Arrived, c.Present, c.Merged, c.Held, c.New = c.Arrived+f.Arrived, c.Present+f.Present, c.Merged+f.Merged, c.Held+f.Held, c.New+f.New
		c.Compared, c.Explained, c.Unread = c.Compared+f.Compared, c.Explained+f.Explained, c.Unread+f.Unread
	}
	return c
}

// outdated says whether a pass began since the verification did.
func (a *account) outdated() bool { return a.state.Started.After(a.verification.Started) }

// different is how many findings need a person. Mail that the target has by
// itself is none.
func (a *account) different() (n int64) {
	for k, found := range a.found {
		if k != migrate.KindExtra {
			n += found
		}
	}
	return n
}

// folder returns what is known of a folder by its ID.
func (a *account) folder(id int64) migrate.Folder {
	if t := a.folders[id]; t != nil {
		return t.Folder
	}
	return migrate.Folder{}
}

// add adds the counts of t to sum.
func add(sum *migrate.Tally, t migrate.Tally) {
	sum.Listed, sum.Doubts, sum.Vanished, sum.Left = sum.Listed+t.Listed, sum.Doubts+t.Doubts, sum.Vanished+t.Vanished, sum.Left+t.Left
	for o := range migrate.Outcomes {
		sum.Count[o] += t.Count[o]
		sum.Bytes[o] += t.Bytes[o]
	}
}

// arrivedBytes is the size of what arrived.
func arrivedBytes(t migrate.Tally) (n int64) {
	for o, bytes := range t.Bytes {
		if migrate.Outcome(o).Arrived() {
			n += bytes
		}
	}
	return n
}

func sum[K comparable](counts map[K]int64) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}
