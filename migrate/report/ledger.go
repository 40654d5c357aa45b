package report

import (
	"context"
	"iter"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// A Ledger is what a report needs of the durable memory of one mailbox.
type Ledger interface {
	State(ctx context.Context) (migrate.MailboxState, error)
	Folders(ctx context.Context) ([]migrate.FolderState, error)
	Verification(ctx context.Context) (migrate.Verification, error)
	Findings(ctx context.Context) iter.Seq2[migrate.Finding, error]

	// Passes returns all that were ever made, the oldest first.
	Passes(ctx context.Context) ([]migrate.Pass, error)

	// Notable yields the records of what Failed and of copies with Notes, by
	// folder and UID.
	Notable(ctx context.Context) iter.Seq2[migrate.Record, error]

	// Excluded counts the records that were left out, by their rule.
	Excluded(ctx context.Context) (map[string]int64, error)

	// Timeline counts by the hour in UTC what was written to the target, the
	// earliest first. Hours without any are left out; so is what was written
	// before that time was recorded.
	Timeline(ctx context.Context) ([]Hour, error)
}

// An Hour is what was written to the target from Start on.
type Hour struct {
	Start    time.Time
	Messages int64
	Bytes    int64
}
