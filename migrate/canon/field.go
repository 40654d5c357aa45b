package canon

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"strings"
)

// maxField is how many octets of a field are understood, or of all fields of
// addresses with one name. What follows them is digested as it is.
const maxField = 256 << 10

// messageFields are the aspects that are fields of a message, by their names.
var messageFields = [...]Aspect{Date, From, Sender, ReplyTo, To, Cc, Bcc, Subject, MessageID, InReplyTo, References}

// partFields are those that tell how to read a body (RFC 2045, RFC 2183).
var partFields = [...]Aspect{contentType, contentDisposition, contentTransferEncoding}

const (
	contentType             Aspect = "content-type"
	contentDisposition      Aspect = "content-disposition"
	contentTransferEncoding Aspect = "content-transfer-encoding"
)

// repeats says whether all fields of that name count, and not only the first.
func (a Aspect) repeats() bool {
	switch a {
	case From, Sender, ReplyTo, To, Cc, Bcc:
		return true
	}
	return false
}

// A header is the fields that are read of a header.
type header struct {
	fields map[Aspect]*field
	junk   *prose // of lines that are no field; nil if there are none
}

// A field is the body of a field, or of all of that name with commas between.
type field struct {
	text []byte
	over hash.Hash // of what is beyond maxField; nil if nothing is
}

func (h *header) text(a Aspect) string {
	if f := h.fields[a]; f != nil {
		return string(f.text)
	}
	return ""
}

// readHeader reads up to the empty line, or to the delimiter or the end.
func readHeader(s *scanner, ofMessage bool) *header {
	h := &header{fields: map[Aspect]*field{}}
	var current *field // nil: it does not count
	junk := true       // what would be folded, but there is nothing before it
	for {
		line, first := s.line()
		if line == nil {
			return h
		}
		if first {
			text := bytes.TrimRight(line, "\r\n")
			switch {
			case len(text) == 0:
				return h
			case text[0] == ' ' || text[0] == '\t': // it is folded
			default:
				var body []byte
				current, body, junk = h.begin(text, ofMessage)
				if current != nil {
					current.add(body)
					continue
				}
			}
		}
		if junk {
			if h.junk == nil {
				h.junk = newProse(charset{guessed: true}, "header")
			}
			h.junk.write(withoutBlanks(line))
		} else if current != nil {
			current.add(line)
		}
	}
}

// begin looks at the first line of a field. The "From " line of an mbox is one
// that does not count.
func (h *header) begin(line []byte, ofMessage bool) (f *field, body []byte, junk bool) {
	name, body, ok := bytes.Cut(line, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	if !ok || !fieldName(name) {
		return nil, nil, !bytes.HasPrefix(bytes.TrimPrefix(line, []byte(">")), []byte("From "))
	}
	a := aspectOf(name, ofMessage)
	if a == "" {
		return nil, nil, hides(body)
	}
	f = h.fields[a]
	if f != nil && !a.repeats() {
		return nil, nil, false
	}
	if f == nil {
		f = &field{}
		h.fields[a] = f
	} else {
		f.add([]byte(","))
	}
	return f, body, false
}

// hides says whether there are fields in the body of another, after line ends of
// CR alone. All of the message may be there.
func hides(body []byte) bool {
	for {
		i := bytes.IndexByte(body, '\r')
		if i < 0 {
			return false
		}
		body = body[i+1:]
		if name, _, ok := bytes.Cut(body[:min(len(body), 80)], []byte(":")); ok && fieldName(name) {
			return true
		}
	}
}

func aspectOf(name []byte, ofMessage bool) Aspect {
	for _, a := range partFields {
		if len(name) == len(a) && strings.EqualFold(string(name), string(a)) {
			return a
		}
	}
	if ofMessage {
		for _, a := range messageFields {
			if len(name) == len(a) && strings.EqualFold(string(name), string(a)) {
				return a
			}
		}
	}
	return ""
}

// fieldName says whether b can name a field (RFC 5322 section 2.2).
func fieldName(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return len(b) > 0
}

// withoutBlanks makes lines the same however they are folded.
func withoutBlanks(line []byte) []byte {
	return bytes.Join(bytes.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' }), nil)
}

func (f *field) add(b []byte) {
	n := min(len(b), maxField-len(f.text))
	f.text = append(f.text, b[:n]...)
	if n < len(b) {
		if f.over == nil {
			f.over = sha256.New()
		}
		f.over.Write(b[n:])
	}
}

// A value is the canonical form of one or more fields of a name.
type value struct {
	digest Digest // zero if there is nothing
	count  int64  // of addresses; of Date, the seconds since 1970
	parsed bool   // a date that was understood
}

// values returns those of messageFields.
func (h *header) values() (vs [len(messageFields)]value) {
	forms := [len(messageFields)]string{}
	at := map[Aspect]int{}
	for i, a := range messageFields {
		at[a] = i
		if f := h.fields[a]; f != nil {
			forms[i], vs[i] = a.canonical(readable(string(f.text)))
		}
	}
	// A Sender that is the author says nothing (RFC 5322 section 3.6.2), and
	// without an author readers show the sender.
	from, sender := at[From], at[Sender]
	if forms[from] == "" {
		forms[from], vs[from] = forms[sender], vs[sender]
	}
	if onlyAddresses(forms[sender]) == onlyAddresses(forms[from]) {
		forms[sender], vs[sender] = "", value{}
	}
	for i, a := range messageFields {
		f := h.fields[a]
		if forms[i] != "" {
			vs[i].digest = sha256.Sum256([]byte(forms[i]))
		}
		if f != nil && f.over != nil {
			vs[i].digest = sha256.Sum256(f.over.Sum(vs[i].digest[:]))
		}
	}
	return vs
}

// canonical returns the form of a field's body, "" if there is nothing in it.
func (a Aspect) canonical(body string) (form string, v value) {
	switch a {
	case Date:
		if t, ok := ParseDate(body); ok {
			v.count, v.parsed = t.Unix(), true
			return t.UTC().Format("2006-01-02T15:04:05Z"), v
		}
		return phrase(body), v
	case From, Sender, ReplyTo, To, Cc, Bcc:
		form, v.count = addresses(body)
		return form, v
	case MessageID, InReplyTo, References:
		return strings.ReplaceAll(phrase(body), " ", ""), v
	}
	return phrase(body), v
}
