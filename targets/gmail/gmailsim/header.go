package gmailsim

import (
	"bytes"
	"strings"
)

// maxHeader bounds how far into a message its header is looked for.
const maxHeader = 1 << 20

// split returns the header of a message with its last line end, and the rest
// behind the empty line. Lines may end in CRLF or LF.
func split(b []byte) (header, body []byte) {
	area := b[:min(len(b), maxHeader)]
	for at := 0; at < len(area); {
		end := bytes.IndexByte(area[at:], '\n')
		if end < 0 {
			return area, b[len(area):]
		}
		if line := area[at : at+end]; len(line) == 0 || len(line) == 1 && line[0] == '\r' {
			return area[:at], b[at+end+1:]
		}
		at += end + 1
	}
	return area, b[len(area):]
}

// fields calls each with the name and the still folded value of every header
// field. Lines that are not fields are passed over.
func fields(header []byte, each func(name, folded []byte)) {
	for len(header) > 0 {
		end := 0
		for {
			n := bytes.IndexByte(header[end:], '\n')
			if n < 0 {
				end = len(header)
				break
			}
			end += n + 1
			if end == len(header) || header[end] != ' ' && header[end] != '\t' {
				break
			}
		}
		if name, value, ok := bytes.Cut(header[:end], []byte{':'}); ok && len(name) > 0 && !bytes.ContainsAny(name, "\r\n") {
			each(bytes.TrimRight(name, " \t"), value)
		}
		header = header[end:]
	}
}

// unfold takes the folding out of a value and trims it (RFC 5322 section 2.2.3).
func unfold(folded []byte) string {
	s := strings.TrimSpace(string(folded))
	if strings.ContainsAny(s, "\r\n") {
		s = strings.NewReplacer("\r\n", "", "\n", "", "\r", "").Replace(s)
	}
	return s
}

// A head is what the simulator wants to know of a message's header.
type head struct {
	from        []string // one for each From field
	date        string
	messageID   string // without brackets; empty unless it has them
	subject     string
	references  []string // of References and In-Reply-To, without brackets
	contentType string
	disposition string
	encoding    string // Content-Transfer-Encoding, lower case
	fields      int
}

func parseHead(header []byte) (h head) {
	fields(header, func(name, folded []byte) {
		h.fields++
		switch {
		case is(name, "from"):
			h.from = append(h.from, unfold(folded))
		case is(name, "date"):
			h.date = unfold(folded)
		case is(name, "message-id") && h.messageID == "":
			if ids := bracketed(unfold(folded)); len(ids) > 0 {
				h.messageID = ids[0]
			}
		case is(name, "subject"):
			h.subject = unfold(folded)
		case is(name, "references"), is(name, "in-reply-to"):
			h.references = append(h.references, bracketed(unfold(folded))...)
		case is(name, "content-type"):
			h.contentType = unfold(folded)
		case is(name, "content-disposition"):
			h.disposition = unfold(folded)
		case is(name, "content-transfer-encoding"):
			h.encoding = strings.ToLower(unfold(folded))
		}
	})
	return h
}

func is(name []byte, lower string) bool {
	return len(name) == len(lower) && strings.EqualFold(string(name), lower)
}

// bracketed returns what stands between angle brackets, at most 100 of them.
func bracketed(s string) (ids []string) {
	for len(ids) < 100 {
		_, rest, ok := strings.Cut(s, "<")
		if !ok {
			break
		}
		id, rest, ok := strings.Cut(rest, ">")
		if !ok {
			break
		}
		if id != "" {
			ids = append(ids, id)
		}
		s = rest
	}
	return ids
}
