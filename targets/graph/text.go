package graph

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/emersion/go-message/charset"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
)

// toUTF8 decodes text in a charset by its label.
func toUTF8(data []byte, label string) string {
	s, _ := decodeText(data, label)
	return s
}

// decodeText decodes text in a charset by its label. Without a known one it is
// a guess: UTF-8 if it can be, and Windows-1252 if not.
func decodeText(data []byte, label string) (s string, guess bool) {
	named := label != "" && !strings.EqualFold(label, "utf-8") && !strings.EqualFold(label, "us-ascii")
	if named {
		// Mail programs read ISO-8859-1 as Windows-1252, as the WHATWG has it.
		if e, err := htmlindex.Get(label); err == nil && e == charmap.Windows1252 {
			out, _ := e.NewDecoder().Bytes(data)
			return string(out), false
		}
		if r, err := charset.Reader(label, bytes.NewReader(data)); err == nil {
			if out, err := io.ReadAll(r); err == nil {
				return string(out), false
			}
		}
	}
	if utf8.Valid(data) {
		return string(data), named && bytes.ContainsFunc(data, func(r rune) bool { return r > 0x7F })
	}
	out, _ := charmap.Windows1252.NewDecoder().Bytes(data)
	return string(out), true
}

// head returns the first n octets, or a few less if they would end inside a
// character of UTF-8.
func head(data []byte, n int) []byte {
	if len(data) <= n {
		return data
	}
	for i := n; i > n-utf8.UTFMax && i > 0; i-- {
		if utf8.RuneStart(data[i]) {
			return data[:i]
		}
	}
	return data[:n]
}

// clean drops the control characters that XML, and so Exchange, cannot hold.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\r' && r != '\n' || r == 0x7F || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// shorten cuts s to n UTF-16 units, which is how Exchange counts.
func shorten(s string, n int) string {
	units := 0
	for i, r := range s {
		if units += utf16.RuneLen(r); units > n {
			return s[:i]
		}
	}
	return s
}
