package main

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"

	"github.com/mailhaul/mailhaul/migrate"
)

// An archive holds the mail that a person may want to look at: what failed, and
// what was changed on its way. It is a ZIP file that is encrypted while it is
// written, so that nothing is on the disk that others than its recipients could
// read. It takes some hundred octets of memory for each message.
type archive struct {
	zip   *zip.Writer
	file  *noting
	taken map[place]taken
}

// A place is where the source has, or had, a message.
type place struct {
	folder int64 // FolderState.ID
	uid    migrate.UID
}

// taken is what came of reading a message.
type taken struct {
	state state
	begun int    // how often it was begun to be written
	why   string // of unread
}

// A state is how the archive has a message.
type state string

const (
	complete  state = "complete"  // as mailhaul read it, or as it is, if mailhaul could not read it
	different state = "different" // the source has other octets now
	gone      state = "gone"      // the source has it no more
	unread    state = "unread"    // the source did not deliver it
)

// recipients returns the keys to encrypt to. Each text is a public key of age,
// or @ and the name of a file with one in each line. What is wrong with one is
// said without it: it may be a private key.
func recipients(texts []string) (all []age.Recipient, err error) {
	for i, text := range texts {
		var r io.Reader = strings.NewReader(text)
		what := fmt.Sprintf("--recipient %d", i+1)
		if name, ok := strings.CutPrefix(text, "@"); ok {
			f, err := os.Open(name)
			if err != nil {
				return nil, fmt.Errorf("--recipient: %w", err)
			}
			defer f.Close()
			r, what = f, "--recipient @"+name
		}
		keys, err := age.ParseRecipients(r)
		if err != nil {
			return nil, fmt.Errorf("%s: want a public key of age, which begins with age1, or @ and a file of such keys: %w", what, err)
		}
		all = append(all, keys...)
	}
	return all, nil
}

// writeEvidence writes the archive to a file that must not exist, and counts
// the messages by their state.
func writeEvidence(ctx context.Context, path string, to []age.Recipient, k *connections, mailboxes []reported) (n map[state]int64, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "unfinished-evidence-") // mode 0600
	if err != nil {
		return nil, err
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	file := &noting{w: f}
	sealed, err := age.Encrypt(file, to...)
	if err != nil {
		return nil, err
	}
	e := &archive{zip.NewWriter(sealed), file, map[place]taken{}}
	for _, m := range mailboxes {
		if err := e.mailbox(ctx, k, m); err != nil {
			return nil, err
		}
	}
	if err := e.index(ctx, mailboxes); err != nil {
		return nil, err
	}
	if err := e.zip.Close(); err != nil {
		return nil, err
	}
	if err := errors.Join(sealed.Close(), f.Sync(), f.Close(), absent(path)); err != nil {
		return nil, err
	}
	n = map[state]int64{}
	for _, t := range e.taken {
		n[t.state]++
	}
	return n, os.Rename(f.Name(), path)
}

