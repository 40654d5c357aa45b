package transform

import (
	"bytes"
	"io"
	"time"
)

// nul removes octets of value 0, which may not be in mail (RFC 5322 section
// 4.1). Exchange cannot hold them in text; whether Gmail takes them is unknown.
// A file in a part that is declared as binary keeps them, in base64.
var nul = Transform{
	Key: "nul", Note: "nul-octets-removed", Default: WhenRefused,
	touches: func(h *header, _ time.Time) []string { return odd(h, isNUL) },
	octets:  isNUL,
	apply: func(_ time.Time, r io.Reader) io.Reader {
		return &filter{in: encodeBinary(r, isNUL), buffer: make([]byte, 32<<10), change: func(out *bytes.Buffer, p []byte, _ bool) {
			for len(p) > 0 {
				before, after, _ := bytes.Cut(p, []byte{0})
				out.Write(before)
				p = after
			}
		}}
	},
}
