package verify

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/mailhaul/mailhaul/migrate"
)

// A Verifier compares mailboxes with their copies.
type Verifier struct {
	Depth    Depth
	Sample   Sample // of depth Sampled
	Fresh    bool   // do not go on with a verification that was stopped
	Jobs     int    // mailboxes at once
	Retry    migrate.Retry
	Progress *migrate.Progress // Failed are those that differ
	Log      *slog.Logger      // is told what happens to each mailbox; may be nil
}

// A Mailbox is a source account and the account that it was moved to.
type Mailbox struct {
	Source, Target string // addresses
	OpenSource     func(context.Context) (Source, error)
	OpenTarget     func(context.Context) (Target, error)
	Ledger         Ledger
}

// A Result is how the verification of a mailbox ended. Err is nil if it was
// compared to its end; what was counted and found is in its ledger.
type Result struct {
	Mailbox Mailbox
	Err     error
}

// Run verifies each mailbox and says how each ended, in the order given. One
// that was stopped goes on where it was. The error is trouble of this machine,
// or the cause that ended ctx.
func (v *Verifier) Run(ctx context.Context, mailboxes []Mailbox) ([]Result, error) {
	results := make([]Result, len(mailboxes))
	progress := make([]*migrate.MailboxProgress, len(mailboxes))
	for i, m := range mailboxes {
		results[i] = Result{m, migrate.ErrNotStarted}
		progress[i] = v.Progress.Add(m.Source, m.Target)
		progress[i].LogTo(v.Log)
	}
	err := migrate.Each(ctx, v.Jobs, len(mailboxes), func(ctx context.Context, i int) error {
		c := &check{Verifier: v, Mailbox: mailboxes[i], progress: progress[i]}
		progress[i].Begin()
		results[i].Err = c.run(ctx)
		progress[i].End(results[i].Err)
		return results[i].Err
	})
	return results, err
}

// Plan returns what verifying the mailbox of l will ask of its target, from the
// records alone: messages that mailhaul did not write come on top.
func (v *Verifier) Plan(ctx context.Context, l Ledger) (Work, error) {
	folders, err := l.Folders(ctx)
	if err != nil {
		return Work{}, err
	}
	var w Work
	places := map[migrate.FolderID]bool{}
	for _, f := range folders {
		if f.Target == "" {
			continue
		}
		places[f.Target] = true
		var picked map[migrate.UID]bool
		if v.Depth == Sampled {
			if picked, err = v.Sample.pick(ctx, l, f.ID, 0); err != nil {
				return Work{}, err
			}
		}
		for r, err := range l.Records(ctx, f.ID, 1, ^migrate.UID(0)) {
			switch {
			case err != nil:
				return Work{}, err
			case !r.Outcome.Arrived():
				continue
			}
			w.Listed++
			switch {
			case r.Outcome == migrate.Merged || v.Depth == Counts:
			case v.Depth == Content || picked[r.UID]:
				w.Opens++
				w.Bytes += r.Size
			default:
				w.Looks++
			}
		}
	}
	w.Folders = int64(len(places))
	return w, nil
}

// reached says whether the depth asked for includes d.
func (v *Verifier) reached(d Depth) bool {
	order := []Depth{Counts, Metadata, Sampled, Content}
	return slices.Index(order, v.Depth) >= slices.Index(order, d)
}

// Check returns an error unless v can run.
func (v *Verifier) Check() error {
	if !v.reached(Counts) {
		return fmt.Errorf("unknown depth %q: want counts, metadata, sample or content", v.Depth)
	}
	return nil
}
