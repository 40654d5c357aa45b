package transform

import (
	"io"
	"net/mail"
	"time"
)

// date gives a message whose Date is missing, or is no date (RFC 5322 section
// 3.6.1), the time when the source received it. No target is known to refuse
// such mail, but Gmail dates it by the import and Exchange shows it without a
// sent date: with the policy "always" the copy stands where the original did.
var date = Transform{
	Key: "date", Note: "date-repaired", Default: WhenRefused,
	touches: func(h *header, internalDate time.Time) []string {
		if !plausible(internalDate) || !h.sound || hasDate(h) {
			return nil
		}
		return []string{"date"}
	},
	apply: func(internalDate time.Time, r io.Reader) io.Reader {
		return rewriteOuter(r, func(h *header) {
			if plausible(internalDate) && !hasDate(h) {
				h.replace("Date", internalDate.UTC().Format(time.RFC1123Z))
			}
		})
	},
}

// hasDate says whether h has a date. Of several fields each must be one, since
// it is not known which one counts.
func hasDate(h *header) bool {
	values := h.values("date")
	for _, v := range values {
		if len(v) > 200 {
			return false
		}
		if _, err := mail.ParseDate(v); err != nil {
			return false
		}
	}
	return len(values) > 0
}

// plausible says whether a date can be that of a message: sources answer 1899
// or the like when they do not know.
func plausible(t time.Time) bool { return t.Year() >= 1900 && t.Year() < 2200 }
