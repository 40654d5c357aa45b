package main

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/encoding/htmlindex"
)

// An entity is a message or a part of one (RFC 2045 section 2.4), read
// tolerantly and with none of the code that the targets read mail with.
type entity struct {
	fields    []field
	mediaType string // lower case; text/plain where there is none
	params    map[string]string
	octets    []byte // header and body as they stand
	body      []byte // as it stands
	content   []byte // the body with its transfer encoding undone
	parts     []*entity
}

// A field is a header field, unfolded.
type field struct{ name, value string }

const deepest = 20

func parseEntity(octets []byte, mediaType string, depth int) *entity {
	e := &entity{octets: octets, mediaType: mediaType, body: octets}
	for len(e.body) > 0 {
		line, rest, _ := bytes.Cut(e.body, []byte("\n"))
		e.body = rest
		if line = bytes.TrimRight(line, "\r"); len(line) == 0 {
			break
		}
		name, value, ok := strings.Cut(string(line), ":")
		switch last := len(e.fields) - 1; {
		case line[0] == ' ' || line[0] == '\t':
			if last >= 0 {
				e.fields[last].value += string(line)
			}
		case ok && !strings.ContainsAny(name, " \t"): // not the "From " line of an mbox
			e.fields = append(e.fields, field{name, value})
		}
	}
	if value, params := parameters(e.first("Content-Type")); strings.Contains(value, "/") {
		e.mediaType, e.params = value, params
	}
	if boundary := e.params["boundary"]; strings.HasPrefix(e.mediaType, "multipart/") && boundary != "" && depth < deepest {
		inner := "text/plain"
		if e.mediaType == "multipart/digest" {
			inner = "message/rfc822"
		}
		for _, part := range between(e.body, boundary) {
			e.parts = append(e.parts, parseEntity(part, inner, depth+1))
		}
	}
	if len(e.parts) == 0 {
		e.content = decode(e.first("Content-Transfer-Encoding"), e.body)
	}
	return e
}

// between returns what stands between the delimiter lines of a multipart
// (RFC 2046 section 5.1.1).
func between(body []byte, boundary string) (parts [][]byte) {
	start, at := -1, 0
	for line := range bytes.Lines(body) {
		mark, found := bytes.CutPrefix(bytes.TrimRight(line, " \t\r\n"), []byte("--"+boundary))
		if found && (len(mark) == 0 || string(mark) == "--") {
			if start >= 0 {
				part := bytes.TrimSuffix(body[start:max(start, at)], []byte("\n"))
				parts = append(parts, bytes.TrimSuffix(part, []byte("\r")))
			}
			if start = at + len(line); len(mark) > 0 {
				return parts
			}
		}
		at += len(line)
	}
	if start >= 0 { // not closed
		parts = append(parts, body[start:])
	}
	return parts
}

// all returns the values of a field, in order, with single spaces.
func (e *entity) all(name string) (values []string) {
	for _, f := range e.fields {
		if strings.EqualFold(f.name, name) {
			values = append(values, strings.Join(strings.Fields(f.value), " "))
		}
	}
	return values
}

func (e *entity) first(name string) string {
	if all := e.all(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

// date returns the Date field, or the zero time.
func (e *entity) date() time.Time {
	date, _ := mail.ParseDate(e.first("Date"))
	return date
}

// leaves returns the parts that are no multiparts, in order.
func (e *entity) leaves() (ls []*entity) {
	if !strings.HasPrefix(e.mediaType, "multipart/") {
		return []*entity{e}
	}
	for _, p := range e.parts {
		ls = append(ls, p.leaves()...)
	}
	return ls
}

// find returns the first entity of the tree that is one.
func (e *entity) find(is func(*entity) bool) *entity {
	if is(e) {
		return e
	}
	for _, p := range e.parts {
		if f := p.find(is); f != nil {
			return f
		}
	}
	return nil
}

// tree spells the structure: "multipart/mixed(text/plain image/png)".
func (e *entity) tree() string {
	if len(e.parts) == 0 {
		return e.mediaType
	}
	var parts []string
	for _, p := range e.parts {
		parts = append(parts, p.tree())
	}
	return e.mediaType + "(" + strings.Join(parts, " ") + ")"
}

// decode undoes the transfer encoding of body, as far as it can be.
func decode(encoding string, body []byte) []byte {
	switch strings.ToLower(encoding) {
	case "base64":
		data, _ := io.ReadAll(base64.NewDecoder(base64.RawStdEncoding, bytes.NewReader(bytes.TrimRight(body, "= \t\r\n"))))
		return data
	case "quoted-printable":
		data, _ := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(body)))
		return data
	}
	return body
}

