// Package canon gives every message a canonical form, which is the same for
// copies that differ only in what mail systems rewrite, and another for copies
// that a person would call different. docs/canonical-form.md defines it.
package canon

import (
	"crypto/sha256"
	"io"
)

// Version is that of docs/canonical-form.md.
const Version = 1

// Digest is a SHA-256.
type Digest [sha256.Size]byte

// An Aspect of a message is what two copies may differ in.
type Aspect string

const (
	Date        Aspect = "date" // the Date field
	From        Aspect = "from"
	Sender      Aspect = "sender"
	ReplyTo     Aspect = "reply-to"
	To          Aspect = "to"
	Cc          Aspect = "cc"
	Bcc         Aspect = "bcc"
	Subject     Aspect = "subject"
	MessageID   Aspect = "message-id"
	InReplyTo   Aspect = "in-reply-to"
	References  Aspect = "references"
	Structure   Aspect = "structure"   // how the parts are put together
	Text        Aspect = "text"        // text to be read
	Alternative Aspect = "alternative" // a form of the text is missing beside one that is there
	Attachment  Aspect = "attachment"  // any other part
	Name        Aspect = "name"        // of an attachment
)

// A Form is the canonical form of a message.
type Form struct{}

// Sum reads a message to its end. The error is r's.
func Sum(r io.Reader) (*Form, error) { panic("not written yet") }

// Content is the digest of all aspects but Structure.
func (f *Form) Content() Digest { panic("not written yet") }

// A Difference is one between two forms.
type Difference struct {
	Aspect Aspect
	Detail string // for people: "part 2 (report.pdf): 12,345 octets instead of 20,000"; no content
}

// Compare returns what of the original is different in the copy, nil if nothing.
func Compare(original, replica *Form) []Difference { panic("not written yet") }

// Holds says whether f has an attachment of exactly the octets with that
// SHA-256, such as the whole original of a message that had to be rebuilt.
func (f *Form) Holds(octets Digest) bool { panic("not written yet") }
