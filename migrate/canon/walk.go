package canon

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"
)

const (
	maxDepth    = 30   // of multiparts and messages in each other; what is deeper is not taken apart
	maxParts    = 1024 // parts that are told apart; those that follow are digested together
	maxBoundary = 1000 // octets
)

// A walk goes through the parts of one message (RFC 2046).
type walk struct {
	s            *scanner
	form         *Form
	depth        int // of what is being read, in all messages around it
	path         []int
	alternatives int32
	alternative  int32 // that we are in, the innermost; 0 for none

	content hash.Hash // of all parts
	tree    hash.Hash // how they are put together
	signed  hash.Hash // what is signed of them
	folded  hash.Hash // of the parts beyond maxParts; nil if there are none
}

// message reads one from r to its end.
func message(r io.Reader, depth int) (*Form, error) {
	w := &walk{s: newScanner(r), form: &Form{}, depth: depth, content: sha256.New(), tree: sha256.New(), signed: sha256.New()}
	h := readHeader(w.s, true)
	w.form.fields = h.values()
	fmt.Fprintf(w.content, "mailhaul canonical form %d\n", Version)
	for i, v := range w.form.fields {
		if v.digest != (Digest{}) {
			fmt.Fprintf(w.content, "%s %x\n", messageFields[i], v.digest)
		}
	}
	w.entity(h, "text/plain")
	if w.form.signed != (Digest{}) {
		fmt.Fprintf(w.content, "%s %x\n", Signature, w.form.signed)
	}
	w.form.content = Digest(w.content.Sum(nil))
	w.form.structure = Digest(w.tree.Sum(nil))
	if w.folded != nil {
		w.form.folded = Digest(w.folded.Sum(nil))
	}
	return w.form, w.s.err
}

// entity reads the body that follows a header. The type is for a body whose
// header tells none.
func (w *walk) entity(h *header, mediaType string) {
	if h.junk != nil {
		w.add(part{aspect: Text, header: true, some: h.junk.some, content: h.junk.digest()})
	}
	value, ps := parseParams(h.text(contentType))
	if kind, subtype, ok := strings.Cut(value, "/"); ok && kind != "" && subtype != "" {
		mediaType = strings.Clone(value) // so that the header can go
	}
	if strings.HasPrefix(mediaType, "multipart/") {
		if boundary := strings.TrimRight(ps.token("boundary"), " \t\r\n"); boundary != "" && len(boundary) <= maxBoundary && w.depth < maxDepth {
			w.multipart(mediaType, strings.Clone(boundary))
			return
		}
	}
	w.leaf(h, mediaType, ps)
}

func (w *walk) multipart(mediaType, boundary string) {
	level, alternative := len(w.s.boundaries), w.alternative
	w.s.boundaries = append(w.s.boundaries, boundary)
	w.depth++
	if mediaType == "multipart/alternative" {
		w.alternatives++
		w.alternative = w.alternatives
	}
	if preamble := w.prose(newTransfer(w.s, ""), charset{guessed: true}, "plain"); w.s.level != level {
		w.add(preamble) // there are no parts, so it is all there is
	}
	inner := "text/plain"
	if mediaType == "multipart/digest" {
		inner = "message/rfc822" // RFC 2046 section 5.1.5
	}
	w.node("(" + mediaType)
	closed := false
	for n := 1; w.s.level == level; n++ {
		if closed = w.s.pass(); closed {
			break
		}
		sign := n == 1 && mediaType == "multipart/signed" && w.s.tap == nil
		if sign { // the first part is what is signed, its header included (RFC 1847 section 2.1)
			w.s.tap = newLines()
		}
		w.path = append(w.path, n)
		w.entity(readHeader(w.s, false), inner)
		w.path = w.path[:len(w.path)-1]
		if sign {
			digest := w.s.tap.digest()
			w.signed.Write(digest[:])
			w.s.tap, w.form.signed = nil, Digest(w.signed.Sum(nil))
		}
	}
	w.node(")")
	w.s.boundaries = w.s.boundaries[:level]
	w.alternative = alternative
	w.depth--
	if closed {
		w.s.drain()
	}
}

// node adds a word to what is said of the structure.
func (w *walk) node(word string) {
	io.WriteString(w.tree, word+"\n")
}

// add takes a part into the form. Text without characters does not count, but
// may be an empty file in the copy.
func (w *walk) add(p part) {
	p.path, p.alternative = w.where(), w.alternative
	to := io.Discard
	if p.some {
		to = w.content
	}
	if len(w.form.parts) < maxParts {
		w.form.parts = append(w.form.parts, p)
	} else if p.some {
		if w.folded == nil {
			w.folded = sha256.New()
		}
		to = io.MultiWriter(w.content, w.folded)
		w.form.more++
	}
	kind := string(p.aspect)
	if p.header {
		kind = "header"
	}
	fmt.Fprintf(to, "%s %x %s\n", kind, p.content, titled(p.name))
}

// where numbers the part that is being read as IMAP does (RFC 3501 section
// 6.4.5).
func (w *walk) where() string {
	if len(w.path) == 0 {
		return "1"
	}
	var b []byte
	for i, n := range w.path {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return string(b)
}
