package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// pass is one walk over one mailbox.
type pass struct {
	*Engine
	mailbox  Mailbox
	ledger   Ledger
	source   Source
	target   Target
	progress *MailboxProgress
	state    MailboxState
	write    *writer
	arrived  bool // by the checkpoints, a message of the mailbox did
	reads    int  // since the target's position was last due
}

// positionEvery bounds how far back Target.Find has to look.
const positionEvery = 2000

func (e *Engine) pass(ctx context.Context, m Mailbox, progress *MailboxProgress) (err error) {
	p := &pass{Engine: e, mailbox: m, progress: progress}
	progress.Begin()
	defer func() { progress.End(err) }()

	p.ledger, err = e.Checkpoints.Mailbox(ctx, m.Source, m.Target)
	if err != nil {
		return Saved(err)
	}
	if p.state, err = p.ledger.State(ctx); err != nil {
		return Saved(err)
	}
	complete := p.state.Complete || !p.Heal
	p.state.Started, p.state.Ended, p.state.Complete, p.state.Error, p.state.Hint = time.Now(), time.Time{}, false, "", ""
	if err := p.ledger.SaveState(ctx, p.state); err != nil {
		return Saved(err)
	}
	err = p.walk(ctx)
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx) // what was queued was not written
	}
	if err == nil {
		err = p.identity(ctx)
	}
	p.state.Ended, p.state.Complete = time.Now(), err == nil && complete
	if err != nil && ctx.Err() == nil {
		p.state.Error, p.state.Hint = Explain(err)
	}
	return errors.Join(err, Saved(p.ledger.SaveState(context.WithoutCancel(ctx), p.state)))
}

// walk opens both ends and goes through every folder.
func (p *pass) walk(ctx context.Context) (err error) {
	p.progress.Phase("connecting")
	if err := p.retry(ctx, func() error { p.source, err = p.mailbox.OpenSource(ctx); return err }); err != nil {
		return err
	}
	defer p.source.Close()
	if err := p.retry(ctx, func() error { p.target, err = p.mailbox.OpenTarget(ctx); return err }); err != nil {
		return err
	}
	defer p.target.Close()

	p.progress.Phase("folders")
	var folders []Folder
	if err := p.retry(ctx, func() error { folders, err = p.source.Folders(ctx); return err }); err != nil {
		return fmt.Errorf("list folders of the source: %w", err)
	}
	p.progress.total(folders)
	known, err := p.ledger.Folders(ctx)
	if err != nil {
		return Saved(err)
	}
	places, err := p.place(ctx, folders, known)
	if err != nil {
		return fmt.Errorf("make folders at the target: %w", err)
	}
	if p.Heal {
		if folders, places, err = p.waiting(ctx, folders, places); err != nil {
			return err
		}
	}
	if err := p.position(ctx); err != nil {
		return err
	}

	p.write = newWriter(ctx, p)
	for _, k := range known {
		p.write.know(k)
	}
	err = p.folders(p.write.ctx, folders, places, known)
	// What stopped the writer explains why the reader stopped.
	if stopped := p.write.close(); stopped != nil {
		return stopped
	}
	return err
}

// folders goes through every folder of the source, and through those that are
// there no more.
func (p *pass) folders(ctx context.Context, folders []Folder, places []Placement, known []FolderState) error {
	var errs []error
	for i, f := range folders {
		if f.NoSelect {
			continue
		}
		if err := p.folder(ctx, f, places[i], known); err != nil {
			err = fmt.Errorf("folder %s: %w", f, err)
			if stop := (*folderError)(nil); !errors.As(err, &stop) {
				return err
			}
			errs = append(errs, err)
		}
	}
	for _, k := range known {
		if !slices.ContainsFunc(folders, func(f Folder) bool { return p.standsFor(f, k.Folder) }) {
			if err := p.vanished(ctx, k, 1, ^UID(0)); err != nil {
				return err
			}
		}
	}
	return errors.Join(errs...)
}

// folderError stops one folder and lets the others go on.
type folderError struct{ err *Error }

func (e *folderError) Error() string { return e.err.Error() }
func (e *folderError) Unwrap() error { return e.err }

func sameFolder(a, b Folder) bool {
	return a.UIDValidity == b.UIDValidity && slices.Equal(a.Path, b.Path)
}

// standsFor says whether a folder that is listed keeps those of a known one
// from being gone: it is the same; or its state is unknown; or it was made anew
// and is left alone.
func (p *pass) standsFor(f, known Folder) bool {
	return sameFolder(f, known) || slices.Equal(f.Path, known.Path) && !f.NoSelect &&
		(f.UIDValidity == 0 || !p.target.Capabilities().Labels)
}

