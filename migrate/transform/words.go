package transform

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// labelOf returns the charset of a field that does not say it.
func labelOf(value string) string {
	if utf8.ValidString(value) {
		return "utf-8"
	}
	return "windows-1252"
}

// A piece of a field is written as it is or encoded.
type piece struct {
	text   string
	encode bool
}

// joinPieces puts pieces together. White space between two encoded ones is
// encoded with them, since readers drop it there (RFC 2047 section 6.2).
func joinPieces(pieces []piece, label string) string {
	var b strings.Builder
	for i := 0; i < len(pieces); {
		if !pieces[i].encode {
			b.WriteString(pieces[i].text)
			i++
			continue
		}
		var text, space strings.Builder
		if before := b.String(); strings.HasSuffix(before, " ") && strings.HasSuffix(strings.TrimRight(before, " \t"), "?=") {
			text.WriteByte(' ') // what stands before is an encoded word of the author's
		}
		text.WriteString(pieces[i].text)
		end := i + 1
		for j := end; j < len(pieces) && (pieces[j].encode || strings.Trim(pieces[j].text, " \t") == ""); j++ {
			if space.WriteString(pieces[j].text); pieces[j].encode {
				text.WriteString(space.String())
				space.Reset()
				end = j + 1
			}
		}
		b.WriteString(encodedWords(text.String(), label))
		i = end
	}
	return b.String()
}

// encodedWords encodes s as words of at most 75 characters (RFC 2047 section 2)
// with a space between them, in the form that is allowed everywhere (section 5).
func encodedWords(s, label string) string {
	const safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/"
	begin := "=?" + label + "?q?"
	var b strings.Builder
	b.WriteString(begin)
	n := len(begin)
	for len(s) > 0 {
		size := 1
		if label == "utf-8" {
			_, size = utf8.DecodeRuneInString(s)
		}
		character := ""
		switch {
		case s[0] == ' ':
			character = "_"
		case strings.IndexByte(safe, s[0]) >= 0:
			character = s[:1]
		default:
			for i := range size {
				character += fmt.Sprintf("=%02X", s[i])
			}
		}
		if n+len(character) > 73 {
			b.WriteString("?= " + begin)
			n = len(begin)
		}
		b.WriteString(character)
		n += len(character)
		s = s[size:]
	}
	b.WriteString("?=")
	return b.String()
}

var parameter = regexp.MustCompile(`;[ \t]*([A-Za-z0-9_.-]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^;"]*)`)

// encodeParameters encodes the values of parameters (RFC 2231 section 4).
func encodeParameters(s, label string) string {
	const safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_"
	return parameter.ReplaceAllStringFunc(s, func(p string) string {
		if !has8Bit(p) {
			return p
		}
		m := parameter.FindStringSubmatch(p)
		value := strings.TrimRight(m[2], " \t")
		if strings.HasPrefix(value, `"`) {
			value = unquote(value)
		}
		var b strings.Builder
		fmt.Fprintf(&b, "; %s*=%s''", m[1], label)
		for i := range len(value) {
			if strings.IndexByte(safe, value[i]) >= 0 {
				b.WriteByte(value[i])
			} else {
				fmt.Fprintf(&b, "%%%02X", value[i])
			}
		}
		return b.String()
	})
}
