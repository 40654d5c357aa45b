package verify_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/canon"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

// A world is a mailbox, its copy and the records of it, all in memory. It is
// its own Source, Target and Ledger.
type world struct {
	labels   bool // the target labels
	complete bool // its lists are complete

	folders []migrate.Folder
	states  []migrate.FolderState
	mail    map[migrate.UID]*letter // UIDs are unique in the whole mailbox
	gone    map[string]bool         // folders that the source does not list any more
	records []migrate.Record

	mu      sync.Mutex
	copies  map[migrate.MessageID]*replica
	nextID  int
	opens   int
	looks   int
	trouble func(call string, id migrate.MessageID) error // nil, or what the target answers

	latest   migrate.Verification
	findings []migrate.Finding
	replicas []migrate.Replica
	pass     migrate.MailboxState
}

type letter struct {
	migrate.Message
	folder  int
	octets  []byte
	expunge bool // the source does not have it any more
}

type replica struct {
	migrate.Held
	octets []byte
}

func newWorld(labels bool, folders ...string) *world {
	w := &world{labels: labels, complete: !labels, mail: map[migrate.UID]*letter{}, gone: map[string]bool{}, copies: map[migrate.MessageID]*replica{}}
	for i, name := range folders {
		f := migrate.Folder{Path: []string{name}, UIDValidity: 7, UIDNext: 1 << 20}
		w.folders = append(w.folders, f)
		w.states = append(w.states, migrate.FolderState{ID: int64(i + 1), Folder: f, Target: migrate.FolderID("at-" + name), Name: name})
	}
	return w
}

var start = time.Date(2011, 3, 4, 5, 6, 7, 0, time.UTC)

// deliver puts a message into a folder of the source, and returns its UID.
func (w *world) deliver(folder int, flags ...migrate.Flag) *letter {
	uid := migrate.UID(len(w.mail) + 1)
	at := start.Add(time.Duration(uid) * time.Hour)
	l := &letter{folder: folder, octets: fmt.Appendf(nil, "Received: from a by b; %s\r\nFrom: Ann <ann@example.com>\r\nTo: bo@example.com\r\nDate: %s\r\nSubject: letter %d\r\nMessage-ID: <%[3]d@example.com>\r\n\r\nText %[3]d.\r\n",
		at.Add(3*time.Second).Format(time.RFC1123Z), at.Format(time.RFC1123Z), uid)}
	l.Message = migrate.Message{UID: uid, Flags: flags, InternalDate: at.Add(4 * time.Second), Size: int64(len(l.octets)), MessageID: fmt.Sprintf("<%d@example.com>", uid)}
	w.mail[uid] = l
	return l
}

// copy writes a message to the target and records it.
func (w *world) copy(l *letter, notes ...string) *replica {
	w.nextID++
	r := &replica{octets: append([]byte("X-Trace: added\r\n"), l.octets...)}
	r.Held = migrate.Held{ID: migrate.MessageID(fmt.Sprintf("id-%d", w.nextID)), Complete: true, Folders: []migrate.FolderID{w.states[l.folder].Target},
		Flags: w.Shown("", l.Flags), Date: l.InternalDate.Truncate(time.Minute).Add(8 * time.Second), Size: int64(len(r.octets)), MessageID: l.MessageID}
	r.Date = start.Add(time.Duration(l.UID) * time.Hour) // as in the Date field
	if !w.labels {
		r.Key = migrate.Key("ann@example.com", w.folders[l.folder], l.UID)
	}
	w.copies[r.ID] = r
	w.record(l, migrate.Copied, r.ID, notes...)
	return r
}

func (w *world) record(l *letter, o migrate.Outcome, id migrate.MessageID, notes ...string) {
	w.records = append(w.records, migrate.Record{Folder: int64(l.folder + 1), UID: l.UID, Outcome: o, Target: id, Digest: sha256.Sum256(l.octets), Size: l.Size, Notes: notes})
}

// place puts r under one more label, for a letter of equal content.
func (w *world) place(r *replica, l *letter) {
	r.Folders = append(r.Folders, w.states[l.folder].Target)
	for _, f := range w.Shown("", l.Flags) {
		if !slices.Contains(r.Flags, f) {
			r.Flags = append(r.Flags, f)
		}
	}
	w.record(l, migrate.Merged, r.ID)
}

