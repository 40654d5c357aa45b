package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/window"
)

// A watch runs passes over mailboxes, through nights and weeks, as a person
// would who never sleeps: within the window, the longest mailboxes first; what
// fails again after a while; nothing but probes while all fail alike.
//
// One goroutine, that of run, owns it. It opens the checkpoints when there is
// something to do and closes them when there is not, so that other commands can
// change them meanwhile.
type watch struct {
	schedule schedule
	load     func(context.Context) (*work, error) // reads the files again
	open     func() (migrate.Checkpoints, error)
	tell     events

	work     *work
	boxes    []*box
	pass     int       // how many began
	walking  bool      // a mailbox was not tried in this pass
	next     time.Time // when the next pass is due
	stop     context.CancelCauseFunc
	idle     bool      // told that the window is closed
	trouble  trouble   //
	pause    *pause    // of the whole; nil if there is none
	broken   bool      // told that the files are
	failed   int64     // messages that need a person, as told
	arrived  int64     // messages at the target when the run began
	before   int64     // when the pass began
	digested int64     // when the latest digest came
	digest   time.Time // when the next one is due
	tally    tally     // as the checkpoints said last
	ended    int64     // messages that came to an outcome in passes over a mailbox that have ended

	mu      sync.Mutex // guards what is shown: box.progress, shown, and these
	shown   []*box
	doing   string
	waking  time.Time
	settled map[[2]string]int64 // messages with an outcome, as the checkpoints said last, by source and target; not changed
}

// A work is what a run works on and with, by its files.
type work struct {
	boxes    []migrate.Mailbox
	limiters map[string]*pace.Limiter // by source
	engine   migrate.Engine           // without checkpoints and progress
	window   *window.Window           // nil: always open
}

// A box is a mailbox of a run.
type box struct {
	migrate.Mailbox
	progress *migrate.Progress // of its latest pass; nil if none began in this pass
	rest     rest

	wanted   bool      // it has still to be gone through
	tried    bool      // in this pass
	complete bool      // its latest pass came to its end, in this run
	running  bool      //
	probe    bool      // it runs to show whether trouble is over
	began    time.Time // when it was tried last
	due      time.Time // when it may be tried again
	failures int       // in a row, but for those in a pause
	own      string    // the cause that is known to be its own trouble
	told     bool      // that it failed
	person   bool      // told that it needs one
	local    bool      // it failed by trouble of this machine
	err      error     // of the latest try
}

var (
	errWindow = errors.New("the window is closed")
	errUntil  = errors.New("the time of --until has come")
	errPause  = errors.New("paused") // by trouble of this machine
)

// ticks is how often a watch looks around, at least: a machine that slept does
// not know how late it is until it looks.
const ticks = time.Minute

// run works and tells of it until nothing is left to do as the schedule says; or until ctx
// ends, and returns its cause; or the time of --until comes, and returns
// errUntil; or trouble of this machine stops a run that makes one pass.
func (w *watch) run(ctx context.Context) error {
	w.tell(event{Kind: runStarted, Time: time.Now(), Text: "The run began: " + w.schedule.String() + "."})
	err := w.passes(ctx)
	w.tell(w.last(err))
	return err
}

// passes is run without its first and last event.
func (w *watch) passes(ctx context.Context) error {
	ctx, w.stop = context.WithCancelCause(ctx)
	defer w.stop(nil)
	w.digest = w.schedule.nextDigest(time.Now())
	w.next = time.Now()
	for {
		now := time.Now()
		w.look(now)
		w.passOver(now)
		open, until := w.isOpen(now)
		due := w.walking || slices.ContainsFunc(w.boxes, func(b *box) bool { return b.wanted && !b.due.After(now) })
		switch {
		case w.finished():
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !open && (due || !w.next.After(now)):
			w.closeWindow(now, until)
		case open && !w.walking && !w.next.IsZero() && !w.next.After(now):
			w.openWindow(now)
			w.beginPass(ctx, now)
			continue
		case open && w.pick(now) != nil:
			w.openWindow(now)
			if err := w.sit(ctx); err != nil {
				return err
			}
			continue
		}
		w.wait(ctx, now, until)
	}
}

// finished says whether a run that has an end is there.
func (w *watch) finished() bool {
	if w.pass == 0 || w.walking {
		return false
	}
	return w.schedule.once || !w.schedule.forever() && !slices.ContainsFunc(w.boxes, func(b *box) bool { return !b.complete })
}

