package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

// findingMeanings say of each kind of finding what it is.
var findingMeanings = map[migrate.Kind]string{
	migrate.KindMissing:   "missing: copied, and nowhere at the target",
	migrate.KindDeleted:   "deleted: put into the trash at the target since",
	migrate.KindMisplaced: "misplaced: in another folder of the target",
	migrate.KindDoubled:   "doubled: one more copy at the target",
	migrate.KindExtra:     "extra: at the target, and not copied by mailhaul",
	migrate.KindFlags:     "flags: other flags",
	migrate.KindDate:      "date: sorted by a date that is none of the message's own",
	migrate.KindContent:   "content: text, header or attachments are different",
}

// difference is a migrate.Finding as "verify --json" writes it.
type difference struct {
	Kind      migrate.Kind      `json:"kind"`
	Folder    []string          `json:"folder,omitempty"`
	UID       migrate.UID       `json:"uid,omitempty"`
	Target    migrate.MessageID `json:"target,omitempty"`
	Date      time.Time         `json:"date,omitzero"`
	From      string            `json:"from,omitempty"`
	MessageID string            `json:"message_id,omitempty"`
	Detail    string            `json:"detail,omitempty"`
}

// findings calls fn for each finding of the latest verification, until it
// returns false. There may be a million.
func findings(ctx context.Context, l verify.Ledger, fn func(difference) bool) error {
	folders, err := l.Folders(ctx)
	if err != nil {
		return err
	}
	for f, err := range l.Findings(ctx) {
		if err != nil {
			return err
		}
		shown := difference{Kind: f.Kind, UID: f.UID, Target: f.Target, Date: f.Date, From: f.From, MessageID: f.MessageID, Detail: f.Detail}
		if i := slices.IndexFunc(folders, func(s migrate.FolderState) bool { return s.ID == f.Folder }); i >= 0 {
			shown.Folder = folders[i].Folder.Path
		}
		if !fn(shown) {
			return nil
		}
	}
	return nil
}

// printFindings lists the differences of a mailbox by kind, up to most of each.
// Extra mail is none.
func printFindings(ctx context.Context, w io.Writer, source string, l verify.Ledger, v *verification, most int64) error {
	for _, kind := range findingKinds {
		n := v.Counts.Found[kind]
		if n == 0 || kind == migrate.KindExtra {
			continue
		}
		fmt.Fprintf(w, "\n%s: %s %s\n", printable(source), thousands(n), findingMeanings[kind])
		left := most
		err := findings(ctx, l, func(f difference) bool {
			if f.Kind == kind {
				fmt.Fprintf(w, "  %s\n", f)
				left--
			}
			return left > 0
		})
		if err != nil {
			return err
		}
		if n > most {
			fmt.Fprintf(w, "  and %s more: see mailhaul status\n", thousands(n-most))
		}
	}
	return nil
}

// printFindings lists all differences that the latest verifications found.
func (s *status) printFindings(ctx context.Context, w io.Writer, store *sqlite.Store) error {
	for _, m := range s.Mailboxes {
		if m.Verification == nil {
			continue
		}
		l, err := store.Verifications(ctx, m.Source, m.Target)
		if err != nil {
			return err
		}
		if err := printFindings(ctx, w, m.Source, l, m.Verification, math.MaxInt64); err != nil {
			return err
		}
	}
	return nil
}

// String names the message by all that is known of it but its content.
func (f difference) String() string {
	parts := []string{printable(strings.Join(f.Folder, " / "))}
	if f.UID != 0 {
		parts = append(parts, fmt.Sprintf("UID %d", f.UID))
	}
	if !f.Date.IsZero() {
		parts = append(parts, f.Date.Format("2006-01-02 15:04"))
	}
	for _, s := range []string{f.From, f.MessageID, f.Detail} {
		if s != "" {
			parts = append(parts, printable(s))
		}
	}
	return strings.Join(parts, ", ")
}

// writeFindings writes the findings of a mailbox as elements of a JSON array, a
// line each.
func writeFindings(ctx context.Context, w io.Writer, l verify.Ledger) error {
	separator := ""
	var failed error
	err := findings(ctx, l, func(f difference) bool {
		text, err := encoded(f, "", "")
		if err == nil {
			_, err = fmt.Fprintf(w, "%s\n        %s", separator, text)
		}
		separator, failed = ",", err
		return err == nil
	})
	if separator != "" {
		fmt.Fprint(w, "\n      ")
	}
	return cmp.Or(failed, err)
}
