package transform

import (
	"bytes"
	"io"
	"time"
)

// longLines breaks lines of more than 998 octets (RFC 5322 section 2.1.1):
// fields are folded; bodies that are encoded get shorter lines, and those that
// stand there as they are get an encoding, as do those too large to be looked
// through. Public reports name refusals and cut lines; whether Gmail and
// Exchange do either is unknown.
var longLines = Transform{
	Key: "long_lines", Note: "long-lines-broken", Default: WhenRefused,
	touches: func(h *header, _ time.Time) []string { return odd(h, isLong) },
	octets:  isLong,
	apply: func(_ time.Time, r io.Reader) io.Reader {
		return rewrite(r, func(p *part, out *bytes.Buffer) io.WriteCloser {
			for i, f := range p.header.fields {
				if has(f.raw, isLong) && f.name != "" {
					p.header.fields[i] = newField(refold(f.raw))
				}
			}
			switch {
			case !p.leaf:
			case p.encoding == "base64":
				return &breaker{out: out, width: 76, soft: "\r\n"}
			case p.encoding == "quoted-printable":
				return &breaker{out: out, width: 75, soft: "=\r\n"}
			case p.identity() && (!p.whole || has(p.start, isLong)):
				return encode(p, out)
			}
			return nil
		})
	},
}

// refold folds a field anew: where white space is, or else after 900 octets.
func refold(raw []byte) []byte {
	var out bytes.Buffer
	n := 0 // octets of the line so far
	rest := bytes.TrimRight([]byte(unfold.Replace(string(raw))), " \t")
	for len(rest) > 0 {
		word := rest
		if i := bytes.IndexFunc(rest, func(r rune) bool { return r != ' ' && r != '\t' }); i >= 0 {
			if j := bytes.IndexAny(rest[i:], " \t"); j >= 0 {
				word = rest[:i+j]
			}
		}
		rest = rest[len(word):]
		if n > 0 && n+len(word) > 78 && (word[0] == ' ' || word[0] == '\t') {
			out.WriteString("\r\n")
			n = 0
		}
		for ; len(word) > 900; word = word[900:] {
			out.Write(word[:900])
			out.WriteString("\r\n ")
		}
		out.Write(word)
		n += len(word)
	}
	out.WriteString("\r\n")
	return out.Bytes()
}
