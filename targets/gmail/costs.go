package gmail

import (
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
)

// A cost is what one method spends of the quota, and what it is called in
// errors.
type cost struct {
	op     string
	units  int64 // quota units of projects new from 2026-05-01, which are never below the older ones
	bytes  int64 // of the message in the request
	answer int64 // octets that the message in the answer may have
}

// Units per method: developers.google.com/workspace/gmail/api/reference/quota,
// text of 2026-09-10.
var (
	costGetProfile   = cost{op: "getProfile", units: 1}
	costLabelsList   = cost{op: "labels.list", units: 1}
	costLabelsCreate = cost{op: "labels.create", units: 5}
	costLabelsPatch  = cost{op: "labels.patch", units: 5}
	costHistoryList  = cost{op: "history.list", units: 2}
	costMessagesList = cost{op: "messages.list", units: 5}
	costGet          = cost{op: "messages.get", units: 20}
	costRead         = cost{op: costGet.op, units: costGet.units, answer: MaxMessageSize}
	costModify       = cost{op: "messages.modify", units: 5}
	costBatchModify  = cost{op: "messages.batchModify", units: 50} // whatever the number of messages
	costDelete       = cost{op: "messages.delete", units: 10}
	costImport       = cost{op: "import", units: 25}
	costInsert       = cost{op: "insert", units: 25}
	costDraft        = cost{op: "drafts.create", units: 10}
)

// carrying returns c for a request that carries a message of n octets.
func (c cost) carrying(n int64) cost {
	c.bytes = n
	return c
}

func (c cost) pace() (p pace.Cost) {
	p[pace.Requests], p[pace.Points], p[pace.Bytes] = 1, c.units, c.bytes
	return p
}

// limit is how long the call may take: five minutes, and longer for a message
// on a line slower than 64 KiB/s.
func (c cost) limit() time.Duration {
	return 5*time.Minute + time.Duration((c.bytes+c.answer)/(64<<10))*time.Second
}
