// Package verify compares mailboxes with their copies: it lists what a target
// holds, reads messages back as deep as asked for, names every difference, and
// closes the sums. It changes neither side.
package verify

import (
	"context"
	"io"
	"iter"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/canon"
)

// A Target shows one mailbox on the system that was joined. Its methods may be
// called from several goroutines and do not retry; errors are classified by a
// [*migrate.Error].
type Target interface {
	// Capabilities is that of [migrate.Target].
	Capabilities() migrate.Capabilities

	// List yields every message that folder holds when it is called, hidden
	// ones too, in batches of bounded size and in any order, and an error at
	// most once, as its last step. Messages that come or go meanwhile may or
	// may not be seen; all others are seen once. The error wraps
	// [migrate.ErrNotFound] if there is no such folder. What the target's list
	// does not tell is left out: see Complete of [migrate.Held].
	List(ctx context.Context, folder migrate.FolderID) iter.Seq2[[]migrate.Held, error]

	// Look returns a complete Held, wherever the message is. The error wraps
	// [migrate.ErrNotFound] if it is nowhere.
	Look(ctx context.Context, id migrate.MessageID) (migrate.Held, error)

	// Open returns the content of a message as the target gives it back, and
	// what came along: a Held that is Complete only if it cost no further call.
	// The caller closes the content. Errors as in Look.
	Open(ctx context.Context, id migrate.MessageID) (migrate.Held, io.ReadCloser, error)

	// Shown returns the flags that Held has of a good copy in folder of a
	// message with these flags; with no folder, those that Update adds.
	Shown(folder migrate.FolderID, flags []migrate.Flag) []migrate.Flag

	// Explains returns what of a copy may differ, or is not to be compared,
	// because the record of its message has this note.
	Explains(note string) []canon.Aspect

	Close() error
}

// A Source reads one mailbox on the system that was left; see [migrate.Source].
type Source interface {
	Folders(ctx context.Context) ([]migrate.Folder, error)
	List(ctx context.Context, f migrate.Folder, from migrate.UID) iter.Seq2[[]migrate.Message, error]
	Read(ctx context.Context, f migrate.Folder, ms []*migrate.Message, body func(m *migrate.Message, r io.Reader) error) error
	Close() error
}

// What of a copy its octets do not tell, or what it has instead; see
// Target.Explains.
const (
	Received canon.Aspect = "received" // the date by which the target sorts
	Flags    canon.Aspect = "flags"    // the flags
	Folder   canon.Aspect = "folder"   // the folder: the message is elsewhere
	Original canon.Aspect = "original" // any of the content, provided that the whole original is attached, octet for octet
)

// A Ledger is what verification needs of the durable memory of one mailbox.
type Ledger interface {
	State(ctx context.Context) (migrate.MailboxState, error)
	Folders(ctx context.Context) ([]migrate.FolderState, error)
	Records(ctx context.Context, folder int64, from, to migrate.UID) iter.Seq2[migrate.Record, error]

	// Verification returns the latest one; Started is zero if there was none.
	Verification(ctx context.Context) (migrate.Verification, error)

	// BeginVerification forgets the latest one with all its findings.
	BeginVerification(ctx context.Context, v migrate.Verification) error

	// SaveVerified replaces what was counted in a folder, and what was read back
	// of the messages of replicas, and adds findings, in one commit.
	SaveVerified(ctx context.Context, f migrate.FolderVerification, replicas []migrate.Replica, findings ...migrate.Finding) error

	// EndVerification sets Ended of the latest one.
	EndVerification(ctx context.Context, v migrate.Verification) error

	// Findings yields those of the latest verification, in the order in which
	// they were saved.
	Findings(ctx context.Context) iter.Seq2[migrate.Finding, error]
}

// A Depth is how deep a verification goes; each includes those before it.
type Depth string

const (
	Counts   Depth = "counts"   // every message that arrived is in its folder
	Metadata Depth = "metadata" // and has its flags and a date of its own
	Sampled  Depth = "sample"   // and a sample has the same content
	Content  Depth = "content"  // and all have the same content
)

// Work is what a verification asks of a target. Each target says what it costs.
type Work struct {
	Folders int64 // to list
	Listed  int64 // messages in them
	Looks   int64 // messages whose flags and date are needed and that are not read back: calls of Look, unless lists are complete
	Opens   int64 // messages to read back
	Bytes   int64 // octets of them
}
