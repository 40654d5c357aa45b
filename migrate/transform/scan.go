package transform

import (
	"bytes"
	"io"
	"slices"
	"time"
)

// Defects are what Scan found wrong with a message.
type Defects struct {
	needs  []Transform         // in the order of All
	fields map[string][]string // of the outer header that would change, in lower case, by Transform.Key
	inside map[string]bool     // what is below the outer header would change, by Transform.Key
	sealed bool                // a part is signed or encrypted
	signed map[string]bool     // fields that a DKIM-Signature covers, in lower case; nil if there is none
}

// Scan reads a message to its end and finds what is wrong with it. The error
// is r's.
func Scan(internalDate time.Time, r io.Reader) (Defects, error) {
	d := Defects{fields: map[string][]string{}, inside: map[string]bool{}}
	all := All()
	var o octets
	judge := func(p *part, _ *bytes.Buffer) io.WriteCloser {
		if p.outer {
			d.signed = covered(p.header)
			o.skip = len(p.header.text())
		}
		d.sealed = d.sealed || p.sealed()
		for _, t := range all {
			if p.outer && t.touches != nil {
				d.fields[t.Key] = t.touches(p.header, internalDate)
			}
			if t.mends != nil && t.mends(p) {
				d.inside[t.Key] = true
			}
		}
		return nil
	}
	if _, err := io.Copy(&o, rewrite(r, judge)); err != nil {
		return Defects{}, err
	}
	o.end()
	for _, t := range all {
		if t.octets != nil && t.octets(o) {
			d.inside[t.Key] = true
		}
		if d.inside[t.Key] || len(d.fields[t.Key]) > 0 {
			d.needs = append(d.needs, t)
		}
	}
	return d, nil
}

// breaks says whether a transform would break a signature, or the encryption:
// of a part, which fields above it are no part of; or that of DKIM, which
// covers the body and the fields that it names (RFC 6376 section 3.5).
func (d Defects) breaks(t Transform) bool {
	if d.inside[t.Key] && (d.sealed || d.signed != nil) {
		return true
	}
	return slices.ContainsFunc(d.fields[t.Key], func(name string) bool { return d.signed[name] })
}
