package transform

import (
	"bytes"
	"io"
	"mime"
	"time"
)

// contentType gives a part whose Content-Type is none, or is there twice, one
// that parsers take, of what can be told of it: the type, the boundary, the
// charset, the name. What tells nothing becomes text/plain (RFC 2045 section
// 5.2), or a file if it has a name. No refusal is known; parsers differ on what
// they make of it.
var contentType = Transform{
	Key: "content_type", Note: "content-type-repaired", Default: WhenRefused,
	mends: func(p *part) bool { return repairedType(p) != "" },
	apply: func(_ time.Time, r io.Reader) io.Reader {
		return rewrite(r, func(p *part, _ *bytes.Buffer) io.WriteCloser {
			if value := repairedType(p); value != "" {
				p.header.replace("Content-Type", value)
			}
			return nil
		})
	},
}

// repairedType returns the Content-Type that p should have, empty if it has it.
func repairedType(p *part) string {
	if !p.broken {
		return ""
	}
	media, params := p.media, p.params
	if media == "text/plain" && params["name"] != "" {
		media = "application/octet-stream"
	}
	if value := mime.FormatMediaType(media, params); value != "" {
		return value
	}
	return "text/plain"
}
