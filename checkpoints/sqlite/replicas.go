package sqlite

import (
	"context"
	"database/sql"
	"iter"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/proof"
)

var _ proof.Ledger = (*ledger)(nil)

// Proofs returns the memory of one mailbox pair for the log; see Mailbox.
func (s *Store) Proofs(ctx context.Context, source, target string) (proof.Ledger, error) {
	l, err := s.Mailbox(ctx, source, target)
	if err != nil {
		return nil, err
	}
	return l.(*ledger), nil
}

// Where it is not known when a message came to its outcome, that was before any
// replica was kept.
const replicasQuery = `SELECT r.message & 0xffffffff, r.digest FROM folder f JOIN replica r JOIN message m ON m.id = r.message
	WHERE f.id = ? AND f.mailbox = ? AND r.message BETWEEN ? AND ? AND m.outcome IN (1, 2, 3) AND r.time >= coalesce(m.settled, 0)
	ORDER BY r.message LIMIT ?`

func (l *ledger) Replicas(ctx context.Context, folder int64) iter.Seq2[migrate.Replica, error] {
	return func(yield func(migrate.Replica, error) bool) {
		for next, more := rowID(folder, 0), true; more; {
			var rs []migrate.Replica
			err := l.store.rows(ctx, func(rows *sql.Rows) error {
				var r migrate.Replica
				var digest sql.RawBytes
				err := rows.Scan(&r.UID, &digest)
				copy(r.Content[:], digest)
				rs = append(rs, r)
				return err
			}, replicasQuery, folder, l.mailbox, next, rowID(folder, 1<<32-1), page)
			if err != nil {
				yield(migrate.Replica{}, explain(l.store.path, "read what was read back", err))
				return
			}
			for _, r := range rs {
				if !yield(r, nil) {
					return
				}
				next = rowID(folder, r.UID) + 1
			}
			more = len(rs) == page
		}
	}
}
