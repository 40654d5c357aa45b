package migrate

import (
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
)

var (
	encodedWord  = regexp.MustCompile(`=\?([^?\s=]+)\?([bBqQ])\?([^?]*)\?=`)
	encodedOctet = regexp.MustCompile(`=[0-9A-Fa-f]{2}`)
)

// decodeWords decodes encoded words wherever they stand (RFC 2047). Octets of
// neighbours in one charset are put together before they are decoded, since
// some programs cut characters in two.
func decodeWords(s string) string {
	var b strings.Builder
	var octets []byte // of encoded words that were not written yet
	label, end := "", 0
	flush := func() {
		b.WriteString(decodeCharset(label, octets))
		octets = octets[:0]
	}
	for _, at := range encodedWord.FindAllStringSubmatchIndex(s, -1) {
		between, charset, word := s[end:at[0]], s[at[2]:at[3]], s[at[6]:at[7]]
		if strings.TrimSpace(between) != "" {
			flush()
			b.WriteString(readable(between))
		}
		if !strings.EqualFold(charset, label) {
			flush()
			label = charset
		}
		octets, end = append(octets, decodeWord(s[at[4]], word)...), at[1]
	}
	flush()
	b.WriteString(readable(s[end:]))
	return b.String()
}

func decodeWord(encoding byte, word string) []byte {
	if encoding == 'b' || encoding == 'B' {
		octets, _ := base64.RawStdEncoding.DecodeString(strings.TrimRight(word, "=")) // up to what is wrong
		return octets
	}
	return encodedOctet.ReplaceAllFunc([]byte(strings.ReplaceAll(word, "_", " ")), func(octet []byte) []byte {
		octets, _ := hex.DecodeString(string(octet[1:]))
		return octets
	})
}

// decodeCharset returns octets as characters of the labelled charset (RFC 2231
// section 5 lets a language follow its name).
func decodeCharset(label string, octets []byte) string {
	label, _, _ = strings.Cut(strings.ToLower(label), "*")
	e, err := htmlindex.Get(label)
	if err != nil || strings.HasSuffix(label, "ascii") {
		return readable(string(octets))
	}
	text, _ := e.NewDecoder().Bytes(octets)
	return string(text)
}

// readable returns octets without a known charset as characters: UTF-8 if they
// are, else Windows-1252.
func readable(octets string) string {
	if utf8.ValidString(octets) {
		return octets
	}
	s, _ := charmap.Windows1252.NewDecoder().String(octets)
	return s
}
