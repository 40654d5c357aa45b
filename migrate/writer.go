package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/mailhaul/mailhaul/migrate/transform"
)

// queuedBytes is how many octets of one mailbox may be between the source and
// the last record, unless a single message has more.
const queuedBytes = 2 * groupBytes

// queued returns how many messages of one mailbox may be between the source
// and the last record: fewer if many mailboxes run, since each message may hold
// an open file of the spool.
func queued(jobs int) int64 { return min(max(8192/int64(max(jobs, 1)), 32), 256) }

// A writer takes messages out of the spool to the target. One goroutine keeps
// the record: it saves the intents of messages that are about to be written and
// the results of those that were, many in one commit. Several workers write.
type writer struct {
	*pass
	ctx      context.Context // ends when no new work may start
	stop     context.CancelCauseFunc
	writes   context.Context // of calls that write; outlives ctx by the grace period
	parallel int
	queued   int64
	slots    *semaphore.Weighted // messages of queued
	window   *semaphore.Weighted // octets of queuedBytes
	queue    chan *task          // read, not yet intended
	ready    chan *task          // intended, not yet written
	results  chan *task
	hurry    chan struct{} // a worker waits for a result to be recorded
	ended    chan struct{}
	written  atomic.Int64  // messages that came to their outcome
	strange  atomic.Int64  // messages that are still to be looked for before they are written
	looking  chan struct{} // holds a token meanwhile, so that none is written

	mu     sync.Mutex
	err    error                    // what stopped the writer, if it was not ctx
	placed map[int64]FolderID       // where each folder is, by FolderState.ID
	fresh  map[place]bool           // messages on their way that no earlier run tried
	holds  map[Digest]chan struct{} // contents on their way to a target that labels; closed when recorded
}

// place is where a message is at the source.
type place struct {
	folder int64
	uid    UID
}

func (r Record) place() place { return place{r.Folder, r.UID} }

func (t *task) place() place { return t.rec.place() }

