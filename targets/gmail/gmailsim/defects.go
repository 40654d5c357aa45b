package gmailsim

import (
	"bytes"
	"mime"
	"net/mail"
	"slices"
	"strings"
)

// A Defect is something odd about a message. Whether Gmail refuses it is
// unknown.
type Defect string

const (
	DefectNUL         Defect = "nul"         // an octet 0
	DefectLineEnd     Defect = "line-end"    // a line that does not end with CRLF, but for the last
	DefectLongLine    Defect = "long-line"   // more than 998 octets in one (RFC 5322 section 2.1.1)
	DefectHeader8Bit  Defect = "header-8bit" // an octet above 127 in a header, also of a part
	DefectContentType Defect = "content-type"
	DefectCharset     Defect = "charset"    // one of text that is not in use
	DefectMessageID   Defect = "message-id" // without brackets
	DefectNoMessageID Defect = "no-message-id"
	DefectNoDate      Defect = "no-date" // none that can be read
)

// defective says whether a message has one of the given defects.
func defective(message []byte, given []Defect) bool {
	return slices.ContainsFunc(given, func(d Defect) bool {
		header, _ := split(message)
		h := parseHead(header)
		id := ""
		fields(header, func(name, folded []byte) {
			if is(name, "message-id") {
				id += unfold(folded)
			}
		})
		switch d {
		case DefectNUL:
			return bytes.IndexByte(message, 0) >= 0
		case DefectLineEnd:
			pairs := bytes.Count(message, []byte("\r\n"))
			return bytes.Count(message, []byte("\r")) != pairs || bytes.Count(message, []byte("\n")) != pairs
		case DefectLongLine:
			return slices.ContainsFunc(bytes.Split(message, []byte("\n")), func(l []byte) bool { return len(bytes.TrimSuffix(l, []byte("\r"))) > 998 })
		case DefectMessageID:
			return id != "" && bracketed(id) == nil
		case DefectNoMessageID:
			return id == ""
		case DefectNoDate:
			_, err := mail.ParseDate(h.date)
			return err != nil
		}
		left := maxParts
		return badPart(message, d, &left, 20)
	})
}

// badPart looks for a defect of headers in a part and those within it.
func badPart(part []byte, d Defect, left *int, depth int) bool {
	if *left--; *left < 0 || depth == 0 {
		return false
	}
	header, body := split(part)
	h := parseHead(header)
	media, params, err := mime.ParseMediaType(h.contentType)
	switch d {
	case DefectHeader8Bit:
		if bytes.ContainsFunc(header, func(r rune) bool { return r > 127 }) {
			return true
		}
	case DefectContentType:
		if h.contentType != "" && err != nil {
			return true
		}
	case DefectCharset:
		if strings.HasPrefix(media, "text/") && !inUse(params["charset"]) {
			return true
		}
	}
	if strings.HasPrefix(media, "multipart/") {
		for inner := range parts(body, params["boundary"]) {
			if badPart(inner, d, left, depth-1) {
				return true
			}
		}
	}
	return media == "message/rfc822" && badPart(body, d, left, depth-1)
}

// inUse says whether a charset is one that mail programs write.
func inUse(charset string) bool {
	c := strings.ToLower(charset)
	return slices.Contains([]string{"", "us-ascii", "utf-8", "utf-16", "gb2312", "gbk", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr", "koi8-r", "koi8-u"}, c) ||
		strings.HasPrefix(c, "iso-8859-") || strings.HasPrefix(c, "iso-2022-") || strings.HasPrefix(c, "windows-12")
}
