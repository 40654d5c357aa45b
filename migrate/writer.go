package migrate

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// queuedBytes is how many octets of one mailbox may be between the source and
// the last record. A message counts for no more than lets there be three for each
// worker: a few large ones would leave most workers idle.
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
	movable  atomic.Bool   // some copies are of messages that the source has no more

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
	w.movable.Store(p.left)
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
	w.progress.know(st)
}

// placeOf returns where a folder is.
func (w *writer) placeOf(folder int64) FolderID {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.placed[folder]
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
		t.window = min(t.room, queuedBytes/int64(3*w.parallel))
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
	if ctx.Err() != nil { // some of it may not be recorded
		return context.Cause(ctx)
	}
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
		if t.taken != nil {
			recs = append(recs, *t.taken)
		}
	}
	if w.ctx.Err() == nil {
		w.mu.Lock()
		for _, t := range intents {
			w.fresh[t.place()] = !t.doubt
			if t.body != nil {
				t.rec.Flags = between(t.rec.Flags, t.msg.Flags)
			}
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
			if t.body != nil && t.rec.Notable() {
				t.rec.Head = headOf(t.body)
			}
		}
		w.results <- t
	}
}
