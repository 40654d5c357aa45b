package migrate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// queued is how many messages of one mailbox may be between the source and
// the last record.
const queued = 256

// A writer takes messages out of the spool to the target, in three stages:
// intents are recorded, messages are written by several workers, results are
// recorded. Each stage that records takes whatever waits for it in one commit.
type writer struct {
	*pass
	ctx     context.Context // ends when no new work may start
	stop    context.CancelCauseFunc
	writes  context.Context // of calls that write; outlives ctx by the grace period
	slots   *semaphore.Weighted
	queue   chan *task // read, not yet intended
	ready   chan *task // intended, not yet written
	results chan *task
	ended   chan struct{}
	written atomic.Int64 // messages that came to their outcome

	mu    sync.Mutex
	err   error                    // what stopped the writer, if it was not ctx
	fresh map[place]bool           // messages on their way that no earlier run tried
	holds map[Digest]chan struct{} // contents on their way to a target that labels; closed when recorded
}

// place is where a message is at the source.
type place struct {
	folder int64
	uid    UID
}

func (t *task) place() place { return place{t.rec.Folder, t.rec.UID} }

func newWriter(ctx context.Context, p *pass) *writer {
	parallel := max(1, p.target.Capabilities().Parallel)
	w := &writer{
		pass:    p,
		slots:   semaphore.NewWeighted(queued),
		queue:   make(chan *task, queued),
		ready:   make(chan *task, parallel),
		results: make(chan *task, queued),
		ended:   make(chan struct{}),
		fresh:   map[place]bool{},
		holds:   map[Digest]chan struct{}{},
	}
	w.ctx, w.stop = context.WithCancelCause(ctx)
	writes, cut := context.WithCancel(context.WithoutCancel(ctx))
	w.writes = writes
	context.AfterFunc(w.ctx, func() {
		select {
		case <-time.After(p.Grace):
		case <-w.ended:
		}
		cut()
	})
	go w.intend(parallel)
	var workers sync.WaitGroup
	for range parallel {
		workers.Go(w.work)
	}
	go func() {
		workers.Wait()
		close(w.results)
	}()
	go w.record(parallel)
	return w
}

// reserve takes a slot and room in the spool for each task of a group, all at
// once, so that mailboxes never wait for what each other holds half of.
func (w *writer) reserve(ctx context.Context, group []*task) error {
	if err := w.slots.Acquire(ctx, int64(len(group))); err != nil {
		return context.Cause(ctx)
	}
	var room int64
	for _, t := range group {
		t.room = w.Spool.room(t.msg.Size)
		room += t.room
	}
	if err := w.Spool.total.Acquire(ctx, room); err != nil {
		w.slots.Release(int64(len(group)))
		return context.Cause(ctx)
	}
	return nil
}

// release forgets the content of t and gives back what reserve took.
func (w *writer) release(t *task) {
	if t.body != nil {
		t.body.Close()
		t.body, t.msg.Body = nil, nil
	}
	w.Spool.total.Release(t.room)
	t.room = 0
	w.slots.Release(1)
}

// submit queues a task that has no content.
func (w *writer) submit(ctx context.Context, t *task) error {
	if err := w.slots.Acquire(ctx, 1); err != nil {
		return context.Cause(ctx)
	}
	w.queue <- t
	return nil
}

// drain waits until nothing is on its way.
func (w *writer) drain(ctx context.Context) error {
	if err := w.slots.Acquire(ctx, queued); err != nil {
		return context.Cause(ctx)
	}
	w.slots.Release(queued)
	return nil
}

// close waits for everything on its way and returns what stopped the writer,
// nil if nothing did.
func (w *writer) close() error {
	close(w.queue)
	<-w.ended
	w.stop(nil)
	return w.err
}

// fail stops the writer; the first error counts.
func (w *writer) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
		w.stop(err)
	}
}

// take returns what waits in c, at least one and at most n; nil at the end.
func take(c <-chan *task, n int) []*task {
	t, ok := <-c
	if !ok {
		return nil
	}
	ts := []*task{t}
	for len(ts) < n {
		select {
		case t, ok := <-c:
			if !ok {
				return ts
			}
			ts = append(ts, t)
		default:
			return ts
		}
	}
	return ts
}

// intend records that messages are about to be written. From here on a crash
// leaves them in doubt, so it never runs far ahead of the workers.
func (w *writer) intend(parallel int) {
	defer close(w.ready)
	for {
		ts := take(w.queue, 2*parallel)
		if ts == nil {
			return
		}
		if w.ctx.Err() == nil {
			recs := make([]Record, len(ts))
			w.mu.Lock()
			for i, t := range ts {
				w.fresh[t.place()] = !t.doubt
				t.rec.Doubt = true
				t.rec.Digest, t.rec.Size = t.msg.Digest, t.msg.Size
				recs[i] = t.rec
			}
			w.mu.Unlock()
			if err := w.ledger.Save(w.writes, recs...); err != nil {
				w.fail(saved(err))
			}
		}
		for _, t := range ts {
			w.ready <- t
		}
	}
}

