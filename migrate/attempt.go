package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mailhaul/mailhaul/migrate/transform"
)

// patience is how many failures in a row a message may have while others of
// its mailbox get through.
const patience = 12

// append brings t to its outcome. If the run stops before, t stays Pending,
// and in doubt unless it is certain that nothing was written.
func (w *writer) append(t *task) {
	doubt := t.doubt
	before := w.written.Load()
	others := func() bool { return w.written.Load() > before } // get through
	err := w.Retry.do(w.ctx, w.progress.Wait,
		func(n int) bool { return n >= patience && others() },
		func() error { return w.attempt(t, &doubt) })
	if err != nil && !doubt {
		t.rec.Doubt, t.rec.Notes = false, nil
	}
	switch {
	case err == nil:
		w.written.Add(1)
	case w.ctx.Err() != nil:
	case errors.Is(err, ErrUndecided):
		t.rec = failed(t.rec, err)
		t.rec.Doubt = true
		t.rec.Hint = "It may or may not be at the target. Look for it there by its Message-ID and date before you copy it by hand."
	case errors.Is(err, errGaveUp) && others(), classify(err).Class == Permanent:
		t.rec = failed(t.rec, err)
		t.rec.Doubt = doubt
	default:
		w.fail(err)
	}
}

// attempt brings t to the target: the copy of a message that the source moved
// here becomes that of t; at a target that labels, equal content is placed here
// too; if t is in doubt it is looked for; else it is written.
func (w *writer) attempt(t *task, doubt *bool) error {
	labels := w.target.Capabilities().Labels
	var arrived, others []Record // of the same content
	if labels || w.movable.Load() {
		var err error
		if arrived, others, err = w.equal(t); err != nil {
			return err
		}
	}
	if labels {
		if done, err := w.take(t, arrived, doubt); done || err != nil {
			return err
		}
		if merged, err := w.merge(t, arrived); merged || err != nil {
			return err
		}
		*doubt = *doubt || len(others) > 0
	} else {
		others = nil // each has its own copy
	}
	if *doubt {
		stored, names, err := w.find(t, append([]Record{t.rec}, others...))
		switch {
		case err == nil:
			return w.found(t, stored, names, arrived)
		case !errors.Is(err, ErrNotFound):
			return fmt.Errorf("look for a message in doubt: %w", err)
		}
	}
	if t.body == nil {
		t.rec = t.rec.vanished()
		return nil
	}
	if !labels {
		if done, err := w.take(t, arrived, doubt); done || err != nil {
			return err
		}
	}
	if !*doubt { // else it was looked for already
		if err := w.stranger(t); err != nil {
			return err
		}
	}
	if err := w.write(t, doubt); err != nil {
		return err
	}
	w.discard(t)
	return nil
}

// found adopts a copy of t that an earlier attempt left.
func (w *writer) found(t *task, stored Stored, names []string, arrived []Record) error {
	var change Change
	if w.target.Capabilities().Labels { // it may have been written for an equal message
		change = w.joined(t)
	}
	if t.body != nil && t.rec.Flags != nil && w.state.Cutover.IsZero() {
		get, lose := difference(t.rec.Flags, t.msg.Flags) // since it was written
		change.AddFlags, change.RemoveFlags = append(change.AddFlags, get...), lose
	}
	if change.AddFolder != "" || len(change.AddFlags)+len(change.RemoveFlags) > 0 {
		if _, err := w.target.Update(w.writes, change, stored.ID); err != nil {
			return fmt.Errorf("place a message that was found: %w", err)
		}
	}
	for _, r := range arrived {
		if r.Vanished && r.Target == stored.ID { // the attempt had taken it over
			t.takes(r)
		}
	}
	t.arrived(Adopted, names, stored)
	return nil
}

// strangers is how many messages of a mailbox of which none arrived, by the
// checkpoints, must be found to be new before all are taken for new.
const strangers = 3

