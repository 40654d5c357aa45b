package assess

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// A world is a source in memory.
type world struct {
	folders []*box
	fail    func(op, folder string, uid migrate.UID) error // asked before each step; nil for no failures
	quota   func(context.Context) (octets, messages migrate.Quota, err error)

	listed []string // folders that were listed, each time
	read   []string // folder and UID of what was read
}

// A box is a folder and the messages in it, with their bodies.
type box struct {
	migrate.Folder
	mail   []migrate.Message
	bodies map[migrate.UID]string // others have a plain one
}

// folder adds a folder, path parts joined by "/".
func (w *world) folder(path string, ms ...migrate.Message) *box {
	b := &box{Folder: migrate.Folder{Path: strings.Split(path, "/"), UIDValidity: 7, UIDNext: 1, ModSeq: 1}, bodies: map[migrate.UID]string{}}
	b.add(ms...)
	w.folders = append(w.folders, b)
	return b
}

// add adds messages with the next UIDs.
func (b *box) add(ms ...migrate.Message) {
	for _, m := range ms {
		m.UID = b.UIDNext
		b.UIDNext++
		b.ModSeq++
		b.Messages++
		b.Bytes += m.Size
		b.mail = append(b.mail, m)
	}
}

func (w *world) step(op, folder string, uid migrate.UID) error {
	if w.fail == nil {
		return nil
	}
	return w.fail(op, folder, uid)
}

func (w *world) Folders(context.Context) (fs []migrate.Folder, err error) {
	for _, b := range w.folders {
		fs = append(fs, b.Folder)
	}
	return fs, w.step("folders", "", 0)
}

func (w *world) List(_ context.Context, f migrate.Folder, from migrate.UID) iter.Seq2[[]migrate.Message, error] {
	return func(yield func([]migrate.Message, error) bool) {
		w.listed = append(w.listed, strings.Join(f.Path, "/"))
		b := w.box(f)
		var ms []migrate.Message
		for _, m := range b.mail {
			if m.UID >= from && m.UID < f.UIDNext {
				ms = append(ms, m)
			}
		}
		for batch := range slices.Chunk(ms, 3) {
			if err := w.step("list", strings.Join(f.Path, "/"), batch[0].UID); err != nil {
				yield(nil, err)
				return
			}
			if !yield(slices.Clone(batch), nil) {
				return
			}
		}
	}
}

func (w *world) box(f migrate.Folder) *box {
	return w.folders[slices.IndexFunc(w.folders, func(b *box) bool { return slices.Equal(b.Path, f.Path) })]
}

func (w *world) Read(_ context.Context, f migrate.Folder, ms []*migrate.Message, body func(*migrate.Message, io.Reader) error) error {
	b := w.box(f)
	for _, m := range slices.Backward(ms) { // any order will do
		path := strings.Join(f.Path, "/")
		if err := w.step("read", path, m.UID); err != nil {
			return err
		}
		if !slices.ContainsFunc(b.mail, func(x migrate.Message) bool { return x.UID == m.UID }) {
			continue
		}
		w.read = append(w.read, fmt.Sprint(path, " ", m.UID))
		text, ok := b.bodies[m.UID]
		if !ok {
			text = plain
		}
		if err := body(m, strings.NewReader(text)); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) Flags(context.Context, migrate.Folder, migrate.UID, uint64) iter.Seq2[[]migrate.Message, error] {
	panic("an assessment does not ask for flags alone")
}

func (w *world) UIDs(context.Context, migrate.Folder, migrate.UID) iter.Seq2[migrate.UIDRange, error] {
	panic("an assessment does not ask for UIDs alone")
}

func (w *world) Quota(ctx context.Context) (octets, messages migrate.Quota, err error) {
	if w.quota == nil {
		return octets, messages, nil
	}
	return w.quota(ctx)
}

func (w *world) Close() error { return nil }

var (
	_ migrate.Source = (*world)(nil)
	_ limited        = (*world)(nil)
)

// plain is a message in which nothing is found.
const plain = "From: Ann <ann@example.org>\r\nDate: Fri, 03 Jul 2009 14:15:16 +0000\r\nMessage-ID: <1@example.org>\r\nSubject: plain\r\n\r\nHello\r\n"

// day is when most messages of the tests came.
var day = time.Date(2009, 7, 3, 14, 15, 16, 0, time.UTC)

// sized returns n messages of that size, each with a Message-ID of its own.
func sized(n int, size int64) (ms []migrate.Message) {
	for i := range n {
		ms = append(ms, migrate.Message{Size: size, InternalDate: day, MessageID: fmt.Sprintf("<%d.%d@example.org>", size, i)})
	}
	return ms
}

// options are those of most tests.
func options() Options {
	return Options{Depth: Listed, Bounds: []int64{3_000_000}, Blocked: []string{"exe", "js"},
		Retry: migrate.Retry{First: time.Second, Max: time.Minute, Patience: time.Hour}, Progress: new(migrate.Progress).Add("ann", "ann")}
}

func (w *world) assess(t *testing.T, kept *Assessment, o Options) *Assessment {
	t.Helper()
	a, err := Mailbox(t.Context(), "ann", w, kept, o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// once fails the first time that a step of that kind comes to a message, or
// each time if always.
func once(op string, uid migrate.UID, always bool, err error) func(string, string, migrate.UID) error {
	failed := false
	return func(o, _ string, u migrate.UID) error {
		if o != op || u != uid || failed && !always {
			return nil
		}
		failed = true
		return err
	}
}

var (
	errBroken  = &migrate.Error{Op: "fetch", Class: migrate.Transient, Err: errors.New("the connection broke")}
	errNoFile  = &migrate.Error{Op: "read", Class: migrate.Permanent, Err: errors.New("the file is damaged"), Hint: "Look at it."}
	errRefused = &migrate.Error{Op: "log in", Class: migrate.Fatal, Err: errors.New("the password is wrong")}
)