// beginPass reads the files again and wants every mailbox; where passes are not
// asked for one after the other, those that are not complete.
func (w *watch) beginPass(ctx context.Context, now time.Time) {
	if w.pass > 0 {
		w.reload(ctx, now)
	}
	w.pass++
	w.walking = true
	w.before = w.tally.Messages
	w.mu.Lock()
	for _, b := range w.boxes {
		if w.schedule.every > 0 || !b.complete {
			b.wanted, b.tried, b.due, b.progress = true, false, now, nil
		}
	}
	w.mu.Unlock()
	w.next = w.schedule.after(w.next, now)
	w.tell(event{Kind: passStarted, Time: now, Text: fmt.Sprintf("Pass %d began.", w.pass)})
}

// passOver ends the pass if every mailbox of it was tried.
func (w *watch) passOver(now time.Time) {
	if !w.walking || slices.ContainsFunc(w.boxes, func(b *box) bool { return b.wanted && !b.tried }) {
		return
	}
	w.walking = false
	w.next = w.schedule.due(w.next, now)
	t := w.counts(w.before)
	w.tell(event{Kind: passEnded, Time: now, Tally: t, Text: fmt.Sprintf("Pass %d ended: %d of %s complete, %s arrived.", w.pass, t.Complete,
		count(int64(t.Mailboxes), "mailbox", "mailboxes"), count(t.New, "new message", "new messages"))})
	if t.Failed > w.failed {
		w.tell(event{Kind: needsPerson, Time: now, Text: count(t.Failed, "message needs", "messages need") + " a person.",
			Hint: `"mailhaul status" lists each with its reason and what to do.`})
	}
	w.failed = t.Failed
}

// reload reads the files again. Where they cannot be read the old ones stay,
// and a person is told once.
func (w *watch) reload(ctx context.Context, now time.Time) {
	work, err := w.load(ctx)
	if err != nil {
		if !w.broken && ctx.Err() == nil {
			reason, hint := migrate.Explain(err)
			w.tell(event{Kind: needsPerson, Time: now, Text: "The configuration or the list of mailboxes cannot be read any more. The run goes on with what they said before.",
				Reason: reason, Hint: hint})
		}
		w.broken = true
		return
	}
	w.broken = false
	w.take(work)
}

// take makes the mailboxes of a work those of the run. What is known of them
// stays.
func (w *watch) take(work *work) {
	known := map[[2]string]*box{}
	for _, b := range w.boxes {
		known[[2]string{b.Source, b.Target}] = b
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.work, w.boxes = work, nil
	for _, m := range work.boxes {
		b := known[[2]string{m.Source, m.Target}]
		if b == nil {
			b = &box{wanted: w.walking, rest: rest{unknown: true}}
		}
		b.Mailbox = m
		w.boxes = append(w.boxes, b)
	}
	w.shown = slices.Clone(w.boxes)
}

// isOpen says whether the window is open, and until when it is so.
func (w *watch) isOpen(now time.Time) (open bool, until time.Time) {
	if w.work.window == nil {
		return true, time.Time{}
	}
	return w.work.window.Open(now)
}

func (w *watch) closeWindow(now, until time.Time) {
	if !w.idle {
		w.idle = true
		w.tell(event{Kind: windowClosed, Time: now, Text: "The window is closed; the run goes on when it opens.", Until: until})
	}
}

func (w *watch) openWindow(now time.Time) {
	if w.idle {
		w.idle = false
		w.tell(event{Kind: windowOpened, Time: now, Text: "The window is open; the run goes on."})
	}
}

// wait waits until something may be due, and says why.
func (w *watch) wait(ctx context.Context, now, until time.Time) {
	switch {
	case w.idle:
		w.show("outside the window", until)
	case w.pause == nil:
		at, why := w.next, "until the next pass"
		for _, b := range w.boxes {
			if b.wanted && (at.IsZero() || b.due.Before(at)) {
				at, why = b.due, "until a mailbox that failed is tried again"
			}
		}
		w.show(why, at)
	}
	timer := time.NewTimer(w.sleep(now, until))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	if w.pause == nil || w.pause.limit {
		w.show("", time.Time{})
	}
}

// sleep is how long nothing can become due. until is when the window changes.
func (w *watch) sleep(now, until time.Time) time.Duration {
	at := now.Add(ticks)
	earlier := func(t time.Time) {
		if t.After(now) && t.Before(at) {
			at = t
		}
	}
	earlier(until)
	earlier(w.next)
	earlier(w.digest)
	earlier(w.schedule.until)
	if w.pause != nil {
		earlier(w.pause.probe)
	}
	for _, b := range w.boxes {
		if b.wanted && !b.running {
			earlier(b.due)
		}
	}
	return at.Sub(now)
}

// results says how the latest try of each mailbox ended.
func (w *watch) results() []migrate.Result {
	rs := make([]migrate.Result, len(w.boxes))
	for i, b := range w.boxes {
		rs[i] = migrate.Result{Mailbox: b.Mailbox, Err: b.err}
		if b.err == nil && (!b.complete || b.wanted) {
			rs[i].Err = migrate.ErrNotStarted
		}
	}
	return rs
}
