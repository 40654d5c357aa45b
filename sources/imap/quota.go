package imap

import (
	"context"
	"math"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/mailhaul/mailhaul/migrate"
)

// Quota returns how many octets and messages the mailbox may hold, by what
// counts for the inbox (GETQUOTAROOT, RFC 9208 section 4.2.2): of several limits
// the one that is the nearest. Both are zero where the server tells none.
func (s *Source) Quota(ctx context.Context) (octets, messages migrate.Quota, err error) {
	err = s.use(ctx, "quota", s.config.patience(), func(ss *session) error {
		if !ss.caps.Has(imap.CapQuota) {
			return nil
		}
		roots, err := ss.client.GetQuotaRoot(inbox).Wait()
		for _, root := range roots {
			octets = nearer(octets, root.Resources[imap.QuotaResourceStorage], 1024) // RFC 9208 section 5.1
			messages = nearer(messages, root.Resources[imap.QuotaResourceMessage], 1)
		}
		return err
	})
	return octets, messages, err
}

// nearer returns q, or the limit that a server tells in that unit if more of it
// is used.
func nearer(q migrate.Quota, told imapclient.QuotaResourceData, unit int64) migrate.Quota {
	in := func(n int64) int64 { return min(n, math.MaxInt64/unit) * unit }
	if other := (migrate.Quota{Used: in(told.Usage), Limit: in(told.Limit)}); other.Full() > q.Full() || q.Limit == 0 {
		return other
	}
	return q
}
