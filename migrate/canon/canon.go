// Package canon gives every message a canonical form, which is the same for
// copies that differ only in what mail systems rewrite, and another for copies
// that a person would call different. docs/canonical-form.md defines it.
package canon

import (
	"crypto/sha256"
	"io"
	"slices"
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
	Signature   Aspect = "signature"   // what a signature is for, octet for octet
)

// A Form is the canonical form of a message. It holds no content, and takes
// less than half a megabyte whatever the message is.
type Form struct {
	fields    [len(messageFields)]value
	parts     []part // at most maxParts
	more      int64  // parts beyond them
	folded    Digest // of these
	signed    Digest // of what is signed; zero if nothing is
	content   Digest
	structure Digest
}

// A part is a text or an attachment; a multipart is none.
type part struct {
	path        string // as in IMAP: "2.1"
	aspect      Aspect // Text or Attachment
	html        bool   // of text
	header      bool   // it is what in the header of a part is no field
	some        bool   // it counts: text without characters does not
	alternative int32  // number of the multipart/alternative that it is in, the innermost; 0 for none
	name        string
	size        int64  // octets, decoded
	content     Digest // of what counts
	octets      Digest // of an attachment all octets; of text its octets as an attachment would count
}

// Sum reads a message to its end. The error is r's.
func Sum(r io.Reader) (*Form, error) {
	f, err := message(r, 0)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Content is the digest of all aspects but Structure.
func (f *Form) Content() Digest { return f.content }

// Holds says whether f has an attachment of exactly the octets with that
// SHA-256, such as the whole original of a message that had to be rebuilt.
func (f *Form) Holds(octets Digest) bool {
	return slices.ContainsFunc(f.parts, func(p part) bool { return p.aspect == Attachment && p.octets == octets })
}
