package transform

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
)

// encode gives a leaf whose body stands there as it is an encoding in which no
// line is long: quoted-printable for text, else base64
// (RFC 2045 section 6). Every octet is kept, but for ends of lines in text, which
// become CRLF.
func encode(p *part, out *bytes.Buffer) io.WriteCloser {
	if p.text() {
		p.header.replace("Content-Transfer-Encoding", "quoted-printable")
		return quotedprintable.NewWriter(out)
	}
	p.header.replace("Content-Transfer-Encoding", "base64")
	return base64.NewEncoder(base64.StdEncoding, &lines{out: out})
}

// encodeBinary encodes files in parts that are declared as binary, which a
// change of bad octets would damage, and those too large to be looked through.
func encodeBinary(r io.Reader, bad func(octets) bool) io.Reader {
	return rewrite(r, func(p *part, out *bytes.Buffer) io.WriteCloser {
		if !p.leaf || p.encoding != "binary" || p.text() || p.whole && !has(p.start, bad) {
			return nil
		}
		return encode(p, out)
	})
}

// lines breaks what is written to it into lines of 76 octets.
type lines struct {
	out *bytes.Buffer
	n   int
}

func (l *lines) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if l.n == 76 {
			l.out.WriteString("\r\n")
			l.n = 0
		}
		n := min(76-l.n, len(rest))
		l.out.Write(rest[:n])
		l.n, rest = l.n+n, rest[n:]
	}
	return len(p), nil
}

// breaker breaks long lines of a body that is encoded already, where its
// encoding allows that.
type breaker struct {
	out   *bytes.Buffer
	line  []byte // that is not written yet, of at most maxLine and CR
	width int    // octets of a line that is broken off
	soft  string // what ends it
}

func (b *breaker) Write(p []byte) (int, error) {
	for _, c := range p {
		b.line = append(b.line, c)
		if c == '\n' {
			b.out.Write(b.line)
			b.line = b.line[:0]
			continue
		}
		if len(b.line) <= maxLine || len(b.line) == maxLine+1 && c == '\r' {
			continue
		}
		at := b.width
		if i := bytes.IndexByte(b.line[at-2:at], '='); i >= 0 {
			at += i - 2 // "=3D" must stay together
		}
		b.out.Write(b.line[:at])
		b.out.WriteString(b.soft)
		b.line = append(b.line[:0], b.line[at:]...)
	}
	return len(p), nil
}

func (b *breaker) Close() error {
	b.out.Write(b.line)
	return nil
}
