// Package transform changes messages that a target does not take as they are
// into what it takes, by small named steps. Each step, a [Transform], mends one
// defect, says so by a note in the record of the message, and leaves all else
// as it is, octet for octet. docs/transforms.md lists them.
//
// Scan finds what is wrong with a message, Config decides which forms of it are
// tried, Reader makes a form. All of them stream: what they hold of a message
// is bounded by maxHeader.
package transform

import (
	"io"
	"slices"
	"time"
)

// A Transform mends one defect.
type Transform struct {
	Key     string // names it in the configuration
	Note    string // names it in the records of messages that it changed
	Default Policy

	// How Scan tells that a message needs it; nil where that is not how.
	touches func(h *header, internalDate time.Time) (fields []string) // of the outer header, those that it would change, in lower case
	mends   func(p *part) bool                                        // whether it would change a part
	octets  func(o octets) bool                                       // whether it would change what is below the outer header

	// apply returns the message in r changed. It leaves alone what is not concerned.
	apply func(internalDate time.Time, r io.Reader) io.Reader
}

// NoteSigned is in the record of a message of which a transform broke a
// signature, or the encryption.
const NoteSigned = "signature-broken"

// All returns every transform, in the order in which they are tried and
// applied: what targets are known to refuse comes first, and then what changes
// the least.
func All() []Transform {
	return []Transform{from, nul, lineEnds, longLines, header8Bit, contentType, charsetLabel, messageID, missingMessageID, date, receipt}
}

// Reader returns the message in r as the transforms whose notes are in names
// leave it, in the order of All. The result is the same for the same octets
// and, to the second, the same internalDate. Other names mean nothing here: the
// notes of targets share the list. Errors are those of r.
func Reader(names []string, internalDate time.Time, r io.Reader) io.Reader {
	for _, t := range All() {
		if slices.Contains(names, t.Note) {
			r = t.apply(internalDate, r)
		}
	}
	return r
}

// Applied returns those of notes that are the names of transforms, or NoteSigned.
func Applied(notes []string) []string {
	var names []string
	for _, n := range notes {
		if n == NoteSigned || slices.ContainsFunc(All(), func(t Transform) bool { return t.Note == n }) {
			names = append(names, n)
		}
	}
	return names
}
