package transform

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"time"
)

// missingMessageID invents a Message-ID for a message that has none, or an
// empty one: a digest of its header, at mailhaul.invalid. A message without one
// is in order, and an invented one may be taken for its author's: it is made
// only on request.
var missingMessageID = Transform{
	Key: "missing_message_id", Note: "message-id-invented", Default: Never,
	touches: func(h *header, _ time.Time) []string {
		if !h.sound || hasID(h) {
			return nil
		}
		return []string{"message-id"}
	},
	apply: func(_ time.Time, r io.Reader) io.Reader {
		return rewriteOuter(r, func(h *header) {
			if !hasID(h) {
				digest := sha256.Sum256(h.text())
				h.replace("Message-ID", "<"+hex.EncodeToString(digest[:16])+"@mailhaul.invalid>")
			}
		})
	},
}

func hasID(h *header) bool { return strings.Join(h.values("message-id"), "") != "" }
