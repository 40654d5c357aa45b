package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
)

// spoolMemory is how much mail is held in memory, in octets. More of it, up to
// spool_max, is held in temporary files.
const spoolMemory = 16 << 20

// grace is how long writes in flight may take after a first Ctrl-C.
const grace = 10 * time.Second

func newRunCommand() *cobra.Command {
	var choice choice
	var jobs int
	var heal bool
	c := &cobra.Command{
		Use:   "run",
		Short: "Make one pass over the mailboxes",
		Long: `run makes one pass over the mailboxes: it copies every message that was not
copied before. It may be stopped at any time, by Ctrl-C or by a crash, and run
again: it goes on where it was, without losing or doubling a message.

The first Ctrl-C starts no new work and gives writes in flight ` + grace.String() + ` to
finish. The second ends at once; what was in flight is looked up next time.

With --from-verify it copies only what the latest verification found missing at
the target, again. What users have deleted for good cannot be told from what was
lost; what they put into the trash or into another folder is left alone.

On a terminal it shows a line for each mailbox that is running and one for all;
elsewhere it prints a line every few seconds.

Exit codes:
  0    every message is accounted for
  1    fatal error, for example in the configuration or with the checkpoints
  2    the command line is wrong
  3    every mailbox is finished, but some messages need a person
  4    some mailboxes stopped early; run again to go on
  130  interrupted; run again to go on`,
		Example: `  mailhaul run
  mailhaul run --wave pilot --jobs 8
  mailhaul run --mailbox ann@example.org
  mailhaul run --from-verify`,
		RunE: func(c *cobra.Command, _ []string) error {
			config, mailboxes, err := choice.load(c)
			if err != nil {
				return err
			}
			if c.Flags().Changed("jobs") {
				if jobs < 1 {
					return &codeError{exitUsage, errors.New("--jobs must be at least 1")}
				}
				config.Run.Jobs = jobs
			}
			return runPass(c.Context(), config, mailboxes, heal, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	choice.flags(c)
	c.Flags().IntVar(&jobs, "jobs", 0, "mailboxes at the same time (default: jobs of the configuration)")
	c.Flags().BoolVar(&heal, "from-verify", false, "copy only what the latest verification found missing")
	return c
}

// runPass makes one pass over the mailboxes and prints what came of it. With
// heal it copies only what was found missing.
func runPass(ctx context.Context, config *Config, mailboxes []Mailbox, heal bool, stdout, stderr io.Writer) (err error) {
	if err := trySpool(config.Run.SpoolDir); err != nil {
		return err
	}
	store, err := sqlite.Open(config.Run.Checkpoints)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if heal {
		if mailboxes, err = lost(ctx, store, mailboxes, stderr); err != nil {
			return err
		}
		if len(mailboxes) == 0 {
			fmt.Fprintln(stdout, "The latest verification found nothing missing.")
			return nil
		}
	}
	connections, err := newConnections(ctx, config)
	if err != nil {
		return err
	}

	config.warn(stderr)
	progress := new(migrate.Progress)
	limiters := map[string]*pace.Limiter{}
	var boxes []migrate.Mailbox
	for _, m := range mailboxes {
		box, limiter := connections.mailbox(m)
		boxes, limiters[m.Source] = append(boxes, box), limiter
	}
	engine := &migrate.Engine{
		Checkpoints: store,
		Spool:       migrate.NewSpool(config.Run.SpoolDir, spoolMemory, config.Run.spoolBytes),
		Retry:       migrate.DefaultRetry,
		Rules:       config.rules(),
		Transform:   config.Transform.config(),
		Jobs:        config.Run.Jobs,
		Grace:       grace,
		Progress:    progress,
		Heal:        heal,
	}
	stop := showProgress(ctx, progress.Snapshot, "failed", limiters, stderr)
	running, ended := context.WithCancel(ctx)
	go shareByWork(running, progress.Snapshot, limiters)
	results, err := engine.Run(ctx, boxes)
	ended()
	stop()

	s, statusErr := readStatus(context.WithoutCancel(ctx), config, store, mailboxes)
	if statusErr != nil {
		return errors.Join(err, statusErr)
	}
	s.Running = "" // it is this one
	s.print(stdout)
	return verdict(err, results, s)
}

// warn says what calls to the target may cost.
func (c *Config) warn(w io.Writer) {
	if g := c.Gmail; c.Target.Kind == "gmail" && g.Profile == "new" && g.Daily == "spend" {
		fmt.Fprintln(w, `daily = "spend" in [gmail]: this run does not stop at 80,000,000 units in 24 hours, beyond which Google may charge the project.`)
	}
}

// trySpool returns an error unless files can be made in dir.
func trySpool(dir string) error {
	f, err := os.CreateTemp(dir, "mailhaul-*.tmp")
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		return withHint(err, "Mail on its way is kept in temporary files. See that you may write there, or name another folder with spool_dir in [run].")
	}
	return nil
}

// rules are what the configuration leaves out.
func (c *Config) rules() migrate.Rules {
	r := migrate.Rules{Folder: func(f migrate.Folder) string {
		if pattern := c.excludes(f); pattern != "" {
			return "exclude_folders " + pattern
		}
		return ""
	}}
	if c.Run.Deleted == "exclude" {
		r.Message = func(m *migrate.Message) string {
			if m.HasFlag(migrate.Deleted) {
				return `flagged \Deleted`
			}
			return ""
		}
	}
	return r
}

// verdict turns the end of a run into an exit code.
func verdict(err error, results []migrate.Result, s *status) error {
	switch {
	case errors.Is(err, errInterrupted):
		return &codeError{exitInterrupted, errors.New("interrupted; run again to go on")}
	case err != nil:
		return err
	}
	early := 0
	for _, r := range results {
		if r.Err != nil {
			early++
		}
	}
	switch {
	case early > 0:
		return &codeError{exitStopped, fmt.Errorf("%s stopped early; run again to go on", count(int64(early), "mailbox", "mailboxes"))}
	case s.Total.Outcomes["failed"] > 0:
		n := s.Total.Outcomes["failed"]
		return &codeError{exitPerson, fmt.Errorf("finished; %s a person", count(n, "message needs", "messages need"))}
	}
	return nil
}
