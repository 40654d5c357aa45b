package transform

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
)

// maxDepth is how deep parts may be in parts; what is deeper counts as the body
// of a leaf.
const maxDepth = 100

// A kind is what a token holds.
type kind int

const (
	head   kind = iota // a header with its empty line
	body               // octets of the body of a leaf
	around             // all else: delimiters, and what stands before, between and after parts
	finish             // nothing: the body of a leaf ends
)

// A token is a piece of a message; all of them make up the message again.
type token struct {
	kind   kind
	part   *part  // of head
	octets []byte // else; valid until the next call
}

// A walker takes a message apart (RFC 2046 section 5.1).
type walker struct {
	in    *bufio.Reader
	stack []level
	err   error

	begins  bool   // the next octets begin a line
	inLeaf  bool   // the body of a leaf is being read; else what is around parts
	deep    int    // messages and multiparts around
	held    []byte // the end of the last line: it belongs to the delimiter that may follow
	spare   []byte // what held is next
	pending []token
	given   int // how many of pending were
}

// A level is a multipart that is open.
type level struct {
	boundary string
	digest   bool
	deep     int
}

func newWalker(r io.Reader) *walker {
	w := &walker{in: bufio.NewReaderSize(r, 64<<10), begins: true}
	w.readHeader(true, false)
	return w
}

// next returns the next token, and io.EOF after the last.
func (w *walker) next() (token, error) {
	for w.given == len(w.pending) {
		if w.err != nil {
			return token{}, w.err
		}
		w.advance()
	}
	w.given++
	return w.pending[w.given-1], nil
}

func (w *walker) push(k kind, octets []byte) {
	if len(octets) > 0 {
		w.pending = append(w.pending, token{kind: k, octets: octets})
	}
}

// advance reads a line, or as much of one as fits the buffer.
func (w *walker) advance() {
	w.pending, w.given = w.pending[:0], 0
	line, err := w.in.ReadSlice('\n')
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		w.err = err
	}
	begins := w.begins
	w.begins = err == nil
	if begins && bytes.HasPrefix(line, []byte("--")) {
		if i, last := w.delimiter(line); i >= 0 {
			w.finish()
			w.push(around, slices.Concat(w.takeHeld(), line))
			w.deep, w.inLeaf = w.stack[i].deep, false
			digest := w.stack[i].digest
			if w.stack = w.stack[:i+1]; last {
				w.stack = w.stack[:i]
			} else {
				w.readHeader(false, digest)
			}
			return
		}
	}
	k := around
	if w.inLeaf {
		k = body
	}
	w.push(k, w.takeHeld())
	end := 0
	if err == nil && len(w.stack) > 0 {
		if end = 1; len(line) > 1 && line[len(line)-2] == '\r' {
			end = 2
		}
		w.held = append(w.held[:0], line[len(line)-end:]...)
	}
	w.push(k, line[:len(line)-end])
	if w.err != nil {
		w.finish()
	}
}

// takeHeld returns what was held, to be used before the next line is read.
func (w *walker) takeHeld() []byte {
	held := w.held
	w.held, w.spare = w.spare[:0], held
	return held
}

// finish ends the body of a leaf, if one is being read.
func (w *walker) finish() {
	if w.inLeaf {
		w.pending = append(w.pending, token{kind: finish})
		w.inLeaf = false
	}
}

// delimiter returns which of the open multiparts line is a delimiter of, -1 if
// of none, and whether it is their last.
func (w *walker) delimiter(line []byte) (level int, last bool) {
	text := strings.TrimRight(string(line[2:min(len(line), 1000)]), " \t\r\n")
	closing, last := strings.CutSuffix(text, "--")
	for i := len(w.stack) - 1; i >= 0; i-- {
		switch b := w.stack[i].boundary; {
		case text == b:
			return i, false
		case last && closing == b:
			return i, true
		}
	}
	return -1, false
}

// readHeader reads the header of a message or part and begins what is below it.
func (w *walker) readHeader(outer, digest bool) {
	h, fits := w.header()
	if !fits {
		w.pending = append(w.pending, token{kind: head, part: &part{header: h, outer: outer, leaf: true, media: "application/octet-stream"}})
		w.inLeaf = true
		return
	}
	w.below(newPart(h, outer, digest))
	if len(h.end) == 0 {
		w.finish() // there is no body
	}
}

// header reads a header up to an empty line, a delimiter or the end of the
// message. One of more than maxHeader does not fit: its start is returned.
func (w *walker) header() (h *header, fits bool) {
	var text []byte
	for w.err == nil && !w.atDelimiter() {
		line, err := w.in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			w.err = err
		}
		begins := w.begins
		w.begins = err == nil
		if begins && err == nil && len(bytes.TrimRight(line, "\r\n")) == 0 {
			return parseHeader(text, line), true
		}
		if text = append(text, line...); len(text) > maxHeader {
			return &header{fields: []field{{raw: text}}}, false
		}
	}
	return parseHeader(text, nil), true
}

// atDelimiter says whether the next line is a delimiter.
func (w *walker) atDelimiter() bool {
	if start, _ := w.in.Peek(2); !w.begins || len(w.stack) == 0 || string(start) != "--" {
		return false
	}
	line, _ := w.in.Peek(1000)
	line, _, _ = bytes.Cut(line, []byte{'\n'})
	i, _ := w.delimiter(line)
	return i >= 0
}

// below begins what is below a header: parts, a message, or the body of a leaf.
func (w *walker) below(p *part) {
	w.pending = append(w.pending, token{kind: head, part: p})
	w.deep++
	boundary := strings.TrimRight(p.params["boundary"], " \t")
	switch {
	case w.deep > maxDepth || !p.identity():
	case strings.HasPrefix(p.media, "multipart/") && boundary != "" && len(boundary) < 900:
		p.leaf = false
		w.stack = append(w.stack, level{boundary, p.media == "multipart/digest", w.deep})
		return
	case p.media == "message/rfc822" && len(p.header.end) > 0:
		p.leaf = false
		w.readHeader(false, false)
		return
	}
	w.inLeaf = true
}
