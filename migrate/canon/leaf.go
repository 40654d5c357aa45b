package canon

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxName is how many octets of a name are kept; a longer one ends in a digest.
const maxName = 150

// leaf reads the body of what is no multipart, or cannot be taken apart as one.
func (w *walk) leaf(h *header, mediaType string, ps params) {
	disposition, dps := parseParams(h.text(contentDisposition))
	name := strings.Clone(cmp.Or(dps.text("filename"), ps.text("name")))
	t := newTransfer(w.s, transferEncoding(h.text(contentTransferEncoding)))
	over := h.over()
	var p part
	switch {
	case strings.HasPrefix(mediaType, "multipart/"): // whose transfer encoding says nothing (RFC 2045 section 6.4)
		p = w.prose(newTransfer(w.s, ""), charset{guessed: true}, "plain")
		name = ""
	case (mediaType == "message/rfc822" || mediaType == "message/global" || titled(name) != name) && w.depth < maxDepth:
		p = w.enclosed(t)
	case strings.HasPrefix(mediaType, "text/") && disposition != "attachment" && name == "":
		kind := "plain"
		if mediaType == "text/html" {
			kind = "html"
		}
		p = w.prose(t, charsetOf(firstWord(ps.token("charset"))), kind)
	case strings.HasPrefix(mediaType, "text/"), strings.HasPrefix(mediaType, "message/"):
		p = octets(t, true)
	default:
		p = octets(t, false)
	}
	p.name = shorten(name)
	if over != nil {
		p.content = sha256.Sum256(append(p.content[:], over...))
		p.some = true
	}
	if t.junk != nil {
		p.content = sha256.Sum256(t.junk.Sum(p.content[:]))
		p.some = true
	}
	w.add(p)
	w.node(mediaType + " " + string(p.aspect))
}

// prose reads text that is there to be read.
func (w *walk) prose(t *transfer, c charset, kind string) part {
	p := part{aspect: Text, html: kind == "html"}
	text, all := newProse(c, kind), newLines()
	for octets := t.next(); octets != nil; octets = t.next() {
		text.write(octets)
		all.write(octets)
		p.size += int64(len(octets))
	}
	p.content, p.octets = text.digest(), all.digest()
	p.some = text.some
	return p
}

// octets reads an attachment. If it is made of lines, it does not count how
// they end.
func octets(t *transfer, lined bool) part {
	p := part{aspect: Attachment, some: true}
	sum, all := sha256.New(), newLines()
	for octets := t.next(); octets != nil; octets = t.next() {
		sum.Write(octets)
		if lined {
			all.write(octets)
		}
		p.size += int64(len(octets))
	}
	p.octets = Digest(sum.Sum(nil))
	p.content = p.octets
	if lined {
		p.content = all.digest()
	}
	return p
}

// enclosed reads a message in a message.
func (w *walk) enclosed(t *transfer) part {
	r := &summing{t: t, sum: sha256.New()}
	f, _ := message(r, w.depth+1) // r gives no errors; those of the message around it show up there
	w.node(fmt.Sprintf("%x", f.structure))
	return part{aspect: Attachment, some: true, size: r.size, content: f.content, octets: Digest(r.sum.Sum(nil))}
}

// over returns a digest of what is too long in the fields of a part, nil if
// nothing is.
func (h *header) over() []byte {
	for _, a := range partFields {
		if f := h.fields[a]; f != nil && f.over != nil {
			return f.over.Sum(nil)
		}
	}
	return nil
}

// shorten returns a name that differs from others as they do.
func shorten(name string) string {
	if len(name) <= maxName {
		return strings.Clone(name)
	}
	head := name[:maxName]
	for !utf8.ValidString(head) {
		head = head[:len(head)-1]
	}
	digest := sha256.Sum256([]byte(titled(name)))
	return fmt.Sprintf("%s… [%x]", head, digest[:16])
}

// titled returns a name without the suffix of a message: Graph adds one.
func titled(name string) string {
	if n := len(name) - len(".eml"); n >= 0 && strings.EqualFold(name[n:], ".eml") {
		return name[:n]
	}
	return name
}

func firstWord(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), " ")
	return s
}