// text returns the characters of a text, without white space at the ends of lines.
func (e *entity) text() string {
	data := e.content
	if enc, err := htmlindex.Get(e.params["charset"]); err == nil {
		data, _ = enc.NewDecoder().Bytes(data)
	}
	var lines []string
	for line := range strings.Lines(string(data)) {
		lines = append(lines, strings.TrimRight(line, " \t\r\n"))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

func (e *entity) disposition() string {
	value, _ := parameters(e.first("Content-Disposition"))
	return value
}

func (e *entity) fileName() string {
	_, params := parameters(e.first("Content-Disposition"))
	if params["filename"] != "" {
		return decodeWords(params["filename"])
	}
	return decodeWords(e.params["name"])
}

// isText says whether the entity is a body to be read, and no file.
func (e *entity) isText() bool {
	return (e.mediaType == "text/plain" || e.mediaType == "text/html") && e.disposition() != "attachment" && e.fileName() == ""
}

// isFile says whether people see the entity as an attachment.
func (e *entity) isFile() bool {
	return !strings.HasPrefix(e.mediaType, "multipart/") && e.contentID() == "" && (e.fileName() != "" || e.disposition() == "attachment")
}

func (e *entity) contentID() string { return strings.Trim(e.first("Content-ID"), "<> ") }

// parameters splits a value with parameters and decodes them (RFC 2231).
func parameters(s string) (value string, params map[string]string) {
	pieces := unquotedSplit(s, ';')
	value, params = strings.ToLower(strings.TrimSpace(pieces[0])), map[string]string{}
	type piece struct {
		number int
		coded  bool
		text   string
	}
	long := map[string][]piece{}
	for _, p := range pieces[1:] {
		name, text, ok := strings.Cut(p, "=")
		if !ok {
			continue
		}
		name = strings.ToLower(strings.TrimSpace(name))
		text = unquote(strings.TrimSpace(text))
		if base, rest, extended := strings.Cut(name, "*"); extended {
			number, coded := strings.CutSuffix(rest, "*")
			n, err := strconv.Atoi(number)
			long[base] = append(long[base], piece{n, coded || rest == "" || err != nil, text})
		} else if params[name] == "" {
			params[name] = text
		}
	}
	for name, ps := range long {
		slices.SortFunc(ps, func(a, b piece) int { return a.number - b.number })
		charset, all := "", []byte{}
		for i, p := range ps {
			if first := strings.SplitN(p.text, "'", 3); i == 0 && p.coded && len(first) == 3 {
				charset, p.text = first[0], first[2]
			}
			for at := 0; at < len(p.text); at++ {
				if p.coded && p.text[at] == '%' && at+2 < len(p.text) {
					if n, err := strconv.ParseUint(p.text[at+1:at+3], 16, 8); err == nil {
						all, at = append(all, byte(n)), at+2
						continue
					}
				}
				all = append(all, p.text[at])
			}
		}
		if enc, err := htmlindex.Get(charset); err == nil {
			all, _ = enc.NewDecoder().Bytes(all)
		}
		params[name] = string(all)
	}
	return value, params
}

func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	var b strings.Builder
	for i := 1; i < len(s)-1; i++ {
		if s[i] == '\\' && i+1 < len(s)-1 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// unquotedSplit splits s where sep stands outside of quotes.
func unquotedSplit(s string, sep byte) (pieces []string) {
	quoted, start := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == sep && !quoted:
			pieces = append(pieces, s[start:i])
			start = i + 1
		}
	}
	return append(pieces, s[start:])
}

// words decodes encoded words (RFC 2047) in any charset.
func words() *mime.WordDecoder {
	return &mime.WordDecoder{CharsetReader: func(charset string, r io.Reader) (io.Reader, error) {
		enc, err := htmlindex.Get(charset)
		if err != nil {
			return nil, err
		}
		return enc.NewDecoder().Reader(r), nil
	}}
}

func decodeWords(s string) string {
	if decoded, err := words().DecodeHeader(s); err == nil {
		s = decoded
	}
	return strings.Join(strings.Fields(s), " ")
}

// addressesIn returns the addresses of a field with their names, in order.
// What is no list of addresses is returned as it is.
func (e *entity) addressesIn(name string) (list []string) {
	for _, value := range e.all(name) {
		parsed, err := (&mail.AddressParser{WordDecoder: words()}).ParseList(value)
		if err != nil {
			list = append(list, decodeWords(value))
		}
		for _, a := range parsed {
			list = append(list, a.Name+" <"+a.Address+">")
		}
	}
	return list
}
