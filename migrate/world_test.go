package migrate

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate/transform"
)

// world is a source, a target and checkpoints in memory, for one mailbox. Each
// effect on the target or the checkpoints passes through step, which may cut
// the power before or after it.
type world struct {
	t  *testing.T
	mu sync.Mutex

	folders []Folder
	mail    map[string][]worldMail // by Folder.String()
	next    map[string]UID         // UIDNEXT, likewise
	highest map[string]uint64      // HIGHESTMODSEQ, likewise
	batch   int                    // messages in one batch of List and Flags
	onRead  func(m *Message) (content []byte, err error)
	onList  func(f Folder) error
	onUIDs  func(f Folder) error

	labels   bool
	keyed    bool
	modSeqs  bool     // the source keeps ModSeq
	unmoved  FolderID // the target cannot move messages to this folder
	parallel int
	store    []*worldCopy
	onAppend func(w *world, m *Message) error // called with mu held, before the effect
	onUpdate func() error                     // called with mu held, after the effect
	findErr  error
	places   map[string]FolderID
	badPlace string // this folder cannot be placed

	ledger map[rowID]Record
	states []FolderState
	listed map[int64]int64
	state  MailboxState
	others []Tally // of the same source and another target

	onSave func(rs []Record) error // called with mu held, before the effect

	n     int
	step  func(n int) error
	calls map[string]int
	ticks uint64
}

type rowID struct {
	folder int64
	uid    UID
}

type worldMail struct {
	uid     UID
	content string
	flags   []Flag
	modSeq  uint64 // of its flags
	id      string // Message-ID; made of uid if it is empty
}

type worldCopy struct {
	id      MessageID
	key     string
	content string
	folders []FolderID
	flags   []Flag
	trashed bool
}

var errPower = &Error{Op: "power", Class: Fatal, Err: errors.New("cut")}

func newWorld(t *testing.T) *world {
	w := &world{t: t, batch: 3, parallel: 3, mail: map[string][]worldMail{}, next: map[string]UID{}, highest: map[string]uint64{}}
	w.fresh()
	return w
}

// fresh forgets what target and checkpoints hold.
func (w *world) fresh() {
	w.store, w.ledger, w.states, w.listed, w.state, w.n = nil, map[rowID]Record{}, nil, map[int64]int64{}, MailboxState{}, 0
	w.places, w.calls = map[string]FolderID{}, map[string]int{}
	w.step = func(int) error { return nil }
}

// add puts a folder with messages at the source; UIDs count from 1.
func (w *world) add(path string, contents ...string) {
	f := Folder{Path: strings.Split(path, "/"), UIDValidity: 7}
	for i, c := range contents {
		w.mail[f.String()] = append(w.mail[f.String()], worldMail{uid: UID(i + 1), content: c})
	}
	w.folders = append(w.folders, f)
}

func (w *world) effect(name string, fn func()) error {
	w.calls[name]++
	w.n++
	if err := w.step(w.n); err != nil {
		return err
	}
	fn()
	w.n++
	return w.step(w.n)
}

func (w *world) engine() *Engine {
	return &Engine{
		Checkpoints: (*worldCheckpoints)(w),
		Spool:       NewSpool(w.t.TempDir(), 1<<20, 1<<26),
		Retry:       Retry{First: time.Second, Max: time.Minute, Patience: time.Hour},
		Jobs:        1,
		Grace:       time.Second,
		Progress:    new(Progress),
	}
}

func (w *world) run() error { return w.runWith(context.Background(), w.engine()) }

// dies makes a run that dies after so many steps.
func (w *world) dies(after int) error {
	at := w.n + after
	w.step = func(n int) error {
		if n >= at {
			return errPower
		}
		return nil
	}
	defer func() { w.step = func(int) error { return nil } }()
	return w.run()
}

func (w *world) runWith(ctx context.Context, e *Engine) error {
	results, err := e.Run(ctx, []Mailbox{{
		Source: "ann@example.org", Target: "ann@example.com",
		OpenSource: func(context.Context) (Source, error) { return (*worldSource)(w), nil },
		OpenTarget: func(context.Context) (Target, error) { return (*worldTarget)(w), nil },
	}})
	return cmp.Or(err, results[0].Err)
}

