package proof

import (
	"context"
	"crypto/sha256"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

func (w *world) size() int64 { return int64(len(w.log.entries)) }

func TestTheLogHasAnEntryOfEachFolderAndMessage(t *testing.T) {
	w := newWorld(t)
	if n := w.update(t); n != w.size() {
		t.Errorf("%d were appended, and there are %d", n, w.size())
	}
	entries := w.log.entries
	next := func() (e Entry) {
		e, entries = entries[0], entries[1:]
		return e
	}
	for i, m := range w.mailboxes {
		b := w.book(i)
		for _, f := range b.folders {
			e := next()
			got, err := ParseFolder(e.Text)
			if err != nil || e.Folder != 0 || e.ID != f.ID || got.ID != f.ID || got.UIDValidity != f.Folder.UIDValidity || got.Epoch != f.Epoch {
				t.Fatalf("folder %d: %+v: %v", f.ID, e, err)
			}
			secret, _ := w.log.Secret(t.Context())
			for k, value := range []string{m.Source, m.Target, strings.Join(f.Folder.Path, "\x00")} {
				if got.names()[k] != commit(Nonce(secret, kinds[k], value), value) {
					t.Errorf("folder %d: its %s is another", f.ID, kinds[k])
				}
			}
			for _, r := range b.records[f.ID] {
				e := next()
				got, err := ParseMessage(e.Text)
				if err != nil || e.Folder != f.ID || e.ID != int64(r.UID) {
					t.Fatalf("folder %d, message %d: %+v: %v", f.ID, r.UID, e, err)
				}
				want := Message{Folder: f.ID, UID: r.UID, Outcome: r.Outcome, Settled: r.Settled, Size: r.Size, Source: Digest(r.Digest), Target: r.Target}
				if i := slices.IndexFunc(b.replicas[f.ID], func(p migrate.Replica) bool { return p.UID == r.UID }); i >= 0 {
					want.Replica = b.replicas[f.ID][i].Content
				}
				if got != want {
					t.Errorf("%+v, want %+v", got, want)
				}
			}
		}
	}
	if len(entries) > 0 {
		t.Errorf("%d more", len(entries))
	}
}

func TestNothingIsAppendedWhenNothingChanged(t *testing.T) {
	w := newWorld(t)
	w.update(t)
	before, appends := w.size(), w.log.appends
	if n := w.update(t); n != 0 || w.size() != before || w.log.appends != appends {
		t.Errorf("%d entries were appended", n)
	}
}

func TestEveryChangeIsAppended(t *testing.T) {
	w := newWorld(t)
	b, arrived := w.book(0), w.book(0).replicas[1][0].UID
	for name, change := range map[string]func(){
		"outcome":           func() { b.record(1, arrived).Outcome = migrate.Removed },
		"time":              func() { b.record(1, arrived).Settled = w.now },
		"time not known":    func() { b.record(1, arrived).Settled = time.Time{} },
		"size":              func() { b.record(1, arrived).Size++ },
		"digest":            func() { b.record(1, arrived).Digest[0]++ },
		"target":            func() { b.record(1, arrived).Target += "x" },
		"replica":           func() { b.replicas[1][0].Content[0]++ },
		"replica not known": func() { b.replicas[1] = b.replicas[1][1:] },
		"replica of nothing": func() {
			b.replicas[1] = slices.Insert(b.replicas[1], 0, migrate.Replica{UID: 0, Content: sha256.Sum256(nil)})
		},
		"path":        func() { b.folders[0].Folder.Path = []string{"In"} },
		"UIDVALIDITY": func() { b.folders[0].Folder.UIDValidity++ },
		"epoch":       func() { b.folders[0].Epoch++ },
		"role":        func() { b.folders[0].Folder.Role = migrate.RoleInbox },
		"flags":       func() { b.record(1, arrived).Flags = []migrate.Flag{migrate.Seen} },
		"message":     func() { b.records[1] = append(b.records[1], migrate.Record{Folder: 1, UID: 1<<32 - 1}) },
		"message before": func() {
			b.records[1] = slices.Insert(b.records[1], 4, migrate.Record{Folder: 1, UID: b.records[1][4].UID - 1})
		},
	} {
		w = newWorld(t)
		b = w.book(0)
		w.update(t)
		change()
		want := int64(1)
		if slices.Contains([]string{"replica of nothing", "role", "flags"}, name) {
			want = 0
		}
		if n := w.update(t); n != want {
			t.Errorf("%s: %d entries were appended", name, n)
		}
	}
}

func TestALargeFolderIsAppendedInBatches(t *testing.T) {
	w := newWorld(t)
	b := w.book(1)
	for uid := migrate.UID(1000); uid < 1000+2*batch; uid++ {
		b.records[4] = append(b.records[4], migrate.Record{Folder: 4, UID: uid, Target: "x"})
	}
	if w.update(t); w.log.appends != 3 {
		t.Errorf("%d batches for %d entries", w.log.appends, w.size())
	}
	if n := w.update(t); n != 0 {
		t.Errorf("%d entries more", n)
	}
	for i := range b.records[4] {
		b.records[4][i].Size++
	}
	if n := w.update(t); n != int64(len(b.records[4])) {
		t.Errorf("%d of %d entries", n, len(b.records[4]))
	}
}

func TestWhatAnEarlierReportWasAboutCannotBeMissing(t *testing.T) {
	for name, lose := range map[string]func(w *world){
		"the first message": func(w *world) { w.book(0).records[1] = w.book(0).records[1][1:] },
		"the last message":  func(w *world) { rs := w.book(0).records; rs[1] = rs[1][:len(rs[1])-1] },
		"all messages":      func(w *world) { w.book(0).records[1] = nil },
		"a folder":          func(w *world) { w.book(0).folders = w.book(0).folders[1:] },
		"a mailbox":         func(w *world) { w.mailboxes = w.mailboxes[1:] },
	} {
		w := newWorld(t)
		w.book(0).records[1] = append(w.book(0).records[1], migrate.Record{Folder: 1, UID: 1<<32 - 1})
		w.update(t)
		before := w.size()
		w.book(2).records[5][0].Size++
		lose(w)
		n, err := Update(t.Context(), w.log, w.mailboxes...)
		if err == nil || !strings.Contains(err.Error(), "an earlier report is about") || n != 0 || w.size() != before {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		if _, hint := migrate.Explain(err); hint == "" {
			t.Errorf("%s: no hint", name)
		}
	}
}

func TestAMailboxThatIsNewIsAppended(t *testing.T) {
	w := newWorld(t)
	all := w.mailboxes
	w.mailboxes = all[:2]
	w.update(t)
	w.mailboxes = all
	if n := w.update(t); n != int64(1+len(w.book(2).records[5])) {
		t.Errorf("%d entries", n)
	}
}

// A broken ledger fails when asked for one thing.
type broken struct {
	*book
	what string
}

var errBroken = errors.New("broken")

func (b broken) Folders(ctx context.Context) ([]migrate.FolderState, error) {
	if b.what == "folders" {
		return nil, errBroken
	}
	return b.book.Folders(ctx)
}

func (b broken) Records(ctx context.Context, folder int64, from, to migrate.UID) iter.Seq2[migrate.Record, error] {
	return failing(b.book.Records(ctx, folder, from, to), b.what == "records")
}

func (b broken) Replicas(ctx context.Context, folder int64) iter.Seq2[migrate.Replica, error] {
	return failing(b.book.Replicas(ctx, folder), b.what == "replicas")
}

// failing yields an error as its last step.
func failing[T any](all iter.Seq2[T, error], fail bool) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range all {
			if !yield(v, err) {
				return
			}
		}
		if fail {
			yield(*new(T), errBroken)
		}
	}
}

