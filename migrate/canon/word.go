package canon

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// readable returns the characters of a field's body: UTF-8 if it is, else
// Windows-1252.
func readable(octets string) string {
	if utf8.ValidString(octets) {
		return octets
	}
	s, _ := charmap.Windows1252.NewDecoder().String(octets)
	return s
}

// phrase returns readable text with its encoded words decoded, white space made
// single spaces, and without control characters.
func phrase(s string) string {
	return clean(strings.Join(strings.Fields(decodeWords(s)), " "))
}

// clean makes the characters of a text those that count.
func clean(s string) string { return strings.Map(counted, s) }

// counted returns the character that counts for r, -1 if none does: XML, and so
// Exchange, cannot hold control characters, and what ISO 8859-1 has for those
// of ISO 6429 is often Windows-1252.
func counted(r rune) rune {
	switch {
	case r >= 0x80 && r < 0xA0:
		return charmap.Windows1252.DecodeByte(byte(r))
	case r < ' ' && r != '\t' && r != '\n', r == 0x7F, r == 0xFFFE, r == 0xFFFF:
		return -1
	}
	return r
}

// decodeWords decodes encoded words wherever they stand (RFC 2047). Octets of
// neighbours in one charset are put together before they are decoded.
func decodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return s
	}
	var b strings.Builder
	var octets []byte // of encoded words that were not written yet
	label := ""
	flush := func() {
		b.WriteString(charsetOf(label).string(octets))
		octets = octets[:0]
	}
	after := false // an encoded word
	for s != "" {
		i := strings.Index(s, "=?")
		if i < 0 {
			break
		}
		word, ok := cutWord(s[i:])
		if !ok {
			if word.rest == "" { // no end is left for any
				break
			}
			flush()
			after = false
			b.WriteString(s[:i+2])
			s = s[i+2:]
			continue
		}
		if between := s[:i]; !after || strings.Trim(between, " \t\r\n") != "" {
			flush()
			b.WriteString(between)
		}
		if !strings.EqualFold(word.charset, label) {
			flush()
			label = word.charset
		}
		octets = word.decode(octets)
		s, after = word.rest, true
	}
	flush()
	b.WriteString(s)
	return b.String()
}

// An encodedWord is one in pieces.
type encodedWord struct {
	charset, text string
	base64        bool
	rest          string // what follows it
}

// cutWord takes apart the encoded word at the start of s. If there is none,
// rest is empty if no later one can end either.
func cutWord(s string) (w encodedWord, ok bool) {
	const none = "more"
	head := s[2:min(len(s), 80)]
	charset, tail, found := strings.Cut(head, "?")
	if !found || charset == "" || strings.ContainsAny(charset, " \t\r\n=") || len(tail) < 2 || tail[1] != '?' {
		return encodedWord{rest: none}, false
	}
	switch tail[0] {
	case 'b', 'B':
		w.base64 = true
	case 'q', 'Q':
	default:
		return encodedWord{rest: none}, false
	}
	w.charset = charset
	w.text, w.rest, ok = strings.Cut(s[2+len(charset)+3:], "?=")
	return w, ok
}

func (w encodedWord) decode(dst []byte) []byte {
	if w.base64 {
		var t transfer
		dst = t.base64(dst, []byte(w.text))
		return t.endQuantum(dst)
	}
	for i := 0; i < len(w.text); i++ {
		switch c := w.text[i]; {
		case c == '_':
			dst = append(dst, ' ')
		case c == '=' && i+2 < len(w.text) && hex(w.text[i+1]) && hex(w.text[i+2]):
			dst = append(dst, unhex(w.text[i+1])<<4|unhex(w.text[i+2]))
			i += 2
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
