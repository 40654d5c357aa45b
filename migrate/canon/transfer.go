package canon

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"io"
	"strings"
)

// A transfer reads what is before the next delimiter and undoes its transfer
// encoding (RFC 2045 section 6), whatever is wrong with it.
type transfer struct {
	s      *scanner
	decode func(dst, src []byte) []byte // appends; an empty src is the end; nil if nothing is encoded
	out    []byte
	done   bool

	acc  uint32 // base64: bits of a quantum that is not complete
	bits int    // how many characters of it

	held []byte // quoted-printable: what cannot be told yet, from a blank or "=" on
	junk hash.Hash
	cr   bool // the last octet was a carriage return
}

// maxHeld is how many blanks at the end of a line of quoted-printable are taken
// for padding (RFC 2045 section 6.7, rule 3).
const maxHeld = 1 << 10

func newTransfer(s *scanner, encoding string) *transfer {
	t := &transfer{s: s}
	switch encoding {
	case "base64":
		t.decode = t.base64
	case "quoted-printable":
		t.decode = t.quotedPrintable
	default:
		t.decode = t.lines
	}
	return t
}

// next returns a piece of the content, nil at its end. It is valid until the
// next call.
func (t *transfer) next() []byte {
	for !t.done {
		piece := t.s.next()
		t.done = piece == nil
		if t.out = t.decode(t.out[:0], piece); len(t.out) > 0 {
			return t.out
		}
	}
	return nil
}

// damaged notes what could not be decoded.
func (t *transfer) damaged(b ...byte) {
	if t.junk == nil {
		t.junk = sha256.New()
	}
	t.junk.Write(b)
}

// lines ends each line in CRLF: what is not encoded is lines (RFC 2045 section
// 2.7).
func (t *transfer) lines(dst, src []byte) []byte {
	for len(src) > 0 {
		i := bytes.IndexByte(src, '\n')
		if i < 0 {
			break
		}
		dst = append(dst, src[:i]...)
		if i > 0 && src[i-1] != '\r' || i == 0 && !t.cr {
			dst = append(dst, '\r')
		}
		dst = append(dst, '\n')
		t.cr = false
		src = src[i+1:]
	}
	if len(src) > 0 {
		t.cr = src[len(src)-1] == '\r'
	}
	return append(dst, src...)
}

// Of the characters of base64 the table has the value; of others:
const (
	white = 64 + iota
	padding
	alien
)

var alphabet = func() (table [256]byte) {
	for i := range table {
		table[i] = alien
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		table[c] = byte(i)
	}
	for _, c := range []byte(" \t\r\n") {
		table[c] = white
	}
	table['='] = padding
	return table
}()

func (t *transfer) base64(dst, src []byte) []byte {
	if len(src) == 0 {
		return t.endQuantum(dst)
	}
	for i := 0; i < len(src); {
		for t.bits == 0 && i+4 <= len(src) {
			a, b, c, d := alphabet[src[i]], alphabet[src[i+1]], alphabet[src[i+2]], alphabet[src[i+3]]
			if a|b|c|d >= white {
				break
			}
			dst = append(dst, a<<2|b>>4, b<<4|c>>2, c<<6|d)
			i += 4
		}
		if i == len(src) {
			break
		}
		switch v := alphabet[src[i]]; v {
		case white:
		case alien:
			t.damaged(src[i])
		case padding:
			dst = t.endQuantum(dst)
		default:
			t.acc = t.acc<<6 | uint32(v)
			if t.bits++; t.bits == 4 {
				dst = append(dst, byte(t.acc>>16), byte(t.acc>>8), byte(t.acc))
				t.acc, t.bits = 0, 0
			}
		}
		i++
	}
	return dst
}

// endQuantum is for "=" and the end.
func (t *transfer) endQuantum(dst []byte) []byte {
	switch t.bits {
	case 1:
		t.damaged(byte(t.acc))
	case 2:
		dst = append(dst, byte(t.acc>>4))
	case 3:
		dst = append(dst, byte(t.acc>>10), byte(t.acc>>2))
	}
	t.acc, t.bits = 0, 0
	return dst
}

// quotedPrintable leaves what is no escape as it is.
func (t *transfer) quotedPrintable(dst, src []byte) []byte {
	if len(src) == 0 { // blanks, or a soft line break without its line
		if len(t.held) > 0 && t.held[0] == '=' && len(bytes.TrimRight(t.held[1:], " \t\r")) > 0 {
			dst = append(dst, t.held...)
		}
		t.held = nil
		return dst
	}
	for i := 0; i < len(src); {
		c := src[i]
		if len(t.held) == 0 {
			if c != '=' && c != ' ' && c != '\t' && c != '\r' && c != '\n' {
				dst = append(dst, c)
				i++
				continue
			}
			if c == ' ' && i+1 < len(src) && src[i+1] > '=' { // by far the most
				dst = append(dst, c, src[i+1])
				i += 2
				continue
			}
			if c == '\n' {
				dst = append(dst, '\r', '\n')
			} else {
				t.held = append(t.held, c)
			}
			i++
			continue
		}
		switch escape := t.held[0] == '='; {
		case c == '\n':
			if !escape {
				dst = append(dst, '\r', '\n')
			}
			t.held = t.held[:0]
			i++
		case (c == ' ' || c == '\t' || c == '\r') && len(t.held) < maxHeld && (!escape || len(t.held) == 1 || !hex(t.held[1])):
			t.held = append(t.held, c)
			i++
		case escape && len(t.held) == 1 && hex(c):
			t.held = append(t.held, c)
			i++
		case escape && len(t.held) == 2 && hex(t.held[1]) && hex(c):
			dst = append(dst, unhex(t.held[1])<<4|unhex(c))
			t.held = t.held[:0]
			i++
		default: // c does not belong to it, and is looked at again
			dst = append(dst, t.held...)
			t.held = t.held[:0]
		}
	}
	return dst
}

func hex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'F' || c >= 'a' && c <= 'f'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}

// transferEncoding returns the first word of the field, in lower case.
func transferEncoding(field string) string {
	field, _, _ = strings.Cut(strings.TrimSpace(field), ";")
	if words := strings.Fields(field); len(words) > 0 {
		return strings.ToLower(words[0])
	}
	return ""
}

// summing reads the content of a transfer, and digests it.
type summing struct {
	t    *transfer
	rest []byte
	sum  hash.Hash
	size int64
}

func (r *summing) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.rest = r.t.next(); r.rest == nil {
			return 0, io.EOF
		}
		r.sum.Write(r.rest)
		r.size += int64(len(r.rest))
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
