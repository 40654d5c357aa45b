package graph

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"regexp"
	"strings"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/textproto"
)

// Bounds on hostile MIME.
const (
	maxHeader = 1 << 20 // octets of one header
	maxDepth  = 30      // of multiparts in each other; what is deeper is a leaf
	maxLeaves = 1000    // leaves that are looked at
)

// A leaf is a part of a message that is no multipart. An attached message is a
// leaf.
type leaf struct {
	header      message.Header
	mediaType   string // lower case
	params      map[string]string
	alternative int // which multipart/alternative it is in, the innermost; 0 for none
	index       int // from 0, in the order of the message
}

// errTooManyLeaves ends a walk early.
var errTooManyLeaves = errors.New("too many parts")

// A walk goes through the leaves of a message in order, tolerantly.
type walk struct {
	visit     func(l leaf, body io.Reader) error // body has its transfer encoding undone
	damaged   bool                               // something could not be read as MIME
	multi     bool                               // there was a multipart
	protected bool                               // some of the message is signed or encrypted
	leaves    int
	alts      int
}

// errNoHeader says that the octets do not start with a header at all.
var errNoHeader = errors.New("no message header")

// message walks through r. It returns errNoHeader, or an error of r or visit;
// any other trouble only sets damaged.
func (w *walk) message(r io.Reader) (message.Header, error) {
	src := &source{r: r}
	br := bufio.NewReader(src)
	h, bad, err := readHeader(br)
	if src.err != nil {
		return message.Header{}, src.err
	}
	w.damaged = bad
	if err != nil || h.Len() == 0 {
		return message.Header{}, errNoHeader
	}
	header := message.Header{Header: h}
	if err = w.part(header, br, 0, 0, "text/plain"); err == errTooManyLeaves {
		w.damaged, err = true, nil
	}
	if src.err != nil {
		err = src.err
	}
	return header, err
}

// readHeader reads the header up to the blank line and leaves the rest to the
// caller. Lines that are neither a field nor its continuation are skipped; bad
// says so, unless it was the "From " line of mbox.
func readHeader(br *bufio.Reader) (h textproto.Header, bad bool, err error) {
	var kept bytes.Buffer
	skip, left := true, maxHeader
	for {
		line, err := br.ReadSlice('\n')
		long := err == bufio.ErrBufferFull // goes on in the next slice
		if err != nil && err != io.EOF && !long {
			return h, bad, err
		}
		if left -= len(line); left < 0 {
			return h, bad, errNoHeader
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			break
		}
		if line[0] != ' ' && line[0] != '\t' {
			name, _, found := bytes.Cut(line, []byte(":"))
			skip = !found || !fieldName(bytes.TrimRight(name, " \t"))
			bad = bad || skip && !bytes.HasPrefix(bytes.TrimPrefix(line, []byte(">")), []byte("From "))
		}
		for {
			if !skip {
				kept.Write(line)
			}
			if !long {
				break
			}
			line, err = br.ReadSlice('\n')
			if long = err == bufio.ErrBufferFull; err != nil && err != io.EOF && !long {
				return h, bad, err
			}
			if left -= len(line); left < 0 {
				return h, bad, errNoHeader
			}
		}
		if err == io.EOF {
			break
		}
	}
	if b := kept.Bytes(); len(b) > 0 && b[len(b)-1] != '\n' {
		kept.WriteString("\r\n")
	}
	kept.WriteString("\r\n")
	h, err = textproto.ReadHeader(bufio.NewReader(&kept))
	return h, bad, err
}

// fieldName says whether b can name a field (RFC 5322 section 2.2).
func fieldName(b []byte) bool {
	return len(b) > 0 && !bytes.ContainsFunc(b, func(r rune) bool { return r <= ' ' || r > '~' })
}

// part walks through one part; fallback is its type if it tells none.
func (w *walk) part(h message.Header, body io.Reader, depth, alternative int, fallback string) error {
	mediaType, params := contentType(h)
	if h.Get("Content-Type") == "" {
		mediaType = fallback
	}
	if boundary := params["boundary"]; strings.HasPrefix(mediaType, "multipart/") && boundary != "" && depth < maxDepth {
		w.multi = true
		w.protected = w.protected || signedOrEncrypted(mediaType)
		if mediaType == "multipart/alternative" {
			w.alts++
			alternative = w.alts
		}
		fallback = "text/plain"
		if mediaType == "multipart/digest" {
			fallback = "message/rfc822" // RFC 2046 section 5.1.5
		}
		mr := textproto.NewMultipartReader(body, boundary)
		for {
			p, err := mr.NextPart()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				w.damaged = true
				return nil
			}
			if err := w.part(message.Header{Header: p.Header}, p, depth+1, alternative, fallback); err != nil {
				return err
			}
		}
	}
	if strings.HasPrefix(mediaType, "multipart/") {
		w.damaged = true
	}
	if w.leaves == maxLeaves {
		return errTooManyLeaves
	}
	l := leaf{h, mediaType, params, alternative, w.leaves}
	w.leaves++
	r := &lenient{r: decoded(h, body)}
	if err := w.visit(l, r); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, r)
	w.damaged = w.damaged || r.damaged
	return nil
}

