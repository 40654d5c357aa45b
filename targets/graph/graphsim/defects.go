package graphsim

import (
	"bytes"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-message/charset"
)

// A Defect is something odd about a MIME message. Whether Exchange refuses it
// is unknown.
type Defect string

const (
	DefectNUL         Defect = "nul"         // an octet 0
	DefectLineEnd     Defect = "line-end"    // CR or LF alone (section 9: bare LF was seen to be refused)
	DefectLongLine    Defect = "long-line"   // more than 998 octets in one (RFC 5322 section 2.1.1)
	DefectHeader8Bit  Defect = "header-8bit" // an octet above 127 in a header, also of a part
	DefectContentType Defect = "content-type"
	DefectCharset     Defect = "charset"    // one of text that nobody knows
	DefectFrom        Defect = "from"       // none, or several
	DefectMessageID   Defect = "message-id" // without brackets
	DefectNoMessageID Defect = "no-message-id"
	DefectNoDate      Defect = "no-date" // none that can be read
)

// defective says whether a message has one of the given defects.
func defective(b []byte, given []Defect) bool {
	if len(given) == 0 {
		return false
	}
	root := parsePart(b)
	all := []*part{root}
	for i := 0; i < len(all); i++ {
		all = append(all, all[i].children...)
	}
	some := slices.ContainsFunc[[]*part]
	id := root.get("Message-ID")
	for _, d := range given {
		bad := false
		switch d {
		case DefectNUL:
			bad = slices.Contains(b, 0)
		case DefectLineEnd:
			rest := bytes.ReplaceAll(b, []byte("\r\n"), nil)
			bad = bytes.ContainsAny(rest, "\r\n")
		case DefectLongLine:
			for line := range bytes.SplitSeq(b, []byte("\n")) {
				bad = bad || len(bytes.TrimRight(line, "\r")) > 998
			}
		case DefectHeader8Bit:
			bad = some(all, func(p *part) bool {
				return slices.ContainsFunc(p.header, func(c byte) bool { return c >= utf8.RuneSelf })
			})
		case DefectContentType:
			bad = some(all, func(p *part) bool {
				_, _, err := mime.ParseMediaType(p.get("Content-Type"))
				return p.get("Content-Type") != "" && err != nil
			})
		case DefectCharset:
			bad = some(all, func(p *part) bool {
				label := p.params["charset"]
				_, err := charset.Reader(label, strings.NewReader(""))
				return strings.HasPrefix(p.media, "text/") && label != "" && err != nil
			})
		case DefectFrom:
			bad = len(addresses(root.get("From"))) != 1
		case DefectMessageID:
			bad = id != "" && !(strings.HasPrefix(id, "<") && strings.HasSuffix(id, ">"))
		case DefectNoMessageID:
			bad = id == ""
		case DefectNoDate:
			_, ok := parseDate(root.get("Date"))
			bad = !ok
		}
		if bad {
			return true
		}
	}
	return false
}
