package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
)

func newStatusCommand() *cobra.Command {
	var asJSON, watch, plain bool
	c := &cobra.Command{
		Use:   "status",
		Short: "Show what is done, what is running and what needs a person",
		Long: `status shows, from the checkpoints alone, how many messages of each mailbox came
to which outcome, and lists the messages that need a person. It may be used
while a run is going on. Then it lists all that the latest verification found.

The outcomes of a mailbox always add up to the messages that were listed:
  pending   not done yet
  copied    written to the target
  adopted   a write whose answer was lost, found at the target
  merged    same content as another message of the mailbox; has its label too
  excluded  left out by a rule
  failed    cannot be copied, for the reason given
  gone      vanished from the source before it was read
  moved     the source has it elsewhere now, and its copy went there
  removed   deleted at the source since, and so at the target

With --json the same is written for machines, folder by folder.

With --watch it shows what a run shows on its terminal, wherever that run is at
work on the same files, and the sums of the checkpoints while there is none,
until Ctrl-C. Together with --json it prints a JSON object in a line every
` + lineEvery.String() + `, with --plain, and where there is no terminal, a line for each fact
that changed.

Exit codes:
  0    every listed message is accounted for; with --watch: ended by Ctrl-C
  1    fatal error
  2    the command line is wrong
  3    some messages, or mailboxes, need a person
  4    some messages are pending`,
		RunE: func(c *cobra.Command, _ []string) error {
			path, _ := c.Flags().GetString("config")
			config, mailboxes, err := loadMigration(path)
			if err != nil {
				return err
			}
			if watch {
				return watcher{config, mailboxes}.watch(c.Context(), asJSON, inLines(plain, c.OutOrStdout()))
			}
			store, err := sqlite.OpenReadOnly(config.Run.Checkpoints)
			if err != nil {
				return err
			}
			defer store.Close()
			s, err := readStatus(c.Context(), config, store, mailboxes)
			if err != nil {
				return err
			}
			if asJSON {
				err = s.writeJSON(c.OutOrStdout())
			} else {
				s.print(c.OutOrStdout())
				err = s.printFindings(c.Context(), c.OutOrStdout(), store)
			}
			if err != nil {
				return err
			}
			switch {
			case s.Total.Outcomes["failed"] > 0 || slices.ContainsFunc(s.Mailboxes, mailboxStatus.needsPerson):
				return &codeError{exitPerson, nil}
			case s.Total.Outcomes["pending"] > 0 || slices.ContainsFunc(s.Mailboxes, func(m mailboxStatus) bool { return !m.Complete }):
				return &codeError{exitStopped, nil}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	c.Flags().BoolVar(&watch, "watch", false, "go on showing it, with what a run does just now")
	c.Flags().BoolVar(&plain, "plain", false, "with --watch: "+plainUsage)
	return c
}

// status is what "status --json" writes.
type status struct {
	Target      string          `json:"target"` // "gmail" or "graph"
	Checkpoints string          `json:"checkpoints"`
	Running     string          `json:"running,omitempty"` // the process that is at work
	Total       sums            `json:"total"`
	Mailboxes   []mailboxStatus `json:"mailboxes"`

	report bool // deletions = "report"
}

type sums struct {
	Listed   int64            `json:"listed"`
	Outcomes map[string]int64 `json:"outcomes"` // their sum is Listed
	Bytes    int64            `json:"bytes"`    // octets of the messages that arrived
	Doubts   int64            `json:"doubts"`   // messages that may have been written: pending ones, and failures
	Left     int64            `json:"left"`     // messages at the target that the source has no more
}

type mailboxStatus struct {
	Source   string         `json:"source"`
	Target   string         `json:"target"`
	Started  time.Time      `json:"started,omitzero"` // of the latest pass
	Ended    time.Time      `json:"ended,omitzero"`
	Complete bool           `json:"complete"`         // the latest pass walked every folder
	Cutover  time.Time      `json:"cutover,omitzero"` // since when people work at the target
	Error    string         `json:"error,omitempty"`
	Hint     string         `json:"hint,omitempty"`
	Sums     sums           `json:"sums"`
	Folders  []folderStatus `json:"folders"`
	Failed   []failure      `json:"failed"`

	Verification *verification `json:"verification,omitempty"` // the latest one
}

type folderStatus struct {
	Path        []string     `json:"path"`
	Role        migrate.Role `json:"role,omitempty"`
	UIDValidity uint32       `json:"uidvalidity"`
	Target      string       `json:"target"`
	Note        string       `json:"note,omitempty"` // why the name differs
	Sums        sums         `json:"sums"`
}

// failure is a message that needs a person.
type failure struct {
	Folder    []string    `json:"folder"`
	UID       migrate.UID `json:"uid"`
	Size      int64       `json:"size"`
	MessageID string      `json:"message_id,omitempty"`
	Reason    string      `json:"reason"`
	Hint      string      `json:"hint,omitempty"`
	Doubt     bool        `json:"doubt"` // it may be at the target
}

// outcomes are all there are, in the order in which people are told.
var outcomes = []string{"copied", "merged", "adopted", "moved", "removed", "excluded", "gone", "failed", "pending"}

func (s *sums) add(t migrate.Tally) {
	if s.Outcomes == nil {
		s.Outcomes = map[string]int64{}
	}
	s.Listed += t.Listed
	s.Doubts += t.Doubts
	s.Left += t.Left
	for o := range migrate.Outcomes {
		s.Outcomes[o.String()] += t.Count[o]
		if o.Arrived() {
			s.Bytes += t.Bytes[o]
		}
	}
}

// readStatus reads the checkpoints of mailboxes.
func readStatus(ctx context.Context, config *Config, store *sqlite.Store, mailboxes []Mailbox) (*status, error) {
	s := &status{Target: config.Target.Kind, Checkpoints: config.Run.Checkpoints, report: config.Run.Deletions == string(migrate.Report)}
	s.Total.add(migrate.Tally{})
	if holder, running, err := store.InUse(); err != nil {
		return nil, err
	} else if running {
		s.Running = holder.String()
	}
	sources := make([]string, len(mailboxes))
	for i, m := range mailboxes {
		sources[i] = m.Source
	}
	tallies, err := store.Tally(ctx, sources...)
	if err != nil {
		return nil, err
	}
	for _, m := range mailboxes {
		ms := mailboxStatus{Source: m.Source, Target: m.Target, Folders: []folderStatus{}, Failed: []failure{}}
		ms.Sums.add(migrate.Tally{})
		ledger, err := store.Mailbox(ctx, m.Source, m.Target)
		if errors.Is(err, sqlite.ErrNoMailbox) { // no run came to it yet
			s.Mailboxes = append(s.Mailboxes, ms)
			continue
		}
		if err != nil {
			return nil, err
		}
		state, err := ledger.State(ctx)
		if err != nil {
			return nil, err
		}
		ms.Started, ms.Ended, ms.Complete, ms.Cutover, ms.Error, ms.Hint = state.Started, state.Ended, state.Complete, state.Cutover, state.Error, state.Hint
		for _, t := range tallies {
			if t.Mailbox != m.Source || t.To != m.Target {
				continue
			}
			if err := t.Check(); err != nil {
				return nil, err
			}
			fs := folderStatus{Path: t.Folder.Path, Role: t.Folder.Role, UIDValidity: t.Folder.UIDValidity, Target: t.Target, Note: t.Note}
			fs.Sums.add(t)
			ms.Folders = append(ms.Folders, fs)
			ms.Sums.add(t)
			s.Total.add(t)
		}
		if ms.Sums.Outcomes["failed"] > 0 {
			if ms.Failed, err = failures(ctx, ledger); err != nil {
				return nil, err
			}
		}
		verifications, err := store.Verifications(ctx, m.Source, m.Target)
		if err != nil {
			return nil, err
		}
		if ms.Verification, err = readVerification(ctx, verifications); err != nil {
			return nil, err
		}
		s.Mailboxes = append(s.Mailboxes, ms)
	}
	return s, nil
}

func failures(ctx context.Context, ledger migrate.Ledger) ([]failure, error) {
	folders, err := ledger.Folders(ctx)
	if err != nil {
		return nil, err
	}
	out := []failure{}
	for _, f := range folders {
		for r, err := range ledger.Records(ctx, f.ID, 1, ^migrate.UID(0)) {
			if err != nil {
				return nil, err
			}
			if r.Outcome == migrate.Failed {
				out = append(out, failure{f.Folder.Path, r.UID, r.Size, r.MessageID, r.Reason, r.Hint, r.Doubt})
			}
		}
	}
	return out, nil
}

func (s *status) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(s)
}

// print writes the identity of each mailbox and what needs a person.
func (s *status) print(w io.Writer) {
	if s.Running != "" {
		fmt.Fprintf(w, "A run is going on in %s.\n\n", s.Running)
	}
	s.table(w)

	for _, m := range s.Mailboxes {
		if m.Error != "" {
			fmt.Fprintf(w, "\n%s stopped: %s\n", printable(m.Source), printable(m.Error))
			if m.Hint != "" {
				fmt.Fprintf(w, "  %s\n", printable(m.Hint))
			}
		}
		printRenames(w, m)
		if s.report {
			printLeft(w, m)
		}
		printFailures(w, m)
	}
}

// table writes the identity of each mailbox.
func (s *status) table(w io.Writer) {
	// Outcomes that did not occur would only make the table wide.
	shown := slices.DeleteFunc(slices.Clone(outcomes), func(o string) bool {
		return s.Total.Outcomes[o] == 0 && o != "copied" && o != "failed" && o != "pending"
	})
	t := table{left: 1}
	t.add(append(append([]string{"mailbox", "listed", "="}, shown...), "size", "last pass", "verification")...)
	row := func(name string, s sums, last, verification string) {
		cells := []string{name, thousands(s.Listed), "="}
		for _, o := range shown {
			cells = append(cells, thousands(s.Outcomes[o]))
		}
		t.add(append(cells, octets(s.Bytes), last, verification)...)
	}
	for _, m := range s.Mailboxes {
		row(printable(m.Source), m.Sums, m.last(s.Running != ""), m.Verification.String())
	}
	if len(s.Mailboxes) > 1 {
		row("total", s.Total, "", "")
	}
	t.write(w)
}

func (m mailboxStatus) last(running bool) string {
	switch {
	case m.Started.IsZero():
		return "none yet"
	case m.Complete && !m.Cutover.IsZero():
		return "complete, cut over"
	case m.Complete:
		return "complete"
	case m.Ended.IsZero() && running:
		return "running"
	case m.Ended.IsZero():
		return "was killed"
	}
	return "stopped early"
}

// needsPerson says that not all is well beside messages that failed.
func (m mailboxStatus) needsPerson() bool {
	return m.Error != "" || m.Verification != nil && m.Verification.Counts.different() > 0
}

func printRenames(w io.Writer, m mailboxStatus) {
	head := false
	for _, f := range m.Folders {
		if f.Note == "" || f.Role == migrate.RoleInbox {
			continue
		}
		if !head {
			fmt.Fprintf(w, "\n%s: folders that have another name at the target\n", printable(m.Source))
			head = true
		}
		fmt.Fprintf(w, "  %s -> %s (%s)\n", printable(strings.Join(f.Path, " / ")), printable(f.Target), printable(f.Note))
	}
}

// printLeft counts by folder what the source has no more, and the target has.
func printLeft(w io.Writer, m mailboxStatus) {
	if m.Sums.Left == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s: %s at the target, and no longer at the source\n", printable(m.Source), count(m.Sums.Left, "message is", "messages are"))
	for _, f := range m.Folders {
		if f.Sums.Left > 0 {
			fmt.Fprintf(w, "  %s: %s\n", printable(strings.Join(f.Path, " / ")), thousands(f.Sums.Left))
		}
	}
}

// printFailures lists the messages that need a person, by reason.
func printFailures(w io.Writer, m mailboxStatus) {
	if len(m.Failed) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s: %s a person\n", printable(m.Source), count(int64(len(m.Failed)), "message needs", "messages need"))
	fs := slices.Clone(m.Failed)
	slices.SortStableFunc(fs, func(a, b failure) int {
		return cmp.Or(cmp.Compare(a.Reason, b.Reason), slices.Compare(a.Folder, b.Folder), cmp.Compare(a.UID, b.UID))
	})
	for i, f := range fs {
		if i == 0 || fs[i-1].Reason != f.Reason {
			fmt.Fprintf(w, "  %s\n", printable(f.Reason))
			if f.Hint != "" {
				fmt.Fprintf(w, "  %s\n", printable(f.Hint))
			}
		}
		fmt.Fprintf(w, "    %s, UID %d, %s", printable(strings.Join(f.Folder, " / ")), f.UID, octets(f.Size))
		if f.MessageID != "" {
			fmt.Fprintf(w, ", %s", printable(f.MessageID))
		}
		if f.Doubt {
			fmt.Fprint(w, ", may be at the target")
		}
		fmt.Fprintln(w)
	}
}
