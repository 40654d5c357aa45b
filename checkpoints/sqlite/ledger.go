package sqlite

import (
	"context"
	"strings"
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
	var started, ended, cutover string
	err = l.store.read.QueryRowContext(ctx,
		`SELECT position, started, ended, complete, error, hint, cutover FROM mailbox WHERE id = ?`, l.mailbox).
		Scan(&s.Position, &started, &ended, &s.Complete, &s.Error, &s.Hint, &cutover)
	if err == nil {
		s.Started, err = parseTime(started)
	}
	if err == nil {
		s.Ended, err = parseTime(ended)
	}
	if err == nil {
		s.Cutover, err = parseTime(cutover)
	}
	return s, explain(l.store.path, "read mailbox", err)
}

func (l *ledger) SaveState(ctx context.Context, s migrate.MailboxState) error {
	return l.store.save(ctx, "save mailbox", func(w *writer) error {
		_, err := w.exec(`UPDATE mailbox SET position = ?, started = ?, ended = ?, complete = ?, error = ?, hint = ?, cutover = ? WHERE id = ?`,
			string(s.Position), formatTime(s.Started), formatTime(s.Ended), s.Complete, s.Error, s.Hint, formatTime(s.Cutover), l.mailbox)
		if err != nil || s.Started.IsZero() {
			return err
		}
		_, err = w.exec(`INSERT INTO pass (mailbox, started, ended, complete, error) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET (ended, complete, error) = (excluded.ended, excluded.complete, excluded.error)`,
			l.mailbox, formatTime(s.Started), formatTime(s.Ended), s.Complete, s.Error)
		return err
	})
}

func (l *ledger) Folders(ctx context.Context) ([]migrate.FolderState, error) {
	fs, err := l.folders(ctx)
	return fs, explain(l.store.path, "read folders", err)
}

func (l *ledger) folders(ctx context.Context) ([]migrate.FolderState, error) {
	rows, err := l.store.read.QueryContext(ctx,
		`SELECT id, path, uidvalidity, role, uidnext, messages, bytes, noselect, placed, target, name, note,
			origin, gone, walked_uidnext, walked_modseq, walked_messages, walked_rules
		FROM folder WHERE mailbox = ? ORDER BY id`, l.mailbox)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var fs []migrate.FolderState
	for rows.Next() {
		var s migrate.FolderState
		var path, origin string
		var validity, modSeq int64
		f, w := &s.Folder, &s.Walked
		if err := rows.Scan(&s.ID, &path, &validity, &f.Role, &f.UIDNext, &f.Messages, &f.Bytes, &f.NoSelect, &f.Placed,
			&s.Target, &s.Name, &s.Note, &origin, &s.Gone, &w.UIDNext, &modSeq, &w.Messages, &w.Rules); err != nil {
			return nil, err
		}
		f.UIDValidity, s.Epoch, w.ModSeq = uint32(validity), int(validity>>32), uint64(modSeq)
		if f.Path, err = splitList(path); err != nil {
			return nil, err
		}
		if s.Origin, err = splitList(origin); err != nil {
			return nil, err
		}
		fs = append(fs, s)
	}
	return fs, rows.Err()
}

func (l *ledger) SaveFolder(ctx context.Context, s *migrate.FolderState) error {
	f, w := &s.Folder, &s.Walked
	values := []any{joinList(f.Path), int64(s.Epoch)<<32 | int64(f.UIDValidity), string(f.Role), uint32(f.UIDNext), f.Messages, f.Bytes, f.NoSelect,
		string(f.Placed), string(s.Target), s.Name, s.Note, joinList(s.Origin), s.Gone, uint32(w.UIDNext), int64(w.ModSeq), w.Messages, w.Rules}
	id := s.ID
	err := l.store.save(ctx, "save folder", func(w *writer) error {
		if id != 0 {
			n, err := w.exec(`UPDATE OR IGNORE folder SET (path, uidvalidity, `+folderColumns+`) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
				WHERE id = ? AND mailbox = ?`, append(values, id, l.mailbox)...)
			if err == nil && n == 0 {
				err = refuse("folder %d is not of this mailbox, or another has its path", id)
			}
			return err
		}
		return w.get(`INSERT INTO folder (mailbox, path, uidvalidity, `+folderColumns+`)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET (`+folderColumns+`) = (`+excludedColumns+`)
			RETURNING id`, append([]any{l.mailbox}, values...), &id)
	})
	if err == nil {
		s.ID = id
	}
	return err
}

const folderColumns = `role, uidnext, messages, bytes, noselect, placed, target, name, note,
	origin, gone, walked_uidnext, walked_modseq, walked_messages, walked_rules`

var excludedColumns = "excluded." + strings.ReplaceAll(strings.Join(strings.Fields(folderColumns), " "), ", ", ", excluded.")

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
