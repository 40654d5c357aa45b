package migrate

import (
	"context"
	"fmt"
	"slices"
)

// A task is a message on its way.
type task struct {
	rec    Record
	msg    Message
	folder FolderID
	body   *spooled // nil if the source no longer has the message
	doubt  bool     // an earlier run may have written it
	room   int64    // octets reserved in the spool
	window int64    // octets reserved in the writer
	digest bool     // it holds the claim on its content
	taken  *Record  // whose copy is that of the message from now on
	old    *Record  // whose copy is to go once the message is written
	forms  forms
}

// listed compares a batch with the records of its range of UIDs: new messages
// are recorded, vanished ones are Gone, copies follow the flags, and what is
// left to do is returned.
func (p *pass) listed(ctx context.Context, v *visit, batch []Message, from, to UID) ([]*task, error) {
	st := v.state
	records := map[UID]Record{}
	err := p.each(ctx, st, from, to, func(r Record) error {
		i, ok := slices.BinarySearchFunc(batch, r.UID, func(m Message, u UID) int { return int(int64(m.UID) - int64(u)) })
		if !ok {
			return p.vanish(ctx, st, r)
		}
		records[batch[i].UID] = r
		return nil
	})
	if err != nil {
		return nil, err
	}
	rule := p.rule(st.Folder)
	largest := p.target.Capabilities().MaxMessageSize
	var fresh, changed []Record
	var todo []*task
	var followed []flagged
	var done int64
	for i := range batch {
		m := &batch[i]
		r, old := records[m.UID]
		if !old {
			r = Record{Folder: st.ID, UID: m.UID, Size: m.Size}
		}
		if old && r.Outcome.Arrived() {
			followed = append(followed, flagged{r, m.Flags})
		}
		if !old && p.Heal || old && r.Outcome != Pending && r.Outcome != Excluded && r.Outcome != Gone {
			done++
			continue
		}
		before := r
		r.Outcome, r.Reason, r.Vanished, r.MessageID = Pending, "", false, cut(m.MessageID, MaxMessageID)
		excluded := rule
		if excluded == "" && p.Rules.Message != nil {
			excluded = p.Rules.Message(m)
		}
		switch {
		case r.Doubt: // it may be at the target: only a look decides
		case excluded != "":
			r.Outcome, r.Reason = Excluded, excluded
		case v.place.Err != nil:
			r = failed(r, v.place.Err)
		case largest > 0 && m.Size > largest:
			r = failed(r, &Error{Op: "size", Class: Permanent,
				Err:  fmt.Errorf("message of %d octets is larger than the target takes (%d)", m.Size, largest),
				Hint: "Save it for the user in another way."})
		}
		switch {
		case !old:
			fresh = append(fresh, r)
		case r.Outcome != before.Outcome || r.Reason != before.Reason || r.Vanished != before.Vanished:
			changed = append(changed, r)
		}
		if r.Outcome != Pending {
			done++
			continue
		}
		m.Key = st.Key(p.mailbox.Source, m.UID)
		todo = append(todo, &task{rec: r, msg: *m, folder: st.Target, doubt: r.Doubt})
	}
	if len(fresh) > 0 {
		if err := p.ledger.AddListed(ctx, fresh...); err != nil {
			return nil, Saved(err)
		}
	}
	if err := p.save(ctx, changed...); err != nil {
		return nil, err
	}
	if err := p.flush(ctx); err != nil {
		return nil, err
	}
	if err := p.followAll(ctx, followed); err != nil {
		return nil, err
	}
	p.progress.told(fresh...)
	p.progress.told(changed...)
	p.progress.listed(int64(len(batch)), done)
	return todo, nil
}

// save replaces records.
func (p *pass) save(ctx context.Context, rs ...Record) error {
	if len(rs) == 0 {
		return nil
	}
	return Saved(p.ledger.Save(ctx, rs...))
}

// failed turns r into the record of a failure.
func failed(r Record, err error) Record {
	r.Outcome, r.Doubt = Failed, false
	r.Reason, r.Hint = Explain(err)
	return r
}

// each calls fn for the records of a range that the pass may touch. The errors
// of fn are returned as they are, others are errors of the checkpoints.
func (p *pass) each(ctx context.Context, st FolderState, from, to UID, fn func(Record) error) error {
	for r, err := range p.ledger.Records(ctx, st.ID, from, to) {
		if err != nil {
			return Saved(err)
		}
		if p.Heal && !r.Lost() {
			continue
		}
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

// vanished deals with records whose messages the source no longer lists.
func (p *pass) vanished(ctx context.Context, st FolderState, from, to UID) error {
	if err := p.each(ctx, st, from, to, func(r Record) error { return p.vanish(ctx, st, r) }); err != nil {
		return err
	}
	return p.flush(ctx)
}

// vanish notes that the source has a message no more. One that was pending is
// Gone; one in doubt is looked for first. The rest is saved by flush.
func (p *pass) vanish(ctx context.Context, st FolderState, r Record) error {
	switch {
	case r.Outcome == Pending && r.Doubt:
		r.Vanished = true
		p.write.movable.Store(true)
		m := Message{UID: r.UID, Size: r.Size, Digest: r.Digest, Key: st.Key(p.mailbox.Source, r.UID)}
		return p.write.submit(ctx, &task{rec: r, msg: m, folder: st.Target, doubt: true})
	case r.Outcome == Pending:
		r = r.vanished()
		p.progress.done(r)
	case r.Vanished || p.Heal:
		return nil
	default:
		r.Vanished = true
	}
	if r.Outcome.Arrived() {
		p.write.movable.Store(true)
	}
	if p.unsaved = append(p.unsaved, r); len(p.unsaved) < unsavedMost {
		return nil
	}
	return p.flush(ctx)
}

// unsavedMost is how many records are saved at once.
const unsavedMost = 500

// flush saves what vanish noted.
func (p *pass) flush(ctx context.Context) error {
	rs := p.unsaved
	p.unsaved = nil
	return p.save(ctx, rs...)
}
