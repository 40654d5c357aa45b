package imap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/mailhaul/mailhaul/migrate"
)

// rangeSize is from which announced size on a message is fetched in ranges,
// and how large these are.
const rangeSize = 4 << 20

var errNoBody = errors.New("the server has the message and does not deliver it")

// Read fetches the bodies of up to 500 messages with one command and hands on
// each while it arrives. What a reader returns is what the server sent,
// whatever size it announced before; if the server breaks off, the reader says
// so.
func (s *Source) Read(ctx context.Context, f migrate.Folder, ms []*migrate.Message, body func(*migrate.Message, io.Reader) error) error {
	var small, large, left []*migrate.Message
	for _, m := range ms {
		if m.Size > rangeSize {
			large = append(large, m)
		} else {
			small = append(small, m)
		}
	}
	for group := range slices.Chunk(small, batchSize) {
		missed, err := s.whole(ctx, f, group, body)
		if err != nil {
			return err
		}
		left = append(left, missed...)
	}
	for _, m := range large {
		read, err := s.ranges(ctx, f, m, body)
		if err != nil {
			return err
		}
		if !read {
			left = append(left, m)
		}
	}
	for group := range slices.Chunk(left, batchSize) {
		if err := s.absent(ctx, f, group); err != nil {
			return err
		}
	}
	return nil
}

var (
	uidOnly   = imap.FetchOptions{UID: true}
	wholeBody = imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}}
)

func uidSet(ms []*migrate.Message) (set imap.UIDSet) {
	for _, m := range ms {
		set.AddNum(imap.UID(m.UID))
	}
	return set
}

// whole reads messages with one command and returns those that did not come.
func (s *Source) whole(ctx context.Context, f migrate.Folder, ms []*migrate.Message, body func(*migrate.Message, io.Reader) error) (missed []*migrate.Message, err error) {
	wanted := make(map[imap.UID]*migrate.Message, len(ms))
	for _, m := range ms {
		wanted[imap.UID(m.UID)] = m
	}
	err = s.inFolder(ctx, f, "read", func(ss *session) error {
		return ss.fetch(uidSet(ms), &wholeBody, func(uid imap.UID, l *literal) error {
			m := wanted[uid]
			if m == nil {
				return nil
			}
			if ctx.Err() != nil {
				return callback{context.Cause(ctx)}
			}
			delete(wanted, uid)
			return deliver(m, l, body)
		})
	})
	for _, m := range ms {
		if wanted[imap.UID(m.UID)] != nil {
			missed = append(missed, m)
		}
	}
	return missed, err
}

// fetch runs a FETCH and hands on the bodies that it brings. An error of fn
// closes the connection, which spares the rest of the answer.
func (s *session) fetch(set imap.UIDSet, options *imap.FetchOptions, fn func(imap.UID, *literal) error) error {
	cmd := s.client.Fetch(set, options)
	for data := cmd.Next(); data != nil; data = cmd.Next() {
		var uid imap.UID
		for item := data.Next(); item != nil; item = data.Next() {
			switch item := item.(type) {
			case imapclient.FetchItemDataUID:
				uid = item.UID
			case imapclient.FetchItemDataBodySection:
				if item.Literal == nil { // NIL: expunged meanwhile, or not readable
					continue
				}
				l := &literal{session: s, r: item.Literal, left: item.Literal.Size()}
				if err := fn(uid, l); err != nil {
					l.abandon(cmd)
					return err
				}
			}
		}
	}
	return cmd.Close()
}

// deliver calls body and reads what it left over.
func deliver(m *migrate.Message, l *literal, body func(*migrate.Message, io.Reader) error) error {
	if err := body(m, l); err != nil {
		return callback{err}
	}
	_, err := io.Copy(io.Discard, l)
	return err
}

// literal reads a body as it arrives. go-imap ends it quietly when the
// connection ends; this does not.
type literal struct {
	session *session
	r       io.Reader
	left    int64 // octets that are still to come
	err     error
}

func (l *literal) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	l.session.conn.grant()
	n, err := l.r.Read(p)
	l.left -= int64(n)
	switch {
	case err == nil:
	case err == io.EOF && l.left == 0:
		l.err = err
	default:
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		l.err = classify("read", l.session.conn.cause(err))
	}
	return n, l.err
}

