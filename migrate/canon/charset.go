package canon

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

// A charset tells how octets are read as characters.
type charset struct {
	encoding encoding.Encoding // nil: UTF-8
	guessed  bool              // no known charset: what is not UTF-8 is Windows-1252, octet by octet
}

// charsetOf knows the labels of the WHATWG's standard and UTF-16 as RFC 2781
// has it.
func charsetOf(label string) charset {
	label, _, _ = strings.Cut(strings.ToLower(label), "*") // RFC 2231 section 5
	switch label {
	case "utf-8", "utf8":
		return charset{}
	case "utf-16":
		return charset{encoding: unicode.UTF16(unicode.BigEndian, unicode.UseBOM)}
	case "", "us-ascii", "ascii":
		return charset{guessed: true}
	}
	e, err := htmlindex.Get(label)
	switch {
	case err != nil || e == encoding.Replacement:
		return charset{guessed: true}
	case e == unicode.UTF8:
		return charset{}
	}
	return charset{encoding: e}
}

// string returns octets as characters.
func (c charset) string(octets []byte) string {
	if c.encoding != nil {
		octets, _ = c.encoding.NewDecoder().Bytes(octets)
	}
	if utf8.Valid(octets) {
		return string(octets)
	}
	var b strings.Builder
	for len(octets) > 0 {
		r, n := c.rune(octets)
		b.WriteRune(r)
		octets = octets[n:]
	}
	return b.String()
}

// rune reads a character of UTF-8.
func (c charset) rune(octets []byte) (r rune, size int) {
	r, size = utf8.DecodeRune(octets)
	if r == utf8.RuneError && size == 1 && c.guessed {
		r = charmap.Windows1252.DecodeByte(octets[0])
	}
	return r, size
}
