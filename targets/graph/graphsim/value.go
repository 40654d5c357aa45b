package graphsim

import (
	"bytes"
	"fmt"
	"strings"
)

// value serves …/messages/{id}/$value: MIME rebuilt by the server (section 11).
func (c *call) value(m *message) (reply, error) {
	b, err := c.mime(m)
	return reply{status: 200, contentType: "text/plain", octets: b}, err
}

func (c *call) mime(m *message) ([]byte, error) {
	if m.route == RouteJSON {
		v := &view{c: c, m: m}
		ct, err := v.content()
		if err != nil {
			return nil, err
		}
		return c.rebuild(ct, m)
	}
	b, err := c.s.octets.read(m.written)
	if err != nil {
		return nil, err
	}
	return reserialise(b), nil
}

// reserialise returns a message with the same content and other octets: header
// fields are folded anew and boundaries renamed. What is signed stays as it is.
func reserialise(b []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(b) + len(b)/16)
	boundaries := 0
	rewrite(&out, parsePart(b), &boundaries)
	return out.Bytes()
}

func rewrite(out *bytes.Buffer, p *part, boundaries *int) {
	old := p.params["boundary"]
	*boundaries++
	boundary := fmt.Sprintf("_%03d_graphsim%s_", *boundaries, tagOf(old))
	var header bytes.Buffer
	refold(&header, p.header, old, boundary)
	if len(p.children) == 0 || p.media == "multipart/signed" || parseHeader(header.Bytes()).params["boundary"] != boundary {
		refold(out, p.header, "", "")
		out.Write(p.body)
		return
	}
	out.Write(header.Bytes())
	at := 0
	for i, piece := range splitParts(p.body, old) {
		if i == len(p.children) { // more parts than were taken apart
			break
		}
		renameDelimiters(out, p.body[at:piece[0]], old, boundary)
		rewrite(out, p.children[i], boundaries)
		at = piece[1]
	}
	renameDelimiters(out, p.body[at:], old, boundary)
}

// renameDelimiters writes what lies between parts.
func renameDelimiters(out *bytes.Buffer, b []byte, old, boundary string) {
	for at := 0; at < len(b); {
		end := lineEnd(b, at)
		line := b[at:end]
		if is, _ := delimiter(line, old); is {
			line = []byte(strings.Replace(string(line), old, boundary, 1))
		}
		out.Write(line)
		at = end
	}
}

// foldAt is where refold breaks lines, unlike what most senders do.
const foldAt = 60

// refold writes a header with its fields unfolded and folded again, and with
// boundary in place of old in Content-Type.
func refold(out *bytes.Buffer, header []byte, old, boundary string) {
	eol := "\r\n"
	if i := bytes.IndexByte(header, '\n'); i == 0 || i > 0 && header[i-1] != '\r' {
		eol = "\n"
	}
	for at := 0; at < len(header); {
		end := lineEnd(header, at)
		isField := header[at] != ' ' && header[at] != '\t' && bytes.IndexByte(header[at:end], ':') > 0
		for isField && end < len(header) && (header[end] == ' ' || header[end] == '\t') {
			end = lineEnd(header, end)
		}
		if !isField { // what is no field stays as it is
			out.Write(header[at:end])
			at = end
			continue
		}
		text := strings.NewReplacer("\r\n", "", "\n", "").Replace(string(header[at:end]))
		terminated := end > at && header[end-1] == '\n'
		at = end
		name, _, _ := strings.Cut(text, ":")
		if old != "" && strings.EqualFold(strings.TrimSpace(name), "Content-Type") {
			text = strings.Replace(text, `"`+old+`"`, old, 1)
			text = strings.Replace(text, old, `"`+boundary+`"`, 1)
		}
		out.WriteString(fold(text, len(name)+1, eol))
		if terminated {
			out.WriteString(eol)
		}
	}
}

// fold breaks a field before white space that follows a word, so that unfolding
// gives the field back. It never makes a line of white space alone.
func fold(text string, from int, eol string) string {
	var b strings.Builder
	start, word := 0, false
	end := len(strings.TrimRight(text, " \t"))
	for i := from; i < end; i++ {
		switch {
		case text[i] != ' ' && text[i] != '\t':
			word = true
		case word && i-start >= foldAt:
			b.WriteString(text[start:i] + eol)
			start, word = i, false
		}
	}
	b.WriteString(text[start:])
	return b.String()
}