// check fails unless every message of the source has a final outcome and is at
// the target exactly as often as it should be.
func (w *world) check() {
	w.t.Helper()
	want := map[string]int{} // folder and content
	for _, f := range w.folders {
		for _, m := range w.mail[f.String()] {
			r := w.record(f, m.uid)
			if !r.Outcome.Arrived() {
				w.t.Errorf("%s %d: outcome %s (%s)", f, m.uid, r.Outcome, r.Reason)
			}
			if r.Doubt {
				w.t.Errorf("%s %d: still in doubt", f, m.uid)
			}
			if c := w.copyOf(r.Target); c == nil || c.content != as(r.Notes, m.content) || !slices.Contains(c.folders, FolderID(f.String())) {
				w.t.Errorf("%s %d: recorded as %q, which is another message or elsewhere", f, m.uid, r.Target)
			}
			want[f.String()+": "+short(as(r.Notes, m.content))]++
		}
	}
	got := map[string]int{}
	contents := map[string]int{}
	for _, c := range w.store {
		if c.id == "" { // it was dropped
			continue
		}
		contents[c.content]++
		for _, f := range c.folders {
			got[string(f)+": "+short(c.content)]++
		}
	}
	if w.labels {
		for k := range want {
			want[k] = 1
		}
		for c, n := range contents {
			if n != 1 {
				w.t.Errorf("%d copies of %q at a target that labels", n, short(c))
			}
		}
	}
	if !maps.Equal(got, want) {
		w.t.Errorf("target holds %v, want %v", got, want)
	}
	ts, _ := (*worldCheckpoints)(w).Tally(context.Background())
	for _, t := range ts {
		if err := t.Check(); err != nil {
			w.t.Error(err)
		}
	}
}

// short names a content in messages of the tests.
func short(content string) string { return fmt.Sprintf("%.10s(%d)", content, len(content)) }

func (w *world) record(f Folder, uid UID) Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range slices.Backward(w.states) { // the latest epoch
		if s.Folder.UIDValidity == f.UIDValidity && slices.Equal(s.Folder.Path, f.Path) {
			return w.ledger[rowID{s.ID, uid}]
		}
	}
	return Record{}
}

func (w *world) copyOf(id MessageID) *worldCopy {
	for _, c := range w.store {
		if c.id == id {
			return c
		}
	}
	return nil
}

type worldSource world

func (s *worldSource) Folders(context.Context) ([]Folder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fs := slices.Clone(s.folders)
	for i, f := range fs {
		fs[i].Messages = int64(len(s.mail[f.String()]))
		for _, m := range s.mail[f.String()] {
			s.next[f.String()] = max(s.next[f.String()], m.uid+1)
			s.highest[f.String()] = max(s.highest[f.String()], m.modSeq)
		}
		if s.modSeqs {
			fs[i].ModSeq = s.highest[f.String()] + 1
		}
		fs[i].UIDNext = max(s.next[f.String()], 1)
	}
	return fs, nil
}

func (s *worldSource) Flags(_ context.Context, f Folder, below UID, since uint64) iter.Seq2[[]Message, error] {
	return func(yield func([]Message, error) bool) {
		s.mu.Lock()
		s.calls["flags"]++
		mail := slices.Clone(s.mail[f.String()])
		s.mu.Unlock()
		var changed []Message
		for _, m := range mail {
			if m.uid < below && (m.modSeq+1 > since || since == 0) {
				changed = append(changed, Message{UID: m.uid, Flags: m.flags})
			}
		}
		for batch := range slices.Chunk(changed, s.batch) {
			if !yield(batch, nil) {
				return
			}
		}
	}
}

