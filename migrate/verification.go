package migrate

import (
	"crypto/sha256"
	"time"
)

// A Verification is one comparison of a mailbox with its copy.
type Verification struct {
	Depth   string    // "counts", "metadata", "sample" or "content"
	Sample  string    // of depth "sample": how many, "400" or "5%" of each folder
	Started time.Time // zero if there was none
	Ended   time.Time // zero while it runs, or was stopped: then it can go on
	Folders []FolderVerification
}

// A FolderVerification is what a verification has counted in one folder. Each
// message that arrived is either Present or has one Finding that says where it
// went: missing, deleted or misplaced.
type FolderVerification struct {
	Folder    int64 // FolderState.ID
	Next      UID   // the comparison goes on here; 0 if it has not begun
	Arrived   int64 // messages that arrived, by their records
	Present   int64 // of them, those that are where they belong
	Merged    int64 // of Present, those whose content is compared where it was written
	Held      int64 // messages that the target's folder holds, by its own list
	New       int64 // messages that the source has now, and no pass has listed
	Compared  int64 // of Present, those that were compared at the depth asked for
	Explained int64 // of Compared, those that differ, but only as their notes say
	Unread    int64 // of Present, those that were to be compared, but the source has them no more
}

// A Finding is a difference between a mailbox and its copy. Folder and UID are
// those of the source; both are 0 where no message of the source is concerned.
type Finding struct {
	Kind      Kind
	Folder    int64 // FolderState.ID
	UID       UID
	Target    MessageID
	Detail    string    // what differs, for people; holds no content
	MessageID string    // so that a person can find the message
	From      string    // address of its author, likewise
	Subject   string    // likewise
	Date      time.Time // likewise; zero if unknown
}

// A Replica is what was read back of a message.
type Replica struct {
	UID     UID
	Content [sha256.Size]byte // digest of its canonical form, of all aspects but the structure: docs/canonical-form.md
}

// A Kind is what is different.
type Kind string

const (
	KindMissing   Kind = "missing"   // it arrived, and is nowhere at the target
	KindDeleted   Kind = "deleted"   // it arrived, and was put into the trash since
	KindMisplaced Kind = "misplaced" // it arrived, and is in another folder
	KindDoubled   Kind = "doubled"   // the target has one more copy of it
	KindExtra     Kind = "extra"     // the target has a message that mailhaul did not write: no error
	KindFlags     Kind = "flags"     // it has other flags
	KindDate      Kind = "date"      // it is sorted by a date that is none of its own
	KindContent   Kind = "content"   // its text, header or attachments are different
)