// A brokenLog fails when asked for one thing.
type brokenLog struct {
	*memory
	what string
}

func (b brokenLog) Secret(ctx context.Context) ([]byte, error) {
	if b.what == "secret" {
		return nil, errBroken
	}
	return b.memory.Secret(ctx)
}

func (b brokenLog) Size(ctx context.Context) (int64, error) {
	if b.what == "size" {
		return 0, errBroken
	}
	return b.memory.Size(ctx)
}

func (b brokenLog) Heads(ctx context.Context) ([]string, error) {
	if b.what == "heads" {
		return nil, errBroken
	}
	return b.memory.Heads(ctx)
}

func (b brokenLog) Entries(ctx context.Context, from, to int64) iter.Seq2[string, error] {
	return failing(b.memory.Entries(ctx, from, to), b.what == "entries")
}

func (b brokenLog) Latest(ctx context.Context, folder int64) iter.Seq2[Entry, error] {
	return failing(b.memory.Latest(ctx, folder), b.what == "latest" && folder != 0 || b.what == "folders" && folder == 0)
}

func (b brokenLog) Append(ctx context.Context, entries ...Entry) error {
	if b.what == "append" {
		return errBroken
	}
	return b.memory.Append(ctx, entries...)
}

func TestAnErrorOfTheDatabaseEndsAnUpdate(t *testing.T) {
	for _, what := range []string{"folders", "records", "replicas"} {
		w := newWorld(t)
		w.mailboxes[1].Ledger = broken{w.book(1), what}
		if _, err := Update(t.Context(), w.log, w.mailboxes...); !errors.Is(err, errBroken) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, what := range []string{"secret", "latest", "folders", "append"} {
		w := newWorld(t)
		if n, err := Update(t.Context(), brokenLog{w.log, what}, w.mailboxes...); !errors.Is(err, errBroken) || n != 0 {
			t.Errorf("%s: %d, %v", what, n, err)
		}
	}
}

func TestAnIDThatIsTooLongForTheLogIsAnError(t *testing.T) {
	w := newWorld(t)
	w.book(0).record(1, w.book(0).records[1][0].UID).Target = migrate.MessageID(strings.Repeat("x", maxEntry))
	if _, err := Update(t.Context(), w.log, w.mailboxes...); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Error(err)
	}
}
