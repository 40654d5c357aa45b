package migrate

import (
	"crypto/sha256"
	"io"
	"strings"
	"time"
)

// A Folder is a folder of the source, decoded and split into its path. There
// is no separator and no namespace prefix left in it.
type Folder struct {
	Path []string // e.g. {"Clients", "2019/20"}; the inbox is {"INBOX"}
	Role Role     // what the folder is for, if known (RFC 6154)

	// The folder's state when it was listed (RFC 3501 section 2.3.1.1).
	UIDValidity uint32
	UIDNext     UID   // messages from here on are left to the next pass
	Messages    int64 // how many the source announced
	Bytes       int64 // their size, 0 if the source cannot say

	// ModSeq is HIGHESTMODSEQ (RFC 7162): it grows when flags change. 0 if the
	// source keeps none.
	ModSeq uint64

	NoSelect bool // only there to hold others: has no messages (\Noselect, \NonExistent)

	// Set by the engine before a target sees the folder.
	Placed  FolderID // where an earlier pass placed it, if one did
	Renamed bool     // it had another path then
}

// String returns the path with " / " between its parts, for people.
func (f Folder) String() string { return strings.Join(f.Path, " / ") }

// A Role is what a folder is for (RFC 6154).
type Role string

const (
	RoleNone    Role = ""
	RoleInbox   Role = "inbox"
	RoleSent    Role = "sent"
	RoleDrafts  Role = "drafts"
	RoleJunk    Role = "junk"
	RoleTrash   Role = "trash"
	RoleArchive Role = "archive"
)

// UID identifies a message in one folder of the source while its UIDVALIDITY
// lasts (RFC 3501 section 2.3.1.1).
type UID uint32

// A UIDRange is a run of UIDs, both ends included.
type UIDRange struct{ First, Last UID }

// A Flag is an IMAP flag or keyword as the source spells it (RFC 3501 section
// 2.3.2). Flags compare without case: use [Message.HasFlag].
type Flag string

const (
	Seen      Flag = `\Seen`
	Answered  Flag = `\Answered`
	Flagged   Flag = `\Flagged`
	Deleted   Flag = `\Deleted`
	Draft     Flag = `\Draft`
	Forwarded Flag = "$Forwarded" // RFC 5788
)

// A Message is one message of the source.
type Message struct {
	UID          UID
	Flags        []Flag
	InternalDate time.Time // when the source received it; zero if it does not say
	Size         int64     // octets: as announced by the source, as read once Body is set
	MessageID    string    // Message-ID with its brackets, as the source's envelope has it; may be empty

	// Set by the engine before a target sees the message.
	Key    string // 64 hex digits that name the message at the source, the same on every run
	Digest Digest // of the content; zero if that was changed and is not there any more
	Body   Body   // nil if the source no longer has the message
	Whole  bool   // a target that refuses the content shall say so, and not store it otherwise: a small change may do
}

// HasFlag says whether the message has flag f, spelled in any case.
func (m *Message) HasFlag(f Flag) bool {
	for _, g := range m.Flags {
		if strings.EqualFold(string(g), string(f)) {
			return true
		}
	}
	return false
}

// Body is the content of a message. It may be opened again, also at the same
// time, and then reads from the start.
type Body interface {
	Open() (io.ReadSeekCloser, error)
}

// Digest is the SHA-256 of the octets of a message.
type Digest [sha256.Size]byte
