package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

func newVerifyCommand() *cobra.Command {
	var choice choice
	var depth, sample string
	var jobs int
	var fresh, asJSON, plain bool
	c := &cobra.Command{
		Use:   "verify",
		Short: "Compare the mailboxes with their copies",
		Long: `verify reads both ends and names every difference. It writes nothing at either.
Before it starts it says what it will ask of the target, and how long that
takes at least. It may be stopped at any time; called again with the same depth
it goes on where it was, unless a run came between.

Each depth includes those before it:
  counts    every message that arrived is in its folder: finds what is missing,
            deleted or misplaced. It costs a call for each few hundred messages.
  metadata  and has its flags, and a date of its own: finds other flags, wrong
            dates and doubles. At Microsoft 365 that costs no more; at Gmail it
            costs a call for each message.
  sample    and, of each folder, --sample messages have the same content: text,
            header fields that people see, and attachments. It says what that
            tells of all.
  content   and all have the same content. Every message is read back.

Mail that came to the new account by itself is counted as extra and is no
difference. So are messages of the source that no run has seen, as new.

In the table, which leaves out what was not found, arrived = present + missing +
deleted + misplaced; explained are those whose content differs only as is known
from their copying, such as a repaired date.

At most ` + fmt.Sprint(shownFindings) + ` differences of each kind are listed; "mailhaul status" lists them all,
and so does --json, folder by folder.

Exit codes:
  0    no difference
  1    fatal error, or the sums do not close: the first folder is named
  2    the command line is wrong
  3    every mailbox was compared, but differences need a person
  4    some mailboxes stopped early, or were not compared; verify again to go on
  130  interrupted; verify again to go on`,
		Example: `  mailhaul verify
  mailhaul verify --depth metadata --wave pilot
  mailhaul verify --depth sample --sample 5%
  mailhaul verify --depth content --json > verification.json`,
		RunE: func(c *cobra.Command, _ []string) error {
			v := &verify.Verifier{Depth: verify.Depth(depth), Fresh: fresh, Retry: migrate.DefaultRetry, Progress: new(migrate.Progress)}
			var err error
			if v.Sample, err = verify.ParseSample(sample); err != nil {
				return &codeError{exitUsage, fmt.Errorf("--sample: %w", err)}
			}
			if err := v.Check(); err != nil {
				return &codeError{exitUsage, fmt.Errorf("--depth: %w", err)}
			}
			config, mailboxes, err := choice.load(c)
			if err != nil {
				return err
			}
			v.Jobs = config.Run.Jobs
			if c.Flags().Changed("jobs") {
				if v.Jobs = jobs; jobs < 1 {
					return &codeError{exitUsage, errors.New("--jobs must be at least 1")}
				}
			}
			return verifyMailboxes(c.Context(), config, mailboxes, v, asJSON, c.OutOrStdout(), inLines(plain, c.ErrOrStderr()))
		},
	}
	choice.flags(c)
	c.Flags().StringVar(&depth, "depth", string(verify.Sampled), "how deep: counts, metadata, sample or content")
	c.Flags().StringVar(&sample, "sample", "400", "how many messages of each folder depth sample reads back: a `number`, or a share such as 5%")
	c.Flags().IntVar(&jobs, "jobs", 0, "mailboxes at the same time (default: jobs of the configuration)")
	c.Flags().BoolVar(&plain, "plain", false, plainUsage)
	c.Flags().BoolVar(&fresh, "fresh", false, "begin anew, instead of going on with a verification that was stopped")
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// verifyMailboxes compares mailboxes with their copies and prints what it
// found.
func verifyMailboxes(ctx context.Context, config *Config, mailboxes []Mailbox, v *verify.Verifier, asJSON bool, stdout, stderr io.Writer) (err error) {
	look, err := sqlite.OpenReadOnly(config.Run.Checkpoints) // which makes no file
	if err != nil {
		return err
	}
	look.Close()
	store, err := sqlite.Open(config.Run.Checkpoints)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	connections, err := newConnections(ctx, config)
	if err != nil {
		return err
	}
	limiters := map[string]*pace.Limiter{}
	var boxes []verify.Mailbox
	for _, m := range mailboxes {
		ledger, err := store.Verifications(ctx, m.Source, m.Target)
		if err != nil {
			return err
		}
		pass, err := ledger.State(ctx)
		if err != nil {
			return err
		}
		if pass.Started.IsZero() {
			fmt.Fprintf(stderr, "%s: no run came to it yet; it is not compared.\n", printable(m.Source))
			continue
		}
		box, limiter := connections.verification(m, ledger)
		boxes, limiters[m.Source] = append(boxes, box), limiter
	}
	if len(boxes) == 0 {
		return &codeError{exitStopped, errors.New("no run came to any of these mailboxes yet")}
	}
	config.warn(stderr)
	v.Log = logger(ctx)
	if err := announce(ctx, v, boxes, connections, stderr); err != nil {
		return err
	}

	snapshot := v.Progress.Snapshot
	stop := newShown(config, "verify", "different").show(ctx, snapshot, func() map[string]*pace.Limiter { return limiters }, stderr)
	defer stop() // if it panics
	running, ended := context.WithCancel(ctx)
	go shareByWork(running, snapshot, limiters)
	results, err := v.Run(ctx, boxes)
	ended()
	stop()

	reading := context.WithoutCancel(ctx)
	c, readErr := readCompared(reading, store, results)
	switch {
	case readErr != nil:
	case asJSON:
		readErr = c.writeJSON(reading, stdout)
	default:
		readErr = c.print(reading, stdout)
	}
	if readErr != nil {
		return errors.Join(err, readErr)
	}
	return c.verdict(err, len(mailboxes)-len(boxes))
}

// announce says what a verification will ask of the target. Messages that were
// compared before it was stopped are not asked for again.
func announce(ctx context.Context, v *verify.Verifier, boxes []verify.Mailbox, k *connections, w io.Writer) error {
	var all verify.Work
	var costs []pace.Cost
	var sum pace.Cost
	for _, b := range boxes {
		work, err := v.Plan(ctx, b.Ledger)
		if err != nil {
			return err
		}
		all.Folders, all.Listed, all.Looks, all.Opens, all.Bytes = all.Folders+work.Folders, all.Listed+work.Listed, all.Looks+work.Looks, all.Opens+work.Opens, all.Bytes+work.Bytes
		cost := k.readCost(work)
		costs = append(costs, cost)
		for unit, n := range cost {
			sum[unit] += n
		}
	}
	what := fmt.Sprintf("The target will be asked for %s, and for the content of %s (%s), in about %s",
		count(all.Folders, "list of a folder", "lists of folders"), count(all.Opens, "message", "messages"), octets(all.Bytes), count(sum[pace.Requests], "call", "calls"))
	if sum[pace.Points] > 0 {
		what += " of " + count(sum[pace.Points], "unit", "units") + " in all"
	}
	if t := leastTime(costs, v.Jobs, k.user, k.common); t > time.Second {
		what += ". Its limits allow that in " + span(t) + " at best"
	}
	fmt.Fprintln(w, what+".")
	return nil
}
