package graph

import (
	"github.com/mailhaul/mailhaul/migrate/canon"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

// Explains implements [verify.Target]. Notes on flags that Shown leaves out
// explain nothing, and neither do those that only say which way a message went.
func (t *Target) Explains(note string) []canon.Aspect {
	switch note {
	case "damaged-mime-attached", "inner-signature-broken-and-original-attached", "charset-guessed-and-original-attached",
		"unparsed-as-text", "long-text-attached", "protected-attached":
		return []canon.Aspect{verify.Original}
	case "mime-structure-rebuilt", "attached-message-as-file":
		return []canon.Aspect{canon.Structure}
	case "alternative-text-dropped":
		return []canon.Aspect{canon.Alternative}
	case "subject-shortened":
		return []canon.Aspect{canon.Subject}
	case "references-shortened":
		return []canon.Aspect{canon.InReplyTo, canon.References}
	case "message-id-missing":
		return []canon.Aspect{canon.MessageID}
	case "authors-shortened":
		return []canon.Aspect{canon.From, canon.Sender}
	case "addresses-repaired", "recipients-shortened":
		return []canon.Aspect{canon.From, canon.Sender, canon.ReplyTo, canon.To, canon.Cc, canon.Bcc}
	case "sent-date-missing":
		return []canon.Aspect{canon.Date}
	case "received-date-from-header", "date-is-import-time":
		return []canon.Aspect{verify.Received}
	case "dates-unknown":
		return []canon.Aspect{canon.Date, verify.Received}
	case "flags-refused", "draft-as-message", "draft-flag-kept":
		return []canon.Aspect{verify.Flags}
	}
	return nil
}
