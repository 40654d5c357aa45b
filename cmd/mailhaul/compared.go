package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

// shownFindings is how many differences of each kind verify lists.
const shownFindings = 20

// compared is what a verification came to, as "verify --json" writes it.
type compared struct {
	unclosed  error // names the first folder whose sums do not close
	mailboxes []comparedMailbox
	total     comparison
}

type comparedMailbox struct {
	Source       string        `json:"source"`
	Target       string        `json:"target"`
	Error        string        `json:"error,omitempty"` // why it stopped early
	Hint         string        `json:"hint,omitempty"`
	Verification *verification `json:"verification"` // null if it never began

	ledger verify.Ledger
}

// readCompared reads what the verification of mailboxes counted and found.
func readCompared(ctx context.Context, store *sqlite.Store, results []verify.Result) (*compared, error) {
	c := &compared{total: newComparison()}
	for _, r := range results {
		m := comparedMailbox{Source: r.Mailbox.Source, Target: r.Mailbox.Target, ledger: r.Mailbox.Ledger}
		if r.Err != nil {
			m.Error, m.Hint = migrate.Explain(r.Err)
		}
		v, err := readVerification(ctx, m.ledger)
		if err != nil {
			return nil, err
		}
		if m.Verification = v; v != nil {
			tallies, err := talliesOf(ctx, store, m.Source, m.Target)
			if err != nil {
				return nil, err
			}
			if err := v.check(tallies); err != nil && c.unclosed == nil {
				c.unclosed = fmt.Errorf("the sums do not close: %w", err)
			}
			c.total.add(v.Counts)
		}
		c.mailboxes = append(c.mailboxes, m)
	}
	return c, nil
}

// talliesOf counts what became of one mailbox pair.
func talliesOf(ctx context.Context, store *sqlite.Store, source, target string) (ts []migrate.Tally, err error) {
	all, err := store.Tally(ctx, source)
	for _, t := range all {
		if t.To == target {
			ts = append(ts, t)
		}
	}
	return ts, err
}

// print writes the sums, the differences and what follows from them.
func (c *compared) print(ctx context.Context, w io.Writer) error {
	t := table{left: 2}
	var kinds []migrate.Kind // that were found
	head := []string{"mailbox", "depth", "arrived", "present"}
	for _, k := range findingKinds {
		if c.total.Found[k] > 0 {
			kinds, head = append(kinds, k), append(head, string(k))
		}
	}
	if c.total.Explained > 0 {
		head = append(head, "explained")
	}
	t.add(head...)
	row := func(name, depth string, n comparison) {
		cells := []string{name, depth, thousands(n.Arrived), thousands(n.Present)}
		for _, k := range kinds {
			cells = append(cells, thousands(n.Found[k]))
		}
		if c.total.Explained > 0 {
			cells = append(cells, thousands(n.Explained))
		}
		t.add(cells...)
	}
	for _, m := range c.mailboxes {
		if v := m.Verification; v != nil {
			row(printable(m.Source), v.reached(), v.Counts)
		} else {
			t.add(printable(m.Source), "not begun")
		}
	}
	if len(c.mailboxes) > 1 {
		row("total", "", c.total)
	}
	t.write(w)

	for _, m := range c.mailboxes {
		if m.Error != "" {
			fmt.Fprintf(w, "\n%s stopped: %s\n", printable(m.Source), printable(m.Error))
			if m.Hint != "" {
				fmt.Fprintf(w, "  %s\n", printable(m.Hint))
			}
		}
		if m.Verification != nil {
			if err := printFindings(ctx, w, m.Source, m.ledger, m.Verification, shownFindings); err != nil {
				return err
			}
		}
	}
	fmt.Fprintln(w)
	c.conclude(w)
	return nil
}

