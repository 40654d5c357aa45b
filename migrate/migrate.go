// Package migrate moves mailboxes from a [Source] to a [Target] and remembers
// what it did in [Checkpoints], so that a run may die at any instant and start
// again without losing or doubling a message.
//
// The package declares the interfaces that it consumes. Packages under
// sources, targets and checkpoints implement them; they import migrate and
// never each other, and migrate imports none of them. It knows no vendor, no
// protocol and no disk format.
package migrate

import (
	"context"
	"io"
	"iter"
)

// A Source reads one mailbox on the system that is being left. It never
// changes that mailbox, not even a flag.
//
// One goroutine at a time uses a Source. After a transient error the next call
// connects again. Errors that mean that the server could not be reached, would
// not let the user in or would not open the folder wrap [ErrUnreachable].
type Source interface {
	// Folders lists the folders of the mailbox, parents before children, with
	// the state that each has now.
	Folders(ctx context.Context) ([]Folder, error)

	// List yields the messages of f with from <= UID < f.UIDNext in ascending
	// order, in batches of bounded size, without their bodies. It yields an
	// error at most once, as its last step; the batches before it hold. The
	// caller may call Read between two batches. The error wraps ErrFolderGone
	// if the folder vanished, or is another one than f by its UIDVALIDITY; a
	// Permanent error concerns this folder alone.
	List(ctx context.Context, f Folder, from UID) iter.Seq2[[]Message, error]

	// Flags yields the UID and the Flags, and nothing else, of the messages of f
	// with UID < below whose flags have changed since the folder's ModSeq was
	// since; of all of them if since is 0 or the source keeps no ModSeq. It may
	// yield messages whose flags are as they were. Otherwise it is as List.
	Flags(ctx context.Context, f Folder, below UID, since uint64) iter.Seq2[[]Message, error]

	// UIDs yields the UIDs < below that exist in f, as ranges in ascending order
	// that do not overlap. Errors are as those of List.
	UIDs(ctx context.Context, f Folder, below UID) iter.Seq2[UIDRange, error]

	// Read calls body once for each message of ms, in any order, with the
	// message's octets exactly as the source holds them. The reader is valid
	// during the call and must not be kept waiting. A message that is no
	// longer there gets no call, and that alone is no error. Read stops at the
	// first error, its own or that of body, and returns it.
	Read(ctx context.Context, f Folder, ms []*Message, body func(m *Message, r io.Reader) error) error

	Close() error
}

// A Target writes one mailbox on the system that is being joined.
//
// Append, Find and Update may be called from several goroutines. No method
// retries: every error is classified by an [*Error], and the engine acts on it.
type Target interface {
	// Capabilities says what the target can hold. It does no I/O.
	Capabilities() Capabilities

	// Position returns where the target's log of changes stands now, in a form
	// that only Find understands. The engine records it durably before its
	// first write and gives it to Find.
	Position(ctx context.Context) (Position, error)

	// Place makes every folder exist at the target and says where it is, in
	// the order of fs. It may be called again and then finds what it made.
	// Folders that were placed before carry that placement's ID in
	// Folder.Placed and keep it while it exists; those with Folder.Renamed also
	// get their new name there, unless that would overwrite or hide something;
	// two folders of fs never share a place, whatever the target's rules on
	// names. A folder that the target cannot hold has Placement.Err set and does
	// not stop the others.
	Place(ctx context.Context, fs []Folder) ([]Placement, error)

	// Append stores m in folder with its flags and dates. After an error the
	// message may or may not be stored, unless the Error says Refused.
	Append(ctx context.Context, folder FolderID, m *Message) (Stored, error)

	// Find returns the message that an earlier Append of m left in folder, at
	// or after position since, or an error that wraps ErrNotFound. It is asked
	// only when a write is in doubt. "Not found" is a promise: where an index
	// may lag, Find waits it out or uses a listing. What it cannot decide is
	// an error that wraps ErrUndecided. m.Body is nil if the source no longer
	// holds the message.
	Find(ctx context.Context, folder FolderID, m *Message, since Position) (Stored, error)

	// Update makes one change to messages that are there, and names what of it
	// the target cannot hold, as in Stored.Notes. It may be repeated; after an
	// error some of the messages may have been changed. If a single message is
	// named and there is none, the error wraps ErrNotFound; of several, those
	// that are not there are passed over. It wraps ErrUnmovable, and nothing was
	// changed, if the target cannot take the message from one of the folders to
	// the other.
	Update(ctx context.Context, change Change, ids ...MessageID) (notes []string, err error)

	Close() error
}

