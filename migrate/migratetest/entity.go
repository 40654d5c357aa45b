package migratetest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	xjapanese "golang.org/x/text/encoding/japanese"
)

// A header is a list of fields in order. Values may be folded already.
type header []field

type field struct{ name, value string }

func (h *header) add(name, format string, args ...any) {
	*h = append(*h, field{name, fmt.Sprintf(format, args...)})
}

func (h *header) drop(name string) {
	kept := (*h)[:0]
	for _, f := range *h {
		if f.name != name {
			kept = append(kept, f)
		}
	}
	*h = kept
}

func (h *header) set(name, value string) {
	for i := range *h {
		if (*h)[i].name == name {
			(*h)[i].value = value
			return
		}
	}
	h.add(name, "%s", value)
}

func (h header) get(name string) string {
	for _, f := range h {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

func (h header) write(b *bytes.Buffer) {
	for _, f := range h {
		b.WriteString(f.name + ": " + f.value + "\r\n")
	}
}

// An entity is a node of a MIME tree (RFC 2045): a leaf with an encoded body,
// or a multipart.
type entity struct {
	header   header
	body     []byte
	boundary string // of a multipart
	parts    []entity
	unclosed bool // its last boundary is missing
}

// write appends the entity: its fields, an empty line, its body.
func (e entity) write(b *bytes.Buffer) {
	e.header.write(b)
	b.WriteString("\r\n")
	if e.boundary == "" {
		b.Write(e.body)
		return
	}
	b.WriteString("This is a multi-part message in MIME format.\r\n")
	for _, p := range e.parts {
		b.WriteString("\r\n--" + e.boundary + "\r\n")
		p.write(b)
	}
	if !e.unclosed {
		b.WriteString("\r\n--" + e.boundary + "--\r\n")
	}
}

func (c *composer) multipart(subtype string, parts ...entity) entity {
	e := entity{boundary: fmt.Sprintf("=_%016x_%d", c.Uint64(), len(parts)), parts: parts}
	e.header.add("Content-Type", "multipart/%s;\r\n boundary=\"%s\"", subtype, e.boundary)
	return e
}

// text returns a text leaf. Encoding is a Content-Transfer-Encoding.
func text(subtype, charset, transfer, s string) entity {
	var e entity
	e.header.add("Content-Type", "text/%s; charset=%s", subtype, charset)
	e.header.add("Content-Transfer-Encoding", "%s", transfer)
	e.body = transferEncode(transfer, inCharset(charset, s))
	return e
}

// file returns a base64 leaf with a file name. Parameters are what follows
// "name" and "filename": a token and its value.
func file(mediaType, disposition, nameParam, filenameParam string, data []byte) entity {
	var e entity
	e.header.add("Content-Type", "%s;\r\n %s", mediaType, nameParam)
	e.header.add("Content-Disposition", "%s;\r\n %s", disposition, filenameParam)
	e.header.add("Content-Transfer-Encoding", "base64")
	e.body = transferEncode("base64", data)
	return e
}

func transferEncode(transfer string, data []byte) []byte {
	var b bytes.Buffer
	switch transfer {
	case "base64":
		const line = 57 // octets that make 76 characters (RFC 2045 section 6.8)
		out := make([]byte, 0, len(data)/line*78+80)
		for len(data) > 0 {
			n := min(line, len(data))
			out = base64.StdEncoding.AppendEncode(out, data[:n])
			out = append(out, '\r', '\n')
			data = data[n:]
		}
		return out
	case "quoted-printable":
		w := quotedprintable.NewWriter(&b)
		w.Write(data) // a bytes.Buffer takes everything
		w.Close()
		return b.Bytes()
	}
	return data
}

// inCharset returns s in a charset; what it cannot hold becomes "?".
func inCharset(charset, s string) []byte {
	var enc encoding.Encoding
	switch charset {
	case "iso-8859-1":
		enc = charmap.ISO8859_1
	case "koi8-r":
		enc = charmap.KOI8R
	case "shift_jis":
		enc = xjapanese.ShiftJIS
	default:
		return []byte(s)
	}
	out, err := encoding.ReplaceUnsupported(enc.NewEncoder()).Bytes([]byte(s))
	if err != nil {
		panic(err) // unreachable: what is unsupported is replaced
	}
	return bytes.ReplaceAll(out, []byte{0x1a}, []byte("?"))
}

// encodedWords returns s for a header field (RFC 2047), folded.
func encodedWords(charset, s string) string {
	enc := mime.QEncoding
	if charset != "iso-8859-1" {
		enc = mime.BEncoding
	}
	return strings.ReplaceAll(enc.Encode(charset, string(inCharset(charset, s))), "?= =?", "?=\r\n =?")
}

// extended returns a parameter in the form of RFC 2231, in two pieces.
func extended(name, charset, value string) string {
	var pieces [2]string
	data := inCharset(charset, value)
	for i, c := range data {
		p := &pieces[i*2/len(data)]
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '.' || c == '-' {
			*p += string(c)
		} else {
			*p += fmt.Sprintf("%%%02X", c)
		}
	}
	return fmt.Sprintf("%s*0*=%s''%s;\r\n %s*1*=%s", name, charset, pieces[0], name, pieces[1])
}
