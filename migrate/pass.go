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
	arrived  bool     // by the checkpoints, a message of the mailbox did
	pending  []int64  // folders in which something is pending, by the checkpoints
	doubts   bool     // by the checkpoints, it is not known what became of some write
	left     bool     // by the checkpoints, a copy, or one in the trash, is of a message that the source has no more
	idle     bool     // nothing had changed
	reads    int      // since the target's position was last due
	unsaved  []Record // that have vanished
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
	if err == nil && !p.idle {
		err = p.identity(ctx)
	}
	p.state.Ended, p.state.Complete = time.Now(), err == nil && complete
	if err != nil && ctx.Err() == nil {
		p.state.Error, p.state.Hint = Explain(err)
	}
	return errors.Join(err, Saved(p.ledger.SaveState(context.WithoutCancel(ctx), p.state)))
}

// walk opens both ends and goes through every folder. If nothing happened at
// the source since the latest pass, it does not ask the target for anything.
func (p *pass) walk(ctx context.Context) (err error) {
	p.progress.Phase("connecting")
	if err := p.retry(ctx, func() error { p.source, err = p.mailbox.OpenSource(ctx); return err }); err != nil {
		return err
	}
	defer p.source.Close()

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
	visits, left, err := p.visits(ctx, folders, known)
	if err != nil {
		return fmt.Errorf("compare folders of the source: %w", err)
	}
	if p.nothingToDo(visits, left) {
		for _, v := range visits {
			p.progress.listed(v.folder.Messages, v.folder.Messages)
		}
		p.idle = true
		return nil
	}
	if err := p.retry(ctx, func() error { p.target, err = p.mailbox.OpenTarget(ctx); return err }); err != nil {
		return err
	}
	defer p.target.Close()
	if err := p.place(ctx, visits, left); err != nil {
		return fmt.Errorf("make folders at the target: %w", err)
	}
	if p.Heal {
		if visits, err = p.waiting(ctx, visits); err != nil {
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
	err = p.folders(p.write.ctx, visits, left)
	// What stopped the writer explains why the reader stopped.
	if stopped := p.write.close(); stopped != nil {
		return stopped
	}
	if e := p.mark(ctx, visits); e != nil {
		return e
	}
	return err
}

// nothingToDo says whether the source is as the latest pass left it.
func (p *pass) nothingToDo(visits []*visit, left []FolderState) bool {
	return !p.Heal && !slices.ContainsFunc(visits, func(v *visit) bool { return !v.folder.NoSelect && !v.unchanged(p.Rules.Version) }) &&
		!slices.ContainsFunc(left, func(k FolderState) bool { return !k.Gone })
}

// folders goes through every folder of the source, and through those that are
// there no more. What has vanished is known before anything is copied, so that
// what was moved is not copied once more.
func (p *pass) folders(ctx context.Context, visits []*visit, left []FolderState) error {
	stop := (*folderError)(nil) // of one folder, so that others go on
	for _, v := range visits {
		if v.err = p.compare(ctx, v); v.err != nil && !errors.As(v.err, &stop) {
			return v.err
		}
		if err := p.reopen(ctx, v); err != nil {
			return err
		}
	}
	for i := range left {
		if err := p.gone(ctx, &left[i]); err != nil {
			return err
		}
	}
	if err := p.write.drain(ctx); err != nil { // what is in doubt is decided
		return err
	}
	var errs []error
	for _, v := range visits {
		if v.folder.NoSelect {
			continue
		}
		if err := p.folder(ctx, v); err != nil {
			v.err = err
		}
		v.walked = v.err == nil
		if v.err != nil {
			err := fmt.Errorf("folder %s: %w", v.folder, v.err)
			if !errors.As(err, &stop) {
				return err
			}
			p.progress.stopped(v.folder, err)
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	if err := p.write.drain(ctx); err != nil {
		return err
	}
	return p.remove(ctx, visits)
}

// folderError stops one folder and lets the others go on.
type folderError struct{ err *Error }

func (e *folderError) Error() string { return e.err.Error() }
func (e *folderError) Unwrap() error { return e.err }

func (p *pass) retry(ctx context.Context, fn func() error) error {
	return p.Retry.do(ctx, p.progress.Wait, nil, fn)
}

// position records where the target stands, unless a doubt needs the position
// that was recorded before it. No write may be in flight.
func (p *pass) position(ctx context.Context) error {
	p.reads = 0
	tallies, err := p.tallies(ctx)
	if err != nil {
		return Saved(err)
	}
	p.progress.doubts(tallies)
	p.arrived = slices.ContainsFunc(tallies, func(t Tally) bool { return t.Arrived() > 0 })
	p.pending = nil
	for _, t := range tallies {
		if t.Count[Pending] > 0 {
			p.pending = append(p.pending, t.ID)
		}
	}
	p.left = !p.Heal && slices.ContainsFunc(tallies, func(t Tally) bool { return t.Left+t.Count[Removed] > 0 })
	if p.doubts = slices.ContainsFunc(tallies, func(t Tally) bool { return t.Doubts > 0 }); p.doubts {
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

// mark saves how the folders stand that were walked to their end.
func (p *pass) mark(ctx context.Context, visits []*visit) error {
	if p.Heal || ctx.Err() != nil {
		return nil
	}
	tallies, err := p.tallies(ctx)
	if err != nil {
		return Saved(err)
	}
	for _, v := range visits {
		i := slices.IndexFunc(tallies, func(t Tally) bool { return t.ID == v.state.ID })
		if i < 0 || !v.walked || tallies[i].Count[Pending] > 0 {
			continue
		}
		mark := Mark{v.folder.UIDNext, v.folder.ModSeq, tallies[i].Listed - tallies[i].Vanished, p.Rules.Version}
		if v.state.Walked == mark {
			continue
		}
		v.state.Walked = mark
		if err := p.ledger.SaveFolder(ctx, &v.state); err != nil {
			return Saved(err)
		}
	}
	return nil
}

// alone makes an error that concerns one folder a folderError.
func alone(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrFolderGone):
		return &folderError{&Error{Op: "list", Class: Fatal, Err: err, Hint: "The folder changed while it was read. Run again."}}
	case classify(err).Class == Permanent:
		return &folderError{classify(err)}
	}
	return err
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
