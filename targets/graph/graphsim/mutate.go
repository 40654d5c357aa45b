package graphsim

import (
	"errors"
	"time"
)

// The methods of this file damage what a mailbox holds, as no call of Graph
// could, for tests and rehearsals of what must notice it. They name messages by
// either kind of id, and folders by id or well-known name.

// Drop removes a message without a trace.
func (s *Server) Drop(user, id string) error {
	return s.mutate(user, id, func(c *call, m *message) error {
		c.mb.take(m)
		return nil
	})
}

// Double adds a copy of a message beside it, with all its properties, and
// returns its immutable id.
func (s *Server) Double(user, id string) (copied string, err error) {
	err = s.mutate(user, id, func(c *call, m *message) error {
		n := m.copied(c.mb.nextItem(), c.mb.nextPlacement(), c.now)
		c.mb.put(m.folder, n)
		copied = immutableID.format(c.mb.tag, n.item)
		return nil
	})
	return copied, err
}

// Move puts a message into another folder.
func (s *Server) Move(user, id, folder string) error {
	return s.mutate(user, id, func(c *call, m *message) error {
		f, err := c.findFolder(folder)
		if err != nil {
			return err
		}
		c.mb.take(m)
		c.mb.put(f, m.moved(c.mb.nextPlacement()))
		return nil
	})
}

// SetReceived changes the date by which a message is sorted.
func (s *Server) SetReceived(user, id string, at time.Time) error {
	return s.mutate(user, id, func(c *call, m *message) error {
		m.received = at
		c.mb.changed(m, c.now)
		return nil
	})
}

// Marks are what people change about a message.
type Marks struct {
	Read, Flagged bool
	Categories    []string
}

// Mark replaces the marks of a message.
func (s *Server) Mark(user, id string, marks Marks) error {
	return s.mutate(user, id, func(c *call, m *message) error {
		if m.read != marks.Read {
			m.folder.unread += map[bool]int{true: -1, false: 1}[marks.Read]
		}
		m.read, m.flag, m.categories = marks.Read, nil, marks.Categories
		if marks.Flagged {
			m.flag = map[string]any{"flagStatus": "flagged"}
		}
		c.mb.changed(m, c.now)
		return nil
	})
}

// Rewrite changes the content of a message: its octets if it came as MIME, and
// the text of its body if it came as JSON.
func (s *Server) Rewrite(user, id string, edit func([]byte) []byte) error {
	return s.mutate(user, id, func(c *call, m *message) error {
		if m.route == RouteJSON {
			ct, err := (&view{c: c, m: m}).content()
			if err != nil {
				return err
			}
			body := map[string]any{"contentType": ct.bodyType, "content": string(edit([]byte(ct.body)))}
			m.patched = merged(m.patched, map[string]any{"body": body})
			c.mb.changed(m, c.now)
			return nil
		}
		return c.replace(m, &m.written, edit)
	})
}

// RewriteAttachment changes the content of an attachment, counted from 0, of a
// message that came as JSON.
func (s *Server) RewriteAttachment(user, id string, n int, edit func([]byte) []byte) error {
	return s.mutate(user, id, func(c *call, m *message) error {
		if n < 0 || n >= len(m.files) {
			return errors.New("there is no such attachment")
		}
		a := *m.files[n] // a copy of the message may share it
		before := a.written.size
		if err := c.replace(m, &a.written, edit); err != nil {
			return err
		}
		m.files[n], m.fileOctets = &a, m.fileOctets+a.written.size-before
		return nil
	})
}

// replace stores what edit makes of a span of m.
func (c *call) replace(m *message, at *span, edit func([]byte) []byte) error {
	b, err := c.s.octets.read(*at)
	if err != nil {
		return err
	}
	before := at.size
	if *at, err = c.s.octets.add(edit(b)); err != nil {
		return err
	}
	m.folder.octets += at.size - before
	c.mb.octets += at.size - before
	c.mb.changed(m, c.now)
	return nil
}

func (s *Server) mutate(user, id string, change func(c *call, m *message) error) error {
	c, unlock := s.exporting(user)
	if c == nil {
		return errors.New("there is no such mailbox")
	}
	defer unlock()
	m, err := c.findMessage(id)
	if err != nil {
		return err
	}
	return change(c, m)
}