// abandon ends the connection and the command that brought l.
func (l *literal) abandon(cmd *imapclient.FetchCommand) {
	l.session.conn.kill()
	if l.err != nil && l.err != io.EOF {
		// A literal that broke gives go-imap's own goroutine the connection
		// back, and Close would read the literal again beside it.
		<-l.session.client.Closed()
	}
	cmd.Close()
}

// ranges reads a large message piece by piece (RFC 3501 section 6.4.5) and
// says whether it was there.
func (s *Source) ranges(ctx context.Context, f migrate.Folder, m *migrate.Message, body func(*migrate.Message, io.Reader) error) (read bool, err error) {
	err = s.inFolder(ctx, f, "read", func(ss *session) error {
		r := &ranges{session: ss, uid: imap.UID(m.UID), size: m.Size}
		if err := r.next(); err != nil || r.absent {
			return err
		}
		read = true
		if err := body(m, r); err != nil {
			ss.conn.kill()
			return callback{err}
		}
		return nil
	})
	return read, err
}

// ranges reads a message of which each piece is fetched when the one before it
// was read.
type ranges struct {
	session *session
	uid     imap.UID
	size    int64 // as announced

	piece  []byte // what is left of the piece that was fetched last
	offset int64  // where the next one begins
	last   bool   // there is no next one
	tiny   int    // pieces of less than tiny octets that did not end it
	absent bool   // the first piece did not come
	err    error
}

func (r *ranges) Read(p []byte) (int, error) {
	for len(r.piece) == 0 {
		if r.err == nil && r.last {
			r.err = io.EOF
		}
		if r.err == nil {
			r.err = r.next()
		}
		if r.err != nil {
			return 0, r.err
		}
	}
	n := copy(p, r.piece)
	r.piece = r.piece[n:]
	return n, nil
}

// So many pieces of less than so many octets are taken for a server's limit.
const (
	tiny    = 64 << 10
	maxTiny = 16
)

// next fetches the next piece into memory, so that no answer is under way
// while the caller thinks.
func (r *ranges) next() error {
	part := &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Offset: r.offset, Size: rangeSize}}
	came := false
	err := r.session.fetch(imap.UIDSetNum(r.uid), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{part}},
		func(uid imap.UID, l *literal) error {
			if uid != r.uid || came {
				return nil
			}
			if l.left > rangeSize {
				return classify("read", errors.New("the server sends more than the range that it was asked for"))
			}
			came = true
			r.piece = slices.Grow(r.piece[:0], int(l.left))[:l.left]
			_, err := io.ReadFull(l, r.piece)
			return err
		})
	switch {
	case err != nil:
		return classify("read", r.session.conn.cause(err))
	case !came && r.offset == 0:
		r.absent, r.last = true, true
	case !came && r.offset != r.size:
		return classify("read", fmt.Errorf("the message vanished while it was read: %w", io.ErrUnexpectedEOF))
	}
	n := int64(len(r.piece))
	if !came {
		n = 0
	}
	r.offset += n
	// A piece that is short of the range ends the message, unless more was
	// announced: then the announcement is wrong, or the server limits pieces,
	// and the next piece tells.
	r.last = r.last || n == 0 || n < rangeSize && r.offset >= r.size
	if !r.last && n < tiny {
		if r.tiny++; r.tiny > maxTiny {
			return classify("read", errors.New("the server sends far less than the ranges that it is asked for"))
		}
	}
	return nil
}

// absent makes sure that messages which were not delivered do not exist. A
// server may send a body in a form that go-imap does not assign to its
// command, and what exists must never pass for deleted.
func (s *Source) absent(ctx context.Context, f migrate.Folder, ms []*migrate.Message) error {
	s.reopen()
	return s.inFolder(ctx, f, "read", func(ss *session) error {
		cmd := ss.client.Fetch(uidSet(ms), &uidOnly)
		there := imap.UID(0)
		for data := cmd.Next(); data != nil; data = cmd.Next() {
			for item := data.Next(); item != nil; item = data.Next() {
				if item, ok := item.(imapclient.FetchItemDataUID); ok {
					there = item.UID
				}
			}
		}
		if err := cmd.Close(); err != nil {
			return err
		}
		if there != 0 {
			return &migrate.Error{Op: "read", Class: migrate.Permanent, Err: fmt.Errorf("UID %d: %w", there, errNoBody),
				Hint: "Look at the message at the source: its file may be damaged."}
		}
		return nil
	})
}
