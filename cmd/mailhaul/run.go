package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
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
	var heal, confirmed, plain, dry bool
	var until string
	var every time.Duration
	c := &cobra.Command{
		Use:   "run",
		Short: "Make one pass over the mailboxes, or passes for weeks",
		Long: `run makes one pass over the mailboxes: it copies every message that was not
copied before. It may be stopped at any time, by Ctrl-C or by a crash, and run
again: it goes on where it was, without losing or doubling a message. Mailboxes
that will take longest go first, those that failed last.

The first Ctrl-C starts no new work and gives writes in flight ` + grace.String() + ` to
finish. The second ends at once; what was in flight is looked up next time.

If the configuration names a window, run works within it and waits outside of it.

With --until or --every it makes passes by itself. Mailboxes that fail are tried
again, after a minute at first and after an hour at last. While all fail for the
same reason, or this machine is in trouble, one is tried now and then, and the
run goes on when that works. The configuration and the list of mailboxes are read
again for each pass, and while nothing runs the checkpoints are free for other
commands. docs/unattended.md tells more.
  --until done    until every mailbox is complete
  --until TIME    until then, or until every mailbox is complete; a time as in
                  2026-12-01T06:00 in the time zone of the configuration, with an
                  offset as in 2026-12-01T06:00:00+01:00, or 06:00 for the next six
  --every 24h     a pass begins every 24 hours, or when the earlier one has ended;
                  until Ctrl-C, or as --until says, which then waits for TIME

With --from-verify it copies only what the latest verification found missing at
the target, again. What users have deleted for good cannot be told from what was
lost; what they put into the trash or into another folder is left alone.

With --dry-run nothing is copied: it is "mailhaul plan" with the same --config,
--mailbox, --wave, --jobs and --plain.

On a terminal it shows how far it is; elsewhere, and with --plain, it prints a
line for each fact.

Exit codes:
  0    every message is accounted for
  1    fatal error, for example in the configuration or with the checkpoints
  2    the command line is wrong
  3    every mailbox is finished, but some messages need a person
  4    some mailboxes stopped early, or were not complete at the time of --until;
       run again to go on
  130  interrupted; run again to go on`,
		Example: `  mailhaul run
  mailhaul run --wave pilot --jobs 8
  mailhaul run --mailbox ann@example.org
  mailhaul run --until done
  mailhaul run --every 24h --until 2026-12-01T06:00
  mailhaul run --from-verify`,
		RunE: func(c *cobra.Command, _ []string) error {
			if dry {
				return dryRun(c)
			}
			if c.Flags().Changed("jobs") && jobs < 1 {
				return &codeError{exitUsage, errors.New("--jobs must be at least 1")}
			}
			if heal && (until != "" || every != 0) {
				return &codeError{exitUsage, errors.New("--from-verify makes one pass: leave out --until and --every")}
			}
			r := &migration{heal: heal, confirmed: confirmed, plain: plain, kept: assessments(c), stdout: c.OutOrStdout(), stderr: c.ErrOrStderr(), files: func() (*Config, []Mailbox, error) {
				config, mailboxes, err := choice.load(c)
				if err == nil && jobs > 0 {
					config.Run.Jobs = jobs
				}
				return config, mailboxes, err
			}}
			var err error
			if r.config, r.mailboxes, err = r.files(); err != nil {
				return err
			}
			s, err := newSchedule(until, every, r.config.Run.zone, time.Now())
			if err != nil {
				return &codeError{exitUsage, err}
			}
			if s.digest = r.config.Notify.digest; s.digest < 0 {
				s.digest = digestAt
			}
			return r.run(c.Context(), s)
		},
	}
	choice.flags(c)
	c.Flags().IntVar(&jobs, "jobs", 0, "mailboxes at the same time (default: jobs of the configuration)")
	c.Flags().BoolVar(&confirmed, "confirm-deletions", false, "follow deletions even of most messages of a mailbox")
	c.Flags().BoolVar(&heal, "from-verify", false, "copy only what the latest verification found missing")
	c.Flags().BoolVar(&plain, "plain", false, plainUsage)
	c.Flags().BoolVar(&dry, dryFlag, false, "write nothing at either end: make a plan, as \"mailhaul plan\" does")
	c.Flags().StringVar(&until, "until", "", "make passes until `done or a time`")
	c.Flags().DurationVar(&every, "every", 0, "begin a pass each time that this `duration` has passed")
	return c
}

// digestAt is when a digest comes if nobody is notified of it, since midnight.
const digestAt = 7 * time.Hour

// A migration is what the files say at present, on its way through a run.
type migration struct {
	files     func() (*Config, []Mailbox, error) // reads them
	config    *Config
	mailboxes []Mailbox
	heal      bool   // copy only what was found missing
	confirmed bool   // many deletions may be followed
	plain     bool   // show it in lines
	kept      string // the folder of assessments
	stdout    io.Writer
	stderr    io.Writer

	connections *connections
	limiters    map[string]*pace.Limiter // by source
}

