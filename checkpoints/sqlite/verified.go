package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

var _ verify.Ledger = (*ledger)(nil)

// Verifications returns the memory of one mailbox pair for verification; see
// Mailbox.
func (s *Store) Verifications(ctx context.Context, source, target string) (verify.Ledger, error) {
	l, err := s.Mailbox(ctx, source, target)
	if err != nil {
		return nil, err
	}
	return l.(*ledger), nil
}

// Verification reads one snapshot of the database.
func (l *ledger) Verification(ctx context.Context) (migrate.Verification, error) {
	v, err := l.verification(ctx)
	return v, explain(l.store.path, "read verification", err)
}

func (l *ledger) verification(ctx context.Context) (v migrate.Verification, err error) {
	if l.store.schema < 2 {
		return v, nil
	}
	tx, err := l.store.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return v, err
	}
	defer tx.Rollback()
	var started, ended string
	err = tx.QueryRowContext(ctx, `SELECT depth, sample, started, ended FROM verification WHERE mailbox = ?`, l.mailbox).
		Scan(&v.Depth, &v.Sample, &started, &ended)
	if errors.Is(err, sql.ErrNoRows) {
		return v, nil
	}
	if err == nil {
		v.Started, err = parseTime(started)
	}
	if err == nil {
		v.Ended, err = parseTime(ended)
	}
	if err != nil {
		return v, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT folder, next, arrived, present, merged, held, new, compared, explained, unread
		FROM verified WHERE mailbox = ? ORDER BY folder`, l.mailbox)
	if err != nil {
		return v, err
	}
	defer rows.Close()
	for rows.Next() {
		var f migrate.FolderVerification
		if err := rows.Scan(&f.Folder, &f.Next, &f.Arrived, &f.Present, &f.Merged, &f.Held, &f.New, &f.Compared, &f.Explained, &f.Unread); err != nil {
			return v, err
		}
		v.Folders = append(v.Folders, f)
	}
	return v, rows.Err()
}

func (l *ledger) BeginVerification(ctx context.Context, v migrate.Verification) error {
	return l.store.save(ctx, "begin verification", func(w *writer) error {
		for _, forget := range []string{`DELETE FROM finding WHERE mailbox = ?`, `DELETE FROM verified WHERE mailbox = ?`} {
			if _, err := w.exec(forget, l.mailbox); err != nil {
				return err
			}
		}
		_, err := w.exec(`REPLACE INTO verification (mailbox, depth, sample, started, ended) VALUES (?, ?, ?, ?, ?)`,
			l.mailbox, v.Depth, v.Sample, formatTime(v.Started), formatTime(v.Ended))
		return err
	})
}

func (l *ledger) SaveVerified(ctx context.Context, f migrate.FolderVerification, replicas []migrate.Replica, findings ...migrate.Finding) error {
	return l.store.save(ctx, "save verification", func(w *writer) error {
		n, err := w.exec(`REPLACE INTO verified (folder, mailbox, next, arrived, present, merged, held, new, compared, explained, unread)
			SELECT folder.id, mailbox, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM folder JOIN verification USING (mailbox) WHERE folder.id = ? AND mailbox = ?`,
			f.Next, f.Arrived, f.Present, f.Merged, f.Held, f.New, f.Compared, f.Explained, f.Unread, f.Folder, l.mailbox)
		if err != nil {
			return err
		}
		if n == 0 {
			return refuse("folder %d is not of this mailbox, or no verification was begun", f.Folder)
		}
		now := time.Now().Unix()
		for _, r := range replicas {
			if _, err := w.exec(`REPLACE INTO replica (message, digest, time) VALUES (?, ?, ?)`, rowID(f.Folder, r.UID), r.Content[:], now); err != nil {
				return err
			}
		}
		for _, d := range findings {
			if err := l.find(w, d); err != nil {
				return err
			}
		}
		return nil
	})
}

// find adds one finding.
func (l *ledger) find(w *writer, d migrate.Finding) error {
	var shared int
	var target any = []byte(d.Target)
	if d.Folder != 0 {
		var err error
		if shared, target, err = w.target(d.Folder, d.Target); err != nil {
			return err
		}
	}
	_, err := w.exec(`INSERT INTO finding (mailbox, kind, folder, uid, shared, target, detail, message_id, author, subject, date)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		l.mailbox, string(d.Kind), d.Folder, d.UID, shared, target, d.Detail, d.MessageID, d.From, d.Subject, unixTime(d.Date))
	return err
}

func (l *ledger) EndVerification(ctx context.Context, v migrate.Verification) error {
	return l.store.save(ctx, "end verification", func(w *writer) error {
		n, err := w.exec(`UPDATE verification SET ended = ? WHERE mailbox = ?`, formatTime(v.Ended), l.mailbox)
		if err == nil && n == 0 {
			err = refuse("no verification was begun")
		}
		return err
	})
}

func (l *ledger) Findings(ctx context.Context) iter.Seq2[migrate.Finding, error] {
	return func(yield func(migrate.Finding, error) bool) {
		for last, more := int64(0), l.store.schema >= 2; more; {
			ds, end, err := l.findings(ctx, last)
			for _, d := range ds {
				if !yield(d, nil) {
					return
				}
			}
			if err != nil {
				yield(migrate.Finding{}, explain(l.store.path, "read findings", err))
				return
			}
			last, more = end, len(ds) == page
		}
	}
}

// findings returns one page of them, from after the row last, and its end.
func (l *ledger) findings(ctx context.Context, last int64) (ds []migrate.Finding, end int64, err error) {
	rows, err := l.store.read.QueryContext(ctx, `SELECT d.id, d.kind, d.folder, d.uid, d.shared, d.target, f.base, d.detail, d.message_id, d.author, d.subject, d.date
		FROM finding d LEFT JOIN folder f ON f.id = d.folder WHERE d.mailbox = ? AND d.id > ? ORDER BY d.id LIMIT ?`, l.mailbox, last, page)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var d migrate.Finding
		var shared int
		var target, base sql.RawBytes
		var date sql.NullInt64
		if err := rows.Scan(&end, &d.Kind, &d.Folder, &d.UID, &shared, &target, &base, &d.Detail, &d.MessageID, &d.From, &d.Subject, &date); err != nil {
			return ds, end, err
		}
		d.Target, d.Date = joinTarget(base, shared, target), timeOf(date)
		ds = append(ds, d)
	}
	return ds, end, rows.Err()
}