func (p *pass) retry(ctx context.Context, fn func() error) error {
	return p.Retry.do(ctx, p.progress.Wait, nil, fn)
}

// place puts every folder that is not excluded at the target. The placements
// are in the order of folders; an excluded one has none.
func (p *pass) place(ctx context.Context, folders []Folder, known []FolderState) ([]Placement, error) {
	var fs []Folder
	var at []int
	for i, f := range folders {
		if p.rule(f) != "" {
			continue
		}
		for _, k := range known { // the latest state of that path counts
			if slices.Equal(k.Folder.Path, f.Path) && k.Target != "" {
				f.Placed = k.Target
			}
		}
		fs, at = append(fs, f), append(at, i)
	}
	places := make([]Placement, len(folders))
	return places, p.retry(ctx, func() error {
		ps, err := p.target.Place(ctx, fs)
		if err != nil {
			return err
		}
		for i, pl := range ps {
			places[at[i]] = pl
		}
		return nil
	})
}

func (p *pass) rule(f Folder) string {
	if p.Rules.Folder == nil {
		return ""
	}
	return p.Rules.Folder(f)
}

// position records where the target stands, unless a doubt needs the position
// that was recorded before it. No write may be in flight.
func (p *pass) position(ctx context.Context) error {
	p.reads = 0
	tallies, err := p.tallies(ctx)
	if err != nil {
		return Saved(err)
	}
	p.arrived = slices.ContainsFunc(tallies, func(t Tally) bool { return t.Arrived() > 0 })
	if slices.ContainsFunc(tallies, func(t Tally) bool { return t.Doubts > 0 }) {
		return nil
	}
	return p.advance(ctx)
}

// tallies counts what became of this mailbox, and not of what once moved from
// the same source to another target.
func (p *pass) tallies(ctx context.Context) ([]Tally, error) {
	ts, err := p.Checkpoints.Tally(ctx, p.mailbox.Source)
	return slices.DeleteFunc(ts, func(t Tally) bool { return t.To != p.mailbox.Target }), err
}

// waiting returns those folders that have something pending, and where they
// are. All were placed, so that none takes the place of another.
func (p *pass) waiting(ctx context.Context, folders []Folder, places []Placement) (fs []Folder, ps []Placement, err error) {
	tallies, err := p.tallies(ctx)
	for i, f := range folders {
		if slices.ContainsFunc(tallies, func(t Tally) bool { return slices.Equal(t.Folder.Path, f.Path) && t.Count[Pending] > 0 }) {
			fs, ps = append(fs, f), append(ps, places[i])
		}
	}
	p.progress.total(fs)
	return fs, ps, Saved(err)
}

// advance records the target's position.
func (p *pass) advance(ctx context.Context) error {
	var at Position
	err := p.retry(ctx, func() (err error) { at, err = p.target.Position(ctx); return err })
	if err != nil {
		return fmt.Errorf("position of the target: %w", err)
	}
	p.state.Position = at
	return Saved(p.ledger.SaveState(ctx, p.state))
}

// folder lists a folder batch by batch and hands on what is still to be done.
func (p *pass) folder(ctx context.Context, f Folder, place Placement, known []FolderState) error {
	if f.UIDValidity == 0 {
		return p.unknown(ctx, f)
	}
	for _, k := range known {
		if slices.Equal(k.Folder.Path, f.Path) && k.Folder.UIDValidity != f.UIDValidity && !p.target.Capabilities().Labels {
			return &folderError{&Error{Op: "list", Class: Fatal,
				Err:  fmt.Errorf("the folder was made anew at the source (UIDVALIDITY was %d, is %d)", k.Folder.UIDValidity, f.UIDValidity),
				Hint: "Its messages have new identities; copying them would double those that were copied before. The folder was left alone: compare it by hand, or restore the old folder."}}
		}
	}
	st := FolderState{Folder: f, Target: place.ID, Name: place.Name, Note: place.Note}
	for _, k := range known { // a folder that is left out now keeps its place
		if slices.Equal(k.Folder.Path, f.Path) && place.ID == "" && k.Target != "" {
			st.Target, st.Name, st.Note = k.Target, k.Name, k.Note
		}
	}
	if err := p.ledger.SaveFolder(ctx, &st); err != nil {
		return Saved(err)
	}
	p.write.know(st)
	p.progress.Phase(f.String())
	next := UID(1)
	list := func() error {
		for batch, err := range p.source.List(ctx, f, next) {
			if err != nil {
				return err
			}
			if len(batch) == 0 {
				continue
			}
			last := batch[len(batch)-1].UID
			todo, err := p.listed(ctx, st, place, batch, next, last)
			if err != nil {
				return err
			}
			next = last + 1
			if err := p.read(ctx, st, todo); err != nil {
				return err
			}
		}
		return nil
	}
	var err error
	for more := true; more; {
		more = false
		err = p.retry(ctx, func() error {
			from := next
			err := list()
			if more = err != nil && next > from && classify(err).Class == Transient; more {
				return nil // it got on: patience starts again
			}
			return err
		})
	}
	if err != nil {
		return alone(err)
	}
	return p.vanished(ctx, st, next, ^UID(0))
}