// conclude says what the sums mean and what is to be done.
func (c *compared) conclude(w io.Writer) {
	var folders []migrate.FolderVerification
	var depth verify.Depth
	for _, m := range c.mailboxes {
		if v := m.Verification; v != nil && !v.Ended.IsZero() {
			folders, depth = append(folders, v.counted...), v.Depth
		}
	}
	n := c.total
	switch depth {
	case verify.Sampled:
		fmt.Fprintf(w, "Content of a sample: %s.\n", verify.Statement(folders, n.Found[migrate.KindContent], thousands))
	case verify.Content:
		fmt.Fprintf(w, "Content: %s read back, %s verified", count(n.Compared, "message was", "messages were"), thousands(n.Compared-n.Found[migrate.KindContent]))
		if n.Explained > 0 {
			fmt.Fprintf(w, ", %s of them with changes that are known from their copying", thousands(n.Explained))
		}
		if n.Merged > 0 {
			fmt.Fprintf(w, "; %s more in other folders are the same messages", thousands(n.Merged))
		}
		fmt.Fprintln(w, ".")
	}
	if n.Unread > 0 {
		fmt.Fprintf(w, "%s not be compared: the source has them no more.\n", count(n.Unread, "message could", "messages could"))
	}
	if n.New > 0 {
		fmt.Fprintf(w, "%s to the source since the last run; the next one copies them.\n", count(n.New, "message came", "messages came"))
	}
	switch {
	case n.Found[migrate.KindMissing] > 0:
		fmt.Fprintln(w, `"mailhaul run --from-verify" copies again what is missing, and only that.`)
	case n.different() > 0:
		fmt.Fprintln(w, `Look at the differences at the target; "mailhaul status" lists them all.`)
	case slices.ContainsFunc(c.mailboxes, func(m comparedMailbox) bool { return m.Error != "" }):
		fmt.Fprintln(w, "No difference was found so far.")
	default:
		fmt.Fprintln(w, "No difference was found.")
	}
}

// writeJSON writes mailbox by mailbox, so that a million findings need no
// memory.
func (c *compared) writeJSON(ctx context.Context, w io.Writer) error {
	head := struct {
		Closes   bool   `json:"closes"` // every sum of a mailbox that was compared to its end
		Unclosed string `json:"unclosed,omitempty"`
	}{Closes: c.unclosed == nil}
	if c.unclosed != nil {
		head.Unclosed = c.unclosed.Error()
	}
	text, err := encoded(head, "", "  ")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s,\n  \"mailboxes\": [", bytes.TrimSuffix(text, []byte("\n}")))
	for i, m := range c.mailboxes {
		if i > 0 {
			fmt.Fprint(w, ",")
		}
		text, err := encoded(m, "    ", "  ")
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "\n    %s,\n      \"findings\": [", bytes.TrimSuffix(text, []byte("\n    }")))
		if err := writeFindings(ctx, w, m.ledger); err != nil {
			return err
		}
		fmt.Fprint(w, "]\n    }")
	}
	_, err = fmt.Fprint(w, "\n  ]\n}\n")
	return err
}

// encoded returns v as JSON. With an indent it has lines, of which all but the
// first begin with prefix.
func encoded(v any, prefix, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, indent)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// verdict turns the end of a verification into an exit code. Skipped mailboxes
// were left out because no run came to them.
func (c *compared) verdict(err error, skipped int) error {
	switch {
	case errors.Is(err, errInterrupted):
		return &codeError{exitInterrupted, errors.New("interrupted; verify again to go on")}
	case err != nil:
		return err
	case c.unclosed != nil:
		return c.unclosed
	}
	early := 0
	for _, m := range c.mailboxes {
		if m.Error != "" {
			early++
		}
	}
	switch n := c.total.different(); {
	case early > 0:
		return &codeError{exitStopped, fmt.Errorf("%s stopped early; verify again to go on", count(int64(early), "mailbox", "mailboxes"))}
	case skipped > 0:
		return &codeError{exitStopped, fmt.Errorf("%s not compared: no run came to it yet", count(int64(skipped), "mailbox was", "mailboxes were"))}
	case n > 0:
		return &codeError{exitPerson, fmt.Errorf("compared; %s a person", count(n, "difference needs", "differences need"))}
	}
	return nil
}
