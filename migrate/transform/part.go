package transform

import (
	"mime"
	"regexp"
	"slices"
	"strings"
)

// A part is a message, or a part of one, of which the header is known.
type part struct {
	header   *header
	outer    bool              // it is the message itself
	media    string            // in lower case, as far as it can be told
	params   map[string]string // of Content-Type, likewise
	broken   bool              // Content-Type is there, but is none, or is there twice
	encoding string            // Content-Transfer-Encoding in lower case

	// Of a leaf, which holds no other parts:
	leaf  bool
	start []byte // the first octets of its body, up to maxStart
	whole bool   // start is all of it
}

// maxStart is how much of a body is looked at before its header is written.
const maxStart = 256 << 10

func newPart(h *header, outer, digest bool) *part {
	p := &part{header: h, outer: outer, leaf: true, media: "text/plain"}
	if digest {
		p.media = "message/rfc822" // RFC 2046 section 5.1.5
	}
	if values := h.values("content-type"); len(values) > 0 {
		p.media, p.params, p.broken = parseContentType(values)
	}
	if values := h.values("content-transfer-encoding"); len(values) > 0 {
		p.encoding = strings.ToLower(strings.TrimSpace(values[0]))
	}
	return p
}

// identity says that the body stands there as it is (RFC 2045 section 6.2).
func (p *part) identity() bool {
	return slices.Contains([]string{"", "7bit", "8bit", "binary"}, p.encoding)
}

func (p *part) text() bool { return strings.HasPrefix(p.media, "text/") }

// sealed says that the part is signed or encrypted, so that nothing in it may
// change (RFC 1847, RFC 8551, RFC 3156).
func (p *part) sealed() bool {
	return slices.Contains([]string{"multipart/signed", "multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}, p.media)
}

var (
	mediaType  = regexp.MustCompile(`^\s*"?([A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127})`)
	parameters = regexp.MustCompile(`(?i)[;\s,](boundary|charset|name|protocol|micalg|smime-type)\s*=\s*(?:"([^"]*)"?|([^\s;"]+))`)
)

// parseContentType reads the first value that is a Content-Type, or else what
// can be told of one of them.
func parseContentType(values []string) (media string, params map[string]string, broken bool) {
	for _, v := range values {
		if media, params, err := mime.ParseMediaType(v); err == nil && strings.Contains(media, "/") {
			return media, params, len(values) > 1
		}
	}
	params = map[string]string{}
	for _, v := range values {
		if m := mediaType.FindStringSubmatch(v); m != nil && media == "" {
			media = strings.ToLower(m[1])
		}
		for _, m := range parameters.FindAllStringSubmatch(v, -1) {
			if name := strings.ToLower(m[1]); params[name] == "" {
				params[name] = m[2] + m[3]
			}
		}
	}
	if media == "" && params["boundary"] != "" {
		media = "multipart/mixed"
	}
	if media == "" {
		media = "text/plain"
	}
	return media, params, true
}
