package transform

import (
	"bytes"
	"io"
	"time"
)

// lineEnds ends each line with CRLF, where it ends with LF or CR alone (RFC
// 5322 section 2.3). Public reports name refusals by mail servers; whether
// Gmail and Exchange refuse, repair or keep such lines is unknown. A file in a
// part that is declared as binary keeps its octets, in base64.
var lineEnds = Transform{
	Key: "line_ends", Note: "line-ends-repaired", Default: WhenRefused,
	touches: func(h *header, _ time.Time) []string { return odd(h, isBare) },
	octets:  isBare,
	apply: func(_ time.Time, r io.Reader) io.Reader {
		crs := 0 // that were read and not written
		return &filter{in: encodeBinary(r, isBare), buffer: make([]byte, 32<<10), change: func(out *bytes.Buffer, p []byte, last bool) {
			for len(p) > 0 {
				i := bytes.IndexAny(p, "\r\n")
				text := p
				if i >= 0 {
					text = p[:i]
				}
				if len(text) > 0 {
					endLines(out, &crs)
					out.Write(text)
				}
				switch {
				case i < 0:
					p = nil
					continue
				case p[i] == '\r':
					crs++
				default: // CRs before an LF end one line with it
					out.WriteString("\r\n")
					crs = 0
				}
				p = p[i+1:]
			}
			if last {
				endLines(out, &crs)
			}
		}}
	},
}

// endLines writes CRs that stand for the ends of lines.
func endLines(out *bytes.Buffer, crs *int) {
	for ; *crs > 0; *crs-- {
		out.WriteString("\r\n")
	}
}
