package main

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// What a message and an octet take of the time of a mailbox at the vendors'
// limits, about: 4 messages a second (Gmail: 25 of 6,000 units a minute), and
// half a megabyte (Microsoft 365: 150 MB in 5 minutes).
const (
	perMessage = time.Second / 4
	perOctet   = time.Second / 500_000
)

// A rest is what is left to do in a mailbox, as far as is known.
type rest struct {
	unknown bool          // no pass has come to its end: much of it was never listed
	time    time.Duration // that what is known to be left takes
	listed  int64         // messages that the source had
}

// restOf judges by the checkpoints.
func restOf(ctx context.Context, store migrate.Checkpoints, m migrate.Mailbox, tallies []migrate.Tally) (rest, error) {
	its := func(t migrate.Tally) bool { return t.Mailbox == m.Source && t.To == m.Target }
	if !slices.ContainsFunc(tallies, its) {
		return rest{unknown: true}, nil
	}
	ledger, err := store.Mailbox(ctx, m.Source, m.Target)
	if err != nil {
		return rest{}, err
	}
	state, err := ledger.State(ctx)
	if err != nil {
		return rest{}, err
	}
	r := rest{unknown: !state.Complete}
	for _, t := range tallies {
		if its(t) {
			r.listed += t.Listed
			r.time += time.Duration(t.Count[migrate.Pending])*perMessage + time.Duration(t.Bytes[migrate.Pending])*perOctet
		}
	}
	return r, nil
}

// longestFirst puts the mailboxes that will take longest first, so that the whole
// ends soonest: those that no pass has gone through yet, then by what is left,
// then by their size. Those that failed go last. Equal ones stay in the order
// of the list.
func longestFirst(boxes []*box) {
	last := func(b *box) int {
		if b.failures > 0 {
			return 1
		}
		return 0
	}
	first := func(b *box) int {
		if b.rest.unknown {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(boxes, func(a, b *box) int {
		return cmp.Or(last(a)-last(b), first(a)-first(b), cmp.Compare(b.rest.time, a.rest.time), cmp.Compare(b.rest.listed, a.rest.listed))
	})
}
