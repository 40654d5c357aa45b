package migrate

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Bodies are read in groups of at most so many messages and octets.
const (
	groupMessages = 64 // or half of what may be queued, if that is less
	groupBytes    = 1 << 20
)

// read brings the bodies of todo into the spool and hands them to the writer.
func (p *pass) read(ctx context.Context, st FolderState, todo []*task) error {
	for len(todo) > 0 {
		var bytes int64
		n := 0
		for n < len(todo) && n < groupMessages && int64(n) < p.write.queued/2 && (n == 0 || bytes+todo[n].msg.Size <= groupBytes) {
			bytes += todo[n].msg.Size
			n++
		}
		if p.reads += n; p.reads > positionEvery {
			if err := p.write.drain(ctx); err != nil {
				return err
			}
			if err := p.position(ctx); err != nil {
				return err
			}
		}
		if err := p.group(ctx, st, todo[:n]); err != nil {
			return err
		}
		todo = todo[n:]
	}
	return nil
}

// group reads a few messages with one call. If that fails they are read one by
// one, so that a message which the source cannot deliver stands alone.
func (p *pass) group(ctx context.Context, st FolderState, group []*task) error {
	left, err := p.fetch(ctx, st, group)
	if err == nil {
		return p.missing(ctx, left)
	}
	if errors.Is(err, ErrFolderGone) || classify(err).Class == Fatal || ctx.Err() != nil {
		return err
	}
	for _, t := range left {
		if err := p.single(ctx, st, t); err != nil {
			return err
		}
	}
	return nil
}

// deliveries is how often a source may break off one and the same message
// before that message is given up. With the pauses of DefaultRetry between
// them that is a minute: a bad moment of the network blames no message.
const deliveries = 7

func (p *pass) single(ctx context.Context, st FolderState, t *task) error {
	blamed, given := 0, false
	err := p.Retry.do(ctx, p.progress.Wait, func(int) bool { given = blamed >= deliveries; return given }, func() error {
		left, err := p.fetch(ctx, st, []*task{t})
		if err == nil {
			return p.missing(ctx, left)
		}
		if !errors.Is(err, ErrUnreachable) {
			blamed++
		}
		return err
	})
	if err == nil || ctx.Err() != nil {
		return err
	}
	if given || classify(err).Class == Permanent {
		t.rec = failed(t.rec, &Error{Op: "read", Class: Permanent, Err: err,
			Hint: "The source could not deliver this message. Look at it there: its file may be damaged."})
		t.rec.Doubt = t.doubt
		return p.record(ctx, t.rec)
	}
	return err
}

// fetch reads the messages of group and submits each as soon as it is in the
// spool. It returns those that it did not get.
func (p *pass) fetch(ctx context.Context, st FolderState, group []*task) (left []*task, err error) {
	tasks := make(map[*Message]*task, len(group))
	ms := make([]*Message, len(group))
	for i, t := range group {
		ms[i] = &t.msg
		tasks[ms[i]] = t
	}
	// All room is taken before the call, so that the source never waits in it.
	if err = p.write.reserve(ctx, group); err != nil {
		return group, err
	}
	err = p.source.Read(ctx, st.Folder, ms, func(m *Message, r io.Reader) error {
		t := tasks[m]
		if t == nil {
			return fmt.Errorf("the source delivered a message that was not asked for, UID %d", m.UID)
		}
		body, err := p.Spool.fill(r, m.Size)
		if err != nil {
			return err
		}
		delete(tasks, m)
		t.body, t.msg.Body, t.msg.Digest, t.msg.Size = body, body, body.digest, body.size
		p.write.queue <- t // there is a slot for it
		return nil
	})
	for _, t := range group {
		if tasks[&t.msg] != nil {
			p.write.release(t)
			left = append(left, t)
		}
	}
	return left, err
}

// missing records the messages that the source no longer has.
func (p *pass) missing(ctx context.Context, left []*task) error {
	for _, t := range left {
		if t.doubt {
			t.msg.Digest, t.msg.Size = t.rec.Digest, t.rec.Size // as read before
			t.rec.Vanished = true
			if err := p.write.submit(ctx, t); err != nil {
				return err
			}
			continue
		}
		if err := p.record(ctx, t.rec.vanished()); err != nil {
			return err
		}
	}
	return nil
}

// record saves the outcome of a message that the writer does not see.
func (p *pass) record(ctx context.Context, r Record) error {
	if err := p.ledger.Save(ctx, r); err != nil {
		return Saved(err)
	}
	p.progress.done(r)
	return nil
}
