package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

var errNotVerified = &migrate.Error{Op: "run --from-verify", Class: migrate.Fatal,
	Err:  errors.New("none of these mailboxes was verified"),
	Hint: `Run "mailhaul verify" first.`}

// lost makes the messages that the latest verification found missing pending,
// and returns the mailboxes that have some.
func lost(ctx context.Context, store *sqlite.Store, mailboxes []Mailbox, w io.Writer) (missing []Mailbox, err error) {
	verified := false
	for _, m := range mailboxes {
		memory, err := store.Mailbox(ctx, m.Source, m.Target)
		if err != nil {
			return nil, err
		}
		verifications, err := store.Verifications(ctx, m.Source, m.Target)
		if err != nil {
			return nil, err
		}
		v, err := verifications.Verification(ctx)
		if err != nil {
			return nil, err
		}
		if v.Started.IsZero() {
			fmt.Fprintf(w, "%s was not verified, and is left alone.\n", printable(m.Source))
			continue
		}
		verified = true
		n, err := lose(ctx, memory, verifications)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			fmt.Fprintf(w, "%s: %s missing at the target\n", printable(m.Source), count(n, "message is", "messages are"))
			missing = append(missing, m)
		}
	}
	if !verified {
		return nil, errNotVerified
	}
	return missing, nil
}

// loseBatch is how many findings are read before records are saved.
const loseBatch = 500

// lose makes messages pending that were found missing, and returns how many are
// to be copied again. Those that were since are left as they are.
func lose(ctx context.Context, memory migrate.Ledger, verifications verify.Ledger) (n int64, err error) {
	batch := map[migrate.UID]migrate.MessageID{} // of one folder: where each was
	var folder int64
	flush := func() error {
		lost, err := loseFrom(ctx, memory, folder, batch)
		n += lost
		clear(batch)
		return err
	}
	for f, err := range verifications.Findings(ctx) {
		if err != nil {
			return n, err
		}
		if f.Kind != migrate.KindMissing {
			continue
		}
		if f.Folder != folder || len(batch) == loseBatch {
			if err := flush(); err != nil {
				return n, err
			}
			folder = f.Folder
		}
		batch[f.UID] = f.Target
	}
	return n, flush()
}

// loseFrom does that for messages of one folder.
func loseFrom(ctx context.Context, memory migrate.Ledger, folder int64, missing map[migrate.UID]migrate.MessageID) (n int64, err error) {
	if len(missing) == 0 {
		return 0, nil
	}
	from, to := ^migrate.UID(0), migrate.UID(0)
	for uid := range missing {
		from, to = min(from, uid), max(to, uid)
	}
	var changed []migrate.Record
	for r, err := range memory.Records(ctx, folder, from, to) {
		if err != nil {
			return 0, err
		}
		was, is := missing[r.UID]
		if !is || r.Target != was || !r.Outcome.Arrived() && !r.Lost() {
			continue
		}
		n++
		if r.Outcome.Arrived() {
			r.Outcome, r.Notes = migrate.Pending, nil
			changed = append(changed, r)
		}
	}
	if len(changed) == 0 {
		return n, nil
	}
	if err := reopen(ctx, memory, folder, changed[0].UID); err != nil {
		return n, err
	}
	return n, memory.Save(ctx, changed...)
}

// reopen makes the next pass look at a message of a folder again.
func reopen(ctx context.Context, memory migrate.Ledger, folder int64, uid migrate.UID) error {
	states, err := memory.Folders(ctx)
	for _, st := range states {
		if st.ID == folder {
			st.Reopen(uid)
			return memory.SaveFolder(ctx, &st)
		}
	}
	return err
}
