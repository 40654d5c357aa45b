package main

import (
	"context"
	"errors"
	"slices"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/proof"
	"github.com/mailhaul/mailhaul/migrate/report"
	"github.com/mailhaul/mailhaul/targets/graph"
)

// A reported mailbox is one of those that a report is on.
type reported struct {
	Mailbox
	ledger  reportLedger // nil if no run came to it yet
	tallies []migrate.Tally
}

// A reportLedger is what a report and its log need of a mailbox.
type reportLedger interface {
	report.Ledger
	proof.Ledger
}

// readReported returns the mailboxes that a report is on: those given, and with
// all also those that are in the checkpoints and not in the list any more, since
// the log knows them.
func readReported(ctx context.Context, store *sqlite.Store, mailboxes []Mailbox, all bool) (rs []reported, err error) {
	tallies, err := store.Tally(ctx)
	if err != nil {
		return nil, err
	}
	of := func(t migrate.Tally) func(Mailbox) bool {
		return func(m Mailbox) bool { return m.Source == t.Mailbox && m.Target == t.To }
	}
	for _, t := range tallies {
		if all && !slices.ContainsFunc(mailboxes, of(t)) {
			mailboxes = append(slices.Clip(mailboxes), Mailbox{Source: t.Mailbox, Target: t.To})
		}
	}
	for _, m := range mailboxes {
		r := reported{Mailbox: m}
		for _, t := range tallies {
			if of(t)(m) {
				r.tallies = append(r.tallies, t)
			}
		}
		l, err := store.Reports(ctx, m.Source, m.Target)
		if err != nil && !errors.Is(err, sqlite.ErrNoMailbox) {
			return nil, err
		}
		if err == nil {
			r.ledger = l.(reportLedger) // the store's ledger is both
		}
		rs = append(rs, r)
	}
	return rs, nil
}

// leftOut are the rules that leave mail out, as records name them.
func (c *Config) leftOut() (names []string) {
	for _, p := range c.excluded {
		names = append(names, "exclude_folders "+p.text)
	}
	if c.Run.Deleted == "exclude" {
		names = append(names, `flagged \Deleted`)
	}
	return names
}

// routes are the ways into the target that messages may have taken.
func (c *Config) routes() []report.Route {
	switch {
	case c.Target.Kind == "gmail":
		return []report.Route{report.Gmail}
	case c.Graph.Route == string(graph.RouteAuto):
		return []report.Route{report.Import, report.JSON}
	}
	return []report.Route{report.Route(c.Graph.Route)}
}

// limitNames are the limits of the target that runs keep, as its vendor calls them.
func (c *Config) limitNames() (names []string) {
	own, common := c.limits()
	for _, l := range slices.Concat(own, common) {
		names = append(names, l.Name)
	}
	return names
}