// run makes passes as s says and prints what came of them.
func (r *migration) run(ctx context.Context, s schedule) (err error) {
	store, err := r.open()
	if err != nil {
		return err
	}
	opened := store // for the first pass
	defer func() {
		if opened != nil {
			err = errors.Join(err, opened.Close())
		}
	}()
	if r.heal {
		if r.mailboxes, err = lost(ctx, store.(*sqlite.Store), r.mailboxes, r.stderr); err != nil {
			return err
		}
	}
	if r.heal && len(r.mailboxes) == 0 {
		fmt.Fprintln(r.stdout, "The latest verification found nothing missing.")
		return nil
	}
	retry := migrate.DefaultRetry
	if !s.once {
		retry.Patience = yield
	}
	first, err := r.work(ctx, retry)
	if err != nil {
		return err
	}
	r.config.warn(r.stderr)

	metrics, unserve, err := r.config.measure()
	if err != nil {
		return err
	}
	defer unserve()
	view := newShown(r.config, "run", "failed")
	w := &watch{schedule: s, open: func() (migrate.Checkpoints, error) {
		if store := opened; store != nil {
			opened = nil
			return store, nil
		}
		return r.open()
	}}
	if r.config.Run.window != nil { // they are free while it is closed
		store, opened = opened, nil
		if err := store.Close(); err != nil {
			return err
		}
	}
	notify, notified, err := r.config.announce(ctx, r.mailboxes, func(err error) { view.Remarks.say(err.Error()) })
	if err != nil {
		return err
	}
	defer notified()
	w.tell = notify.and(logEvents(logger(ctx))).and(remarked(view.Remarks, s.once))
	ahead := newETA(w)
	w.load = func(ctx context.Context) (*work, error) {
		next := *r
		var err error
		if next.config, next.mailboxes, err = r.files(); err != nil {
			return nil, err
		}
		work, err := next.work(ctx, retry)
		if err != nil {
			return nil, err
		}
		*r = next
		metrics.Follow(w.snapshot, work.limiters)
		ahead.follow(r.terms())
		return work, nil
	}
	w.take(first)
	metrics.Follow(w.snapshot, first.limiters)
	view.Pause = w.waits
	ahead.follow(r.terms())
	stopETA := func() {}
	if !r.heal { // it counts messages that it does not look at
		view.Simulated, stopETA = ahead.simulated, ahead.start(ctx)
	}
	stop := view.show(ctx, w.snapshot, w.limiters, inLines(r.plain, r.stderr))
	defer stop() // if it panics
	err = w.run(ctx)
	stop()
	stopETA()
	r.connections.stopwatch.end()

	// Who closes a file for a run folds its log into it.
	looked, statusErr := sqlite.Open(r.config.Run.Checkpoints)
	if statusErr != nil { // another command was quicker
		looked, statusErr = sqlite.OpenReadOnly(r.config.Run.Checkpoints)
	}
	if statusErr != nil {
		return errors.Join(err, statusErr)
	}
	defer looked.Close()
	status, statusErr := readStatus(context.WithoutCancel(ctx), r.config, looked, r.mailboxes)
	if statusErr != nil {
		return errors.Join(err, statusErr)
	}
	status.Running = "" // it is this one
	status.print(r.stdout)
	return verdict(err, w.results(), status)
}

// open opens the checkpoints.
func (r *migration) open() (migrate.Checkpoints, error) {
	if err := trySpool(r.config.Run.SpoolDir); err != nil {
		return nil, err
	}
	store, err := sqlite.Open(r.config.Run.Checkpoints)
	if err != nil {
		return nil, err
	}
	return store, nil
}

// yield is the patience of the engine in a run that tries failed mailboxes
// again: they make room for others earlier.
const yield = 10 * time.Minute

// work wires what the files say. Limits remember what was spent of them, as long
// as they are the same.
func (r *migration) work(ctx context.Context, retry migrate.Retry) (*work, error) {
	connections, err := newConnections(ctx, r.config)
	if err != nil {
		return nil, err
	}
	before := r.connections
	if before != nil {
		connections.remember(before)
	}
	connections.measure(ctx, r.kept)
	same := before != nil && slices.Equal(before.user, connections.user) && slices.Equal(before.common, connections.common)
	if same {
		connections.shared = before.shared
	}
	w := &work{limiters: map[string]*pace.Limiter{}, window: r.config.Run.window, engine: migrate.Engine{
		Spool:     migrate.NewSpool(r.config.Run.SpoolDir, spoolMemory, r.config.Run.spoolBytes),
		Retry:     retry,
		Rules:     r.config.rules(),
		Transform: r.config.Transform.config(),
		Jobs:      r.config.Run.Jobs,
		Grace:     grace,
		Heal:      r.heal,
		Log:       logger(ctx),
		Newest:    r.config.Run.Order == "newest",
		Deletions: migrate.Deletions(r.config.Run.Deletions),
		Confirmed: r.confirmed,
	}}
	for _, m := range r.mailboxes {
		box, limiter := connections.mailbox(m)
		if old := r.limiters[m.Source]; same && old != nil {
			limiter = old
			box.OpenTarget = connections.target(m, old)
		}
		w.boxes, w.limiters[m.Source] = append(w.boxes, box), limiter
	}
	r.connections, r.limiters = connections, w.limiters
	return w, nil
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
	r := migrate.Rules{Version: fmt.Sprintf("%q %s", c.Run.ExcludeFolders, c.Run.Deleted), Folder: func(f migrate.Folder) string {
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
	case err != nil && !errors.Is(err, errUntil):
		return err
	}
	early := 0
	for _, r := range results {
		if r.Err != nil {
			early++
		}
	}
	switch {
	case early > 0 && err != nil:
		return &codeError{exitStopped, fmt.Errorf("the time of --until has come; %s not complete; run again to go on", count(int64(early), "mailbox is", "mailboxes are"))}
	case early > 0:
		return &codeError{exitStopped, fmt.Errorf("%s stopped early; run again to go on", count(int64(early), "mailbox", "mailboxes"))}
	case s.Total.Outcomes["failed"] > 0:
		n := s.Total.Outcomes["failed"]
		return &codeError{exitPerson, fmt.Errorf("finished; %s a person", count(n, "message needs", "messages need"))}
	}
	return nil
}
