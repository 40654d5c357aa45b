// Package targettest is what every migrate.Target must do, whatever vendor it
// writes to. A target's own test opens it on a server of its own and calls
// [Run].
//
// It knows of vendors only what Capabilities says, and what Held leaves out.
// Failures of the server are the target's own tests to make.
package targettest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// A Mailbox is one mailbox at a vendor, empty at first.
type Mailbox struct {
	// Open opens the mailbox, with what it holds by now, as a new run would.
	Open func(t *testing.T) migrate.Target

	// Held returns all that the mailbox holds.
	Held func(t *testing.T) []Held
}

// Held is a message as the mailbox holds it.
type Held struct {
	ID      migrate.MessageID
	Folders []string // names as in Placement.Name; several only where the target has labels
	Octets  []byte   // as they were given; nil if the vendor does not keep them
	Seen    bool
	Flagged bool
	Date    time.Time // when it was received, as people see it
}

// Run checks the target. It asks for a new mailbox for each of its tests.
func Run(t *testing.T, fresh func(t *testing.T) Mailbox) {
	tests := []struct {
		name string
		test func(*testing.T, Mailbox)
	}{
		{"each folder has a place of its own", eachFolderItsOwnPlace},
		{"placing again finds the same places", placingAgain},
		{"a folder keeps the place it had", keepsItsPlace},
		{"a folder keeps its place whatever its role becomes", rolesChange},
		{"folders below a special one stand below each other", belowASpecialFolder},
		{"a message arrives with flags, date and octets", messageArrives},
		{"odd messages are stored whole or refused", oddMessages},
		{"a large message arrives whole", largeMessage},
		{"a message over the limit is refused unread", overTheLimit},
		{"appends at once all arrive, once", appendsAtOnce},
		{"a message that was appended is found", findsWhatIsThere},
		{"a message that was not appended is not found", doesNotFindOthers},
		{"mail to oneself is two messages", findsTheRightOneOfTwo},
		{"an update adds flags and can be repeated", updates},
		{"an update of a message that is gone is final", updateOfNothing},
		{"with labels, an update adds a folder", addsFolder},
		{"an append that is cancelled before it starts writes nothing", cancelled},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.test(t, fresh(t)) })
	}
}

// Message returns a message with these octets, as the engine would give it to
// a target. Its size, digest and key follow from the octets; messageID is what
// the source's envelope says.
func Message(octets []byte, messageID string, flags ...migrate.Flag) *migrate.Message {
	return &migrate.Message{
		UID:          1,
		Flags:        flags,
		InternalDate: Date,
		Size:         int64(len(octets)),
		MessageID:    messageID,
		Key:          fmt.Sprintf("%x", sha256.Sum256(append([]byte("key of "), octets...))),
		Digest:       sha256.Sum256(octets),
		Body:         Octets(octets),
	}
}

// Octets is a Body in memory.
type Octets []byte

func (o Octets) Open() (io.ReadSeekCloser, error) {
	return struct {
		io.ReadSeeker
		io.Closer
	}{bytes.NewReader(o), io.NopCloser(nil)}, nil
}

// Date is the Date of the messages of Letter.
var Date = time.Date(2009, time.July, 3, 14, 15, 16, 0, time.UTC)

// Letter returns an ordinary message about subject. It has the Message-ID
// <subject@example.org>, so a subject is one word.
func Letter(subject string, flags ...migrate.Flag) *migrate.Message {
	id := fmt.Sprintf("<%s@example.org>", subject)
	return Message(letter(subject, "Message-ID: "+id+"\r\n", "Hello,\r\n\r\nthis is about "+subject+".\r\n"), id, flags...)
}

func letter(subject, field, body string) []byte {
	return fmt.Appendf(nil, "From: Ann <ann@example.org>\r\nTo: bob@example.org\r\nSubject: %s\r\nDate: %s\r\n%sMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s",
		subject, Date.Format(time.RFC1123Z), field, body)
}

// with returns the messages of held that have these octets, or, where octets
// are not kept, all.
func with(held []Held, octets []byte) []Held {
	return slices.DeleteFunc(slices.Clone(held), func(h Held) bool {
		return h.Octets != nil && !bytes.Equal(h.Octets, octets)
	})
}
