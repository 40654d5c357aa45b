package transform

import (
	"io"
	"net/mail"
	"regexp"
	"time"
)

// from gives a message that has not exactly one From field with one valid
// address in it one that has: the first address in From, Sender or Return-Path,
// or else unknown@mailhaul.invalid. Gmail refuses others: "Expected a single
// 'From' header", "Invalid From header", "Bad Request".
var from = Transform{
	Key: "from", Note: "from-repaired", Default: WhenRefused,
	touches: func(h *header, _ time.Time) []string {
		if !h.sound || hasAuthor(h) {
			return nil
		}
		return []string{"from"}
	},
	apply: func(_ time.Time, r io.Reader) io.Reader {
		return rewriteOuter(r, func(h *header) {
			if !hasAuthor(h) {
				h.replace("From", author(h))
			}
		})
	},
}

// maxAuthors is how many octets of a field are searched for addresses.
const maxAuthors = 10_000

// hasAuthor says whether h has one From field that holds one address.
func hasAuthor(h *header) bool {
	values := h.values("from")
	if len(values) != 1 || len(values[0]) > maxAuthors {
		return false
	}
	list, err := mail.ParseAddressList(values[0])
	if err == nil {
		return len(list) == 1 && plain(list[0].Address)
	}
	// What Go does not read, such as raw octets above 127 in a name, others may.
	found := address.FindAllString(values[0], 2)
	return len(found) == 1 && bracketed.MatchString(values[0])
}

var (
	address   = regexp.MustCompile(`[!#-'*+\-/-9=?A-Z^-~]+(?:\.[!#-'*+\-/-9=?A-Z^-~]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*`)
	bracketed = regexp.MustCompile(`^[^<>,;:@]*<` + address.String() + `>$`)
)

func plain(s string) bool { return address.FindString(s) == s }

// author returns the one whom the message most likely is from.
func author(h *header) string {
	for _, v := range append(h.values("from"), h.values("sender", "return-path")...) {
		v = v[:min(len(v), maxAuthors)]
		if list, err := mail.ParseAddressList(v); err == nil && plain(list[0].Address) {
			return list[0].String()
		}
		if a := address.FindString(v); a != "" {
			return "<" + a + ">"
		}
	}
	return "unknown sender <unknown@mailhaul.invalid>"
}
