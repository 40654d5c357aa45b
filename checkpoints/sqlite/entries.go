package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"iter"

	"github.com/mailhaul/mailhaul/migrate/proof"
)

// A log is the append-only list of entries of the migration.
type log struct{ *Store }

// Log returns the log of the migration.
func (s *Store) Log() proof.Log { return log{s} }

func (l log) Secret(ctx context.Context) ([]byte, error) {
	octets, err := l.secret(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		fresh := make([]byte, 32)
		rand.Read(fresh)
		err = l.save(ctx, "make the secret of the log", func(w *writer) error {
			_, err := w.exec(`INSERT INTO secret (id, octets) VALUES (1, ?) ON CONFLICT DO NOTHING`, fresh)
			return err
		})
		if err != nil {
			return nil, err
		}
		octets, err = l.secret(ctx)
	}
	return octets, explain(l.path, "read the secret of the log", err)
}

func (l log) secret(ctx context.Context) (octets []byte, err error) {
	err = l.read.QueryRowContext(ctx, `SELECT octets FROM secret`).Scan(&octets)
	return octets, err
}

func (l log) Size(ctx context.Context) (n int64, err error) {
	err = l.read.QueryRowContext(ctx, nextQuery).Scan(&n)
	return n, explain(l.path, "read the log", err)
}

const nextQuery = `SELECT coalesce(max(seq) + 1, 0) FROM entry`

func (l log) Append(ctx context.Context, entries ...proof.Entry) error {
	return l.save(ctx, "append to the log", func(w *writer) error {
		var next int64
		if err := w.get(nextQuery, nil, &next); err != nil {
			return err
		}
		for i, e := range entries {
			if _, err := w.exec(`INSERT INTO entry (seq, folder, id, text) VALUES (?, ?, ?, ?)`, next+int64(i), e.Folder, e.ID, e.Text); err != nil {
				return err
			}
		}
		return nil
	})
}

const entriesQuery = `SELECT text FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?`

func (l log) Entries(ctx context.Context, from, to int64) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for more := true; more; {
			texts, err := l.texts(ctx, entriesQuery, from, to, page)
			if err != nil {
				yield("", explain(l.path, "read the log", err))
				return
			}
			for _, text := range texts {
				if !yield(text, nil) {
					return
				}
			}
			from, more = from+int64(len(texts)), len(texts) == page
		}
	}
}

// latestQuery finds what is the latest in the index alone.
const latestQuery = `SELECT e.id, e.text FROM (SELECT max(seq) AS seq FROM entry WHERE folder = ? AND id > ? GROUP BY id ORDER BY id LIMIT ?) latest
	CROSS JOIN entry e USING (seq) ORDER BY e.id`

func (l log) Latest(ctx context.Context, folder int64) iter.Seq2[proof.Entry, error] {
	return func(yield func(proof.Entry, error) bool) {
		for last, more := int64(-1), true; more; {
			var es []proof.Entry
			err := l.rows(ctx, func(rows *sql.Rows) error {
				e := proof.Entry{Folder: folder}
				err := rows.Scan(&e.ID, &e.Text)
				es = append(es, e)
				return err
			}, latestQuery, folder, last, page)
			if err != nil {
				yield(proof.Entry{}, explain(l.path, "read the log", err))
				return
			}
			for _, e := range es {
				if !yield(e, nil) {
					return
				}
				last = e.ID
			}
			more = len(es) == page
		}
	}
}

func (l log) Heads(ctx context.Context) ([]string, error) {
	heads, err := l.texts(ctx, `SELECT note FROM head ORDER BY id`)
	return heads, explain(l.path, "read the heads of the log", err)
}

func (l log) AddHead(ctx context.Context, head string) error {
	return l.save(ctx, "add a head to the log", func(w *writer) error {
		_, err := w.exec(`INSERT INTO head (note) VALUES (?)`, head)
		return err
	})
}

// texts returns the rows of a query that asks for one text.
func (l log) texts(ctx context.Context, query string, args ...any) (texts []string, err error) {
	err = l.rows(ctx, func(rows *sql.Rows) error {
		var text string
		err := rows.Scan(&text)
		texts = append(texts, text)
		return err
	}, query, args...)
	return texts, err
}
