package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
)

// last is the event of a run that has ended.
func (w *watch) last(err error) event {
	e := event{Kind: stopped, Time: time.Now(), Tally: w.counts(w.arrived)}
	switch incomplete := e.Tally.Mailboxes - e.Tally.Complete; {
	case errors.Is(err, errInterrupted):
		e.Text = "The run was interrupted; run again to go on."
	case err != nil && !errors.Is(err, errUntil):
		e.Text = "The run ended with an error."
		e.Reason, e.Hint = migrate.Explain(err)
	case incomplete > 0:
		e.Text = count(int64(incomplete), "mailbox is", "mailboxes are") + " not complete; run again to go on."
	case e.Tally.Failed > 0:
		e.Kind, e.Text = done, "Every mailbox is complete; "+count(e.Tally.Failed, "message needs", "messages need")+" a person."
	default:
		e.Kind, e.Text = done, "Every mailbox is complete."
	}
	return e
}

// counts returns the tally, with how many messages are new.
func (w *watch) counts(before int64) tally {
	t := w.tally
	t.Mailboxes, t.Complete, t.Trouble, t.New = len(w.boxes), 0, 0, t.Messages-before
	for _, b := range w.boxes {
		if b.complete {
			t.Complete++
		} else if b.err != nil {
			t.Trouble++
		}
	}
	return t
}

// look notices what time and progress bring.
func (w *watch) look(now time.Time) {
	if at := w.schedule.until; !at.IsZero() && !now.Before(at) {
		w.stop(errUntil)
	}
	if len(w.trouble.row) > 0 && w.trouble.from.better(now, w.outcomes()) {
		w.alone(now, w.trouble.clear())
	}
	w.limits(now)
	if w.pause != nil && w.pause.from.better(now, w.outcomes()) {
		w.resume(now)
	}
	if !now.Before(w.digest) {
		t := w.counts(w.digested)
		w.tell(event{Kind: digest, Time: now, Tally: t, Text: fmt.Sprintf("%d of %s complete, %s since the last digest.", t.Complete,
			count(int64(t.Mailboxes), "mailbox", "mailboxes"), count(t.New, "message arrived", "messages arrived"))})
		w.digested = t.Messages
		w.digest = w.schedule.nextDigest(now)
	}
}

// done is how many messages came to an outcome in this run.
func (w *watch) outcomes() int64 {
	n := w.ended
	for _, b := range w.boxes {
		if b.running {
			for _, s := range b.progress.Snapshot() {
				n += s.Done
			}
		}
	}
	return n
}

// count counts what the checkpoints know of the mailboxes of the run.
func (w *watch) count(ctx context.Context, store migrate.Checkpoints) error {
	tallies, err := store.Tally(ctx)
	if err != nil {
		return err
	}
	var t tally
	settled := map[[2]string]int64{}
	for _, b := range w.boxes {
		settled[[2]string{b.Source, b.Target}] = 0
	}
	for _, f := range tallies {
		of := [2]string{f.Mailbox, f.To}
		if _, chosen := settled[of]; !chosen {
			continue
		}
		settled[of] += f.Listed - f.Vanished - f.Count[migrate.Pending]
		t.Messages += f.Arrived()
		t.Failed += f.Count[migrate.Failed]
		t.Pending += f.Count[migrate.Pending]
		for o, n := range f.Bytes {
			if migrate.Outcome(o).Arrived() {
				t.Bytes += n
			}
		}
	}
	w.tally = t
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settled = settled
	return nil
}

// accounted returns how many messages have an outcome by the checkpoints, by
// source and target; nil before they were counted.
func (w *watch) accounted() map[[2]string]int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.settled
}

// show says why nothing is done, until when; "" if something is.
func (w *watch) show(why string, until time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.doing, w.waking = why, until
}

// waits says what show said last.
func (w *watch) waits() (why string, until time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.doing, w.waking
}

// snapshot returns the mailboxes of the run in the order of the list, those that
// were not begun too.
func (w *watch) snapshot() []migrate.MailboxSnapshot {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []migrate.MailboxSnapshot
	for _, b := range w.shown {
		if b.progress != nil {
			if s := b.progress.Snapshot(); len(s) > 0 {
				all = append(all, s[0])
				continue
			}
		}
		all = append(all, migrate.MailboxSnapshot{Source: b.Source, Target: b.Target})
	}
	return all
}

// limiters returns those of the mailboxes that snapshot returns, by source.
func (w *watch) limiters() map[string]*pace.Limiter {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.work.limiters
}