// Capabilities says what a target can hold and bear.
type Capabilities struct {
	Parallel       int   // how many writes to one mailbox at once are worth making; at least 1
	MaxMessageSize int64 // octets of one message; 0 if unknown
	Labels         bool  // a message may be in several folders: equal content is stored once and placed again with Update
	Keyed          bool  // Find knows a copy by Message.Key, however long ago it was written
}

// Position is a point in a target's log of changes; its form is the target's.
type Position string

// FolderID names a folder at the target, MessageID a message.
type (
	FolderID  string
	MessageID string
)

// A Placement is where a folder is at the target.
type Placement struct {
	ID   FolderID
	Name string // the path as the target shows it, e.g. "Clients/2019"
	Note string // why Name is not the folder's own path; empty if it is
	Err  error  // the target cannot hold the folder; an *Error with a hint
}

// Stored is a message at the target.
type Stored struct {
	ID    MessageID
	Notes []string // names of what the copy changed or lacks, e.g. "alternative-text-dropped"
}

// A Change is what Update does to a message. Flags that are not named stay as
// they are, and so do folders at a target that labels.
type Change struct {
	AddFolder    FolderID // place it in this folder; empty for none
	RemoveFolder FolderID // and take it out of this one; empty for none. Without labels only together with AddFolder
	AddFlags     []Flag   // flags to set
	RemoveFlags  []Flag   // flags to clear
	Key          string   // Message.Key of the message that it is the copy of from now on, for a target that is Keyed; empty for no change
	Trash        bool     // put it into the trash, out of every other folder
}

// Checkpoints is the durable memory of one migration.
type Checkpoints interface {
	// Mailbox returns the memory of one mailbox pair and makes it at first.
	Mailbox(ctx context.Context, source, target string) (Ledger, error)

	// Tally counts the records of the named source mailboxes, all of them if
	// none is named, by folder.
	Tally(ctx context.Context, sources ...string) ([]Tally, error)

	Close() error
}

// A Ledger is the durable memory of one mailbox. Several goroutines use it.
// What a method has saved when it returns survives the death of the process
// and of the machine.
type Ledger interface {
	State(ctx context.Context) (MailboxState, error)

	// SaveState replaces the state. It keeps every pass, known by s.Started, as
	// it was saved last.
	SaveState(ctx context.Context, s MailboxState) error

	// Folders returns every folder that was ever saved, oldest first.
	Folders(ctx context.Context) ([]FolderState, error)

	// SaveFolder saves the folder known by its ID, or if that is zero, by its
	// path, UIDVALIDITY and epoch, and sets s.ID. It leaves the count of listed
	// messages alone.
	SaveFolder(ctx context.Context, s *FolderState) error

	// Records yields the records of a folder with from <= UID <= to in
	// ascending order. Records saved meanwhile may or may not be seen.
	Records(ctx context.Context, folder int64, from, to UID) iter.Seq2[Record, error]

	// AddListed adds records for messages that the source listed for the first
	// time, and adds their number to the folder's count of listed messages. A
	// record that exists already is an error.
	AddListed(ctx context.Context, rs ...Record) error

	// Save replaces records that exist; one that does not is an error.
	Save(ctx context.Context, rs ...Record) error

	// ByDigest returns a record of this mailbox with that content that arrived,
	// or with all up to 1,000 that arrived or were Removed, those that have
	// vanished from the source first; if there is none, up to 1,000 that are in
	// doubt, which is more than are on their way at once; else nothing.
	ByDigest(ctx context.Context, d Digest, all bool) ([]Record, error)
}
