package migrate

import (
	"log/slog"
	"sync"
	"time"
)

// Progress is what a run or a verification shows while it runs. Its zero value
// is ready.
type Progress struct {
	mu        sync.Mutex
	mailboxes []*MailboxProgress
}

// Snapshot returns the mailboxes of the run in order.
func (p *Progress) Snapshot() []MailboxSnapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := make([]MailboxSnapshot, len(p.mailboxes))
	for i, m := range p.mailboxes {
		m.mu.Lock()
		s[i] = m.s
		m.mu.Unlock()
	}
	return s
}

// Add adds a mailbox that is about to be worked on.
func (p *Progress) Add(source, target string) *MailboxProgress {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := &MailboxProgress{s: MailboxSnapshot{Source: source, Target: target}, log: slog.New(slog.DiscardHandler)}
	p.mailboxes = append(p.mailboxes, m)
	return m
}

// A MailboxSnapshot is how far a pass over a mailbox has come.
type MailboxSnapshot struct {
	Source, Target string
	Started, Ended time.Time // zero if it has not
	Err            error     // why it ended early
	Phase          string    // what it is doing: "connecting", "folders" or a folder
	Wait           string    // why it pauses, until when; "" if it does not
	Until          time.Time
	Total          int64  // messages that the source announced
	Listed         int64  // messages listed in this pass
	Known          int64  // of them, those that had their outcome before
	Done           int64  // messages that came to an outcome in this pass
	Bytes          int64  // octets of those that arrived in this pass
	Failed         int64  // of Done
	Reason         string // why the latest of Failed failed
}

// MailboxProgress counts for one mailbox, and tells the log.
type MailboxProgress struct {
	log *slog.Logger

	mu    sync.Mutex
	s     MailboxSnapshot
	names map[int64]string // of folders, by FolderState.ID
}

// Update changes the snapshot, alone.
func (m *MailboxProgress) Update(fn func(*MailboxSnapshot)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fn(&m.s)
}

// Begin says that work on the mailbox begins.
func (m *MailboxProgress) Begin() {
	m.Update(func(s *MailboxSnapshot) { s.Started = time.Now() })
	m.begins()
}

// End says that it ended, and why if it was early.
func (m *MailboxProgress) End(err error) {
	m.Update(func(s *MailboxSnapshot) { s.Ended, s.Err, s.Phase, s.Wait = time.Now(), err, "", "" })
	m.ends()
}

// Phase says what is being done.
func (m *MailboxProgress) Phase(name string) {
	m.Update(func(s *MailboxSnapshot) { s.Phase = name })
}

func (m *MailboxProgress) total(fs []Folder) {
	m.Update(func(s *MailboxSnapshot) {
		s.Total = 0
		for _, f := range fs {
			s.Total += f.Messages
		}
	})
}

// Wait says why nothing is being done, until when; "" when it is over.
func (m *MailboxProgress) Wait(reason string, until time.Time) {
	var before string
	m.Update(func(s *MailboxSnapshot) { before, s.Wait, s.Until = s.Wait, reason, until })
	m.waits(reason, before, until)
}

func (m *MailboxProgress) listed(n, known int64) {
	m.Update(func(s *MailboxSnapshot) { s.Listed, s.Known = s.Listed+n, s.Known+known })
}

func (m *MailboxProgress) done(r Record) {
	if r.Outcome == Pending {
		return
	}
	m.told(r)
	m.Update(func(s *MailboxSnapshot) {
		s.Done++
		switch {
		case r.Outcome == Failed:
			s.Failed, s.Reason = s.Failed+1, r.Reason
		case r.Outcome.Arrived():
			s.Bytes += r.Size
		}
	})
}
