package migrate

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// An Outcome is what became of a message that the source listed. Each message
// has exactly one.
type Outcome uint8

const (
	Pending  Outcome = iota // not done yet
	Copied                  // written to the target
	Adopted                 // found at the target: a write in doubt, or the copy of a message that the source moved here
	Merged                  // same content as a message at the target, which was placed in this folder too
	Excluded                // left out by the rule named in Reason
	Failed                  // cannot be copied, for the reason recorded
	Gone                    // vanished from the source before it was read
	Moved                   // the source has it elsewhere now, or under another UID: what was its copy is that message's
	Removed                 // deleted at the source since, and so at the target
	Outcomes                // how many there are
)

var outcomeNames = [Outcomes]string{"pending", "copied", "adopted", "merged", "excluded", "failed", "gone", "moved", "removed"}

func (o Outcome) String() string {
	if o < Outcomes {
		return outcomeNames[o]
	}
	return fmt.Sprintf("outcome %d", uint8(o))
}

// Arrived says whether the content is at the target.
func (o Outcome) Arrived() bool { return o == Copied || o == Adopted || o == Merged }

// A Record is what the checkpoints know of one message. It never holds content.
type Record struct {
	Folder    int64 // FolderState.ID
	UID       UID
	Outcome   Outcome
	Doubt     bool      // of Pending and Failed: a write may have taken effect
	Target    MessageID // where it is, once Arrived; in the trash, if Removed; of others, where it was before it was lost
	Digest    Digest    // of what the source holds; zero until the message was read
	Size      int64     // octets: announced by the source until the message was read
	Flags     []Flag    // those of the source that the copy was written with or has followed since, or may have; nil if that is not known
	Vanished  bool      // the source has it no more
	Notes     []string  // what the copy changed or lacks; in doubt, the transforms of the form that was written last
	Reason    string    // of Failed, in plain language; of Excluded, the rule
	Hint      string    // of Failed: what a person can do
	MessageID string    // as the source listed it, at most MaxMessageID octets
	Head      Head      // of what is Notable; the Ledger forgets that of others. Empty if it is not known

	// Settled is when the message came to its outcome, to the second. The Ledger
	// sets it when it saves another outcome than before, whatever it is here. Zero
	// while Pending, and if that is not known.
	Settled time.Time
}

// Notable says whether a person may want to look at the message: it failed, or
// its copy has Notes.
func (r Record) Notable() bool { return r.Outcome == Failed || r.Outcome.Arrived() && len(r.Notes) > 0 }

// MaxMessageID is how many octets of a Message-ID are remembered.
const MaxMessageID = 255

// A Head is what a person knows a message by. Each text has at most 255 octets
// of UTF-8.
type Head struct {
	From    string    // address of its author
	Date    time.Time // of its Date field, to the second; zero if there is none that can be read
	Subject string    // decoded
}

// Lost says whether the message was at the target, is there no more, and is to
// be copied again.
func (r Record) Lost() bool { return r.Outcome == Pending && r.Target != "" }

// vanished returns the record of a message that the source has no more. What
// was lost at both ends is no message that was gone in time.
func (r Record) vanished() Record {
	r.Vanished = true
	if !r.Lost() {
		r.Outcome, r.Doubt = Gone, false
		return r
	}
	return failed(r, &Error{Op: "copy again", Class: Permanent,
		Err:  errors.New("the message was copied, is missing at the target, and the source has it no more"),
		Hint: "Restore it at the source from a backup. If it is there under the same UID, see mailhaul retry."})
}

// A FolderState is what the checkpoints know of one folder of the source.
type FolderState struct {
	ID     int64 // set by the Ledger
	Folder Folder
	Origin []string // the path that it had at first, if it was renamed since
	Epoch  int      // how often the source began to give out its UIDs anew, without a new UIDVALIDITY
	Gone   bool     // the source has it no more, and none of its messages
	Target FolderID // where it is at the target; empty before it was placed
	Name   string   // the target's name of it
	Note   string   // why that name differs
	Walked Mark     // zero until a pass has walked it to its end
}

// A Mark is how a folder stood when a pass had walked it to its end: what was
// below UIDNext has its outcome, and copies have the flags of ModSeq.
type Mark struct {
	UIDNext  UID
	ModSeq   uint64 // 0 if the source keeps none
	Messages int64  // how many the source had of those that were listed; -1 if that is not known
	Rules    string // Rules.Version
}

// Reopen makes the next pass look at the message uid again, and at all that
// follow it.
func (s *FolderState) Reopen(uid UID) {
	if uid < s.Walked.UIDNext {
		s.Walked.UIDNext, s.Walked.Messages = uid, -1
	}
}

// Key names a message of the folder, as the function [Key] does: by the path
// that the folder had at first, so that its messages keep their names.
func (s *FolderState) Key(mailbox string, uid UID) string {
	f := s.Folder
	if s.Origin != nil {
		f.Path = s.Origin
	}
	if s.Epoch > 0 { // no path has a NUL in it
		f.Path = append(slices.Clone(f.Path), "\x00"+strconv.Itoa(s.Epoch))
	}
	return Key(mailbox, f, uid)
}

// A MailboxState is what the checkpoints know of a mailbox as a whole.
type MailboxState struct {
	Position Position  // of the target, before the oldest write that may be in doubt
	Started  time.Time // of the latest pass
	Ended    time.Time // zero while a pass runs, or was killed
	Complete bool      // the latest pass ended with every folder walked
	Error    string    // why the latest pass stopped early, in plain language
	Hint     string    // and what a person can do
	Cutover  time.Time // since when people work at the target, which wins from then on; zero before
}

// A Pass is one walk over a mailbox, as MailboxState had it when it ended.
type Pass struct {
	Started  time.Time
	Ended    time.Time // zero while it runs, or was killed
	Complete bool
	Error    string
}

// A Tally counts the messages of one folder by outcome. [Tally.Check] is the
// identity.
type Tally struct {
	ID      int64  // FolderState.ID
	Mailbox string // source address
	To      string // target address
	Folder  Folder // path, role and UIDVALIDITY
	Target  string // the folder's name at the target
	Note    string // why that name differs
	Listed  int64  // counted when the source listed them
	Count   [Outcomes]int64
	Bytes   [Outcomes]int64
	Doubts  int64 // how many are in doubt, pending or failed

	Vanished int64 // of Listed, those that the source has no more
	Left     int64 // of Vanished, those that are still at the target
}

// Check returns an error unless the identity holds: listed = sum of outcomes.
func (t Tally) Check() error {
	var sum int64
	for _, n := range t.Count {
		sum += n
	}
	if sum != t.Listed {
		return fmt.Errorf("%s, folder %s: %d messages were listed, but the outcomes add up to %d", t.Mailbox, t.Folder, t.Listed, sum)
	}
	return nil
}

// Arrived is how many messages are at the target.
func (t Tally) Arrived() (n int64) {
	for o, count := range t.Count {
		if Outcome(o).Arrived() {
			n += count
		}
	}
	return n
}
