// Package proposal makes of assessments and a forecast what a client decides by
// before anything is moved: what is there, how long it takes, what will be
// trouble, and what both sides have to do. docs/planning.md says what is in it.
package proposal

import (
	"time"

	"github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/locale"
	"github.com/mailhaul/mailhaul/migrate/plan"
	"github.com/mailhaul/mailhaul/migrate/plan/assess"
	"github.com/mailhaul/mailhaul/migrate/plan/budget"
)

// Format and Version name the JSON of a plan.
const (
	Format  = "mailhaul-plan"
	Version = 1
)

// A Migration is what a plan is about.
type Migration struct {
	document.Cover
	Mailboxes []Mailbox
	Depth     assess.Depth // of the assessments
	Risks     []assess.Risk
	Forecast  *plan.Forecast // of Mailboxes that were opened; nil if there are none
	Done      int64          // messages that earlier runs have moved: Forecast is of the others
	Jobs      int            // mailboxes at once
	Prices    *budget.Prices // nil: there is no budget
	Calls     []CallTime     // by which Forecast was made
	Rules     []string       // that leave mail out, as assess.Folder.Rule and assess.Exclusion name them
}

// A Mailbox is one of a migration.
type Mailbox struct {
	Source, Target string
	Wave           string
	Assessment     *assess.Assessment // nil if it could not be opened
}

// A CallTime is how long calls of one kind take, or are assumed to.
type CallTime struct {
	Kind  string        // "answers" and "imports" of the target, "large" for each million octets of a message besides, "connect" of the source
	Takes time.Duration // the middle of all
	Basis string        // the command that measured it, "check" or "run"; "ratio", as answers suggest that were measured; or "assumed"
	Calls int64         // that were measured
	At    time.Time     // when they were
}

// New returns the plan for the client.
func New(m Migration) (*document.Document, error) {
	p := &proposal{Migration: m}
	var err error
	if p.texts, err = locale.Load(texts, m.Language); err != nil {
		return nil, err
	}
	if p.catalogue, err = assess.NewCatalogue(m.Language); err != nil {
		return nil, err
	}
	p.add()
	if p.Prices != nil && p.Forecast != nil {
		if p.budget, err = budget.Of(*p.Prices, p.work()); err != nil {
			return nil, err
		}
	}
	sections := []document.Section{p.summary()}
	if p.Forecast != nil {
		sections = append(sections, p.when())
	}
	if p.budget != nil {
		sections = append(sections, p.cost(), p.unpriced())
	}
	sections = append(sections, p.stock(), p.risks(), p.leftOut(), p.assumptions(), p.tasks(), p.acceptance(), p.about())
	return &document.Document{Format: Format, Version: Version, Language: m.Language, Zone: m.Zone, Made: m.Made, Brand: m.Brand,
		Title: p.say("title", "name", m.Name), Subtitle: p.say("subtitle", "target", p.target()),
		Sections: sections}, nil
}

// proposal is a Migration and what all its mailboxes have together.
type proposal struct {
	Migration
	texts     locale.Texts
	catalogue assess.Catalogue
	all       sum
	budget    *budget.Budget // nil: there is none
}

// A sum is what several mailboxes have together.
type sum struct {
	assess.Tally
	opened   int64
	folders  int64
	doubles  assess.Tally
	shared   int64
	messages float64 // a day
	bytes    float64
	oldest   time.Time
	newest   time.Time
}

func (p *proposal) add() {
	for _, box := range p.Mailboxes {
		a := box.Assessment
		if a == nil {
			continue
		}
		s := &p.all
		total, messages, bytes := a.Total(), 0.0, 0.0
		s.Messages, s.Bytes = s.Messages+total.Messages, s.Bytes+total.Bytes
		s.opened++
		s.folders += folders(a)
		doubles := doubled(a)
		s.doubles.Messages, s.doubles.Bytes = s.doubles.Messages+doubles.Messages, s.doubles.Bytes+doubles.Bytes
		s.shared += a.Shared
		messages, bytes = a.Growth()
		s.messages, s.bytes = s.messages+messages, s.bytes+bytes
		if s.oldest.IsZero() || !a.Oldest.IsZero() && a.Oldest.Before(s.oldest) {
			s.oldest = a.Oldest
		}
		if a.Newest.After(s.newest) {
			s.newest = a.Newest
		}
	}
}

// folders counts those that are to be moved.
func folders(a *assess.Assessment) (n int64) {
	for _, f := range a.Folders {
		if f.Rule == "" {
			n++
		}
	}
	return n
}

func doubled(a *assess.Assessment) (t assess.Tally) {
	for _, c := range a.Doubles {
		t.Messages, t.Bytes = t.Messages+c.Messages, t.Bytes+c.Bytes
	}
	return t
}

// target is the new system's name.
func (p *proposal) target() string { return p.say("system." + p.Target) }