// unknown says why the source does not tell the state of a folder. Nothing is
// saved of it: which folder it is cannot be told.
func (p *pass) unknown(ctx context.Context, f Folder) error {
	return alone(p.retry(ctx, func() error {
		for _, err := range p.source.List(ctx, f, 1) {
			if err != nil {
				return err
			}
		}
		return &Error{Op: "list", Class: Permanent, Err: errors.New("the source does not tell its UIDVALIDITY"), Hint: "Run again."}
	}))
}

// alone makes an error that concerns one folder a folderError.
func alone(err error) error {
	switch {
	case errors.Is(err, ErrFolderGone):
		return &folderError{&Error{Op: "list", Class: Fatal, Err: err, Hint: "The folder changed while it was read. Run again."}}
	case classify(err).Class == Permanent:
		return &folderError{classify(err)}
	}
	return err
}

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
	forms  forms
}

// listed compares a batch with the records of its range of UIDs: new messages
// are recorded, vanished ones are Gone, and what is left to do is returned.
func (p *pass) listed(ctx context.Context, st FolderState, place Placement, batch []Message, from, to UID) ([]*task, error) {
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
	var done int64
	for i := range batch {
		m := &batch[i]
		r, old := records[m.UID]
		if !old {
			r = Record{Folder: st.ID, UID: m.UID, Size: m.Size}
		}
		if !old && p.Heal || old && r.Outcome != Pending && r.Outcome != Excluded && r.Outcome != Gone {
			done++
			continue
		}
		before := r
		r.Outcome, r.Reason = Pending, ""
		excluded := rule
		if excluded == "" && p.Rules.Message != nil {
			excluded = p.Rules.Message(m)
		}
		switch {
		case r.Doubt: // it may be at the target: only a look decides
		case excluded != "":
			r.Outcome, r.Reason = Excluded, excluded
		case place.Err != nil:
			r = failed(r, m, place.Err)
		case largest > 0 && m.Size > largest:
			r = failed(r, m, &Error{Op: "size", Class: Permanent,
				Err:  fmt.Errorf("message of %d octets is larger than the target takes (%d)", m.Size, largest),
				Hint: "Save it for the user in another way."})
		}
		switch {
		case !old:
			fresh = append(fresh, r)
		case r.Outcome != before.Outcome || r.Reason != before.Reason:
			changed = append(changed, r)
		}
		if r.Outcome != Pending {
			done++
			continue
		}
		m.Key = Key(p.mailbox.Source, st.Folder, m.UID)
		todo = append(todo, &task{rec: r, msg: *m, folder: st.Target, doubt: r.Doubt})
	}
	if len(fresh) > 0 {
		if err := p.ledger.AddListed(ctx, fresh...); err != nil {
			return nil, Saved(err)
		}
	}
	if len(changed) > 0 {
		if err := p.ledger.Save(ctx, changed...); err != nil {
			return nil, Saved(err)
		}
	}
	p.progress.listed(int64(len(batch)), done)
	return todo, nil
}

// failed turns r into the record of a failure.
func failed(r Record, m *Message, err error) Record {
	r.Outcome, r.Doubt, r.MessageID = Failed, false, m.MessageID
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
	return p.each(ctx, st, from, to, func(r Record) error { return p.vanish(ctx, st, r) })
}

// vanish makes a pending message Gone. One in doubt is looked for first.
func (p *pass) vanish(ctx context.Context, st FolderState, r Record) error {
	if r.Outcome != Pending {
		return nil
	}
	if !r.Doubt {
		return p.record(ctx, r.vanished())
	}
	m := Message{UID: r.UID, Size: r.Size, Digest: r.Digest, Key: Key(p.mailbox.Source, st.Folder, r.UID)}
	return p.write.submit(ctx, &task{rec: r, msg: m, folder: st.Target, doubt: true})
}

// identity checks that the sums close and that nothing was left undone.
func (p *pass) identity(ctx context.Context) error {
	tallies, err := p.tallies(ctx)
	if err != nil {
		return Saved(err)
	}
	for _, t := range tallies {
		if err := t.Check(); err != nil {
			return &localError{err}
		}
		if n := t.Count[Pending]; n > 0 && !p.Heal {
			return &localError{fmt.Errorf("folder %s: the pass ended, but %d messages are still pending", t.Folder, n)}
		}
	}
	return nil
}