// contentType is tolerant: parameters that cannot be parsed are left out, and
// no type is text/plain (RFC 2045 section 5.2).
func contentType(h message.Header) (string, map[string]string) {
	t, params, err := h.ContentType()
	if err != nil {
		t, _, _ = strings.Cut(h.Get("Content-Type"), ";")
		if params == nil {
			params = map[string]string{}
		}
	}
	if t = strings.ToLower(strings.TrimSpace(t)); !strings.Contains(t, "/") {
		t = "text/plain"
	}
	return t, params
}

// fileName returns the leaf's own name, decoded (RFC 2183, and RFC 2047 in
// parameters, which is wrong but common), or "".
func (l leaf) fileName() string {
	_, params, _ := l.header.ContentDisposition()
	disposition, kind := l.header.Get("Content-Disposition"), l.header.Get("Content-Type")
	name := cmp.Or(extendedName(disposition), params["filename"], bareName(disposition), extendedName(kind), l.params["name"], bareName(kind))
	dec := mime.WordDecoder{CharsetReader: message.CharsetReader}
	if s, err := dec.DecodeHeader(name); err == nil {
		name = s
	}
	return clean(strings.Join(strings.Fields(name), " "))
}

// extended matches the charset of a name (RFC 2231 section 4).
var extended = regexp.MustCompile(`(?i)\b((?:file)?name(?:\*0)?\*=)([\w.:-]+)'`)

// extendedName reads a name whose charset package mime does not know: it leaves
// out the parameter, or a part of it. It returns "" for any other name.
func extendedName(field string) string {
	m := extended.FindStringSubmatch(field)
	if m == nil || strings.EqualFold(m[2], "utf-8") || strings.EqualFold(m[2], "us-ascii") {
		return ""
	}
	_, params, _ := mime.ParseMediaType(extended.ReplaceAllString(field, "${1}utf-8'"))
	return toUTF8([]byte(cmp.Or(params["filename"], params["name"])), m[2])
}

// bare matches a name that stands without the quotes that it needs.
var bare = regexp.MustCompile(`(?i);\s*(?:file)?name\s*=\s*([^";]+)`)

// bareName reads a name for which package mime refuses the whole field.
func bareName(field string) string {
	m := bare.FindStringSubmatch(field)
	if _, _, err := mime.ParseMediaType(field); err == nil || m == nil {
		return ""
	}
	return toUTF8([]byte(strings.TrimSpace(m[1])), "")
}

func (l leaf) attached() bool {
	disposition, _, err := l.header.ContentDisposition()
	return err == nil && strings.EqualFold(disposition, "attachment")
}

// signedOrEncrypted says whether rebuilding a message with this type would
// break it.
func signedOrEncrypted(mediaType string) bool {
	switch mediaType {
	case "multipart/signed", "multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime":
		return true
	}
	return false
}

// decoded undoes the transfer encoding of a leaf. An unknown one stays.
func decoded(h message.Header, r io.Reader) io.Reader {
	switch strings.ToLower(strings.TrimSpace(h.Get("Content-Transfer-Encoding"))) {
	case "base64":
		return base64.NewDecoder(base64.RawStdEncoding, &alphabet{r: r})
	case "quoted-printable":
		return quotedprintable.NewReader(r)
	}
	return r
}

// alphabet passes on the characters of base64, up to the padding, and ends in
// an error if anything but white space was among or after them.
type alphabet struct {
	r      io.Reader
	padded bool
	junk   bool
}

func (a *alphabet) Read(p []byte) (int, error) {
	for {
		n, err := a.r.Read(p)
		kept := 0
		for _, c := range p[:n] {
			switch {
			case c == '=':
				a.padded = true
			case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			case a.padded || !(c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'):
				a.junk = true
			default:
				p[kept] = c
				kept++
			}
		}
		if err == io.EOF && a.junk {
			err = errors.New("not base64")
		}
		if kept > 0 || err != nil || len(p) == 0 {
			return kept, err
		}
	}
}

// lenient ends where its source fails, and notes it.
type lenient struct {
	r       io.Reader
	damaged bool
}

func (l *lenient) Read(p []byte) (int, error) {
	if l.damaged {
		return 0, io.EOF
	}
	n, err := l.r.Read(p)
	if err != nil && err != io.EOF {
		l.damaged, err = true, io.EOF
	}
	return n, err
}

// source remembers an error of the message's own reader, which parsers above
// it would take for broken MIME.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}
