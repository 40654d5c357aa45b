package graph

import (
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
)

// Sizes in octets. Where Microsoft says "MB" without saying which, the smaller
// reading counts.
const (
	MaxImportSize  = 3_000_000      // of a message by importMime: a request of 4 MB, less base64
	maxRequest     = 3_900_000      // of a JSON request
	maxAttachment  = 2_900_000      // of an attachment that is sent in one request
	UploadRange    = 10 * 320 << 10 // of one PUT to an upload session: under 4 MB
	MaxMessageSize = 150 << 20      // the most that an administrator can allow
	concurrent     = 4              // calls at once per app and mailbox
	maxName        = 250            // UTF-16 units of a folder's name
	maxSubject     = 255            // UTF-16 units
	answerLimit    = 32 << 20       // of a JSON answer that is read
	maxHeaderBlock = 256 << 10      // of 0x007D
	maxReferences  = 32 << 10       // UTF-16 units of one field in a property
	maxRecipients  = 1000           // of one field
)

// MailboxLimits returns the limits of one app on one mailbox, less one in a
// hundred: Microsoft counts calls when they arrive, and some are longer on
// their way than others.
// https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits
func MailboxLimits() []pace.Limit {
	return []pace.Limit{
		{Name: "10,000 requests in 10 minutes per mailbox", Unit: pace.Requests, Amount: 9_900, Per: 10 * time.Minute},
		{Name: "150 MB of uploads in 5 minutes per mailbox", Unit: pace.Bytes, Amount: 148_500_000, Per: 5 * time.Minute},
	}
}

// AppLimits returns the limits of one app on all mailboxes together.
// https://learn.microsoft.com/graph/throttling-limits
func AppLimits() []pace.Limit {
	return []pace.Limit{{Name: "130,000 requests in 10 seconds per app", Unit: pace.Requests, Amount: 130_000, Per: 10 * time.Second}}
}
