package canon

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
)

// A node is an entity of a well-formed message, taken apart with none of the
// code of this package, so that tests can write it anew in other ways.
type node struct {
	fields    []mailField
	mediaType string
	params    map[string]string
	content   []byte // of a leaf, decoded
	parts     []*node
	enclosed  *node // of message/rfc822
}

type mailField struct{ name, value string }

var errMalformed = errors.New("not well-formed")

// parse is strict: what it takes, every reader understands alike.
func parse(octets []byte) (*node, error) {
	head, body, ok := bytes.Cut(octets, []byte("\r\n\r\n"))
	if !ok || !utf8.Valid(head) || bytes.Count(octets, []byte("\n")) != bytes.Count(octets, []byte("\r\n")) {
		return nil, errMalformed
	}
	n := &node{mediaType: "text/plain", params: map[string]string{}}
	unfolded := strings.NewReplacer("\r\n ", " ", "\r\n\t", "\t").Replace(string(head))
	for line := range strings.SplitSeq(unfolded, "\r\n") {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.ContainsAny(name, " \t") || strings.ContainsAny(line, "\r\n") {
			return nil, errMalformed
		}
		n.fields = append(n.fields, mailField{name, strings.TrimSpace(value)})
	}
	if value := n.get("Content-Type"); value != "" {
		var err error
		if n.mediaType, n.params, err = mime.ParseMediaType(value); err != nil {
			return nil, err
		}
	}
	if strings.HasPrefix(n.mediaType, "multipart/") {
		return n, n.parseParts(body)
	}
	var r io.Reader = bytes.NewReader(body)
	switch strings.ToLower(n.get("Content-Transfer-Encoding")) {
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "", "7bit", "8bit", "binary":
	default:
		return nil, errMalformed
	}
	var err error
	if n.content, err = io.ReadAll(r); err != nil {
		return nil, err
	}
	if n.mediaType == "message/rfc822" {
		n.enclosed, err = parse(n.content)
	}
	return n, err
}

func (n *node) parseParts(body []byte) error {
	if !bytes.Contains(body, []byte("--"+n.params["boundary"]+"--")) {
		return errMalformed
	}
	mr := multipart.NewReader(bytes.NewReader(body), n.params["boundary"])
	for {
		p, err := mr.NextRawPart()
		if err == io.EOF && len(n.parts) > 0 {
			return nil
		}
		if err != nil {
			return err
		}
		part, err := io.ReadAll(p)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		for name, values := range p.Header {
			for _, v := range values {
				b.WriteString(name + ": " + v + "\r\n")
			}
		}
		if b.Len() == 0 {
			b.WriteString("X-None: 1\r\n")
		}
		b.WriteString("\r\n")
		b.Write(part)
		child, err := parse(b.Bytes())
		if err != nil {
			return err
		}
		n.parts = append(n.parts, child)
	}
}

func (n *node) get(name string) string {
	for _, f := range n.fields {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return ""
}

// set replaces the first field of that name, or adds one.
func (n *node) set(name, value string) {
	for i := range n.fields {
		if strings.EqualFold(n.fields[i].name, name) {
			n.fields[i].value = value
			return
		}
	}
	n.fields = append(n.fields, mailField{name, value})
}

func (n *node) drop(name string) {
	n.fields = slices.DeleteFunc(n.fields, func(f mailField) bool { return strings.EqualFold(f.name, name) })
}

// all returns n and what is below it, but not in enclosed messages.
func (n *node) all() []*node {
	list := []*node{n}
	for _, p := range n.parts {
		list = append(list, p.all()...)
	}
	return list
}

func (n *node) leaves() []*node {
	return slices.DeleteFunc(n.all(), func(n *node) bool { return len(n.parts) > 0 })
}

func (n *node) fileName() string {
	_, params, _ := mime.ParseMediaType(n.get("Content-Disposition"))
	name := params["filename"]
	if name == "" {
		name = n.params["name"]
	}
	words := mime.WordDecoder{CharsetReader: func(charset string, r io.Reader) (io.Reader, error) {
		e, err := htmlindex.Get(charset)
		if err != nil {
			return nil, err
		}
		return e.NewDecoder().Reader(r), nil
	}}
	if s, err := words.DecodeHeader(name); err == nil {
		name = s
	}
	return name
}

// named says whether package mime can read all of the leaf's names.
func (n *node) named() bool {
	return n.fileName() != "" && !strings.Contains(strings.ToLower(n.get("Content-Disposition")), "*=iso-8859-1'")
}

// isText says whether the leaf is text to be read.
func (n *node) isText() bool {
	return strings.HasPrefix(n.mediaType, "text/") && n.fileName() == "" && !strings.HasPrefix(strings.ToLower(n.get("Content-Disposition")), "attachment")
}

// A writing is a way to write a message.
type writing struct {
	fold     func(name, value string) string // returns the field without its line end
	order    func([]mailField) []mailField
	transfer string // of leaves: "base64" or "quoted-printable"; "" leaves it
	boundary string
	around   string // preamble and epilogue
	written  int    // multiparts, so that each has a boundary of its own
}

func (w *writing) bytes(n *node) []byte {
	var b bytes.Buffer
	w.write(&b, n)
	return b.Bytes()
}

func (w *writing) write(b *bytes.Buffer, n *node) {
	n = &node{slices.Clone(n.fields), n.mediaType, n.params, n.content, n.parts, n.enclosed}
	w.written++
	boundary := fmt.Sprintf("=_%s_%d_", w.boundary, w.written)
	if len(n.parts) > 0 {
		params := map[string]string{}
		for k, v := range n.params {
			params[k] = v
		}
		params["boundary"] = boundary
		n.set("Content-Type", mime.FormatMediaType(n.mediaType, params))
	}
	content := n.content
	if n.enclosed != nil {
		content = w.bytes(n.enclosed)
	}
	encoding := strings.ToLower(n.get("Content-Transfer-Encoding"))
	if w.transfer != "" && len(n.parts) == 0 {
		encoding = w.transfer
		n.set("Content-Transfer-Encoding", encoding)
	}
	if w.order != nil {
		n.fields = w.order(n.fields)
	}
	for _, f := range n.fields {
		if w.fold != nil {
			b.WriteString(w.fold(f.name, f.value) + "\r\n")
		} else {
			b.WriteString(f.name + ": " + f.value + "\r\n")
		}
	}
	b.WriteString("\r\n")
	switch {
	case len(n.parts) > 0:
		b.WriteString(w.around)
		for _, p := range n.parts {
			b.WriteString("\r\n--" + boundary + "\r\n")
			w.write(b, p)
		}
		b.WriteString("\r\n--" + boundary + "--\r\n" + w.around)
	case encoding == "base64":
		text := base64.StdEncoding.EncodeToString(content)
		for len(text) > 60 {
			b.WriteString(text[:60] + "\r\n")
			text = text[60:]
		}
		b.WriteString(text)
	case encoding == "quoted-printable":
		q := quotedprintable.NewWriter(b)
		q.Binary = !n.isText()
		q.Write(content) // a bytes.Buffer takes everything
		q.Close()
	default:
		b.Write(content)
	}
}

func canonicalFieldName(name string) string { return textproto.CanonicalMIMEHeaderKey(name) }
