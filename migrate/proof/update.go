package proof

import (
	"context"
	"fmt"
	"iter"

	"github.com/mailhaul/mailhaul/migrate"
)

// A Mailbox is what the log says of a mailbox, and where it knows that from.
type Mailbox struct {
	Source string // address
	Target string // address
	Ledger Ledger
}

// A Ledger is what the log needs of the durable memory of one mailbox.
type Ledger interface {
	Folders(ctx context.Context) ([]migrate.FolderState, error)

	// Records yields those with from <= UID <= to in ascending order.
	Records(ctx context.Context, folder int64, from, to migrate.UID) iter.Seq2[migrate.Record, error]

	// Replicas yields what was read back of messages since they came to their
	// outcome, in ascending order of UIDs.
	Replicas(ctx context.Context, folder int64) iter.Seq2[migrate.Replica, error]
}

// batch is how many entries are appended at once.
const batch = 1000

// Update appends what is new or changed since the log was last brought up to
// date, and says how many entries that is. Mailboxes are all that the log was
// ever about. No run may be at work meanwhile. After an error some entries may
// have been appended; the next Update goes on.
func Update(ctx context.Context, log Log, mailboxes ...Mailbox) (appended int64, err error) {
	u := update{log: log, known: map[int64]string{}}
	if u.secret, err = log.Secret(ctx); err != nil {
		return 0, err
	}
	for e, err := range log.Latest(ctx, 0) {
		if err != nil {
			return 0, err
		}
		u.known[e.ID] = e.Text
	}
	folders := make([][]migrate.FolderState, len(mailboxes))
	missing := len(u.known)
	for i, m := range mailboxes {
		if folders[i], err = m.Ledger.Folders(ctx); err != nil {
			return 0, err
		}
		for _, f := range folders[i] {
			if _, ok := u.known[f.ID]; ok {
				missing--
			}
		}
	}
	if missing != 0 {
		return 0, &migrate.Error{Op: "bring the log up to date", Class: migrate.Fatal,
			Err:  fmt.Errorf("an earlier report is about %d folders more", missing),
			Hint: "A report is about all mailboxes that earlier ones were about. Put those back that were taken out of the list, or restore mailhaul.db from a backup."}
	}
	for i, m := range mailboxes {
		for _, f := range folders[i] {
			if err := u.folder(ctx, m, f); err != nil {
				return u.appended, err
			}
		}
	}
	return u.appended, u.flush(ctx)
}

// An update is one run of Update.
type update struct {
	log      Log
	secret   []byte
	known    map[int64]string // the latest entry of each folder
	batch    []Entry
	appended int64
}

// add appends an entry, if it is another than the latest.
func (u *update) add(ctx context.Context, e Entry, latest string) error {
	if e.Text == latest {
		return nil
	}
	if len(e.Text) > maxEntry {
		return fmt.Errorf("message %d in folder %d: its id at the target is too long for the log", e.ID, e.Folder)
	}
	if u.batch = append(u.batch, e); len(u.batch) < batch {
		return nil
	}
	return u.flush(ctx)
}

func (u *update) flush(ctx context.Context) error {
	if len(u.batch) == 0 {
		return nil
	}
	if err := u.log.Append(ctx, u.batch...); err != nil {
		return err
	}
	u.appended += int64(len(u.batch))
	u.batch = u.batch[:0]
	return nil
}

func (u *update) commit(kind, value string) Digest {
	return commit(Nonce(u.secret, kind, value), value)
}

func (u *update) folder(ctx context.Context, m Mailbox, f migrate.FolderState) error {
	entry := Folder{ID: f.ID, UIDValidity: f.Folder.UIDValidity, Epoch: f.Epoch,
		Source: u.commit(KindSource, m.Source), Target: u.commit(KindTarget, m.Target), Path: u.commit(KindPath, Path(f.Folder.Path))}
	if err := u.add(ctx, Entry{ID: f.ID, Text: entry.String()}, u.known[f.ID]); err != nil {
		return err
	}
	latest := newCursor(u.log.Latest(ctx, f.ID), func(e Entry) int64 { return e.ID })
	defer latest.stop()
	replicas := newCursor(m.Ledger.Replicas(ctx, f.ID), func(r migrate.Replica) int64 { return int64(r.UID) })
	defer replicas.stop()
	for r, err := range m.Ledger.Records(ctx, f.ID, 1, ^migrate.UID(0)) {
		if err != nil {
			return err
		}
		before, passed, err := latest.at(int64(r.UID))
		if err != nil {
			return err
		}
		if passed {
			return errRecord(f.ID)
		}
		replica, _, err := replicas.at(int64(r.UID))
		if err != nil {
			return err
		}
		entry := Message{Folder: f.ID, UID: r.UID, Outcome: r.Outcome, Settled: r.Settled, Size: r.Size,
			Source: Digest(r.Digest), Replica: replica.Content, Target: r.Target}
		if err := u.add(ctx, Entry{Folder: f.ID, ID: int64(r.UID), Text: entry.String()}, before.Text); err != nil {
			return err
		}
	}
	_, passed, err := latest.at(1 << 32)
	if passed {
		return errRecord(f.ID)
	}
	return err
}

func errRecord(folder int64) error {
	return &migrate.Error{Op: "bring the log up to date", Class: migrate.Fatal,
		Err:  fmt.Errorf("an earlier report is about a message of folder %d that mailhaul.db has no record of any more", folder),
		Hint: "Records are never deleted: restore mailhaul.db from a backup."}
}
