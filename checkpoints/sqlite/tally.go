package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/mailhaul/mailhaul/migrate"
)

// The folders of all mailboxes, and those of one: of thousands each is asked for
// many times.
const (
	foldersQuery = `SELECT m.source, m.target, f.path, f.role, f.uidvalidity & 0xffffffff, f.name, f.note, f.listed, f.id
		FROM mailbox m JOIN folder f ON f.mailbox = m.id`
	itsFoldersQuery = foldersQuery + " WHERE m.source = ?"
)

// Tally counts in one snapshot of the database, so that the identity holds
// while a run goes on.
func (s *Store) Tally(ctx context.Context, sources ...string) ([]migrate.Tally, error) {
	ts, err := s.tally(ctx, sources)
	return ts, explain(s.path, "count messages", err)
}

func (s *Store) tally(ctx context.Context, sources []string) (ts []migrate.Tally, err error) {
	kept, still, keep := s.counts.begin()
	counted := map[int64]migrate.Tally{}
	defer func() {
		if err == nil && s.write != nil { // else another process may save
			keep(counted)
		}
	}()
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	query, args := foldersQuery, []any(nil)
	if len(sources) == 1 {
		query, args = itsFoldersQuery, []any{sources[0]}
	}
	rows, err := tx.QueryContext(ctx, query+" ORDER BY f.mailbox, f.id", args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for first := true; rows.Next(); first = false {
		if first && !still() { // the snapshot may have what was saved since
			kept = nil
		}
		var t migrate.Tally
		var path string
		if err := rows.Scan(&t.Mailbox, &t.To, &path, &t.Folder.Role, &t.Folder.UIDValidity, &t.Target, &t.Note, &t.Listed, &t.ID); err != nil {
			return nil, err
		}
		if len(sources) > 0 && !slices.Contains(sources, t.Mailbox) {
			continue
		}
		if t.Folder.Path, err = splitList(path); err != nil {
			return nil, err
		}
		if k, ok := kept[t.ID]; ok {
			t.Count, t.Bytes, t.Doubts, t.Vanished, t.Left = k.Count, k.Bytes, k.Doubts, k.Vanished, k.Left
		} else if err := count(ctx, tx, &t); err != nil {
			return nil, err
		}
		counted[t.ID] = t
		ts = append(ts, t)
	}
	return ts, rows.Err()
}

// count counts the messages of the folder of t.
func count(ctx context.Context, tx *sql.Tx, t *migrate.Tally) error {
	// total is a float and cannot overflow, whatever sizes a server announces.
	rows, err := tx.QueryContext(ctx, `SELECT outcome, count(*), CAST(total(size) AS INTEGER), sum(doubt), sum(vanished) FROM message WHERE id BETWEEN ? AND ? GROUP BY outcome`,
		rowID(t.ID, 0), rowID(t.ID, 1<<32-1))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var outcome migrate.Outcome
		var n, bytes, doubts, vanished int64
		if err := rows.Scan(&outcome, &n, &bytes, &doubts, &vanished); err != nil {
			return err
		}
		if outcome >= migrate.Outcomes {
			return fmt.Errorf("folder %d has messages with %v", t.ID, outcome)
		}
		t.Count[outcome], t.Bytes[outcome] = n, bytes
		t.Doubts += doubts
		t.Vanished += vanished
		if outcome.Arrived() {
			t.Left += vanished
		}
	}
	return rows.Err()
}

// counts remembers what was counted since messages were saved last. Its zero
// value is ready.
type counts struct {
	mu           sync.Mutex
	begun, ended int // saves of messages
	at           int // how many had ended when kept was counted
	kept         map[int64]migrate.Tally
}

// begin returns what is known by folder, which the caller must not change,
// whether nothing was saved since, and what to call with more of it.
func (c *counts) begin() (kept map[int64]migrate.Tally, still func() bool, keep func(map[int64]migrate.Tally)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.begun != c.ended || c.at != c.ended {
		c.kept = nil
	}
	c.at = c.ended
	at := c.at
	still = func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.begun == at
	}
	return c.kept, still, func(more map[int64]migrate.Tally) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.begun == at && c.at == at {
			all := maps.Clone(c.kept)
			if all == nil {
				all = map[int64]migrate.Tally{}
			}
			maps.Copy(all, more)
			c.kept = all
		}
	}
}

// saving is called before messages are saved, and what it returns after that.
func (c *counts) saving() (saved func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ended++
	}
}
