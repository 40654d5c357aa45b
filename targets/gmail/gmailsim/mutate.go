package gmailsim

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"
)

// What follows damages a mailbox behind the back of whoever wrote it, as no
// call of the API could, for tests and rehearsals of verification. An error
// means that there is no such message or label, and that nothing was changed.

// Drop loses a message.
func (s *Server) Drop(user, id string) error {
	return s.mutate(user, id, func(b *mailbox, m *message) error {
		b.remove(m)
		return nil
	})
}

// Double makes a second message of the same octets, date and labels, and
// returns its id.
func (s *Server) Double(user, id string) (twin string, err error) {
	err = s.mutate(user, id, func(b *mailbox, m *message) error {
		octets, err := s.received(m)
		if err != nil {
			return err
		}
		next := *m
		next.same = [sha256.Size]byte{}
		b.add(&next, messageIDOf(octets))
		twin = formatID(next.id)
		return nil
	})
	return twin, err
}

// Relabel takes labels from a message and adds others, by their ids, SENT and
// DRAFT too: so a message is moved, read or marked.
func (s *Server) Relabel(user, id string, remove, add []string) error {
	return s.mutate(user, id, func(b *mailbox, m *message) error {
		minus, err := b.lookUp(remove)
		if err != nil {
			return err
		}
		plus, err := b.lookUp(add)
		if err != nil {
			return err
		}
		b.relabel(m, plus, minus)
		return nil
	})
}

// SetDate changes the internalDate of a message, which keeps its id.
func (s *Server) SetDate(user, id string, date time.Time) error {
	return s.mutate(user, id, func(b *mailbox, m *message) error {
		m.date = date.UnixMilli()
		b.record(threadChanged, m, nil)
		return nil
	})
}

// Rewrite replaces the octets of a message, as they were received, by what
// change makes of them.
func (s *Server) Rewrite(user, id string, change func(octets []byte) []byte) error {
	return s.mutate(user, id, func(b *mailbox, m *message) error {
		octets, err := s.received(m)
		if err != nil {
			return err
		}
		octets = change(octets)
		offset, err := s.octets.append(octets)
		if err != nil {
			return err
		}
		b.unindex(m)
		b.bytes += int64(len(octets)) - m.size
		m.offset, m.size, m.sum = offset, int64(len(octets)), sha256.Sum256(octets)
		b.indexAs(m, messageIDOf(octets))
		b.record(threadChanged, m, nil)
		return nil
	})
}

// mutate calls do with the message, alone.
func (s *Server) mutate(user, id string, do func(*mailbox, *message) error) error {
	s.mu.Lock()
	b := s.boxes[strings.ToLower(user)]
	s.mu.Unlock()
	if b == nil {
		return fmt.Errorf("no mailbox %s", user)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	m, err := b.find(id)
	if err != nil {
		return err
	}
	return do(b, m)
}

// received reads the octets of m.
func (s *Server) received(m *message) ([]byte, error) {
	octets := make([]byte, m.size)
	_, err := s.octets.file.ReadAt(octets, m.offset)
	return octets, err
}

func messageIDOf(octets []byte) string {
	header, _ := split(octets)
	return parseHead(header).messageID
}
