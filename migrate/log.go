package migrate

import (
	"context"
	"log/slog"
	"time"
)

// LogTo makes m tell l what happens to its mailbox; nil is nobody. It must be
// called before the work begins. No record holds anything of a message but its
// UID, Message-ID and size.
func (m *MailboxProgress) LogTo(l *slog.Logger) {
	if l != nil {
		m.log = l.With("mailbox", m.s.Source)
	}
}

func (m *MailboxProgress) begins() { m.log.Info("mailbox begins", "to", m.s.Target) }

func (m *MailboxProgress) ends() {
	m.mu.Lock()
	s := m.s
	m.mu.Unlock()
	sums := []any{"total", s.Total, "listed", s.Listed, "known", s.Known, "done", s.Done, "failed", s.Failed, "bytes", s.Bytes, "took", s.Ended.Sub(s.Started).Round(time.Millisecond)}
	if s.Err == nil {
		m.log.Info("mailbox ends", sums...)
		return
	}
	m.log.Warn("mailbox ends", append(sums, why(s.Err)...)...)
}

// waits tells of a pause. One for which others of the mailbox wait already is
// told in detail only.
func (m *MailboxProgress) waits(reason, before string, until time.Time) {
	level := slog.LevelWarn
	if reason == before {
		level = slog.LevelDebug
	}
	if reason != "" {
		m.log.Log(context.Background(), level, "waits", "reason", reason, "until", until)
	}
}

// stopped tells of a folder that was left, while others go on.
func (m *MailboxProgress) stopped(f Folder, err error) {
	m.log.Warn("folder stopped", append([]any{"folder", f.String()}, why(err)...)...)
}

// doubts tells how many messages an earlier run may have written.
func (m *MailboxProgress) doubts(ts []Tally) {
	var n int64
	for _, t := range ts {
		n += t.Doubts
	}
	if n > 0 {
		m.log.Info("in doubt", "messages", n)
	}
}

// know notes what a folder is called.
func (m *MailboxProgress) know(st FolderState) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.names == nil {
		m.names = map[int64]string{}
	}
	m.names[st.ID] = st.Folder.String()
}

// told tells of what became of messages, unless all went well.
func (m *MailboxProgress) told(rs ...Record) {
	for _, r := range rs {
		if r.Outcome != Failed && r.Outcome != Adopted {
			continue
		}
		m.mu.Lock()
		about := []any{"folder", m.names[r.Folder], "uid", r.UID, "message_id", r.MessageID, "size", r.Size}
		m.mu.Unlock()
		switch r.Outcome {
		case Failed:
			m.log.Warn("message failed", append(about, "reason", r.Reason, "hint", r.Hint, "doubt", r.Doubt)...)
		case Adopted:
			m.log.Info("message found", about...)
		}
	}
}

func why(err error) []any {
	reason, hint := Explain(err)
	return []any{"error", reason, "hint", hint}
}
