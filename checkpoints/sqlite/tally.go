package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/mailhaul/mailhaul/migrate"
)

// Tally counts in one snapshot of the database, so that the identity holds
// while a run goes on.
func (s *Store) Tally(ctx context.Context, sources ...string) ([]migrate.Tally, error) {
	ts, err := s.tally(ctx, sources)
	return ts, explain(s.path, "count messages", err)
}

func (s *Store) tally(ctx context.Context, sources []string) (ts []migrate.Tally, err error) {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	rows, err := tx.QueryContext(ctx, `SELECT m.source, m.target, f.path, f.role, f.uidvalidity, f.name, f.note, f.listed, f.id
		FROM folder f JOIN mailbox m ON m.id = f.mailbox ORDER BY f.mailbox, f.id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var t migrate.Tally
		var path string
		var folder int64
		if err := rows.Scan(&t.Mailbox, &t.To, &path, &t.Folder.Role, &t.Folder.UIDValidity, &t.Target, &t.Note, &t.Listed, &folder); err != nil {
			return nil, err
		}
		if len(sources) > 0 && !slices.Contains(sources, t.Mailbox) {
			continue
		}
		if t.Folder.Path, err = splitList(path); err != nil {
			return nil, err
		}
		if err := count(ctx, tx, folder, &t); err != nil {
			return nil, err
		}
		ts = append(ts, t)
	}
	return ts, rows.Err()
}

// count counts the messages of a folder into t.
func count(ctx context.Context, tx *sql.Tx, folder int64, t *migrate.Tally) error {
	// total is a float and cannot overflow, whatever sizes a server announces.
	rows, err := tx.QueryContext(ctx, `SELECT outcome, count(*), CAST(total(size) AS INTEGER), sum(doubt) FROM message WHERE id BETWEEN ? AND ? GROUP BY outcome`,
		rowID(folder, 0), rowID(folder, 1<<32-1))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var outcome migrate.Outcome
		var n, bytes, doubts int64
		if err := rows.Scan(&outcome, &n, &bytes, &doubts); err != nil {
			return err
		}
		if outcome >= migrate.Outcomes {
			return fmt.Errorf("folder %d has messages with %v", folder, outcome)
		}
		t.Count[outcome], t.Bytes[outcome] = n, bytes
		t.Doubts += doubts
	}
	return rows.Err()
}
