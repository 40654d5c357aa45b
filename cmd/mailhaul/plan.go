package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailhaul/mailhaul/migrate/locale"
	"github.com/mailhaul/mailhaul/migrate/plan/assess"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

func newPlanCommand() *cobra.Command {
	var p planning
	var choice choice
	var out, language, level, start, depth, waves, profile, hours string
	var fast, deep bool
	c := &cobra.Command{
		Use:   "plan",
		Short: "Say what is there, how long the move takes, and what will be trouble",
		Long: `plan reads the mailboxes of the source and writes what a client decides by:

  plan.html  for people, the first page for a manager; it prints well
  plan.xlsx  the same tables as a workbook
  plan.json  the same for machines

It writes nothing at either end, and does not log in to the target: what it says
of that comes from documentation, and only a pilot tells whether it is true. What
"mailhaul check" and "mailhaul run" have found out it knows: users that are
missing there, and how long calls take. With prices in [budget] of the
configuration it also says what the move costs.

All messages are listed, and at most 200 of each mailbox are read, by which it is
estimated what only content tells. With --fast no message is listed; with --deep
all are read, which takes as long as a copy. What is known of a mailbox is kept
in the folder assessments beside the configuration, so that a later plan reads
only what changed.

How long it takes is simulated many times over, within the limits of the target,
the window and the number of jobs. The range is that in which eight of ten runs
end. With --jobs, --window, --profile, --verify and --start it is told what would
be if the configuration said so.

With --waves auto the mailboxes are packed into waves that each fit into one
opening of the window. Those with the same name in the column group of the list
stay together; what is in the column wave is ignored. What no opening is long
enough for goes last. The folder then has the list, mailboxes.csv, with the waves
filled in: put it in the place of yours.

Exit codes:
  0    the plan is written; what needs a person is in it
  1    fatal error; there is no new plan
  2    the command line is wrong
  3    the plan is written, but some mailboxes could not be opened; each is listed
  130  interrupted; there is no new plan`,
		Example: `  mailhaul plan
  mailhaul plan --fast
  mailhaul plan --language de --out offer
  mailhaul plan --wave pilot --jobs 8 --start 2026-12-01T20:00
  mailhaul plan --waves auto --window "Mon-Fri 20:00-06:00, Sat-Sun"`,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if fast && deep {
				return &codeError{exitUsage, errors.New("--fast and --deep exclude each other")}
			}
			switch p.depth = assess.Listed; {
			case fast:
				p.depth = assess.Fast
			case deep:
				p.depth = assess.Deep
			}
			p.verify = verify.Verifier{Depth: verify.Depth(depth), Sample: verify.Sample{N: 400}}
			if depth == "none" {
				p.verify.Depth = ""
			} else if err := p.verify.Check(); err != nil {
				return &codeError{exitUsage, fmt.Errorf("--verify: %w, or none", err)}
			}
			if p.config, p.mailboxes, err = choice.load(c); err != nil {
				return err
			}
			if c.Flags().Changed("jobs") {
				if p.config.Run.Jobs = p.jobs; p.jobs < 1 {
					return &codeError{exitUsage, errors.New("--jobs must be at least 1")}
				}
			}
			if err := (&reporting{config: p.config}).adopt(language, level); err != nil {
				return &codeError{exitUsage, err}
			}
			if p.start, err = startOf(start, p.config.Run.zone); err != nil {
				return &codeError{exitUsage, err}
			}
			if err := p.config.suppose(profile, hours); err != nil {
				return &codeError{exitUsage, err}
			}
			if p.pack = waves != ""; p.pack {
				if err := packs(waves, choice, p.config.Run.window, p.start); err != nil {
					return &codeError{exitUsage, err}
				}
			}
			path, _ := c.Flags().GetString("config")
			for _, a := range p.config.origin(path, c.Flags()) {
				if a.Key == "digest" {
					p.digest = a.Value.String()
				}
			}
			p.kept = assessments(c)
			if p.out = out; out == "" {
				p.out = freeName(filepath.Join(filepath.Dir(path), "plan-"+time.Now().In(p.config.Run.zone).Format(time.DateOnly)), "")
			}
			return p.run(c.Context(), c.OutOrStdout(), inLines(p.plain, c.ErrOrStderr()))
		},
	}
	choice.flags(c)
	c.Flags().StringVar(&out, "out", "", "`folder` to write to, which must not exist, or be empty (default: plan-<date> beside the configuration)")
	c.Flags().StringVar(&language, "language", "", strings.Join(locale.Tags(), " or ")+" (default: language of the configuration)")
	c.Flags().StringVar(&level, "privacy", "", strings.Join(privacyLevels, ", ")+" (default: privacy of the configuration)")
	c.Flags().BoolVar(&fast, "fast", false, "list no message: only what the server says of each folder")
	c.Flags().BoolVar(&deep, "deep", false, "read all messages")
	c.Flags().IntVar(&p.jobs, "jobs", 0, "mailboxes at the same time, of the plan and of the move (default: jobs of the configuration)")
	c.Flags().StringVar(&start, "start", "", "when the move begins: a `time` as in 2026-12-01T20:00 (default: now)")
	c.Flags().StringVar(&hours, "window", "", "when work is allowed: a `text` as in \"Mon-Fri 20:00-06:00, Sat-Sun\", or always (default: window of the configuration)")
	c.Flags().StringVar(&profile, "profile", "", "limits of the target: a `name` as for profile in the configuration, or none (default: that of the configuration)")
	c.Flags().StringVar(&waves, "waves", "", "`auto` packs the mailboxes into waves that each fit into one opening of the window")
	c.Flags().StringVar(&depth, "verify", string(verify.Sampled), "how deep the copies are verified: counts, metadata, sample, content or none")
	c.Flags().BoolVar(&p.plain, "plain", false, plainUsage)
	return c
}

// startOf reads when the move begins.
func startOf(s string, zone *time.Location) (time.Time, error) {
	if s == "" {
		return time.Now(), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("--start: want a time as in 2026-12-01T20:00, not %q", s)
}
