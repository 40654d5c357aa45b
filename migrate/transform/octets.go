package transform

import "bytes"

// maxLine is how many octets a line may have without its end (RFC 5322 section
// 2.1.1).
const maxLine = 998

// octets watches what is written to it for what is no good in mail.
type octets struct {
	skip int // octets to pass over first

	nul  bool // an octet 0
	bare bool // a CR without LF, or an LF without CR
	long bool // a line of more than maxLine

	line int  // octets of the line so far
	cr   bool // the last one was CR
}

// Write implements io.Writer. It does not fail.
func (o *octets) Write(p []byte) (int, error) {
	rest := p[min(o.skip, len(p)):]
	o.skip -= len(p) - len(rest)
	for len(rest) > 0 {
		line, after, ended := bytes.Cut(rest, []byte{'\n'})
		if len(line) > 0 {
			last := len(line) - 1
			o.bare = o.bare || o.cr || bytes.IndexByte(line[:last], '\r') >= 0
			o.nul = o.nul || bytes.IndexByte(line, 0) >= 0
			o.cr = line[last] == '\r'
			if o.line += len(line); o.line > maxLine+1 || o.line > maxLine && !o.cr {
				o.long = true
			}
		}
		if ended {
			o.bare = o.bare || !o.cr
			o.line, o.cr = 0, false
		}
		rest = after
	}
	return len(p), nil
}

// end says that nothing follows.
func (o *octets) end() { o.bare = o.bare || o.cr }

// has says whether something in b is bad.
func has(b []byte, bad func(octets) bool) bool {
	var o octets
	o.Write(b)
	o.end()
	return bad(o)
}

// odd returns the names of the fields in h in which something is bad; lines
// that are no fields have none.
func odd(h *header, bad func(octets) bool) (names []string) {
	for _, f := range append(h.fields[:len(h.fields):len(h.fields)], field{raw: h.end}) {
		if has(f.raw, bad) {
			names = append(names, f.name)
		}
	}
	return names
}

func isNUL(o octets) bool  { return o.nul }
func isBare(o octets) bool { return o.bare }
func isLong(o octets) bool { return o.long }
