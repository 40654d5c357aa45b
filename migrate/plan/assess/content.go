package assess

import (
	"bytes"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"

	"github.com/mailhaul/mailhaul/migrate/transform"
)

// Content is what was seen in messages that were read, up to their first
// 1 MiB.
type Content struct {
	Messages int64            // that were read
	Of       int64            // from which they were drawn
	Found    map[string]int64 // messages with a defect, by transform.Transform.Key, or with one of the names below
}

// What is found in a message besides single defects.
const (
	FoundSigned    = "signed"
	FoundEncrypted = "encrypted"
	FoundSealed    = "sealed"       // either of these
	FoundWhole     = "sealed.whole" // the message itself is, and not one in it
	FoundTooSealed = "sealed.large" // and larger than Options.Sealed
	FoundBlocked   = "blocked"      // a file of a type that may be refused; "blocked.exe" says which
	FoundMalformed = "malformed"    // any defect of those that malforms holds
)

// malforms are defects that have no risk of their own, by
// transform.Transform.Key.
var malforms = []string{"nul", "line_ends", "long_lines", "header_8bit", "content_type", "charset", "message_id"}

// lookMost is how many octets of a message are looked at.
const lookMost = 1 << 20

func (c *Content) add(found []string) {
	c.Messages++
	for _, f := range found {
		if c.Found == nil {
			c.Found = map[string]int64{}
		}
		c.Found[f]++
	}
}

func (c *Content) merge(o Content) {
	c.Messages += o.Messages
	for f, n := range o.Found {
		if c.Found == nil {
			c.Found = map[string]int64{}
		}
		c.Found[f] += n
	}
}

// look returns what is found in the message in r, each thing once. The error
// is r's.
func look(date time.Time, r io.Reader, blocked []string) (found []string, err error) {
	octets, err := io.ReadAll(io.LimitReader(r, lookMost))
	if err != nil {
		return nil, err
	}
	if len(octets) == lookMost { // the last line may go on
		octets = octets[:bytes.LastIndexByte(octets, '\n')+1]
	}
	defects, err := transform.Scan(date, bytes.NewReader(octets))
	if err != nil {
		return nil, err
	}
	every := transform.Config{Policies: map[string]transform.Policy{}, ChangeSigned: true}
	for _, t := range transform.All() {
		every.Policies[t.Key] = transform.Always
	}
	form := every.Plan(defects).Forms[0]
	for _, t := range transform.All() {
		if slices.Contains(form, t.Note) {
			found = append(found, t.Key)
		}
	}
	l := &looker{blocked: blocked, found: map[string]bool{}}
	l.found[FoundMalformed] = slices.ContainsFunc(found, func(key string) bool { return slices.Contains(malforms, key) })
	if e, err := message.Read(bytes.NewReader(octets)); e != nil && (err == nil || message.IsUnknownCharset(err) || message.IsUnknownEncoding(err)) {
		l.entity(e, 0)
	}
	if bytes.Contains(octets, []byte("\n-----BEGIN PGP MESSAGE-----")) {
		l.found[FoundEncrypted] = true
	}
	l.found[FoundSealed] = l.found[FoundSigned] || l.found[FoundEncrypted]
	for f, is := range l.found {
		if is {
			found = append(found, f)
		}
	}
	slices.Sort(found)
	return found, nil
}

// Bounds on what is taken apart.
const (
	maxDepth = 20
	maxParts = 1000
)

// A looker goes through the parts of one message.
type looker struct {
	blocked []string
	found   map[string]bool
	parts   int
}

// entity looks at a part and at those in it. What cannot be read ends it: no
// more is seen of what is above.
func (l *looker) entity(e *message.Entity, depth int) {
	if l.parts++; depth > maxDepth {
		return
	}
	media, params, _ := e.Header.ContentType()
	switch media {
	case "multipart/signed":
		l.found[FoundSigned] = true
	case "multipart/encrypted":
		l.found[FoundEncrypted] = true
	case "application/pkcs7-mime", "application/x-pkcs7-mime": // RFC 8551 section 3.2
		if strings.EqualFold(params["smime-type"], "signed-data") {
			l.found[FoundSigned] = true
		} else {
			l.found[FoundEncrypted] = true
		}
	}
	if depth == 0 && (l.found[FoundSigned] || l.found[FoundEncrypted]) {
		l.found[FoundWhole] = true
	}
	name, _ := (&mail.AttachmentHeader{Header: e.Header}).Filename()
	extension := strings.TrimPrefix(path.Ext(strings.TrimRight(strings.ToLower(name), ". ")), ".")
	if slices.Contains(l.blocked, extension) {
		l.found[FoundBlocked], l.found[FoundBlocked+"."+extension] = true, true
	}
	if parts := e.MultipartReader(); parts != nil {
		for l.parts <= maxParts {
			part, err := parts.NextPart()
			if part == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
				return
			}
			l.entity(part, depth+1)
		}
	} else if media == "message/rfc822" {
		if inner, _ := message.Read(e.Body); inner != nil {
			l.entity(inner, depth+1)
		}
	}
}
