package verify

import (
	"sync"
	"time"
)

// Progress is what a verification shows while it runs. Its zero value is ready.
type Progress struct {
	mu        sync.Mutex
	mailboxes []*mailboxProgress
}

// A Snapshot is how far the verification of a mailbox has come.
type Snapshot struct {
	Source, Target string
	Started, Ended time.Time // zero if it has not
	Err            error     // why it ended early
	Phase          string    // what it is doing: "connecting", "listing" or a folder
	Wait           string    // why it pauses, until when; "" if it does not
	Until          time.Time
	Total          int64 // messages that arrived, by their records
	Known          int64 // of them, those that were done before it was stopped
	Done           int64 // and since
	Bytes          int64 // octets of messages that were read back
	Different      int64 // findings, but for extra messages
}

// Snapshot returns the mailboxes in order.
func (p *Progress) Snapshot() []Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := make([]Snapshot, len(p.mailboxes))
	for i, m := range p.mailboxes {
		m.mu.Lock()
		s[i] = m.s
		m.mu.Unlock()
	}
	return s
}

func (p *Progress) add(m Mailbox) *mailboxProgress {
	p.mu.Lock()
	defer p.mu.Unlock()
	mp := &mailboxProgress{s: Snapshot{Source: m.Source, Target: m.Target}}
	p.mailboxes = append(p.mailboxes, mp)
	return mp
}

type mailboxProgress struct {
	mu sync.Mutex
	s  Snapshot
}

func (m *mailboxProgress) update(fn func(*Snapshot)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fn(&m.s)
}

func (m *mailboxProgress) begin() { m.update(func(s *Snapshot) { s.Started = time.Now() }) }

func (m *mailboxProgress) end(err error) {
	m.update(func(s *Snapshot) { s.Ended, s.Err, s.Phase, s.Wait = time.Now(), err, "", "" })
}

func (m *mailboxProgress) phase(name string) { m.update(func(s *Snapshot) { s.Phase = name }) }

func (m *mailboxProgress) wait(reason string, until time.Time) {
	m.update(func(s *Snapshot) { s.Wait, s.Until = reason, until })
}
