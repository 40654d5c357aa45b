package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/mailhaul/mailhaul/migrate"
)

func newCheckCommand() *cobra.Command {
	var choice choice
	var tries bool
	c := &cobra.Command{
		Use:   "check",
		Short: "Log in to both ends of every mailbox",
		Long: `check logs in to both ends of every mailbox, lists the folders of the source,
and says what stands in the way of a run. It writes no mail and no checkpoints.
At Gmail it asks for a change to a message that does not exist, to see whether
the login may write. With route = "auto" the first Gmail mailbox is probed: three
short messages are imported and moved to Trash. Unless route = "json" the first
Microsoft 365 mailbox is probed: one message is imported into a hidden folder,
and both are removed again.

For a plan it keeps in the folder assessments beside the configuration which users
have no mailbox at the target, and how long calls took. If they were few it makes
some more, so that there are ` + strconv.Itoa(fewCalls) + `.

With --notify it only sends one test by each way of [notify], which logs in to
neither end.

Exit codes:
  0    every mailbox can be migrated, or every test was sent
  1    fatal error, for example in the configuration
  2    the command line is wrong
  3    some mailboxes, or ways, need a person; each is listed with what to do
  130  interrupted`,
		RunE: func(c *cobra.Command, _ []string) error {
			config, mailboxes, err := choice.load(c)
			if err != nil {
				return err
			}
			if tries {
				failed, err := tryNotify(c.Context(), config.Notify, c.OutOrStdout())
				if err == nil && failed > 0 {
					err = &codeError{exitPerson, fmt.Errorf("%s not sent", count(int64(failed), "test was", "tests were"))}
				}
				return err
			}
			connections, err := newConnections(c.Context(), config)
			if err != nil {
				return err
			}
			found := checkAll(c.Context(), connections, mailboxes)
			if err := context.Cause(c.Context()); err != nil {
				return err
			}
			if err := connections.saveChecked(assessments(c), found); err != nil {
				fmt.Fprintf(c.ErrOrStderr(), "What a plan could use of this is not kept: %v\n", err)
			}
			out := c.OutOrStdout()
			t := table{left: 2}
			t.add("source", "target", "folders", "messages", "size")
			bad := 0
			for _, f := range found {
				if f.err != nil {
					bad++
					t.add(printable(f.mailbox.Source), printable(f.mailbox.Target), "", "", "see below")
					continue
				}
				t.add(printable(f.mailbox.Source), printable(f.mailbox.Target), thousands(f.folders), thousands(f.messages), octets(f.bytes))
			}
			t.write(out)
			for _, r := range remedies(found) {
				fmt.Fprintln(out)
				for _, line := range r.lines {
					fmt.Fprintln(out, printable(line))
				}
				if r.hint != "" {
					fmt.Fprintf(out, "  %s\n", printable(r.hint))
				}
			}
			fmt.Fprintln(out)
			if i := slices.IndexFunc(found, func(f finding) bool { return f.server != "" }); i >= 0 {
				fmt.Fprintf(out, "Source: %s\n", printable(found[i].server))
			}
			for _, note := range notes(found) {
				fmt.Fprintf(out, "Target: %s\n", printable(note))
			}
			if skew := clockSkew(c.Context(), config.endpoint()); skew.Abs() > time.Minute {
				fmt.Fprintf(out, "The clock of this machine is off by %s: set it right, logins depend on it.\n", span(skew.Abs()))
			}
			if bad > 0 {
				return &codeError{exitPerson, fmt.Errorf("%d of %s cannot be migrated yet", bad, count(int64(len(found)), "mailbox", "mailboxes"))}
			}
			fmt.Fprintf(out, "%s ready.\n", count(int64(len(found)), "mailbox is", "mailboxes are"))
			return nil
		},
	}
	choice.flags(c)
	c.Flags().BoolVar(&tries, "notify", false, "only send a test by each way of [notify]")
	return c
}

// finding is what check saw of a mailbox.
type finding struct {
	mailbox                  Mailbox
	server                   string
	folders, messages, bytes int64
	notes                    []string // about the target
	opened                   bool     // the target was
	err                      error
}

// saveChecked keeps in dir how long calls took, and which users have no mailbox.
func (k *connections) saveChecked(dir string, found []finding) error {
	return errors.Join(k.stopwatch.measured().save(dir, k.config, byCheck), saveUnserved(dir, k.config, found))
}

// A remedy is what a person can do about some mailboxes, each with its reason.
type remedy struct {
	lines []string
	hint  string
}

// remedies returns what to do, each thing once.
func remedies(found []finding) (all []remedy) {
	for _, f := range found {
		if f.err == nil {
			continue
		}
		reason, hint := migrate.Explain(f.err)
		line := fmt.Sprintf("%s: %s", f.mailbox.Source, reason)
		i := slices.IndexFunc(all, func(r remedy) bool { return r.hint == hint })
		if i < 0 || hint == "" {
			all = append(all, remedy{[]string{line}, hint})
			continue
		}
		all[i].lines = append(all[i].lines, line)
	}
	return all
}

// A checker is a target that can say more than that it opens: what else stands
// in the way, and what a person should know.
type checker interface {
	Check(ctx context.Context) (notes []string, err error)
}

// notes returns what the mailboxes' targets say, each thing once.
func notes(found []finding) (all []string) {
	for _, f := range found {
		for _, note := range f.notes {
			if !slices.Contains(all, note) {
				all = append(all, note)
			}
		}
	}
	return all
}

func checkAll(ctx context.Context, k *connections, ms []Mailbox) []finding {
	found := make([]finding, len(ms))
	var g errgroup.Group
	g.SetLimit(k.config.Run.Jobs)
	for i, m := range ms {
		g.Go(func() error {
			found[i] = finding{mailbox: m}
			found[i].err = found[i].look(ctx, k)
			return nil
		})
	}
	g.Wait()
	return found
}

func (f *finding) look(ctx context.Context, k *connections) error {
	source, err := k.source(ctx, f.mailbox)
	if err != nil {
		return fmt.Errorf("source: %w", err)
	}
	defer source.Close()
	f.server = source.Server()
	folders, err := source.Folders(ctx)
	if err != nil {
		return fmt.Errorf("source: %w", err)
	}
	for _, folder := range folders {
		f.folders++
		f.messages += folder.Messages
		f.bytes += folder.Bytes
	}
	box, _ := k.mailbox(f.mailbox)
	target, err := box.OpenTarget(ctx)
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	defer target.Close()
	f.opened = true
	if c, ok := target.(checker); ok {
		if f.notes, err = c.Check(ctx); err != nil {
			return fmt.Errorf("target: %w", err)
		}
	}
	for range fewCalls {
		if err != nil || k.stopwatch.measured().Answers.Calls >= fewCalls {
			break
		}
		_, err = target.Position(ctx) // which costs least; that it fails now says nothing of the mailbox
	}
	return nil
}

// clockSkew is how far this machine's clock is ahead of the server's, 0 if
// that cannot be seen.
func clockSkew(ctx context.Context, endpoint string) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, endpoint, nil)
	if err != nil {
		return 0
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	server, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return 0
	}
	return time.Since(server)
}
