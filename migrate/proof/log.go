// Package proof keeps an append-only log of what became of each message, as a
// Merkle tree whose head is signed, so that a report can be checked without
// trusting who wrote it. docs/proof.md is its format.
package proof

import (
	"context"
	"iter"
)

// A Log is the durable, append-only list of entries of one migration.
type Log interface {
	// Secret returns 32 random octets, the same each time, that blind the names
	// in entries.
	Secret(ctx context.Context) ([]byte, error)

	// Size is how many entries there are.
	Size(ctx context.Context) (int64, error)

	// Entries yields the texts of the entries from <= n < to, in their order.
	Entries(ctx context.Context, from, to int64) iter.Seq2[string, error]

	// Latest yields the latest entry of each message of a folder in ascending
	// order of UIDs; for folder 0 that of each folder in ascending order. The
	// caller may append between two of them, about what it has passed already.
	Latest(ctx context.Context, folder int64) iter.Seq2[Entry, error]

	// Append adds entries in their order. They are durable when it returns.
	Append(ctx context.Context, entries ...Entry) error

	// Heads returns all signed heads, the oldest first.
	Heads(ctx context.Context) ([]string, error)

	// AddHead adds one.
	AddHead(ctx context.Context, head string) error
}

// An Entry is one leaf of the tree, and what it is about: message ID of folder
// Folder, or with Folder 0, folder ID.
type Entry struct {
	Folder int64 // FolderState.ID
	ID     int64 // UID, or FolderState.ID
	Text   string
}
