package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// pick returns the mailbox that may begin now, or nil. During a pause it is the
// one that was not tried for longest, to probe, when nothing else runs.
func (w *watch) pick(now time.Time) (found *box) {
	probing := w.pause != nil && !w.pause.limit
	if probing && (w.pause.probe.After(now) || slices.ContainsFunc(w.boxes, func(b *box) bool { return b.running })) {
		return nil
	}
	for _, b := range w.boxes {
		switch {
		case !b.wanted || b.running:
		case probing && (found == nil || b.began.Before(found.began)):
			found = b
		case !probing && !b.due.After(now) && (found == nil || found.failures > 0 && b.failures == 0):
			found = b
		}
	}
	return found
}

// An attempt is how a try of a mailbox ended.
type attempt struct {
	box    *box
	err    error
	local  bool // it is trouble of this machine
	asked  bool // it came as far as the target, of which nothing is asked while the source is unchanged
	opened bool // and that let it in
}

// sit works with open checkpoints until nothing runs and nothing may begin. The
// error ends the run.
func (w *watch) sit(ctx context.Context) (err error) {
	if w.pause != nil && !w.pause.limit {
		w.reload(ctx, time.Now()) // a person may have mended it there
	}
	store, err := w.open()
	if err == nil && w.settled == nil {
		err = w.count(ctx, store)
		w.arrived, w.digested, w.before, w.failed = w.tally.Messages, w.tally.Messages, w.tally.Messages, w.tally.Failed
	}
	if err == nil {
		err = w.sort(ctx, store)
	}
	if err != nil {
		if store != nil {
			err = errors.Join(err, store.Close())
		}
		if ctx.Err() != nil {
			return nil
		}
		return w.local(time.Now(), err)
	}
	sitting, end := context.WithCancelCause(ctx)
	defer end(nil)
	sharing, ended := context.WithCancel(ctx)
	defer ended()
	go shareByWork(sharing, w.snapshot, w.work.limiters)

	attempts := make(chan attempt)
	running := 0
	var fatal error
	for {
		now := time.Now()
		w.look(now)
		open, until := w.isOpen(now)
		if !open {
			end(errWindow)
		}
		for sitting.Err() == nil && running < w.work.engine.Jobs {
			b := w.pick(now)
			if b == nil {
				break
			}
			running++
			w.begin(sitting, store, b, attempts)
		}
		if running == 0 {
			break
		}
		timer := time.NewTimer(w.sleep(now, until))
		select {
		case t := <-attempts:
			running--
			if w.over(sitting, t) {
				fatal = w.local(time.Now(), t.err)
				end(errPause)
			}
		case <-timer.C:
		}
		timer.Stop()
	}
	err = w.count(context.WithoutCancel(ctx), store)
	if err = errors.Join(err, store.Close()); err != nil && fatal == nil && ctx.Err() == nil {
		return w.local(time.Now(), err)
	}
	return fatal
}

// begin tries a mailbox.
func (w *watch) begin(ctx context.Context, store migrate.Checkpoints, b *box, attempts chan<- attempt) {
	progress := new(migrate.Progress)
	w.mu.Lock()
	b.progress = progress
	w.mu.Unlock()
	b.running, b.began, b.probe = true, time.Now(), w.pause != nil && !w.pause.limit
	engine := w.work.engine
	engine.Checkpoints, engine.Progress = store, progress
	m := b.Mailbox
	t := attempt{box: b}
	open := m.OpenTarget
	m.OpenTarget = func(ctx context.Context) (migrate.Target, error) {
		t.asked = true
		target, err := open(ctx)
		t.opened = t.opened || err == nil
		return target, err
	}
	go func() {
		results, err := engine.Run(ctx, []migrate.Mailbox{m})
		if t.err = err; err == nil {
			t.err = results[0].Err
		} else {
			t.local = ctx.Err() == nil
		}
		attempts <- t
	}()
}

// over notes how a try ended, and says whether it was by trouble of this
// machine, which is that of all.
func (w *watch) over(ctx context.Context, t attempt) (local bool) {
	now, b := time.Now(), t.box
	s := b.progress.Snapshot()[0]
	w.ended += s.Done
	b.running = false
	if s.Total > 0 { // what checkpoints do not know
		b.rest.unknown, b.rest.listed = false, s.Total
		b.rest.time = time.Duration(max(s.Total-s.Known-s.Done, 0)) * perMessage
	}
	switch {
	case t.err == nil:
		w.worked(now, b, t.opened)
	case ctx.Err() != nil: // it was told to stop
	default:
		b.err, b.tried, b.complete = t.err, true, false
		if t.local && (!b.local || w.pause != nil) {
			b.local = true
			return true
		}
		w.fell(now, b, t.asked) // others worked since this one had trouble of this machine
	}
	return false
}

// sort puts the mailboxes in the order in which they are tried.
func (w *watch) sort(ctx context.Context, store migrate.Checkpoints) error {
	if !slices.ContainsFunc(w.boxes, func(b *box) bool { return b.rest.unknown && b.progress == nil }) {
		longestFirst(w.boxes)
		return nil
	}
	tallies, err := store.Tally(ctx)
	if err != nil {
		return err
	}
	for _, b := range w.boxes {
		if !b.rest.unknown || b.progress != nil {
			continue
		}
		if b.rest, err = restOf(ctx, store, b.Mailbox, tallies); err != nil {
			return err
		}
	}
	longestFirst(w.boxes)
	return nil
}
