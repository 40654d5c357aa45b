package proof

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// memory is a Log.
type memory struct {
	entries []Entry
	heads   []string
	fail    error // of Append
	appends int
}

func (m *memory) Secret(context.Context) ([]byte, error) {
	return []byte("thirty-two octets of a test's own"), nil
}
func (m *memory) Size(context.Context) (int64, error) { return int64(len(m.entries)), nil }
func (m *memory) Heads(context.Context) ([]string, error) {
	return slices.Clone(m.heads), nil
}

func (m *memory) AddHead(_ context.Context, head string) error {
	m.heads = append(m.heads, head)
	return nil
}

func (m *memory) Entries(_ context.Context, from, to int64) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, e := range m.entries[from:to] {
			if !yield(e.Text, nil) {
				return
			}
		}
	}
}

func (m *memory) Latest(_ context.Context, folder int64) iter.Seq2[Entry, error] {
	latest := map[int64]Entry{}
	for _, e := range m.entries {
		if e.Folder == folder {
			latest[e.ID] = e
		}
	}
	return func(yield func(Entry, error) bool) {
		for _, id := range slices.Sorted(maps.Keys(latest)) {
			if !yield(latest[id], nil) {
				return
			}
		}
	}
}

func (m *memory) Append(_ context.Context, entries ...Entry) error {
	m.appends++
	m.entries = append(m.entries, entries...)
	return m.fail
}

// A book is a Ledger.
type book struct {
	folders  []migrate.FolderState
	records  map[int64][]migrate.Record
	replicas map[int64][]migrate.Replica
}

func (b *book) Folders(context.Context) ([]migrate.FolderState, error) { return b.folders, nil }

func (b *book) Records(_ context.Context, folder int64, from, to migrate.UID) iter.Seq2[migrate.Record, error] {
	return func(yield func(migrate.Record, error) bool) {
		for _, r := range b.records[folder] {
			if r.UID >= from && r.UID <= to && !yield(r, nil) {
				return
			}
		}
	}
}

func (b *book) Replicas(_ context.Context, folder int64) iter.Seq2[migrate.Replica, error] {
	return func(yield func(migrate.Replica, error) bool) {
		for _, r := range b.replicas[folder] {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// record returns the record of a message of the folder, for tests to change.
func (b *book) record(folder int64, uid migrate.UID) *migrate.Record {
	i := slices.IndexFunc(b.records[folder], func(r migrate.Record) bool { return r.UID == uid })
	return &b.records[folder][i]
}

// A world is a migration of three mailboxes, and its log.
type world struct {
	log             *memory
	mailboxes       []Mailbox
	private, public string
	keys            []Key
	now             time.Time
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{log: &memory{}, now: time.Date(2026, 3, 1, 18, 30, 0, 0, time.UTC)}
	var err error
	if w.private, w.public, err = NewKey("example.com/migration"); err != nil {
		t.Fatal(err)
	}
	if w.keys, err = ReadKeys(w.public + "\n"); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	folder := int64(0)
	for i, paths := range [][][]string{{{"INBOX"}, {"Clients", "2019/20"}}, {{"INBOX"}, {"Müll"}}, {{"INBOX"}}} {
		b := &book{records: map[int64][]migrate.Record{}, replicas: map[int64][]migrate.Replica{}}
		for _, path := range paths {
			folder++
			b.folders = append(b.folders, migrate.FolderState{ID: folder, Epoch: i, Folder: migrate.Folder{Path: path, UIDValidity: 1_300_000_000 + uint32(folder)}})
			for uid := migrate.UID(1); uid < 100; uid += 1 + migrate.UID(random.IntN(4)) {
				r := migrate.Record{Folder: folder, UID: uid, Outcome: migrate.Outcome(random.IntN(int(migrate.Outcomes))), Size: random.Int64N(1 << 20)}
				if r.Outcome != migrate.Pending {
					r.Settled = w.now.Add(-time.Duration(random.IntN(1e6)) * time.Second)
					r.Digest = migrate.Digest(sha256.Sum256(fmt.Append(nil, folder, uid)))
				}
				if r.Outcome.Arrived() {
					r.Target = migrate.MessageID(fmt.Sprintf("18c%05x%%/ü", random.IntN(1<<20)))
				}
				b.records[folder] = append(b.records[folder], r)
				if r.Outcome.Arrived() && random.IntN(2) == 0 {
					b.replicas[folder] = append(b.replicas[folder], migrate.Replica{UID: uid, Content: sha256.Sum256(fmt.Append(nil, "copy", folder, uid))})
				}
			}
		}
		address := []string{"anna.berg", "bruno.keller", "chiyo.tanabe"}[i]
		w.mailboxes = append(w.mailboxes, Mailbox{Source: address + "@old.example", Target: address + "@example.com", Ledger: b})
	}
	return w
}

func (w *world) book(mailbox int) *book { return w.mailboxes[mailbox].Ledger.(*book) }

func (w *world) update(t testing.TB) int64 {
	t.Helper()
	n, err := Update(t.Context(), w.log, w.mailboxes...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// publish makes a report and adds its head to the log.
func (w *world) publish(t testing.TB) fstest.MapFS {
	t.Helper()
	files := w.make(t).sign(t)
	head, err := LastHead(t.Context(), bytes.NewReader(files["report.json"].Data))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.log.AddHead(t.Context(), head); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(24 * time.Hour)
	return files
}

// goOn lets some messages come to another outcome.
func (w *world) goOn(t testing.TB, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 3))
	for i := range w.mailboxes {
		for _, f := range w.book(i).folders {
			rs := w.book(i).records[f.ID]
			for range 3 {
				r := &rs[random.IntN(len(rs))]
				r.Outcome = migrate.Outcome(random.IntN(int(migrate.Outcomes)))
			}
			last := rs[len(rs)-1]
			last.UID++
			w.book(i).records[f.ID] = append(rs, last)
		}
	}
}

// threeReports returns a world with two earlier reports, and the making of the
// third.
func threeReports(t testing.TB) (*world, *making) {
	t.Helper()
	w := newWorld(t)
	w.publish(t)
	w.goOn(t, 1)
	w.publish(t)
	w.goOn(t, 2)
	return w, w.make(t)
}

func digestOf(text string) Digest { return sha256.Sum256([]byte(text)) }

// wrong returns what Check finds wrong.
func (w *world) wrong(t testing.TB, files fstest.MapFS, earlier ...string) []string {
	t.Helper()
	_, err := Check(t.Context(), files, "report.json", w.keys, earlier...)
	if err == nil {
		return nil
	}
	problems, ok := errors.AsType[*Problems](err)
	if !ok {
		t.Fatal(err)
	}
	return problems.Found
}

// noticed checks that a report is not good, and that it says so with each of
// the words.
func (w *world) noticed(t testing.TB, files fstest.MapFS, words ...string) {
	t.Helper()
	found := strings.Join(w.wrong(t, files), "\n")
	if found == "" {
		t.Errorf("nothing was noticed")
	}
	for _, word := range words {
		if !strings.Contains(found, word) {
			t.Errorf("%q is not in what was found:\n%s", word, found)
		}
	}
}

func mapFS(files map[string][]byte) fstest.MapFS {
	all := fstest.MapFS{}
	for name, data := range files {
		all[name] = &fstest.MapFile{Data: data}
	}
	return all
}
