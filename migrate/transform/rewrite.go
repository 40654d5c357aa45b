package transform

import (
	"bufio"
	"bytes"
	"io"
)

// An edit changes a part before it is written. It may return what the body of
// a leaf is written through, which has out below it; nil leaves it as it is.
type edit func(p *part, out *bytes.Buffer) io.WriteCloser

// A rewriter reads a message part by part as an edit leaves it.
type rewriter struct {
	w    *walker
	edit edit
	out  bytes.Buffer
	leaf *part          // whose start is being gathered
	body io.WriteCloser // of the leaf that is being written
	err  error
}

// rewrite returns what is in r with every part edited.
func rewrite(r io.Reader, e edit) io.Reader { return &rewriter{w: newWalker(r), edit: e} }

// Read implements io.Reader.
func (r *rewriter) Read(p []byte) (int, error) {
	for r.out.Len() == 0 && r.err == nil {
		r.step()
	}
	if r.out.Len() == 0 {
		return 0, r.err
	}
	return r.out.Read(p)
}

func (r *rewriter) step() {
	t, err := r.w.next()
	switch {
	case err != nil:
		r.err = err
	case t.kind == head && t.part.leaf:
		r.leaf = t.part
	case t.kind == head:
		r.edit(t.part, &r.out)
		r.out.Write(t.part.header.text())
	case t.kind == body && r.leaf != nil:
		if r.leaf.start = append(r.leaf.start, t.octets...); len(r.leaf.start) >= maxStart {
			r.begin()
		}
	case t.kind == body && r.body != nil:
		r.body.Write(t.octets)
	case t.kind == finish:
		if r.leaf != nil {
			r.leaf.whole = true
			r.begin()
		}
		if r.body != nil {
			r.body.Close()
			r.body = nil
		}
	default:
		r.out.Write(t.octets)
	}
}

// begin writes a leaf as far as it was gathered.
func (r *rewriter) begin() {
	p := r.leaf
	r.leaf = nil
	w := r.edit(p, &r.out)
	r.out.Write(p.header.text())
	if w == nil {
		r.out.Write(p.start)
		return
	}
	w.Write(p.start)
	r.body = w
}

// rewriteOuter returns what is in r with the outer header edited, if it is
// sound.
func rewriteOuter(r io.Reader, e func(h *header)) io.Reader { return &outerRewriter{in: r, edit: e} }

type outerRewriter struct {
	in   io.Reader
	edit func(h *header)
	out  io.Reader // nil until the header is read
}

// Read implements io.Reader.
func (r *outerRewriter) Read(p []byte) (int, error) {
	if r.out == nil {
		w := &walker{in: bufio.NewReader(r.in), begins: true}
		h, _ := w.header()
		if w.err != nil && w.err != io.EOF {
			return 0, w.err
		}
		if h.sound {
			r.edit(h)
		}
		r.out = io.MultiReader(bytes.NewReader(h.text()), w.in)
	}
	return r.out.Read(p)
}
