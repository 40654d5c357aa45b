package migrate

import (
	"errors"
	"fmt"
	"slices"
)

// take makes the copy of a message with the content of t, which the source has
// elsewhere no more, the copy of t: the source moved the message, or gave it
// another UID. arrived are the records of that content, those that have vanished
// first; done is false if there is no such copy. Of a message that is gone again,
// too, since an earlier attempt may have moved the copy. After an error it may be
// moved: t is in doubt.
func (w *writer) take(t *task, arrived []Record, doubt *bool) (done bool, err error) {
	if w.Heal {
		return false, nil
	}
	i := w.vanishedFrom(t, arrived)
	if i < 0 {
		return false, nil
	}
	r := arrived[i]
	var notes []string
	for _, change := range w.move(t, r, arrived) {
		var more []string
		if more, err = w.target.Update(w.writes, change, r.Target); err != nil {
			break
		}
		notes = append(notes, more...)
	}
	switch {
	case errors.Is(err, ErrUnmovable):
		t.old = &r
		return false, nil
	case errors.Is(err, ErrNotFound): // deleted at the target since
		t.takes(r)
		return false, nil
	case err != nil:
		*doubt = true
		return false, fmt.Errorf("move a copy: %w", err)
	}
	outcome := Adopted
	if r.Outcome == Merged {
		outcome = Merged
	}
	t.takes(r)
	if t.body == nil {
		t.rec.Flags = append(known(r.Flags), t.rec.Flags...)
	}
	t.arrived(outcome, r.Notes, Stored{ID: r.Target, Notes: slices.DeleteFunc(notes, func(n string) bool { return slices.Contains(r.Notes, n) })})
	return true, nil
}

// vanishedFrom returns which of the records has a copy that t may take over, or
// -1: one in the folder of t if there is any.
func (w *writer) vanishedFrom(t *task, arrived []Record) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	best := -1
	for i, r := range arrived {
		if !r.Vanished || r.place() == t.place() {
			continue
		}
		if w.placed[r.Folder] == t.folder {
			return i
		}
		if best < 0 {
			best = i
		}
	}
	return best
}

// equalMost is how many records of one content Ledger.ByDigest returns.
const equalMost = 1000

// move returns what makes the copy of r that of t. After the cutover it stays as
// people have it, unless a pass put it into the trash.
func (w *writer) move(t *task, r Record, arrived []Record) []Change {
	if !w.state.Cutover.IsZero() && r.Outcome != Removed {
		return nil
	}
	var c Change
	sharing := r.sharing(arrived)
	capabilities := w.target.Capabilities()
	if capabilities.Keyed {
		c.Key = t.msg.Key
	}
	if r.Flags != nil && t.body != nil {
		has := r.Flags
		if t.doubt { // they may have been changed already
			has = append(slices.Concat(has, t.rec.Flags), unsettled)
		}
		for _, o := range arrived { // also what vanished may have left flags
			if o.Target == r.Target && o.place() != r.place() {
				has = append(slices.Concat(has, o.Flags), unsettled)
			}
		}
		c.AddFlags, c.RemoveFlags = difference(has, t.msg.Flags)
		c.RemoveFlags = missing(c.RemoveFlags, flagsOf(sharing))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	from := w.placed[r.Folder]
	again := r.Outcome == Removed || w.Deletions == Trash || w.doubts // then a pass that died may have moved or removed it
	switch {
	case from == t.folder && again && capabilities.Labels:
		c.AddFolder = t.folder
	case from != t.folder || again:
		c.AddFolder, c.RemoveFolder = t.folder, from
	case c.Key == "" && len(c.AddFlags)+len(c.RemoveFlags) == 0:
		return nil
	}
	if from == t.folder || !capabilities.Labels {
		return []Change{c}
	}
	if len(arrived) == equalMost || slices.ContainsFunc(sharing, func(o Record) bool { return w.placed[o.Folder] == from }) {
		c.RemoveFolder = "" // another message that is the same is there still
	}
	if c.RemoveFolder == "" || len(sharing) == 0 {
		return []Change{c}
	}
	// A copy that stands for other messages too is not to follow one of them
	// into the trash: so it is first placed, and then taken out.
	c.RemoveFolder = ""
	return []Change{c, {RemoveFolder: from}}
}

// takes notes that t has taken over the copy of r.
func (t *task) takes(r Record) {
	r.Outcome, r.Target, r.Notes, r.Doubt = Moved, "", nil, false
	t.taken = &r
}

// discard puts the copy that t replaces into the trash. If it stands for other
// messages too, or for t itself, or that fails, it stays, and so does its record.
func (w *writer) discard(t *task) {
	if t.old == nil {
		return
	}
	equal, err := w.ledger.ByDigest(w.writes, t.msg.Digest, true)
	if err != nil || t.rec.Target == t.old.Target || len(t.old.sharing(equal)) > 0 {
		return
	}
	err = w.Retry.do(w.ctx, w.progress.Wait, nil, func() error {
		_, err := w.target.Update(w.writes, Change{Trash: true}, t.old.Target)
		return err
	})
	if err == nil || errors.Is(err, ErrNotFound) {
		t.takes(*t.old)
	}
}