func (s *worldSource) UIDs(_ context.Context, f Folder, below UID) iter.Seq2[UIDRange, error] {
	return func(yield func(UIDRange, error) bool) {
		s.mu.Lock()
		s.calls["uids"]++
		mail := slices.Clone(s.mail[f.String()])
		s.mu.Unlock()
		if s.onUIDs != nil {
			if err := s.onUIDs(f); err != nil {
				yield(UIDRange{}, err)
				return
			}
		}
		for _, m := range mail {
			if m.uid < below && !yield(UIDRange{m.uid, m.uid}, nil) {
				return
			}
		}
	}
}

func (s *worldSource) List(_ context.Context, f Folder, from UID) iter.Seq2[[]Message, error] {
	return func(yield func([]Message, error) bool) {
		var batch []Message
		if s.onList != nil {
			if err := s.onList(f); err != nil {
				yield(nil, err)
				return
			}
		}
		s.mu.Lock()
		mail := slices.Clone(s.mail[f.String()])
		s.mu.Unlock()
		for _, m := range mail {
			if m.uid < from || m.uid >= f.UIDNext {
				continue
			}
			batch = append(batch, Message{UID: m.uid, Size: int64(len(m.content)), Flags: m.flags, MessageID: cmp.Or(m.id, fmt.Sprintf("<%d@example.org>", m.uid))})
			if len(batch) == s.batch {
				if !yield(batch, nil) {
					return
				}
				batch = nil
			}
		}
		if batch != nil {
			yield(batch, nil)
		}
	}
}

