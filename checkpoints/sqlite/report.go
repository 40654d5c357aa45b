package sqlite

import (
	"context"
	"database/sql"
	"iter"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/report"
)

var _ report.Ledger = (*ledger)(nil)

// Reports returns the memory of one mailbox pair for reports; see Mailbox.
func (s *Store) Reports(ctx context.Context, source, target string) (report.Ledger, error) {
	l, err := s.Mailbox(ctx, source, target)
	if err != nil {
		return nil, err
	}
	return l.(*ledger), nil
}

func (l *ledger) Passes(ctx context.Context) (ps []migrate.Pass, err error) {
	err = l.store.rows(ctx, func(rows *sql.Rows) error {
		var p migrate.Pass
		var started, ended string
		err := rows.Scan(&started, &ended, &p.Complete, &p.Error)
		if err == nil {
			p.Started, err = parseTime(started)
		}
		if err == nil {
			p.Ended, err = parseTime(ended)
		}
		ps = append(ps, p)
		return err
	}, `SELECT started, ended, complete, error FROM pass WHERE mailbox = ? ORDER BY id`, l.mailbox)
	return ps, explain(l.store.path, "read passes", err)
}

const notableQuery = selectColumns + `FROM heading h CROSS JOIN message m ON m.id = h.message JOIN folder f ON f.id = m.id >> 32
	LEFT JOIN remark r ON r.id = m.remark LEFT JOIN flagset s ON s.id = m.flags WHERE h.mailbox = ? AND h.message > ? ORDER BY h.message LIMIT ?`

func (l *ledger) Notable(ctx context.Context) iter.Seq2[migrate.Record, error] {
	return func(yield func(migrate.Record, error) bool) {
		for last, more := int64(0), true; more; {
			rs, err := records(l.store.read.QueryContext(ctx, notableQuery, l.mailbox, last, page))
			for _, r := range rs {
				if !yield(r, nil) {
					return
				}
				last = rowID(r.Folder, r.UID)
			}
			if err != nil {
				yield(migrate.Record{}, explain(l.store.path, "read messages", err))
				return
			}
			more = len(rs) == page
		}
	}
}

// messages are those of a mailbox.
const messages = `FROM folder f CROSS JOIN message m ON m.id BETWEEN f.id << 32 AND f.id << 32 | 0xffffffff `

const excludedQuery = `SELECT coalesce(r.reason, ''), count(*) ` + messages + `LEFT JOIN remark r ON r.id = m.remark
	WHERE f.mailbox = ? AND m.outcome = 4 GROUP BY 1`

func (l *ledger) Excluded(ctx context.Context) (map[string]int64, error) {
	rules := map[string]int64{}
	err := l.store.rows(ctx, func(rows *sql.Rows) error {
		var rule string
		var n int64
		err := rows.Scan(&rule, &n)
		rules[rule] = n
		return err
	}, excludedQuery, l.mailbox)
	return rules, explain(l.store.path, "count what was left out", err)
}

const timelineQuery = `SELECT m.settled / 3600, count(*), CAST(total(m.size) AS INTEGER) ` + messages + `
	WHERE f.mailbox = ? AND m.outcome = 1 AND m.settled IS NOT NULL GROUP BY 1 ORDER BY 1`

// Timeline counts what was copied: adopted and merged messages were there.
func (l *ledger) Timeline(ctx context.Context) (hours []report.Hour, err error) {
	err = l.store.rows(ctx, func(rows *sql.Rows) error {
		var hour int64
		var h report.Hour
		err := rows.Scan(&hour, &h.Messages, &h.Bytes)
		h.Start = time.Unix(hour*3600, 0).UTC()
		hours = append(hours, h)
		return err
	}, timelineQuery, l.mailbox)
	return hours, explain(l.store.path, "count by the hour", err)
}

// rows calls scan for each row of a query, of which there are few.
func (s *Store) rows(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
