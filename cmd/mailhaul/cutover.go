package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
)

func newCutoverCommand() *cobra.Command {
	var choice choice
	var undo bool
	c := &cobra.Command{
		Use:   "cutover",
		Short: "Say that people work at the target now",
		Long: `cutover marks mailboxes whose users work at the target from now on. Later passes
still bring over mail that is new at the source. But what people have at the
target stays as they have it: no flag, no folder and no deletion of the source is
followed any more, so that a late pass never marks mail unread that was read.

Mark a wave when its MX record has changed, then let "mailhaul run" make the
final passes.

Exit codes:
  0    done
  1    fatal error, for example a run is going on
  2    the command line is wrong`,
		Example: `  mailhaul cutover --wave pilot
  mailhaul cutover --wave pilot --undo`,
		RunE: func(c *cobra.Command, _ []string) error {
			config, mailboxes, err := choice.load(c)
			if err != nil {
				return err
			}
			at := time.Now()
			if undo {
				at = time.Time{}
			}
			return cutOver(c.Context(), config.Run.Checkpoints, mailboxes, at, c.OutOrStdout())
		},
	}
	choice.flags(c)
	c.Flags().BoolVar(&undo, "undo", false, "let copies follow the source again")
	return c
}

// cutOver notes since when people work at the target; the zero time is that they
// do not. A mailbox that was marked before keeps its time.
func cutOver(ctx context.Context, path string, mailboxes []Mailbox, at time.Time, w io.Writer) error {
	store, err := sqlite.Open(path)
	if err != nil {
		return err
	}
	defer store.Close()
	for _, m := range mailboxes {
		ledger, err := store.Mailbox(ctx, m.Source, m.Target)
		if err != nil {
			return err
		}
		state, err := ledger.State(ctx)
		if err != nil {
			return err
		}
		switch {
		case state.Cutover.IsZero() && at.IsZero():
			fmt.Fprintf(w, "%s: was not cut over\n", printable(m.Source))
			continue
		case state.Cutover.IsZero():
			state.Cutover = at
			fmt.Fprintf(w, "%s: the target counts from now on\n", printable(m.Source))
		case at.IsZero():
			state.Cutover = at
			if err := followAgain(ctx, ledger); err != nil {
				return err
			}
			fmt.Fprintf(w, "%s: the source counts again\n", printable(m.Source))
		default:
			fmt.Fprintf(w, "%s: was cut over on %s\n", printable(m.Source), state.Cutover.Local().Format("2006-01-02 15:04"))
			continue
		}
		if err := ledger.SaveState(ctx, state); err != nil {
			return err
		}
	}
	return nil
}

// followAgain makes the next pass compare the flags of all messages: of what
// changed meanwhile nothing was noted.
func followAgain(ctx context.Context, ledger migrate.Ledger) error {
	folders, err := ledger.Folders(ctx)
	for i := range folders {
		folders[i].Walked.ModSeq = 0
		if err := ledger.SaveFolder(ctx, &folders[i]); err != nil {
			return err
		}
	}
	return err
}