func (s *worldSource) Read(ctx context.Context, f Folder, ms []*Message, body func(*Message, io.Reader) error) error {
	for _, m := range ms {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.mu.Lock()
		mail := slices.Clone(s.mail[f.String()])
		onRead := s.onRead
		s.mu.Unlock()
		for _, wm := range mail {
			if wm.uid != m.UID {
				continue
			}
			content := []byte(wm.content)
			if onRead != nil {
				var err error
				if content, err = onRead(m); err != nil {
					return err
				}
				if content == nil {
					content = []byte(wm.content)
				}
			}
			if err := body(m, bytes.NewReader(content)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *worldSource) Close() error { return nil }

type worldTarget world

func (t *worldTarget) Capabilities() Capabilities {
	return Capabilities{Parallel: t.parallel, Labels: t.labels, Keyed: t.keyed, MaxMessageSize: 1 << 22}
}

func (t *worldTarget) Position(context.Context) (Position, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Position(fmt.Sprint(len(t.store))), nil
}

func (t *worldTarget) Place(_ context.Context, fs []Folder) ([]Placement, error) {
	taken := map[FolderID]bool{}
	for _, f := range fs {
		taken[f.Placed] = true
	}
	var ps []Placement
	for _, f := range fs {
		p := Placement{ID: f.Placed, Name: f.String()}
		if p.ID == "" {
			for p.ID = FolderID(f.String()); taken[p.ID]; p.ID += "'" {
			}
			taken[p.ID] = true
		}
		if f.String() == t.badPlace {
			p = Placement{Err: &Error{Op: "make folder", Class: Permanent, Err: errors.New("bad name"), Hint: "Rename it."}}
		}
		ps = append(ps, p)
	}
	return ps, nil
}

func (t *worldTarget) Append(_ context.Context, folder FolderID, m *Message) (Stored, error) {
	r, err := m.Body.Open()
	if err != nil {
		return Stored{}, err
	}
	content, err := io.ReadAll(r)
	if err != nil {
		return Stored{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	w := (*world)(t)
	if r := w.intentOf(m.Key); !r.Doubt || r.Outcome != Pending || !w.intends(r, string(content)) || m.Digest != sha256.Sum256(content) || m.Size != int64(len(content)) {
		w.t.Errorf("message %d is written without a durable intent: %+v", m.UID, r)
	}
	if w.state.Position == "" {
		w.t.Error("a message is written before the target's position is recorded")
	}
	if w.onAppend != nil {
		if err := w.onAppend(w, m); err != nil {
			return Stored{}, err
		}
	}
	if i := slices.IndexFunc(w.store, func(c *worldCopy) bool { return c.trashed && c.content == string(content) }); t.labels && i >= 0 {
		c := w.store[i] // as Gmail may do: it stays hidden
		return Stored{ID: c.id}, w.effect("append", func() { c.folders = append(c.folders, folder) })
	}
	c := &worldCopy{id: MessageID(fmt.Sprint("id-", len(w.store))), key: m.Key, content: string(content), folders: []FolderID{folder}, flags: slices.Clone(m.Flags)}
	err = w.effect("append", func() { w.store = append(w.store, c) })
	return Stored{ID: c.id}, err
}

// intentOf finds the record whose message has the key.
func (w *world) intentOf(k string) Record {
	for id, r := range w.ledger {
		if w.states[id.folder-1].Key("ann@example.org", id.uid) == k {
			return r
		}
	}
	return Record{}
}

// intends says whether r is the intent to write that content.
func (w *world) intends(r Record, content string) bool {
	if w.onRead != nil { // what the source delivers is not what it lists
		return r.Digest == sha256.Sum256([]byte(content))
	}
	for _, mail := range w.mail {
		for _, m := range mail {
			if r.Digest == sha256.Sum256([]byte(m.content)) {
				return as(r.Notes, m.content) == content
			}
		}
	}
	return false
}

// as returns a content as transforms leave it.
func as(names []string, content string) string {
	b, _ := io.ReadAll(transform.Reader(names, time.Time{}, strings.NewReader(content)))
	return string(b)
}

func (t *worldTarget) Find(_ context.Context, folder FolderID, m *Message, since Position) (Stored, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls["find"]++
	if t.findErr != nil {
		return Stored{}, t.findErr
	}
	// A target that labels knows messages by their content alone.
	if t.labels && m.Digest == (Digest{}) {
		return Stored{}, &Error{Op: "find", Class: Permanent, Err: ErrUndecided}
	}
	var from int
	if fmt.Sscan(string(since), &from); t.keyed {
		from = 0
	}
	for _, c := range t.store[min(from, len(t.store)):] {
		if !slices.Contains(c.folders, folder) {
			continue
		}
		if !t.labels && c.key == m.Key || t.labels && sha256.Sum256([]byte(c.content)) == m.Digest {
			return Stored{ID: c.id}, nil
		}
	}
	return Stored{}, ErrNotFound
}

func (t *worldTarget) Update(_ context.Context, change Change, ids ...MessageID) (notes []string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := (*world)(t)
	for _, f := range change.AddFlags {
		notes = append(notes, "no "+string(f))
	}
	for _, id := range ids {
		c := w.copyOf(id)
		switch {
		case c == nil && len(ids) == 1:
			return nil, ErrNotFound
		case c == nil:
			continue
		case w.unmoved != "" && change.AddFolder == w.unmoved:
			return nil, &Error{Op: "update", Class: Permanent, Refused: true, Err: ErrUnmovable}
		case !t.labels && (change.AddFolder == "") != (change.RemoveFolder == ""):
			w.t.Errorf("%+v: a message can be in one folder only", change)
		}
		if err := w.effect("update", func() { c.change(change, t.labels) }); err != nil {
			return notes, err
		}
	}
	if t.onUpdate != nil {
		return notes, t.onUpdate()
	}
	return notes, nil
}

func (c *worldCopy) change(change Change, labels bool) {
	if change.AddFolder != "" && !labels {
		c.folders = nil
	}
	if change.AddFolder != "" {
		c.trashed = false
	}
	c.folders = slices.DeleteFunc(c.folders, func(f FolderID) bool { return f == change.RemoveFolder })
	if change.AddFolder != "" && !slices.Contains(c.folders, change.AddFolder) {
		c.folders = append(c.folders, change.AddFolder)
	}
	c.flags = slices.DeleteFunc(c.flags, func(f Flag) bool { return slices.Contains(change.RemoveFlags, f) })
	c.flags = append(c.flags, missing(change.AddFlags, c.flags)...)
	if change.Key != "" {
		c.key = change.Key
	}
	if change.Trash {
		c.folders, c.trashed = nil, true
	}
}

func (t *worldTarget) Close() error { return nil }

type worldCheckpoints world

func (c *worldCheckpoints) Mailbox(context.Context, string, string) (Ledger, error) {
	return (*worldLedger)(c), nil
}
func (c *worldCheckpoints) Close() error { return nil }

func (c *worldCheckpoints) Tally(context.Context, ...string) ([]Tally, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ts := slices.Clone(c.others)
	for _, s := range c.states {
		t := Tally{ID: s.ID, To: "ann@example.com", Folder: s.Folder, Listed: c.listed[s.ID]}
		for id, r := range c.ledger {
			if id.folder == s.ID {
				t.Count[r.Outcome]++
				if r.Vanished {
					t.Vanished++
				}
				if r.Vanished && r.Outcome.Arrived() {
					t.Left++
				}
				if r.Doubt {
					t.Doubts++
				}
			}
		}
		ts = append(ts, t)
	}
	return ts, nil
}

type worldLedger world

func (l *worldLedger) State(context.Context) (MailboxState, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state, nil
}

func (l *worldLedger) SaveState(_ context.Context, s MailboxState) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return (*world)(l).effect("save state", func() { l.state = s })
}

func (l *worldLedger) Folders(context.Context) ([]FolderState, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.states), nil
}

func (l *worldLedger) SaveFolder(_ context.Context, s *FolderState) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, old := range l.states {
		if old.ID == s.ID || s.ID == 0 && old.Epoch == s.Epoch && old.Folder.UIDValidity == s.Folder.UIDValidity && slices.Equal(old.Folder.Path, s.Folder.Path) {
			s.ID = old.ID
			return (*world)(l).effect("save folder", func() { l.states[i] = *s })
		}
	}
	s.ID = int64(len(l.states) + 1)
	return (*world)(l).effect("save folder", func() { l.states = append(l.states, *s) })
}

func (l *worldLedger) Records(_ context.Context, folder int64, from, to UID) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		l.mu.Lock()
		var rs []Record
		for id, r := range l.ledger {
			if id.folder == folder && from <= id.uid && id.uid <= to {
				rs = append(rs, r)
			}
		}
		l.mu.Unlock()
		slices.SortFunc(rs, func(a, b Record) int { return cmp.Compare(a.UID, b.UID) })
		for _, r := range rs {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (l *worldLedger) AddListed(_ context.Context, rs ...Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range rs {
		if _, ok := l.ledger[rowID{r.Folder, r.UID}]; ok {
			return fmt.Errorf("record %d exists", r.UID)
		}
	}
	return (*world)(l).effect("add", func() {
		for _, r := range rs {
			l.ledger[rowID{r.Folder, r.UID}] = r
			l.listed[r.Folder]++
		}
	})
}

func (l *worldLedger) Save(_ context.Context, rs ...Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range rs {
		if _, ok := l.ledger[rowID{r.Folder, r.UID}]; !ok {
			return fmt.Errorf("no record %d", r.UID)
		}
	}
	if l.onSave != nil {
		if err := l.onSave(rs); err != nil {
			return err
		}
	}
	return (*world)(l).effect("save", func() {
		for _, r := range rs {
			l.ledger[rowID{r.Folder, r.UID}] = r
		}
	})
}

func (l *worldLedger) ByDigest(_ context.Context, d Digest, all bool) ([]Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var arrived, doubts []Record
	for _, r := range l.ledger {
		switch {
		case r.Digest != d:
		case r.Outcome.Arrived(), all && r.Outcome == Removed:
			arrived = append(arrived, r)
		case r.Doubt:
			doubts = append(doubts, r)
		}
	}
	slices.SortFunc(arrived, func(a, b Record) int { return cmp.Compare(order(a), order(b)) })
	switch {
	case len(arrived) == 0:
		return doubts, nil
	case all:
		return arrived, nil
	}
	return arrived[:1], nil
}

// order puts what has vanished first.
func order(r Record) int64 {
	n := r.Folder<<32 + int64(r.UID)
	if r.Vanished {
		n -= 1 << 60
	}
	return n
}