// fill copies n messages in each folder.
func (w *world) fill(n int) (all []*replica) {
	for i := range w.folders {
		for j := range n {
			all = append(all, w.copy(w.deliver(i, [][]migrate.Flag{nil, {migrate.Seen}, {migrate.Seen, migrate.Flagged}}[j%3]...)))
		}
	}
	return all
}

// double makes a second copy of r.
func (w *world) double(r *replica) *replica {
	w.nextID++
	d := *r
	d.ID = migrate.MessageID(fmt.Sprintf("id-%d", w.nextID))
	d.octets = bytes.Clone(r.octets)
	w.copies[d.ID] = &d
	return &d
}

func (w *world) verify(t *testing.T, v *verify.Verifier) {
	t.Helper()
	if err := w.run(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	if w.latest.Ended.IsZero() {
		t.Error("the verification did not end")
	}
	for _, f := range w.latest.Folders {
		absent := int64(0)
		for _, found := range w.findings {
			if found.Folder == f.Folder && (found.Kind == migrate.KindMissing || found.Kind == migrate.KindDeleted || found.Kind == migrate.KindMisplaced) {
				absent++
			}
		}
		if f.Arrived != f.Present+absent {
			t.Errorf("folder %d: %d arrived, %d are present and %d are not", f.Folder, f.Arrived, f.Present, absent)
		}
	}
}

func (w *world) run(ctx context.Context, v *verify.Verifier) error {
	sort.Slice(w.records, func(i, j int) bool { return w.records[i].UID < w.records[j].UID })
	v.Progress = new(migrate.Progress)
	v.Retry = migrate.Retry{Patience: time.Hour}
	results, err := v.Run(ctx, []verify.Mailbox{{Source: "ann@example.com", Target: "ann@example.org", Ledger: w,
		OpenSource: func(context.Context) (verify.Source, error) { return theSource{w}, nil },
		OpenTarget: func(context.Context) (verify.Target, error) { return theTarget{w}, nil }}})
	if err == nil {
		err = results[0].Err
	}
	return err
}

// found returns the findings as "kind uid target", sorted, without extra mail.
func (w *world) found() (s []string) {
	for _, f := range w.findings {
		if f.Kind != migrate.KindExtra {
			s = append(s, fmt.Sprintf("%s %d %s", f.Kind, f.UID, f.Target))
		}
	}
	slices.Sort(s)
	return s
}

func (w *world) expect(t *testing.T, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := w.found(); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

// The source.

func (w *world) Folders(context.Context) ([]migrate.FolderState, error) { return w.states, nil }

type theSource struct{ *world }

func (w *world) List(_ context.Context, f migrate.Folder, from migrate.UID) iter.Seq2[[]migrate.Message, error] {
	return func(yield func([]migrate.Message, error) bool) {
		var batch []migrate.Message
		for _, uid := range slices.Sorted(maps.Keys(w.mail)) {
			if l := w.mail[uid]; uid >= from && !l.expunge && w.folders[l.folder].Path[0] == f.Path[0] {
				if batch = append(batch, l.Message); len(batch) == 7 {
					if !yield(batch, nil) {
						return
					}
					batch = nil
				}
			}
		}
		if len(batch) > 0 {
			yield(batch, nil)
		}
	}
}

func (w *world) Read(_ context.Context, _ migrate.Folder, ms []*migrate.Message, body func(*migrate.Message, io.Reader) error) error {
	for _, m := range ms {
		if l := w.mail[m.UID]; !l.expunge {
			if err := body(m, bytes.NewReader(l.octets)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *world) Close() error { return nil }

func (s theSource) Folders(context.Context) (fs []migrate.Folder, err error) {
	for _, f := range s.folders {
		if !s.gone[f.Path[0]] {
			fs = append(fs, f)
		}
	}
	return fs, nil
}

// The target.

type theTarget struct{ *world }

func (w theTarget) Capabilities() migrate.Capabilities {
	return migrate.Capabilities{Parallel: 3, Labels: w.labels}
}

func (w theTarget) fails(call string, id migrate.MessageID) error {
	if w.trouble == nil {
		return nil
	}
	return w.trouble(call, id)
}

func (w theTarget) List(_ context.Context, folder migrate.FolderID) iter.Seq2[[]migrate.Held, error] {
	return func(yield func([]migrate.Held, error) bool) {
		for _, id := range slices.Sorted(maps.Keys(w.copies)) {
			r := w.copies[id]
			if !slices.Contains(r.Folders, folder) {
				continue
			}
			if err := w.fails("list", id); err != nil {
				yield(nil, err)
				return
			}
			h := r.Held
			if !w.complete {
				h = migrate.Held{ID: id}
			}
			if !yield([]migrate.Held{h}, nil) {
				return
			}
		}
	}
}

func (w theTarget) held(call string, id migrate.MessageID) (*replica, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if call == "open" {
		w.opens++
	} else {
		w.looks++
	}
	if err := w.fails(call, id); err != nil {
		return nil, err
	}
	if r := w.copies[id]; r != nil {
		return r, nil
	}
	return nil, &migrate.Error{Op: call, Class: migrate.Permanent, Refused: true, Err: migrate.ErrNotFound}
}

func (w theTarget) Look(_ context.Context, id migrate.MessageID) (migrate.Held, error) {
	r, err := w.held("look", id)
	if err != nil {
		return migrate.Held{}, err
	}
	return r.Held, nil
}

func (w theTarget) Open(_ context.Context, id migrate.MessageID) (migrate.Held, io.ReadCloser, error) {
	r, err := w.held("open", id)
	if err != nil {
		return migrate.Held{}, nil, err
	}
	h := r.Held
	if w.complete { // then content alone comes
		h = migrate.Held{ID: id}
	}
	return h, io.NopCloser(bytes.NewReader(r.octets)), nil
}

func (w *world) Shown(_ migrate.FolderID, flags []migrate.Flag) (shown []migrate.Flag) {
	for _, f := range flags {
		if f == migrate.Seen || f == migrate.Flagged {
			shown = append(shown, f)
		}
	}
	return shown
}

func (w *world) Explains(note string) []canon.Aspect {
	switch note {
	case "attached":
		return []canon.Aspect{verify.Original}
	case "subject-lost":
		return []canon.Aspect{canon.Subject}
	case "dated-by-import":
		return []canon.Aspect{verify.Received}
	case "elsewhere":
		return []canon.Aspect{verify.Folder}
	}
	return nil
}

// The ledger.

func (w *world) State(context.Context) (migrate.MailboxState, error) { return w.pass, nil }

func (w *world) Records(_ context.Context, folder int64, from, to migrate.UID) iter.Seq2[migrate.Record, error] {
	return func(yield func(migrate.Record, error) bool) {
		for _, r := range w.records {
			if r.Folder == folder && r.UID >= from && r.UID <= to && !yield(r, nil) {
				return
			}
		}
	}
}

func (w *world) Verification(context.Context) (migrate.Verification, error) { return w.latest, nil }

func (w *world) BeginVerification(_ context.Context, v migrate.Verification) error {
	w.latest, w.findings = v, nil
	return nil
}

func (w *world) SaveVerified(_ context.Context, f migrate.FolderVerification, replicas []migrate.Replica, found ...migrate.Finding) error {
	w.latest.Folders = slices.DeleteFunc(w.latest.Folders, func(g migrate.FolderVerification) bool { return g.Folder == f.Folder })
	w.latest.Folders = append(w.latest.Folders, f)
	w.replicas = append(w.replicas, replicas...)
	w.findings = append(w.findings, found...)
	return nil
}

func (w *world) EndVerification(_ context.Context, v migrate.Verification) error {
	w.latest.Ended = v.Ended
	return nil
}

func (w *world) Findings(context.Context) iter.Seq2[migrate.Finding, error] {
	return func(yield func(migrate.Finding, error) bool) {
		for _, f := range w.findings {
			if !yield(f, nil) {
				return
			}
		}
	}
}

// detail returns what the findings say, in one text.
func (w *world) detail() string {
	var s []string
	for _, f := range w.findings {
		s = append(s, f.Detail)
	}
	return strings.Join(s, "\n")
}
