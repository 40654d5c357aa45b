package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// rowID is the key of a message: folder << 32 | uid.
func rowID(folder int64, uid migrate.UID) int64 { return folder<<32 | int64(uid) }

// A remark is what messages are likely to share, in the form of its table.
type remark struct{ notes, reason, hint string }

func (l *ledger) AddListed(ctx context.Context, rs ...migrate.Record) error {
	defer l.store.counts.saving()()
	return l.store.save(ctx, "add messages", func(w *writer) error {
		listed := make(map[int64]int64)
		for _, r := range rs {
			listed[r.Folder]++
		}
		for folder, n := range listed {
			known, err := w.exec(`UPDATE folder SET listed = listed + ? WHERE id = ? AND mailbox = ?`, n, folder, l.mailbox)
			if err != nil {
				return err
			}
			if known == 0 {
				return refuse("folder %d is not of this mailbox", folder)
			}
		}
		for _, r := range rs {
			err := l.put(w, r, `INSERT INTO message (outcome, settled, doubt, size, digest, shared, target, remark, message_id, vanished, flags, id, mailbox)
				VALUES (?1, CASE ?1 WHEN 0 THEN NULL ELSE ?2 END, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, "exists already")
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (l *ledger) Save(ctx context.Context, rs ...migrate.Record) error {
	defer l.store.counts.saving()()
	return l.store.save(ctx, "save messages", func(w *writer) error {
		for _, r := range rs {
			err := l.put(w, r, `UPDATE message SET outcome = ?1, settled = CASE ?1 WHEN 0 THEN NULL WHEN outcome THEN settled ELSE ?2 END,
				doubt = ?, size = ?, digest = ?, shared = ?, target = ?, remark = ?, message_id = ?, vanished = ?, flags = ?
				WHERE id = ? AND mailbox = ?`, "does not exist")
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// put runs a statement that writes r. If it changes nothing, r is refused for
// the reason given.
func (l *ledger) put(w *writer, r migrate.Record, statement, refusal string) error {
	if r.Outcome >= migrate.Outcomes {
		return refuse("message %d in folder %d has %v", r.UID, r.Folder, r.Outcome)
	}
	var digest, note, messageID, flags any // null, which equals nothing, if there is none
	if r.Digest != (migrate.Digest{}) {
		digest = r.Digest[:]
	}
	shared, target, err := w.target(r.Folder, r.Target)
	if err != nil {
		return err
	}
	if m := (remark{joinList(r.Notes), r.Reason, r.Hint}); m != (remark{}) {
		id, err := w.remark(m)
		if err != nil {
			return err
		}
		note = id
	}
	if r.MessageID != "" {
		messageID = r.MessageID
	}
	if r.Flags != nil {
		if flags, err = w.flagset(r.Flags); err != nil {
			return err
		}
	}
	n, err := w.exec(statement, r.Outcome, time.Now().Unix(), r.Doubt, r.Size, digest, shared, target, note, messageID, r.Vanished, flags, rowID(r.Folder, r.UID), l.mailbox)
	if err == nil && n == 0 {
		err = refuse("the record of message %d in folder %d %s", r.UID, r.Folder, refusal)
	}
	if err != nil {
		return err
	}
	return l.putHeading(w, r)
}

// putHeading writes the heading of r, or removes it if r is not notable.
func (l *ledger) putHeading(w *writer, r migrate.Record) error {
	if !r.Notable() {
		_, err := w.exec(`DELETE FROM heading WHERE message = ?`, rowID(r.Folder, r.UID))
		return err
	}
	_, err := w.exec(`REPLACE INTO heading (message, mailbox, author, date, subject) VALUES (?, ?, ?, ?, ?)`,
		rowID(r.Folder, r.UID), l.mailbox, r.Head.From, unixTime(r.Head.Date), r.Head.Subject)
	return err
}

// unixTime returns the seconds of t since 1970; null if there is no time.
func unixTime(t time.Time) sql.NullInt64 { return sql.NullInt64{Int64: t.Unix(), Valid: !t.IsZero()} }

func timeOf(seconds sql.NullInt64) time.Time {
	if !seconds.Valid {
		return time.Time{}
	}
	return time.Unix(seconds.Int64, 0).UTC()
}

// target splits a target id into how many octets it shares with the folder's
// base, and the rest; null if there is none.
func (w *writer) target(folder int64, id migrate.MessageID) (shared int, rest any, err error) {
	if id == "" {
		return 0, nil, nil
	}
	base, err := w.base(folder, string(id))
	if err != nil {
		return 0, nil, err
	}
	shared = min(sharedPrefix(base, string(id)), len(id)-1) // the rest is not empty, which could pass for null
	return shared, []byte(id[shared:]), nil
}

// joinTarget undoes that.
func joinTarget(base []byte, shared int, rest []byte) migrate.MessageID {
	if rest == nil {
		return ""
	}
	return migrate.MessageID(string(base[:min(shared, len(base))]) + string(rest))
}

// base returns the target id that those of a folder are stored against: the
// first one, which is id if there is none yet.
func (w *writer) base(folder int64, id string) (string, error) {
	base, ok := w.bases[folder]
	if ok {
		return base, nil
	}
	err := w.get(`UPDATE folder SET base = coalesce(base, ?) WHERE id = ? RETURNING base`, []any{[]byte(id), folder}, &base)
	if errors.Is(err, sql.ErrNoRows) {
		return "", refuse("folder %d does not exist", folder)
	}
	if err != nil {
		return "", err
	}
	if len(w.bases) >= cached {
		clear(w.bases)
	}
	w.bases[folder] = base
	return base, nil
}

// remark returns the id of m and adds it if it is new.
func (w *writer) remark(m remark) (id int64, err error) {
	return idOf(w, w.notes, m, `INSERT INTO remark (notes, reason, hint) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET hint = hint RETURNING id`, m.notes, m.reason, m.hint)
}

// flagset returns the id of a set of flags and adds it if it is new.
func (w *writer) flagset(flags []migrate.Flag) (id int64, err error) {
	names := make([]string, len(flags))
	for i, f := range flags {
		names[i] = string(f)
	}
	set := joinList(names)
	return idOf(w, w.flags, set, `INSERT INTO flagset (flags) VALUES (?) ON CONFLICT DO UPDATE SET flags = flags RETURNING id`, set)
}

// idOf returns the id of a row that many messages share, as known has it, or as
// insert returns it.
func idOf[K comparable](w *writer, known map[K]int64, row K, insert string, args ...any) (id int64, err error) {
	if id, ok := known[row]; ok {
		return id, nil
	}
	if err = w.get(insert, args, &id); err != nil {
		return 0, err
	}
	if len(known) >= cached {
		clear(known)
	}
	known[row] = id
	return id, nil
}

func sharedPrefix(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

const selectColumns = `SELECT m.id, m.outcome, m.doubt, m.size, m.digest, m.shared, m.target, f.base,
		coalesce(r.notes, ''), coalesce(r.reason, ''), coalesce(r.hint, ''), coalesce(m.message_id, ''), m.vanished, s.flags,
		m.settled, coalesce(h.author, ''), h.date, coalesce(h.subject, '')
	`

// joins find what is beside a message; few have a heading.
const joins = `LEFT JOIN remark r ON r.id = m.remark LEFT JOIN flagset s ON s.id = m.flags LEFT JOIN heading h ON h.message = m.id `

const recordsQuery = selectColumns + `FROM folder f JOIN message m ` + joins + `WHERE f.id = ? AND f.mailbox = ? AND m.id BETWEEN ? AND ? ORDER BY m.id LIMIT ?`

// digestQuery is one statement, so that a message cannot slip through it by
// leaving doubt. Each of its parts has its index, and is limited before it is
// joined. What is at the target comes first.
const digestQuery = selectColumns + `FROM (` + equalRows + `outcome IN (1, 2, 3, 8) AND outcome <> 8 LIMIT 1) m ` + digestJoin + doubtsQuery

// allDigestQuery is likewise for all, those that have vanished first.
const allDigestQuery = `SELECT * FROM (` + selectColumns + `FROM (` + equalRows + `outcome IN (1, 2, 3, 8) ORDER BY vanished DESC LIMIT 1000) m ` + digestJoin + `
	ORDER BY m.vanished DESC)` + doubtsQuery

const doubtsQuery = `
	UNION ALL ` + selectColumns + `FROM (` + equalRows + `doubt = 1 LIMIT 1000) m ` + digestJoin

const equalRows = `SELECT * FROM message WHERE mailbox = ?1 AND substr(digest, 1, 6) = ?2 AND digest = ?3 AND `

const digestJoin = `JOIN folder f ON f.id = m.id >> 32 ` + joins

// scanRecord reads a row of selectColumns.
func scanRecord(rows *sql.Rows) (r migrate.Record, err error) {
	var id int64
	var shared int
	var digest, target, base sql.RawBytes
	var notes string
	var flags sql.NullString
	var settled, date sql.NullInt64
	if err := rows.Scan(&id, &r.Outcome, &r.Doubt, &r.Size, &digest, &shared, &target, &base, &notes, &r.Reason, &r.Hint, &r.MessageID,
		&r.Vanished, &flags, &settled, &r.Head.From, &date, &r.Head.Subject); err != nil {
		return r, err
	}
	r.Folder, r.UID = id>>32, migrate.UID(id)
	r.Settled, r.Head.Date = timeOf(settled), timeOf(date)
	copy(r.Digest[:], digest)
	r.Target = joinTarget(base, shared, target)
	if r.Notes, err = splitList(notes); err != nil {
		return r, err
	}
	names, err := splitList(flags.String)
	if flags.Valid {
		r.Flags = []migrate.Flag{}
	}
	for _, name := range names {
		r.Flags = append(r.Flags, migrate.Flag(name))
	}
	return r, err
}

// page is how many records are read at once. Between two pages no connection
// is held, however long the caller takes.
const page = 500

func (l *ledger) Records(ctx context.Context, folder int64, from, to migrate.UID) iter.Seq2[migrate.Record, error] {
	return func(yield func(migrate.Record, error) bool) {
		for next, last := rowID(folder, from), rowID(folder, to); next <= last; {
			rs, err := records(l.store.read.QueryContext(ctx, recordsQuery, folder, l.mailbox, next, last, page))
			for _, r := range rs {
				if !yield(r, nil) {
					return
				}
				next = rowID(r.Folder, r.UID) + 1
			}
			if err != nil {
				yield(migrate.Record{}, explain(l.store.path, "read messages", err))
				return
			}
			if len(rs) < page {
				return
			}
		}
	}
}

func (l *ledger) ByDigest(ctx context.Context, d migrate.Digest, all bool) ([]migrate.Record, error) {
	query := l.store.equal
	if all {
		query = l.store.equals
	}
	rs, err := records(query.QueryContext(ctx, l.mailbox, d[:6], d[:]))
	if err != nil {
		return nil, explain(l.store.path, "look up a digest", err)
	}
	known := func(r migrate.Record) bool { return r.Outcome.Arrived() || r.Outcome == migrate.Removed }
	if len(rs) > 0 && known(rs[0]) {
		rs = slices.DeleteFunc(rs, func(r migrate.Record) bool { return !known(r) })
	}
	return rs, nil
}

// records returns the rows of a query on selectColumns, of which there are few.
func records(rows *sql.Rows, err error) (rs []migrate.Record, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		r, err := scanRecord(rows)
		if err != nil {
			return rs, err
		}
		rs = append(rs, r)
	}
	return rs, rows.Err()
}
