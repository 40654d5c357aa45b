package transform

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-message/charset"
)

// charsetLabel names the charset of text whose label nobody knows: us-ascii or
// utf-8 if it can be that, else windows-1252. It is a guess from the first 256
// KiB; the text stays as it is. No refusal is known; targets that convert text
// guess on their own.
var charsetLabel = Transform{
	Key: "charset", Note: "charset-guessed", Default: WhenRefused,
	mends: func(p *part) bool { return guessed(p) != "" },
	apply: func(_ time.Time, r io.Reader) io.Reader {
		return rewrite(r, func(p *part, _ *bytes.Buffer) io.WriteCloser {
			if value := guessed(p); value != "" {
				p.header.replace("Content-Type", value)
			}
			return nil
		})
	},
}

// guessed returns the Content-Type that p should have, empty if it has it.
func guessed(p *part) string {
	label := p.params["charset"]
	if !p.leaf || !p.text() || p.broken || label == "" {
		return ""
	}
	if _, err := charset.Reader(label, strings.NewReader("")); err == nil {
		return ""
	}
	params := map[string]string{}
	for k, v := range p.params {
		params[k] = v
	}
	params["charset"] = guess(p)
	return mime.FormatMediaType(p.media, params)
}

// guess returns the charset that the text in p may have.
func guess(p *part) string {
	var text io.Reader = bytes.NewReader(p.start)
	switch p.encoding {
	case "base64":
		text = base64.NewDecoder(base64.StdEncoding, text)
	case "quoted-printable":
		text = quotedprintable.NewReader(text)
	}
	b, _ := io.ReadAll(text) // as far as it can be decoded
	if !p.whole {            // it may end inside a character
		for n := 1; n < utf8.UTFMax && n < len(b); n++ {
			if c := b[len(b)-n]; utf8.RuneStart(c) {
				if c >= utf8.RuneSelf {
					b = b[:len(b)-n]
				}
				break
			}
		}
	}
	switch {
	case !bytes.ContainsFunc(b, func(r rune) bool { return r >= utf8.RuneSelf }):
		return "us-ascii"
	case utf8.Valid(b):
		return "utf-8"
	}
	return "windows-1252"
}
