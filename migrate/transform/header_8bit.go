package transform

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"time"
)

// header8Bit encodes octets above 127 in header fields, which only RFC 6532
// allows: as encoded words (RFC 2047), and in parameters as RFC 2231 has it.
// The charset is utf-8 if the field can be that, else windows-1252, a guess; no
// octet is lost. Identifiers and addresses themselves cannot be encoded and stay.
// Whether Gmail and Exchange take such fields is unknown.
var header8Bit = Transform{
	Key: "header_8bit", Note: "header-encoded", Default: WhenRefused,
	touches: func(h *header, _ time.Time) (names []string) {
		for _, f := range h.fields {
			if encodable(f) {
				names = append(names, f.name)
			}
		}
		return names
	},
	mends: func(p *part) bool { return !p.outer && slices.ContainsFunc(p.header.fields, encodable) },
	apply: func(_ time.Time, r io.Reader) io.Reader {
		return rewrite(r, func(p *part, _ *bytes.Buffer) io.WriteCloser {
			for i, f := range p.header.fields {
				if encodable(f) {
					p.header.fields[i] = newField(encodeField(f))
				}
			}
			return nil
		})
	},
}

// encodable says whether something in f can be encoded.
func encodable(f field) bool {
	return f.name != "" && !slices.Contains(identifiers(), f.name) && has8Bit(f.raw) && encodedValue(f) != f.value()
}

func has8Bit[T []byte | string](s T) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return true
		}
	}
	return false
}

// identifiers are fields without any place for encoded words.
func identifiers() []string {
	return []string{"message-id", "in-reply-to", "references", "content-id", "date", "return-path"}
}

// encodeField returns a field with its octets above 127 encoded.
func encodeField(f field) []byte {
	name, _, _ := bytes.Cut(f.raw, []byte{':'})
	return refold([]byte(string(name) + ": " + encodedValue(f) + "\r\n"))
}

func encodedValue(f field) string {
	value := f.value()
	label := labelOf(value)
	switch f.name {
	case "from", "sender", "reply-to", "to", "cc", "bcc", "resent-from", "resent-sender", "resent-to", "resent-cc", "resent-bcc",
		"disposition-notification-to", "return-receipt-to":
		return encodeAddresses(value, label)
	case "content-type", "content-disposition":
		return encodeParameters(value, label)
	}
	return encodeText(value, label)
}

// encodeText encodes words of unstructured text.
func encodeText(s, label string) string {
	var pieces []piece
	for _, word := range strings.SplitAfter(s, " ") {
		text := strings.TrimRight(word, " \t")
		pieces = append(pieces, piece{text, has8Bit(text)}, piece{word[len(text):], false})
	}
	return joinPieces(pieces, label)
}

// encodeAddresses encodes words of display names and comments (RFC 5322 section
// 3.4). Words of addresses stay.
func encodeAddresses(s, label string) string {
	const specials = "()<>[]:;@\\,. \t\""
	var pieces []piece
	angle := false
	for i := 0; i < len(s); {
		end := i + 1
		switch c := s[i]; {
		case c == '"':
			for ; end < len(s) && s[end] != '"'; end++ {
				if s[end] == '\\' {
					end++
				}
			}
			end = min(end+1, len(s))
			quoted := s[i:end]
			if has8Bit(quoted) && !angle && (end == len(s) || s[end] != '@') {
				pieces = append(pieces, piece{unquote(quoted), true})
			} else {
				pieces = append(pieces, piece{quoted, false})
			}
		case strings.IndexByte(specials, c) >= 0:
			angle = c == '<' || angle && c != '>'
			pieces = append(pieces, piece{s[i:end], false})
		default:
			for end < len(s) && (strings.IndexByte(specials, s[end]) < 0 || s[end] == '.') {
				end++
			}
			ofAddress := angle || i > 0 && s[i-1] == '@' || end < len(s) && s[end] == '@'
			pieces = append(pieces, piece{s[i:end], has8Bit(s[i:end]) && !ofAddress})
		}
		i = end
	}
	return joinPieces(pieces, label)
}

func unquote(s string) string {
	s = strings.TrimSuffix(strings.TrimPrefix(s, `"`), `"`)
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
