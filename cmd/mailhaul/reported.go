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
	ledger  report.Ledger // nil if no run came to it yet
	proofs  proof.Ledger  // likewise
	tallies []migrate.Tally
}

// readReported returns the mailboxes that a report is on: those given, and with
// all also those that are in the checkpoints and not in the list any more, since
// the log knows them.
func readReported(ctx context.Context, store *sqlite.Store, mailboxes []Mailbox, all bool) (rs []reported, err error) {
	tallies, err := store.Tally(ctx)
	if err != nil {
		return nil, err
	}
	type pair struct{ source, target string }
	listed, by := map[pair]bool{}, map[pair][]migrate.Tally{}
	for _, m := range mailboxes {
		listed[pair{m.Source, m.Target}] = true
	}
	for _, t := range tallies {
		p := pair{t.Mailbox, t.To}
		if by[p] = append(by[p], t); all && !listed[p] {
			listed[p] = true
			mailboxes = append(slices.Clip(mailboxes), Mailbox{Source: t.Mailbox, Target: t.To})
		}
	}
	for _, m := range mailboxes {
		r := reported{Mailbox: m, tallies: by[pair{m.Source, m.Target}]}
		r.ledger, err = store.Reports(ctx, m.Source, m.Target)
		if err == nil {
			r.proofs, err = store.Proofs(ctx, m.Source, m.Target)
		}
		if err != nil && !errors.Is(err, sqlite.ErrNoMailbox) {
			return nil, err
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
