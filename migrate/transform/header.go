package transform

import (
	"bytes"
	"slices"
	"strings"
)

const (
	maxHeader = 1 << 20 // octets of a header, beyond which no transform applies to it
	maxFields = 10_000  // of one header, likewise

	original = "X-Mailhaul-Original-" // stands before the names of fields that were replaced
)

// A header is that of a message or of a part.
type header struct {
	fields []field
	end    []byte // the empty line; none where the message or the part ends with its header

	// sound says that each line of it is a field or continues one (RFC 5322
	// section 2.2), so that all readers agree on what belongs to it.
	sound bool
}

// A field is a header field, or a line that is none.
type field struct {
	raw  []byte // with its folding and its line end
	name string // in lower case; empty if it is none (RFC 5322 section 3.6.8)
}

func newField(raw []byte) field {
	name, _, ok := bytes.Cut(raw, []byte{':'})
	name = bytes.TrimRight(name, " \t")
	if !ok || len(name) > 998 || bytes.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return field{raw: raw}
	}
	return field{raw, strings.ToLower(string(name))}
}

// parseHeader splits a header whose empty line is end.
func parseHeader(text, end []byte) *header {
	h := &header{end: bytes.Clone(end), sound: true}
	for len(text) > 0 {
		n := 0
		for first := true; n < len(text); first = false {
			if !first && text[n] != ' ' && text[n] != '\t' {
				break
			}
			line := text[n:]
			if i := bytes.IndexByte(line, '\n'); i >= 0 {
				line = line[:i+1]
			}
			// Some readers end the header at a line of white space.
			h.sound = h.sound && len(bytes.TrimSpace(line)) > 0
			n += len(line)
		}
		f := newField(text[:n:n])
		h.sound = h.sound && f.name != ""
		h.fields = append(h.fields, f)
		text = text[n:]
	}
	h.sound = h.sound && len(h.fields) <= maxFields
	return h
}

// text returns the header with its empty line.
func (h *header) text() []byte {
	var b []byte
	for _, f := range h.fields {
		b = append(b, f.raw...)
	}
	return append(b, h.end...)
}

// value returns the value of the field, unfolded (RFC 5322 section 2.2.3).
func (f field) value() string {
	_, value, _ := bytes.Cut(f.raw, []byte{':'})
	return strings.TrimSpace(unfold.Replace(string(value)))
}

var unfold = strings.NewReplacer("\r\n", "", "\n", "")

// values returns the values of all fields with one of these names in lower case.
func (h *header) values(names ...string) (all []string) {
	for _, f := range h.fields {
		if f.name != "" && slices.Contains(names, f.name) {
			all = append(all, f.value())
		}
	}
	return all
}

// retire renames the fields with these names, so that they mean nothing and
// can still be read.
func (h *header) retire(names ...string) {
	for i, f := range h.fields {
		if f.name != "" && slices.Contains(names, f.name) {
			h.fields[i] = newField(slices.Concat([]byte(original), f.raw))
		}
	}
}

// replace retires the fields with that name and puts one in their place on top.
func (h *header) replace(name, value string) {
	h.retire(strings.ToLower(name))
	h.fields = slices.Insert(h.fields, 0, newField([]byte(name+": "+value+"\r\n")))
}
