package transform

import (
	"io"
	"regexp"
	"time"
)

// messageID puts a Message-ID that has no angle brackets into them (RFC 5322
// section 3.6.4). No refusal is known; some parsers take the field for damaged.
var messageID = Transform{
	Key: "message_id", Note: "message-id-repaired", Default: WhenRefused,
	touches: func(h *header, _ time.Time) []string {
		if !h.sound || bareID(h) == "" {
			return nil
		}
		return []string{"message-id"}
	},
	apply: func(_ time.Time, r io.Reader) io.Reader {
		return rewriteOuter(r, func(h *header) {
			if id := bareID(h); id != "" {
				h.replace("Message-ID", "<"+id+">")
			}
		})
	},
}

var unbracketed = regexp.MustCompile(`^[!-;=?-~]{1,900}$`)

// bareID returns the Message-ID of h if it stands there without brackets.
func bareID(h *header) string {
	if ids := h.values("message-id"); len(ids) == 1 && unbracketed.MatchString(ids[0]) {
		return ids[0]
	}
	return ""
}