// stranger returns an error if t, which no record says was ever written, is at
// the target all the same: then the checkpoints of an earlier run are missing,
// and all that it copied would be doubled.
func (w *writer) stranger(t *task) error {
	if w.strange.Load() == 0 {
		return nil
	}
	select {
	case w.looking <- struct{}{}:
		defer func() { <-w.looking }()
	case <-w.ctx.Done():
		return &Error{Op: "look", Refused: true, Err: context.Cause(w.ctx)}
	}
	if w.strange.Load() == 0 {
		return nil
	}
	_, err := w.target.Find(w.writes, t.folder, &t.msg, w.state.Position)
	switch {
	case err == nil:
		return &Error{Op: "write", Class: Fatal, Refused: true,
			Err:  errors.New("mailhaul has copied this mailbox before, and these checkpoints know nothing of it"),
			Hint: "Use the checkpoint file of the earlier run, from a backup if need be: without it every message would be there twice. To begin anew, remove the copies at the target first."}
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrUndecided):
		w.strange.Add(-1)
		return nil
	}
	return fmt.Errorf("look for an earlier copy: %w", err)
}

func (t *task) arrived(o Outcome, names []string, s Stored) {
	t.rec.Outcome, t.rec.Doubt, t.rec.Target, t.rec.Notes = o, false, s.ID, slices.Concat(names, s.Notes)
	switch {
	case t.body != nil:
		t.rec.Flags = known(t.msg.Flags)
	case t.rec.Flags != nil: // it is gone again: the copy may never have got them
		t.rec.Flags = append(known(t.rec.Flags), unsettled)
	}
}

// joined is what lets the copy of an equal message stand for t too. It then has
// the flags of both.
func (w *writer) joined(t *task) Change {
	c := Change{AddFolder: t.folder}
	if w.state.Cutover.IsZero() {
		c.AddFlags = missing(t.msg.Flags, nil)
	}
	return c
}

// equal returns the records with the content of t: those that arrived, also those
// that were removed since, or else those in doubt, since t may be where they are.
// t then holds the claim on its content until it is recorded, so that of several
// copies on their way only one is written or takes over another's copy.
func (w *writer) equal(t *task) (arrived, doubts []Record, err error) {
	for !t.digest && w.ctx.Err() == nil {
		w.mu.Lock()
		busy := w.holds[t.msg.Digest]
		if busy == nil {
			w.holds[t.msg.Digest] = make(chan struct{})
			t.digest = true
		}
		w.mu.Unlock()
		if busy != nil {
			select {
			case w.hurry <- struct{}{}:
			default:
			}
			select {
			case <-busy:
			case <-w.ctx.Done():
			}
		}
	}
	if w.ctx.Err() != nil { // the copy that held the claim may not be recorded
		return nil, nil, &Error{Op: "merge", Refused: true, Err: context.Cause(w.ctx)}
	}
	rs, err := w.ledger.ByDigest(w.writes, t.msg.Digest, w.movable.Load())
	if err != nil {
		return nil, nil, Saved(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range rs {
		switch {
		case r.Outcome.Arrived(), r.Outcome == Removed:
			arrived = append(arrived, r)
		case !w.fresh[r.place()]: // a fresh one waits for the claim of t
			doubts = append(doubts, r)
		}
	}
	return arrived, doubts, nil
}

// merge places a message of the same content in the folder of t too, if one is
// at the target.
func (w *writer) merge(t *task, arrived []Record) (merged bool, err error) {
	for _, r := range slices.Backward(arrived) { // those that have not vanished first
		if !r.Outcome.Arrived() || t.old != nil && t.old.Target == r.Target { // which cannot be there
			continue
		}
		notes, err := w.target.Update(w.writes, w.joined(t), r.Target)
		if errors.Is(err, ErrNotFound) { // deleted at the target since
			return false, nil
		}
		if err != nil {
			return false, err
		}
		t.arrived(Merged, transform.Applied(r.Notes), Stored{ID: r.Target, Notes: notes})
		return true, nil
	}
	return false, nil
}
