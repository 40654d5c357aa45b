package transform

import (
	"io"
	"time"
)

// receipt renames the fields that ask for a read receipt (RFC 8098 section 2.1,
// and two that are older), so that reading old mail at its new place tells
// nobody. No target refuses them: it is done only on request.
var receipt = Transform{
	Key: "receipt", Note: "receipt-request-disarmed", Default: Never,
	touches: func(h *header, _ time.Time) (fields []string) {
		if !h.sound {
			return nil
		}
		for _, name := range receiptFields() {
			if len(h.values(name)) > 0 {
				fields = append(fields, name)
			}
		}
		return fields
	},
	apply: func(_ time.Time, r io.Reader) io.Reader {
		return rewriteOuter(r, func(h *header) { h.retire(receiptFields()...) })
	},
}

func receiptFields() []string {
	return []string{"disposition-notification-to", "return-receipt-to", "x-confirm-reading-to"}
}