func newWriter(ctx context.Context, p *pass) *writer {
	queued := queued(p.Jobs)
	w := &writer{
		pass:     p,
		parallel: max(1, p.target.Capabilities().Parallel),
		queued:   queued,
		slots:    semaphore.NewWeighted(queued),
		window:   semaphore.NewWeighted(queuedBytes),
		queue:    make(chan *task, queued),
		ready:    make(chan *task, queued),
		results:  make(chan *task, queued),
		hurry:    make(chan struct{}, 1),
		ended:    make(chan struct{}),
		looking:  make(chan struct{}, 1),
		placed:   map[int64]FolderID{},
		fresh:    map[place]bool{},
		holds:    map[Digest]chan struct{}{},
	}
	if !p.arrived && p.target.Capabilities().Keyed {
		w.strange.Store(strangers)
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
	for range w.parallel {
		go w.work()
	}
	go w.record()
	return w
}

// know notes where a folder is.
func (w *writer) know(st FolderState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.placed[st.ID] = st.Target
}

// reserve takes a slot and room in the spool for each task of a group, all at
// once, so that mailboxes never wait for what each other holds half of.
func (w *writer) reserve(ctx context.Context, group []*task) error {
	if err := w.slots.Acquire(ctx, int64(len(group))); err != nil {
		return context.Cause(ctx)
	}
	var room, window int64
	for _, t := range group {
		t.room = w.Spool.room(t.msg.Size)
		t.window = min(t.room, queuedBytes)
		room, window = room+t.room, window+t.window
	}
	if err := w.window.Acquire(ctx, window); err != nil {
		w.slots.Release(int64(len(group)))
		return context.Cause(ctx)
	}
	if err := w.Spool.total.Acquire(ctx, room); err != nil {
		w.slots.Release(int64(len(group)))
		w.window.Release(window)
		return context.Cause(ctx)
	}
	return nil
}

// release forgets the content of t and gives back what reserve took.
func (w *writer) release(t *task) {
	w.forget(t)
	if t.body != nil {
		t.body.Close()
		t.body, t.msg.Body = nil, nil
	}
	w.Spool.total.Release(t.room)
	w.window.Release(t.window)
	t.room, t.window = 0, 0
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
	if err := w.slots.Acquire(ctx, w.queued); err != nil {
		return context.Cause(ctx)
	}
	w.slots.Release(w.queued)
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

// lateness bounds how long a result waits for others to share its commit.
const lateness = time.Second

// record saves intents and results until the queue is closed and everything
// has come back. To share commits it lets both gather while the workers have
// enough to do. It intends a few messages ahead of them, and no more: a crash
// leaves those in doubt.
func (w *writer) record() {
	defer close(w.ended)
	defer close(w.ready)
	ahead := 5 * w.parallel // messages with an intent and no result
	var intents, results []*task
	var late <-chan time.Time
	due := false // results shall wait no longer
	for queue, flying := w.queue, 0; queue != nil || flying > 0; {
		for waiting := true; waiting; {
			from := queue
			if flying+len(intents) >= ahead {
				from = nil
			}
			if len(results) > 0 && (due || flying == 0) || len(intents) > 0 && flying < 2*w.parallel {
				// It is time for a commit: take what else is there.
				select {
				case t, ok := <-from:
					queue, intents = received(queue, intents, t, ok)
				case t := <-w.results:
					flying, results = flying-1, append(results, t)
				default:
					waiting = false
				}
				continue
			}
			select {
			case t, ok := <-from:
				queue, intents = received(queue, intents, t, ok)
				waiting = queue != nil || flying > 0 || len(intents) > 0
			case t := <-w.results:
				if flying, results = flying-1, append(results, t); late == nil {
					late = time.After(lateness)
				}
			case <-w.hurry:
				due = true
			case <-late:
				due = true
			}
		}
		w.commit(intents, results)
		flying += len(intents)
		due = due && len(results) == 0
		intents, results, late = intents[:0], results[:0], nil
	}
}

// received adds t to the intents, or ends the queue if it is closed.
func received(queue chan *task, intents []*task, t *task, ok bool) (chan *task, []*task) {
	if !ok {
		return nil, intents
	}
	return queue, append(intents, t)
}

// commit saves intents and results at once. Then intents go to the workers,
// and results let go of their messages.
func (w *writer) commit(intents, results []*task) {
	var recs []Record
	for _, t := range results {
		recs = append(recs, t.rec)
	}
	if w.ctx.Err() == nil {
		w.mu.Lock()
		for _, t := range intents {
			w.fresh[t.place()] = !t.doubt
			t.rec.Doubt = true
			t.rec.Digest, t.rec.Size = t.msg.Digest, t.msg.Size
			recs = append(recs, t.rec)
		}
		w.mu.Unlock()
	}
	var err error
	if len(recs) > 0 {
		err = w.ledger.Save(context.WithoutCancel(w.ctx), recs...)
	}
	if err != nil {
		w.fail(Saved(err)) // so the workers will not write the intents
	}
	for _, t := range intents {
		w.ready <- t
	}
	for _, t := range results {
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
		t.rec = failed(t.rec, &t.msg, err)
		t.rec.Doubt = true
		t.rec.Hint = "It may or may not be at the target. Look for it there by its Message-ID and date before you copy it by hand."
	case errors.Is(err, errGaveUp) && others(), classify(err).Class == Permanent:
		t.rec = failed(t.rec, &t.msg, err)
		t.rec.Doubt = doubt
	default:
		w.fail(err)
	}
}

// attempt looks for t if it is in doubt, and writes it if it is not there.
func (w *writer) attempt(t *task, doubt *bool) error {
	suspects := []Record{t.rec}
	if w.target.Capabilities().Labels {
		merged, others, err := w.merge(t)
		if merged || err != nil {
			return err
		}
		*doubt = *doubt || len(others) > 0
		suspects = append(suspects, others...)
	}
	if *doubt {
		stored, names, err := w.find(t, suspects)
		switch {
		case err == nil && w.target.Capabilities().Labels:
			// It may have been written for another folder.
			if _, err := w.target.Update(w.writes, stored.ID, t.placed()); err != nil {
				return fmt.Errorf("place a message that was found: %w", err)
			}
			fallthrough
		case err == nil:
			t.arrived(Adopted, names, stored)
			return nil
		case !errors.Is(err, ErrNotFound):
			return fmt.Errorf("look for a message in doubt: %w", err)
		}
	}
	if t.body == nil {
		t.rec = t.rec.vanished()
		return nil
	}
	if !*doubt { // else it was looked for already
		if err := w.stranger(t); err != nil {
			return err
		}
	}
	return w.write(t, doubt)
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
}

// placed is what places a message that is at the target in the folder of t. The
// first copy says whether it was read.
func (t *task) placed() Change {
	seen := func(f Flag) bool { return strings.EqualFold(string(f), string(Seen)) }
	return Change{AddFolder: t.folder, AddFlags: slices.DeleteFunc(slices.Clone(t.msg.Flags), seen)}
}

// merge places a message of the same content in the folder of t, if the target
// has one. If not, t holds the claim on its content until it is recorded, so
// that of several copies on their way only one is written; and while other
// copies are in doubt it returns their records, since t may be there.
func (w *writer) merge(t *task) (merged bool, others []Record, err error) {
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
		return false, nil, &Error{Op: "merge", Refused: true, Err: context.Cause(w.ctx)}
	}
	equal, err := w.ledger.ByDigest(w.writes, t.msg.Digest)
	if err != nil {
		return false, nil, Saved(err)
	}
	var r Record
	for _, r = range equal {
		w.mu.Lock()
		if !w.fresh[place{r.Folder, r.UID}] { // a fresh one waits for the claim of t
			others = append(others, r)
		}
		w.mu.Unlock()
	}
	if !r.Outcome.Arrived() {
		return false, others, nil
	}
	notes, err := w.target.Update(w.writes, r.Target, t.placed())
	if errors.Is(err, ErrNotFound) { // deleted at the target since
		return false, nil, nil
	}
	if err != nil {
		return false, nil, err
	}
	t.arrived(Merged, transform.Applied(r.Notes), Stored{ID: r.Target, Notes: notes})
	return true, nil, nil
}
