package graphsim

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"strings"

	"github.com/emersion/go-message/charset"
)

// A part is one entity of a MIME message (RFC 2045): pieces of the octets, not
// copies. A multipart that cannot be taken apart has no children.
type part struct {
	header   []byte // with the blank line that ends it, if there is one
	body     []byte
	fields   []field
	media    string // lower case; text/plain if absent or malformed
	params   map[string]string
	children []*part
}

// A field is one header field, unfolded.
type field struct{ name, value string }

const (
	maxParts = 2000
	maxNest  = 50
)

// parsePart never fails: what cannot be understood is a leaf.
func parsePart(b []byte) *part {
	left := maxParts
	return parseEntity(b, "text/plain", 0, &left)
}

func parseEntity(b []byte, fallback string, depth int, left *int) *part {
	*left--
	n := headerLength(b)
	p := parseHeader(b[:n])
	p.body = b[n:]
	if p.media == "" {
		p.media = fallback
	}
	if !strings.HasPrefix(p.media, "multipart/") || p.params["boundary"] == "" || depth == maxNest {
		return p
	}
	fallback = "text/plain"
	if p.media == "multipart/digest" {
		fallback = "message/rfc822"
	}
	for _, piece := range splitParts(p.body, p.params["boundary"]) {
		if *left <= 0 {
			break
		}
		p.children = append(p.children, parseEntity(p.body[piece[0]:piece[1]], fallback, depth+1, left))
	}
	return p
}

// parseHeader reads the header of a part; its media is "" if it has no valid
// Content-Type.
func parseHeader(b []byte) *part {
	p := &part{header: b, fields: parseFields(b)}
	media, params, err := mime.ParseMediaType(p.get("Content-Type"))
	if media != "" && (err == nil || err == mime.ErrInvalidMediaParameter) {
		p.media, p.params = media, params
	}
	return p
}

// headerLength is the length of the header with the blank line after it.
func headerLength(b []byte) int {
	for at := 0; at < len(b); {
		end := lineEnd(b, at)
		if len(bytes.TrimRight(b[at:end], "\r\n")) == 0 {
			return end
		}
		at = end
	}
	return len(b)
}

// lineEnd returns where the line that starts at at ends, its line feed included.
func lineEnd(b []byte, at int) int {
	if i := bytes.IndexByte(b[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(b)
}

// parseFields unfolds the fields of a header (RFC 5322 section 2.2.3) and
// passes over lines that are none.
func parseFields(header []byte) []field {
	var fields []field
	var value strings.Builder // of the last field
	finish := func() {
		if k := len(fields) - 1; k >= 0 {
			fields[k].value = strings.TrimSpace(value.String())
		}
		value.Reset()
	}
	for at := 0; at < len(header); {
		end := lineEnd(header, at)
		line := string(bytes.TrimRight(header[at:end], "\r\n"))
		at = end
		if line != "" && (line[0] == ' ' || line[0] == '\t') {
			value.WriteString(line)
			continue
		}
		name, rest, ok := strings.Cut(line, ":")
		if name = strings.TrimRight(name, " \t"); ok && name != "" && !strings.ContainsAny(name, " \t") {
			finish()
			fields = append(fields, field{name: name})
			value.WriteString(rest)
		}
	}
	finish()
	return fields
}

func (p *part) get(name string) string {
	for _, f := range p.fields {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return ""
}

// delimiter says whether line is one of boundary, and whether it is the last
// (RFC 2046 section 5.1.1).
func delimiter(line []byte, boundary string) (is, last bool) {
	rest, ok := bytes.CutPrefix(line, []byte("--"))
	if ok {
		rest, ok = bytes.CutPrefix(rest, []byte(boundary))
	}
	if !ok {
		return false, false
	}
	rest, last = bytes.CutPrefix(rest, []byte("--"))
	return len(bytes.Trim(rest, " \t\r\n")) == 0, last
}

// splitParts returns where the pieces between the delimiters start and end,
// without the line break that belongs to the next delimiter.
func splitParts(body []byte, boundary string) [][2]int {
	var pieces [][2]int
	start := -1
	for at := 0; at < len(body); {
		end := lineEnd(body, at)
		if is, last := delimiter(body[at:end], boundary); is {
			if start >= 0 {
				piece := bytes.TrimSuffix(bytes.TrimSuffix(body[start:at], []byte("\n")), []byte("\r"))
				pieces = append(pieces, [2]int{start, start + len(piece)})
			}
			if start = end; last {
				return pieces
			}
		}
		at = end
	}
	if start >= 0 {
		pieces = append(pieces, [2]int{start, len(body)})
	}
	return pieces
}

// decoded returns the octets of a leaf without its transfer encoding. Damaged
// encodings yield what could be read.
func (p *part) decoded() []byte {
	var r io.Reader = bytes.NewReader(p.body)
	switch strings.ToLower(p.get("Content-Transfer-Encoding")) {
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, &base64Only{r: r})
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	default:
		return p.body
	}
	b, _ := io.ReadAll(r)
	return b
}

// base64Only drops the octets that are outside base64's alphabet (RFC 2045 section 6.8).
type base64Only struct{ r io.Reader }

func (f *base64Only) Read(b []byte) (int, error) {
	n, err := f.r.Read(b)
	k := 0
	for _, c := range b[:n] {
		if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '=' {
			b[k] = c
			k++
		}
	}
	return k, err
}

// text returns a text leaf as UTF-8.
func (p *part) text() string {
	b := p.decoded()
	if set := p.params["charset"]; set != "" {
		if r, err := charset.Reader(set, bytes.NewReader(b)); err == nil {
			if u, err := io.ReadAll(r); err == nil {
				b = u
			}
		}
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// leaves calls f for each part without children, in order.
func (p *part) leaves(f func(*part)) {
	if len(p.children) == 0 {
		f(p)
		return
	}
	for _, c := range p.children {
		c.leaves(f)
	}
}

// isFile says whether a leaf is an attachment rather than text to be read.
func (p *part) isFile() bool {
	disposition, _, _ := mime.ParseMediaType(p.get("Content-Disposition"))
	return disposition == "attachment" || p.media != "text/plain" && p.media != "text/html" || p.name() != ""
}

// name is the file name of a part, "" if it has none.
func (p *part) name() string {
	_, params, _ := mime.ParseMediaType(p.get("Content-Disposition"))
	name := params["filename"]
	if name == "" {
		name = p.params["name"]
	}
	return decodeWords(name)
}

// decodeWords decodes the encoded words of a header value (RFC 2047).
func decodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	d := mime.WordDecoder{CharsetReader: charset.Reader}
	if t, err := d.DecodeHeader(s); err == nil {
		s = t
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
