package migrate

import (
	"context"
	"errors"
	"iter"
	"slices"
)

// compare finds out which of the messages that a folder had have vanished, and
// which it has had all the while without listing them. It costs nothing if the
// source counts as many as the latest pass left.
func (p *pass) compare(ctx context.Context, v *visit) error {
	w, f := v.state.Walked, v.folder
	walked := !v.state.Gone && w.UIDNext > 0 && !slices.Contains(p.pending, v.state.ID) // and no pass died since
	if p.Heal || v.state.ID == 0 || f.UIDValidity == 0 || f.NoSelect || walked && f.UIDNext == w.UIDNext && f.Messages == w.Messages {
		return nil
	}
	if v.state.Gone { // it is back, whatever becomes of this pass
		v.state.Gone = false
		if err := p.ledger.SaveFolder(ctx, &v.state); err != nil {
			return Saved(err)
		}
	}
	p.progress.Phase(f.String())
	err := p.retry(ctx, func() error {
		var there int64
		for r, err := range p.source.UIDs(ctx, f, f.UIDNext) { // to the end, before anything is taken for vanished
			if err != nil {
				return err
			}
			if r.First < w.UIDNext {
				there += int64(min(r.Last, w.UIDNext-1)-r.First) + 1
			}
		}
		if walked && there == w.Messages {
			return nil
		}
		next, stop := iter.Pull2(p.source.UIDs(ctx, f, f.UIDNext))
		defer stop()
		var at UIDRange // what is not compared yet of the first range that does not end before the record
		var sourceErr error
		advance := func(to UID) (more bool, err error) {
			for at.Last < to {
				for ; at.First <= at.Last && at.First < v.from; at.First++ { // never listed, though it is there
					v.look(at.First)
				}
				if at, sourceErr, more = next(); sourceErr != nil || !more {
					at = UIDRange{1, 0}
					return false, sourceErr
				}
			}
			return true, nil
		}
		at = UIDRange{1, 0}
		err := p.each(ctx, v.state, 1, f.UIDNext, func(r Record) error {
			more, err := advance(r.UID)
			switch {
			case err != nil:
				return err
			case !more || r.UID < at.First:
				return p.vanish(ctx, v.state, r)
			}
			for ; at.First < r.UID && at.First < v.from; at.First++ {
				v.look(at.First)
			}
			at.First = r.UID + 1
			return p.revive(ctx, v, r)
		})
		if err == nil {
			_, err = advance(f.UIDNext)
		}
		if err == nil {
			err = p.flush(ctx)
		}
		return err
	})
	return alone(err)
}

// revive takes back that a message had vanished. What was removed is taken out
// of the target's trash; what else became of it stays done, and it is copied
// again.
func (p *pass) revive(ctx context.Context, v *visit, r Record) error {
	if !r.Vanished {
		return nil
	}
	r.Vanished = false
	if r.Outcome == Removed {
		back, err := p.restore(ctx, v.state.Target, r)
		if err != nil {
			return err
		}
		if back {
			r.Outcome = Adopted
		}
	}
	if r.Outcome == Gone || r.Outcome == Moved || r.Outcome == Removed {
		r.Outcome, r.Target, r.Notes = Pending, "", nil
	}
	v.look(r.UID) // its flags may be others than when it vanished
	return p.save(ctx, r)
}

// restore puts the copy of r back where it was, if it is there still.
func (p *pass) restore(ctx context.Context, folder FolderID, r Record) (back bool, err error) {
	c := Change{AddFolder: folder, RemoveFolder: folder}
	if p.target.Capabilities().Labels { // it may have stood for an equal message meanwhile
		c.RemoveFolder, c.AddFlags = "", missing(r.Flags, nil)
	}
	err = p.retry(ctx, func() error {
		_, err := p.target.Update(ctx, c, r.Target)
		return err
	})
	if errors.Is(err, ErrNotFound) || err != nil && classify(err).Class == Permanent {
		return false, nil
	}
	return err == nil, err
}

// gone notes that the source has a folder no more.
func (p *pass) gone(ctx context.Context, k *FolderState) error {
	if k.Gone {
		return nil
	}
	if err := p.vanished(ctx, *k, 1, ^UID(0)); err != nil || p.Heal {
		return err
	}
	if err := p.write.drain(ctx); err != nil { // what is in doubt is decided
		return err
	}
	k.Gone, k.Walked = true, Mark{}
	return Saved(p.ledger.SaveFolder(ctx, k))
}
