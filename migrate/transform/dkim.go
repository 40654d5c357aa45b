package transform

import (
	"strings"
)

// covered returns the fields that DKIM signatures in h cover, in lower case
// (the tag h= of RFC 6376 section 3.5); nil if there is none.
func covered(h *header) (fields map[string]bool) {
	for _, signature := range h.values("dkim-signature") {
		if fields == nil {
			fields = map[string]bool{"from": true} // by section 5.4 it always is
		}
		for tag := range strings.SplitSeq(signature, ";") {
			name, list, _ := strings.Cut(tag, "=")
			if strings.TrimSpace(name) != "h" {
				continue
			}
			for f := range strings.SplitSeq(list, ":") {
				fields[strings.ToLower(strings.TrimSpace(f))] = true
			}
		}
	}
	return fields
}
