package sqlite

import (
	"context"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

var _ migrate.Ledger = (*ledger)(nil)

// A ledger is the memory of one mailbox. Its methods on messages are in
// records.go.
type ledger struct {
	store   *Store
	mailbox int64
}

func (l *ledger) State(ctx context.Context) (s migrate.MailboxState, err error) {
	var started, ended string
	err = l.store.read.QueryRowContext(ctx,
		`SELECT position, started, ended, complete, error, hint FROM mailbox WHERE id = ?`, l.mailbox).
		Scan(&s.Position, &started, &ended, &s.Complete, &s.Error, &s.Hint)
	if err == nil {
		s.Started, err = parseTime(started)
	}
	if err == nil {
		s.Ended, err = parseTime(ended)
	}
	return s, explain(l.store.path, "read mailbox", err)
}

func (l *ledger) SaveState(ctx context.Context, s migrate.MailboxState) error {
	return l.store.save(ctx, "save mailbox", func(w *writer) error {
		_, err := w.exec(`UPDATE mailbox SET position = ?, started = ?, ended = ?, complete = ?, error = ?, hint = ? WHERE id = ?`,
			string(s.Position), formatTime(s.Started), formatTime(s.Ended), s.Complete, s.Error, s.Hint, l.mailbox)
		return err
	})
}

func (l *ledger) Folders(ctx context.Context) ([]migrate.FolderState, error) {
	fs, err := l.folders(ctx)
	return fs, explain(l.store.path, "read folders", err)
}

func (l *ledger) folders(ctx context.Context) ([]migrate.FolderState, error) {
	rows, err := l.store.read.QueryContext(ctx,
		`SELECT id, path, uidvalidity, role, uidnext, messages, bytes, noselect, placed, target, name, note
		FROM folder WHERE mailbox = ? ORDER BY id`, l.mailbox)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var fs []migrate.FolderState
	for rows.Next() {
		var s migrate.FolderState
		var path string
		f := &s.Folder
		if err := rows.Scan(&s.ID, &path, &f.UIDValidity, &f.Role, &f.UIDNext, &f.Messages, &f.Bytes, &f.NoSelect, &f.Placed,
			&s.Target, &s.Name, &s.Note); err != nil {
			return nil, err
		}
		if f.Path, err = splitList(path); err != nil {
			return nil, err
		}
		fs = append(fs, s)
	}
	return fs, rows.Err()
}

func (l *ledger) SaveFolder(ctx context.Context, s *migrate.FolderState) error {
	f := &s.Folder
	var id int64
	err := l.store.save(ctx, "save folder", func(w *writer) error {
		return w.get(`INSERT INTO folder (mailbox, path, uidvalidity, role, uidnext, messages, bytes, noselect, placed, target, name, note)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET role = excluded.role, uidnext = excluded.uidnext, messages = excluded.messages, bytes = excluded.bytes,
				noselect = excluded.noselect, placed = excluded.placed, target = excluded.target, name = excluded.name, note = excluded.note
			RETURNING id`,
			[]any{l.mailbox, joinList(f.Path), f.UIDValidity, string(f.Role), uint32(f.UIDNext), f.Messages, f.Bytes, f.NoSelect,
				string(f.Placed), string(s.Target), s.Name, s.Note},
			&id)
	})
	if err == nil {
		s.ID = id
	}
	return err
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339Nano, s)
}
