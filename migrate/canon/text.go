package canon

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"unicode/utf8"

	"golang.org/x/text/transform"
)

const (
	piece   = 8 << 10  // octets that are digested together
	maxTail = 16 << 10 // octets of blanks and line ends; what follows a longer run does not count as the end
)

// A tail digests text and leaves out what is blank at the end.
type tail struct {
	sum  hash.Hash
	text []byte
	kept int  // octets of text up to the last that is not blank
	some bool // anything was not blank
}

// keep is called after something that is not blank was appended.
func (t *tail) keep() {
	t.kept, t.some = len(t.text), true
	if t.kept >= piece {
		t.sum.Write(t.text)
		t.text, t.kept = t.text[:0], 0
	}
}

// blank is called after something blank was appended.
func (t *tail) blank() {
	if len(t.text)-t.kept >= maxTail {
		t.keep()
	}
}

func (t *tail) digest() Digest {
	t.sum.Write(t.text[:t.kept])
	return Digest(t.sum.Sum(nil))
}

// lines digests octets with LF in place of CRLF, and without line ends at the
// end. A nil one digests nothing.
type lines struct {
	tail
	cr bool
}

func newLines() *lines { return &lines{tail: tail{sum: sha256.New()}} }

func (l *lines) write(p []byte) {
	for l != nil && len(p) > 0 {
		n := bytes.IndexByte(p, '\n')
		line := p
		if n >= 0 {
			line = p[:n]
		}
		if l.cr && len(line) > 0 {
			l.text, l.cr = append(l.text, '\r'), false
			l.keep()
		}
		if len(line) > 0 {
			if line[len(line)-1] == '\r' {
				l.cr, line = true, line[:len(line)-1]
			}
			if len(line) > 0 {
				l.text = append(l.text, line...)
				l.keep()
			}
		}
		if n < 0 {
			return
		}
		l.text, l.cr = append(l.text, '\n'), false
		l.blank()
		p = p[n+1:]
	}
}

func (l *lines) digest() Digest {
	if l.cr {
		l.text = append(l.text, '\r')
		l.keep()
	}
	return l.tail.digest()
}

// prose digests text as people read it: characters, with LF as the line end,
// without blanks at the ends of lines, blank lines at the end, and what Exchange
// cannot hold.
type prose struct {
	tail
	charset charset
	decoder transform.Transformer // nil: UTF-8
	input   []byte                // that is not decoded yet
	output  []byte                // of the decoder
	part    []byte                // a character that is not complete
	joined  []byte                // with what follows it
	line    int                   // octets of text up to the last that is no blank of the line
	cr      bool                  // the last character was a carriage return
	bad     bool                  // the last character was U+FFFD
	begun   bool
}

func newProse(c charset, kind string) *prose {
	p := &prose{tail: tail{sum: sha256.New()}, charset: c}
	p.sum.Write([]byte(kind + "\n"))
	if c.encoding != nil {
		p.decoder, p.output = c.encoding.NewDecoder(), make([]byte, piece)
	}
	return p
}

func (p *prose) write(octets []byte) { p.decode(octets, false) }

func (p *prose) decode(octets []byte, end bool) {
	if p.decoder == nil {
		p.characters(octets, end)
		return
	}
	p.input = append(p.input, octets...)
	src := p.input
	for {
		n, m, err := p.decoder.Transform(p.output, src, end)
		p.characters(p.output[:n], false)
		src = src[m:]
		switch {
		case err == transform.ErrShortDst:
			continue
		case err == nil, len(src) == 0, err == transform.ErrShortSrc && !end && len(src) < 64:
			p.input = append(p.input[:0], src...)
			if end {
				p.characters(nil, true)
			}
			return
		}
		p.characters([]byte("\uFFFD"), false) // it cannot be decoded
		src = src[1:]
	}
}

// characters takes UTF-8.
func (p *prose) characters(s []byte, end bool) {
	if len(p.part) > 0 {
		p.joined = append(append(p.joined[:0], p.part...), s...)
		s, p.part = p.joined, p.part[:0]
	}
	for i := 0; i < len(s); {
		c := s[i]
		if letter(c) {
			n := i + 1
			for n < len(s) && (letter(s[n]) || s[n] == ' ' && n+1 < len(s) && letter(s[n+1])) {
				n++
			}
			p.text = append(p.text, s[i:n]...)
			p.visible()
			i = n
			continue
		}
		if c < utf8.RuneSelf {
			p.control(c)
			i++
			continue
		}
		if !end && !utf8.FullRune(s[i:]) {
			p.part = append(p.part, s[i:]...)
			return
		}
		r, n := p.charset.rune(s[i:])
		i += n
		p.wide(r)
	}
}

// letter says whether c is a character of ASCII that can be seen.
func letter(c byte) bool { return c > ' ' && c < 0x7F }

func (p *prose) visible() {
	p.cr, p.bad, p.begun = false, false, true
	p.keep()
	p.line = p.kept
}

func (p *prose) control(c byte) {
	switch c {
	case '\n', '\r':
		if c == '\r' || !p.cr {
			p.text = append(p.text[:p.line], '\n')
			p.line = len(p.text)
			p.blank()
		}
	case ' ', '\t':
		p.text = append(p.text, c)
		p.blank()
	default:
		return
	}
	p.line = min(p.line, len(p.text)) // blank may have emptied it
	p.cr, p.bad, p.begun = c == '\r', false, true
}

func (p *prose) wide(r rune) {
	if r = counted(r); r < 0 || r == '\uFEFF' && !p.begun || r == utf8.RuneError && p.bad {
		return
	}
	p.text = utf8.AppendRune(p.text, r)
	p.visible()
	p.bad = r == utf8.RuneError
}

func (p *prose) digest() Digest {
	p.decode(nil, true)
	return p.tail.digest()
}
