package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
)

func newRetryCommand() *cobra.Command {
	var choice choice
	var reason string
	var dry bool
	c := &cobra.Command{
		Use:   "retry",
		Short: "Let the next run try failed messages again",
		Long: `retry makes failed messages pending, so that the next run tries them again, for
example after a limit was raised or a message was repaired. It writes no mail.

Without flags it takes every failed message. One that may be at the target is
looked for there before it is written again.

Exit codes:
  0    done; also if nothing had failed
  1    fatal error, for example a run is going on
  2    the command line is wrong`,
		Example: `  mailhaul retry --dry-run
  mailhaul retry --mailbox ann@example.org
  mailhaul retry --reason "larger than the target takes"`,
		RunE: func(c *cobra.Command, _ []string) error {
			config, mailboxes, err := choice.load(c)
			if err != nil {
				return err
			}
			return retry(c.Context(), config.Run.Checkpoints, mailboxes, reason, dry, c.OutOrStdout())
		},
	}
	choice.flags(c)
	c.Flags().StringVar(&reason, "reason", "", "only messages with this `text` in the reason that status shows")
	c.Flags().BoolVar(&dry, "dry-run", false, "only say how many")
	return c
}

// retry says how many messages failed for a reason, and makes them pending
// unless this is a dry run. Checkpoints without any are left as they are.
func retry(ctx context.Context, path string, mailboxes []Mailbox, reason string, dry bool, w io.Writer) error {
	store, err := sqlite.OpenReadOnly(path)
	if err != nil {
		return err
	}
	defer store.Close()
	var total int64
	var failed []Mailbox
	for _, m := range mailboxes {
		n, err := failedIn(ctx, store, m, reason, false)
		if err != nil {
			return err
		}
		if n > 0 {
			fmt.Fprintf(w, "%s: %s\n", printable(m.Source), count(n, "failed message", "failed messages"))
			failed, total = append(failed, m), total+n
		}
	}
	switch {
	case total == 0:
		fmt.Fprintln(w, "No message has failed, or none for that reason.")
		return nil
	case dry:
		fmt.Fprintf(w, "%s would be tried again. Nothing was changed.\n", count(total, "message", "messages"))
		return nil
	}
	if store, err = sqlite.Open(path); err != nil {
		return err
	}
	defer store.Close()
	total = 0
	for _, m := range failed {
		n, err := failedIn(ctx, store, m, reason, true)
		if err != nil {
			return err
		}
		total += n
	}
	fmt.Fprintf(w, "%s will be tried again by the next run: mailhaul run\n", count(total, "message", "messages"))
	return nil
}

// retryBatch is how many records are saved at once.
const retryBatch = 500

// failedIn counts the failed messages of a mailbox. With forget it makes them
// pending, and keeps all else that is known of them, above all whether they are
// in doubt.
func failedIn(ctx context.Context, store *sqlite.Store, m Mailbox, reason string, forget bool) (n int64, err error) {
	ledger, err := store.Mailbox(ctx, m.Source, m.Target)
	if errors.Is(err, sqlite.ErrNoMailbox) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	folders, err := ledger.Folders(ctx)
	if err != nil {
		return 0, err
	}
	for _, f := range folders {
		for from, more := migrate.UID(1), true; more; {
			var batch []migrate.Record
			for r, err := range ledger.Records(ctx, f.ID, from, ^migrate.UID(0)) {
				if err != nil {
					return n, err
				}
				if r.Outcome != migrate.Failed || !strings.Contains(strings.ToLower(r.Reason), strings.ToLower(reason)) {
					continue
				}
				r.Outcome, r.Reason, r.Hint = migrate.Pending, "", ""
				if batch = append(batch, r); len(batch) == retryBatch {
					break
				}
			}
			n += int64(len(batch))
			if forget && len(batch) > 0 {
				f.Reopen(batch[0].UID)
				if err := errors.Join(ledger.SaveFolder(ctx, &f), ledger.Save(ctx, batch...)); err != nil {
					return n, err
				}
			}
			if more = len(batch) == retryBatch; more {
				from = batch[len(batch)-1].UID + 1
			}
		}
	}
	return n, nil
}