// absent returns an error if there is something at path.
func absent(path string) error {
	_, err := os.Lstat(path)
	switch {
	case err == nil:
		return fmt.Errorf("%s exists already: name another file, or move it aside", path)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
}

// A noting writer keeps its first error: the library in between may not tell
// that of the disk from that of the source.
type noting struct {
	w   io.Writer
	err error
}

func (n *noting) Write(p []byte) (int, error) {
	written, err := n.w.Write(p)
	if n.err == nil {
		n.err = err
	}
	return written, err
}

// evidenceBatch is how many messages are read with one call.
const evidenceBatch = 64

// mailbox takes in the messages of a mailbox. What the source does not deliver
// is noted, and no error.
func (e *archive) mailbox(ctx context.Context, k *connections, m reported) error {
	var source migrate.Source
	var folders map[int64]migrate.Folder
	var failed error // of the source as a whole
	var batch []migrate.Record
	flush := func() error {
		defer func() { batch = batch[:0] }()
		if source == nil && failed == nil {
			source, folders, failed = m.open(ctx, k)
		}
		if failed == nil {
			failed = e.group(ctx, source, folders[batch[0].Folder], batch)
		}
		if failed != nil {
			e.lacks(batch, unread, failed)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return e.file.err
	}
	defer func() {
		if source != nil {
			source.Close()
		}
	}()
	for r, err := range m.ledger.Notable(ctx) {
		if err != nil {
			return err
		}
		if len(batch) > 0 && (r.Folder != batch[0].Folder || len(batch) == evidenceBatch) {
			if err := flush(); err != nil {
				return err
			}
		}
		batch = append(batch, r)
	}
	if len(batch) == 0 {
		return nil
	}
	return flush()
}

// open opens the source of a mailbox, and returns what living returns of it.
func (m reported) open(ctx context.Context, k *connections) (migrate.Source, map[int64]migrate.Folder, error) {
	source, err := k.source(ctx, m.Mailbox)
	if err != nil {
		return nil, nil, err
	}
	folders, err := source.Folders(ctx)
	if err != nil {
		return source, nil, err
	}
	known, err := m.ledger.Folders(ctx)
	return source, living(known, folders), err
}

// living returns the folders of the source that still are the ones of records,
// by FolderState.ID.
func living(known []migrate.FolderState, folders []migrate.Folder) map[int64]migrate.Folder {
	live := map[int64]migrate.Folder{}
	for _, k := range known {
		for _, f := range folders {
			if !f.NoSelect && !k.Gone && f.UIDValidity == k.Folder.UIDValidity && slices.Equal(f.Path, k.Folder.Path) {
				live[k.ID] = f
			}
		}
	}
	return live
}

// attempts is how often a message is read that the source breaks off.
const attempts = 3

// group takes in messages of one folder. An error is that of the source as a
// whole, or of this machine.
func (e *archive) group(ctx context.Context, s migrate.Source, f migrate.Folder, batch []migrate.Record) error {
	if f.UIDValidity == 0 { // the source has not got it any more
		e.lacks(batch, gone, nil)
		return nil
	}
	err := e.read(ctx, s, f, batch)
	if err == nil || e.stops(ctx, err) {
		return err
	}
	for i, r := range batch { // one of them may be to blame
		for try := 1; try < attempts && e.taken[at(r)].state == unread; try++ {
			if err := e.read(ctx, s, f, batch[i:i+1]); e.stops(ctx, err) {
				return err
			}
		}
	}
	return nil
}

func (e *archive) stops(ctx context.Context, err error) bool {
	return ctx.Err() != nil || e.file.err != nil || errors.Is(err, migrate.ErrUnreachable)
}

// read reads messages with one call.
func (e *archive) read(ctx context.Context, s migrate.Source, f migrate.Folder, batch []migrate.Record) error {
	of := map[migrate.UID]migrate.Record{}
	var ms []*migrate.Message
	for _, r := range batch {
		of[r.UID] = r
		ms = append(ms, &migrate.Message{UID: r.UID, Size: r.Size})
	}
	err := s.Read(ctx, f, ms, func(m *migrate.Message, body io.Reader) error { return e.add(of[m.UID], body) })
	if err == nil || errors.Is(err, migrate.ErrFolderGone) {
		e.lacks(batch, gone, nil)
		return nil
	}
	e.lacks(batch, unread, err)
	return err
}

// add writes a message into the archive. One that breaks off leaves a file that
// the index does not name.
func (e *archive) add(r migrate.Record, body io.Reader) error {
	t := e.taken[at(r)]
	t.begun++
	e.taken[at(r)] = t
	w, err := e.zip.Create(at(r).file(t.begun))
	if err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(w, sum), body); err != nil {
		return err
	}
	t.state, t.why = complete, ""
	if r.Digest != (migrate.Digest{}) && migrate.Digest(sum.Sum(nil)) != r.Digest {
		t.state = different
	}
	e.taken[at(r)] = t
	return nil
}

// lacks notes the messages of batch that are not in the archive.
func (e *archive) lacks(batch []migrate.Record, is state, err error) {
	for _, r := range batch {
		t := e.taken[at(r)]
		if t.state == complete || t.state == different {
			continue
		}
		if t.state = is; err != nil {
			t.why, _ = migrate.Explain(err)
		}
		e.taken[at(r)] = t
	}
}

func at(r migrate.Record) place { return place{r.Folder, r.UID} }

// file is the name in the archive of a message that was begun to be written so
// many times.
func (p place) file(begun int) string {
	if begun == 1 {
		return fmt.Sprintf("messages/%d-%d.eml", p.folder, p.uid)
	}
	return fmt.Sprintf("messages/%d-%d-%d.eml", p.folder, p.uid, begun)
}
