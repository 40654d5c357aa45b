package migrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// Deletions of more messages than this, and of more than half of those that
// arrived, need to be confirmed: they look like a source that is broken.
const manyDeletions = 100

// removeMost is how many copies are put into the trash with one call.
const removeMost = 100

// remove puts the copies of messages that were deleted at the source into the
// target's trash, if that is wanted. What vanished because a folder was made
// anew, and was not found there, stays.
func (p *pass) remove(ctx context.Context, visits []*visit) error {
	if p.Deletions != Trash || p.Heal || !p.state.Cutover.IsZero() {
		return nil
	}
	tallies, err := p.tallies(ctx)
	if err != nil {
		return Saved(err)
	}
	states, err := p.ledger.Folders(ctx)
	if err != nil {
		return Saved(err)
	}
	var left, arrived int64
	tallies = slices.DeleteFunc(tallies, func(t Tally) bool {
		arrived += t.Arrived()
		renewed := slices.ContainsFunc(visits, func(v *visit) bool { return v.state.ID != t.ID && slices.Equal(v.folder.Path, t.Folder.Path) })
		if renewed || t.Left == 0 {
			return true
		}
		left += t.Left
		return false
	})
	if left > manyDeletions && left > arrived/2 && !p.Confirmed {
		return &Error{Op: "follow deletions", Class: Fatal,
			Err:  fmt.Errorf("%d of %d messages that were copied are no longer at the source; nothing was removed at the target", left, arrived),
			Hint: `If the source is as it should be, run again with --confirm-deletions; to leave copies where they are, set deletions = "keep" in [run].`}
	}
	for _, t := range tallies {
		i := slices.IndexFunc(states, func(s FolderState) bool { return s.ID == t.ID })
		if err := p.removeFrom(ctx, states[i]); err != nil {
			return fmt.Errorf("folder %s: %w", t.Folder, err)
		}
	}
	return nil
}

// removeFrom removes the copies of messages that one folder has no more.
func (p *pass) removeFrom(ctx context.Context, st FolderState) error {
	var alone []Record // whose copies stand for no other message
	removeAlone := func() error {
		rs := alone
		alone = nil
		return p.removeAll(ctx, Change{Trash: true}, rs)
	}
	for r, err := range p.ledger.Records(ctx, st.ID, 1, ^UID(0)) {
		if err != nil {
			return Saved(err)
		}
		if !r.Vanished || !r.Outcome.Arrived() {
			continue
		}
		others, err := p.sharing(ctx, r)
		if err != nil {
			return err
		}
		if len(others) > 0 {
			if err := p.removeShared(ctx, st, r, others); err != nil {
				return err
			}
			continue
		}
		if alone = append(alone, r); len(alone) == removeMost {
			if err := removeAlone(); err != nil {
				return err
			}
		}
	}
	return removeAlone()
}

// removeShared takes a copy that stands for other messages too out of the folder
// of r, if none of them is there.
func (p *pass) removeShared(ctx context.Context, st FolderState, r Record, others []Record) error {
	if r.Outcome != Merged && !slices.ContainsFunc(others, func(o Record) bool { return o.Outcome != Merged }) {
		heir := others[len(others)-1] // one that has not vanished, if there is one
		heir.Outcome, heir.Notes, heir.Head = Adopted, with(r.Notes, heir.Notes...), cmp.Or(heir.Head, r.Head)
		if err := p.save(ctx, heir); err != nil {
			return err
		}
	}
	c := Change{RemoveFlags: missing(r.Flags, flagsOf(others))}
	if len(others) < equalMost-1 && !slices.ContainsFunc(others, func(o Record) bool { return p.write.placeOf(o.Folder) == st.Target }) {
		c.RemoveFolder = st.Target
	}
	if c.RemoveFolder == "" && len(c.RemoveFlags) == 0 {
		return p.save(ctx, removed(r))
	}
	return p.removeAll(ctx, c, []Record{r})
}

// removeAll makes the change to the copies of rs, which are Removed then. One
// that the target does not let go stays.
func (p *pass) removeAll(ctx context.Context, c Change, rs []Record) error {
	if len(rs) == 0 {
		return nil
	}
	ids := make([]MessageID, len(rs))
	gone := make([]Record, len(rs))
	for i, r := range rs {
		ids[i], gone[i] = r.Target, removed(r)
	}
	err := p.retry(ctx, func() error {
		_, err := p.target.Update(ctx, c, ids...)
		return err
	})
	switch {
	case err == nil, errors.Is(err, ErrNotFound):
		return p.save(ctx, gone...)
	case classify(err).Class != Permanent:
		return fmt.Errorf("follow a deletion: %w", err)
	case len(rs) == 1:
		return nil
	}
	for i := range rs {
		if err := p.removeAll(ctx, c, rs[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

func removed(r Record) Record {
	r.Outcome = Removed
	return r
}