// work writes one message after the other.
func (w *writer) work() {
	for t := range w.ready {
		if w.ctx.Err() != nil {
			t.rec.Doubt = t.doubt // as an earlier run left it
		} else {
			w.append(t)
		}
		w.results <- t
	}
}

// patience is how many failures in a row a message may have while others of
// its mailbox get through.
const patience = 8

// append brings t to its outcome. If the run stops before, t stays Pending,
// and in doubt unless it is certain that nothing was written.
func (w *writer) append(t *task) {
	doubt := t.doubt
	before := w.written.Load()
	given := false
	err := w.Retry.do(w.ctx, w.progress.wait,
		func(n int) bool { given = n >= patience && w.written.Load() > before; return given },
		func() error { return w.attempt(t, &doubt) })
	if err != nil && !doubt {
		t.rec.Doubt = false
	}
	switch {
	case err == nil:
		w.written.Add(1)
	case w.ctx.Err() != nil:
	case errors.Is(err, ErrUndecided):
		t.rec = failed(t.rec, &t.msg, err)
		t.rec.Doubt = true
		t.rec.Hint = "It may or may not be at the target. Look for it there by its Message-ID and date before you copy it by hand."
	case given || classify(err).Class == Permanent:
		t.rec = failed(t.rec, &t.msg, err)
		t.rec.Doubt = doubt
	default:
		w.fail(err)
	}
}

// attempt looks for t if it is in doubt, and writes it if it is not there.
func (w *writer) attempt(t *task, doubt *bool) error {
	if w.target.Capabilities().Labels {
		if merged, err := w.merge(t, doubt); merged || err != nil {
			return err
		}
	}
	if *doubt {
		stored, err := w.target.Find(w.writes, t.folder, &t.msg, w.state.Position)
		switch {
		case err == nil && w.target.Capabilities().Labels:
			// The copy may have been written for another folder.
			if err := w.target.Update(w.writes, stored.ID, Change{AddFolder: t.folder}); err != nil {
				return fmt.Errorf("place a message that was found: %w", err)
			}
			fallthrough
		case err == nil:
			t.arrived(Adopted, stored)
			return nil
		case !errors.Is(err, ErrNotFound):
			return fmt.Errorf("look for a message in doubt: %w", err)
		}
	}
	if t.body == nil {
		t.rec.Outcome, t.rec.Doubt = Gone, false
		return nil
	}
	stored, err := w.target.Append(w.writes, t.folder, &t.msg)
	if err != nil {
		e := classify(err)
		*doubt = !e.Refused && e.Class != Permanent
		return err
	}
	t.arrived(Copied, stored)
	return nil
}

func (t *task) arrived(o Outcome, s Stored) {
	t.rec.Outcome, t.rec.Doubt, t.rec.Target, t.rec.Notes = o, false, s.ID, s.Notes
}

// merge places a message of the same content in the folder of t, if the target
// has one. If not, t holds the claim on its content until it is recorded, so
// that of several copies on their way only one is written; and if another copy
// is in doubt, so is t.
func (w *writer) merge(t *task, doubt *bool) (bool, error) {
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
			case <-busy:
			case <-w.ctx.Done():
			}
		}
	}
	if w.ctx.Err() != nil { // the copy that held the claim may not be recorded
		return false, &Error{Op: "merge", Refused: true, Err: context.Cause(w.ctx)}
	}
	equal, err := w.ledger.ByDigest(w.writes, t.msg.Digest)
	if err != nil {
		return false, saved(err)
	}
	var r Record
	for _, r = range equal {
		w.mu.Lock()
		tried := !w.fresh[place{r.Folder, r.UID}] // a fresh one waits for the claim of t
		w.mu.Unlock()
		*doubt = *doubt || tried && !r.Outcome.Arrived()
	}
	if !r.Outcome.Arrived() {
		return false, nil
	}
	change := Change{AddFolder: t.folder}
	if t.msg.HasFlag(Flagged) {
		change.AddFlags = []Flag{Flagged}
	}
	err = w.target.Update(w.writes, r.Target, change)
	if errors.Is(err, ErrNotFound) { // deleted at the target since
		return false, nil
	}
	if err != nil {
		return false, err
	}
	t.arrived(Merged, Stored{ID: r.Target})
	return true, nil
}

// record makes results durable and lets go of their messages.
func (w *writer) record(parallel int) {
	defer close(w.ended)
	for {
		ts := take(w.results, 4*parallel)
		if ts == nil {
			return
		}
		var recs []Record
		for _, t := range ts {
			recs = append(recs, t.rec)
		}
		err := w.ledger.Save(context.WithoutCancel(w.ctx), recs...)
		if err != nil {
			w.fail(saved(err))
		}
		for _, t := range ts {
			w.mu.Lock()
			delete(w.fresh, t.place())
			if t.digest {
				close(w.holds[t.msg.Digest])
				delete(w.holds, t.msg.Digest)
			}
			w.mu.Unlock()
			if err == nil {
				w.progress.done(t.rec)
			}
			w.release(t)
		}
	}
}
