package plan

import "time"

// isOpen says whether the window is open, and puts the mailbox off if not.
func (r *run) isOpen(b *box) bool {
	if r.now >= r.change {
		r.open, r.change = r.hours(r.now)
	}
	if !r.open {
		r.pause(b)
	}
	return r.open
}

// hours says whether the window is open at a time, and until when.
func (r *run) hours(at time.Duration) (open bool, until time.Duration) {
	if r.Window == nil {
		return true, forever
	}
	open, change := r.Window.Open(r.Start.Add(at))
	if change.IsZero() {
		return open, forever
	}
	return open, change.Sub(r.Start)
}

// pause lets a mailbox go on when the window opens. What it waited for it gives
// back, since others may come first then.
func (r *run) pause(b *box) {
	if b.state == reading || b.state == asking {
		r.waited(b, "")
		b.stages[0].back()
		b.state = next
	}
	b.reopen = b.reopen || b.begun
	r.meter.closed(b, r.now, r.change)
	b.at = r.change
	r.queue.changed(b)
}

// after returns when work that takes so long has ended. Work on which the window
// closes goes on when it opens.
func (r *run) after(b *box, work time.Duration) time.Duration {
	at, closes := r.now, r.change
	for at+work > closes && at < forever {
		work -= closes - at
		_, at = r.hours(closes)
		r.meter.closed(b, closes, at)
		_, closes = r.hours(at)
		b.reopen = true
	}
	return at + work
}
