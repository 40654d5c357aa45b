package plan

import (
	"maps"
	"slices"
	"time"
)

// A Last is the mailbox that is at work for longest when all others of its wave
// have gone through the same pass or verification: only what holds it up itself
// holds up the whole then.
type Last struct {
	Mailbox string
	Since   time.Time     // it alone is at work
	Takes   time.Duration // from then on until it ends too, while the window is open
	Waits   string        // what it waits for most meanwhile, as of [Wait]; a wait under way counts in whole; "" for nothing
}

// A stretch is when one mailbox alone is at work.
type stretch struct {
	box   *box
	from  time.Duration
	waits map[string]time.Duration // until then
}

// left notes if one mailbox alone is at work, and none is to come.
func (r *run) left() {
	if r.meter == nil || len(r.queue) != 1 || len(r.waiting) > 0 {
		return
	}
	b := r.queue[0]
	r.meter.alone = stretch{b, r.now, maps.Clone(r.meter.boxes[b.number].waits)}
}

// over notes that a mailbox has ended, with the stretch in which it alone was at
// work, if it was.
func (r *run) over(b *box) {
	if r.meter == nil || r.meter.alone.box != b {
		return
	}
	s, last := r.meter.alone, Last{Mailbox: b.Name}
	r.meter.alone = stretch{}
	last.Since = r.Start.Add(s.from)
	last.Takes = r.Window.Between(last.Since, r.Start.Add(r.now))
	if last.Takes <= r.meter.last.Takes {
		return
	}
	most := time.Duration(0)
	waits := r.meter.boxes[b.number].waits
	for _, reason := range slices.Sorted(maps.Keys(waits)) {
		if d := waits[reason] - s.waits[reason]; d > most && reason != Closed {
			last.Waits, most = reason, d
		}
	}
	r.meter.last = last
}
