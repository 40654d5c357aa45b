// Package canon gives every message a canonical form, which is the same for
// copies that differ only in what mail systems rewrite, and another for copies
// that a person would call different. docs/canonical-form.md defines it.
package canon

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"
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
type Form struct {
	fields map[Aspect]string
	parts  []part
}

type part struct {
	path   []int
	aspect Aspect
	name   string
	digest Digest // of what counts
	octets Digest
	size   int
}

var fields = []Aspect{Date, From, Sender, ReplyTo, To, Cc, Bcc, Subject, MessageID, InReplyTo, References}

// Sum reads a message to its end. The error is r's.
func Sum(r io.Reader) (*Form, error) {
	octets, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	f := &Form{fields: map[Aspect]string{}}
	m, err := message.Read(bytes.NewReader(octets))
	if m == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		digest := sha256.Sum256(octets)
		f.parts = []part{{aspect: Text, digest: digest, octets: digest, size: len(octets)}}
		return f, nil
	}
	h := mail.Header{Header: m.Header}
	for _, a := range fields {
		text, err := h.Text(string(a))
		if err != nil {
			text = h.Get(string(a))
		}
		f.fields[a] = strings.Join(strings.Fields(text), " ")
	}
	if date, err := h.Date(); err == nil {
		f.fields[Date] = fmt.Sprint(date.Unix())
	}
	_ = m.Walk(func(path []int, e *message.Entity, err error) error {
		if e == nil || e.MultipartReader() != nil {
			return nil
		}
		data, _ := io.ReadAll(e.Body)
		kind, _, _ := e.Header.ContentType()
		ah := mail.AttachmentHeader{Header: e.Header}
		p := part{path: append([]int(nil), path...), aspect: Attachment, octets: sha256.Sum256(data), size: len(data)}
		p.digest = p.octets
		p.name, _ = ah.Filename()
		if disposition, _, _ := e.Header.ContentDisposition(); strings.HasPrefix(kind, "text/") && disposition != "attachment" && p.name == "" {
			p.aspect = Text
			p.digest = sha256.Sum256(bytes.TrimSpace(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))))
		}
		f.parts = append(f.parts, p)
		return nil
	})
	return f, nil
}

// Content is the digest of all aspects but Structure.
func (f *Form) Content() Digest {
	h := sha256.New()
	for _, a := range fields {
		fmt.Fprintf(h, "%q\n", f.fields[a])
	}
	for _, p := range f.parts {
		fmt.Fprintf(h, "%s %q %x\n", p.aspect, p.name, p.digest)
	}
	return Digest(h.Sum(nil))
}

// A Difference is one between two forms.
type Difference struct {
	Aspect Aspect
	Detail string // for people: "part 2 (report.pdf): 12,345 octets instead of 20,000"; no content
}

// Compare returns what of the original is different in the copy, nil if nothing.
func Compare(original, replica *Form) (ds []Difference) {
	for _, a := range fields {
		if original.fields[a] != replica.fields[a] {
			ds = append(ds, Difference{a, "another value"})
		}
	}
	for i, p := range original.parts {
		switch {
		case i >= len(replica.parts):
			ds = append(ds, Difference{p.aspect, fmt.Sprintf("part %v (%s) is missing", p.path, p.name)})
		case replica.parts[i].digest != p.digest:
			ds = append(ds, Difference{p.aspect, fmt.Sprintf("part %v (%s): %d octets instead of %d", p.path, p.name, replica.parts[i].size, p.size)})
		case replica.parts[i].name != p.name:
			ds = append(ds, Difference{Name, fmt.Sprintf("part %v: %s instead of %s", p.path, replica.parts[i].name, p.name)})
		}
	}
	return ds
}

// Holds says whether f has an attachment of exactly the octets with that
// SHA-256, such as the whole original of a message that had to be rebuilt.
func (f *Form) Holds(octets Digest) bool {
	for _, p := range f.parts {
		if p.octets == octets {
			return true
		}
	}
	return false
}
