// Package window says when work is allowed, from a text such as
// "Mon-Fri 19:00-07:00, Sat-Sun". It does no I/O.
package window

import "time"

// Minutes of a day and of a week, which begins on Monday.
const (
	day  = 24 * 60
	week = 7 * day
)

// A Window is the times of a week at which work is allowed, by the clocks of
// one time zone. What such a clock shows is all that counts. When it is put
// forward, what it skips does not happen: an opening at 02:30 comes when the
// clock jumps from 02:00 to 03:00, and a window of which every minute is skipped
// stays closed that day. When it is put back, the hour that comes twice counts
// twice: a window that ends at 02:30 closes then, and is open once more from
// 02:00 to 02:30.
type Window struct {
	zone  *time.Location
	spans []span // in order; they neither touch nor overlap, but the last may end where the first begins
}

// A span is [from, to) in minutes of the week.
type span struct{ from, to int }

// Open says whether work is allowed at t, and when that changes next; never, if
// until is zero.
func (w *Window) Open(t time.Time) (open bool, until time.Time) {
	if len(w.spans) == 1 && w.spans[0] == (span{0, week}) {
		return true, time.Time{}
	}
	t = t.In(w.zone)
	open, left := w.at(t)
	for {
		until = t.Add(left)
		_, end := t.ZoneBounds()
		if end.IsZero() || until.Before(end) {
			return open, until
		}
		// The clock is put forward or back before.
		t = end.In(w.zone)
		after, rest := w.at(t)
		if after != open {
			return open, t
		}
		left = rest
	}
}

// at says whether the window is open at t and how long it stays so, if the
// clock is not put forward or back.
func (w *Window) at(t time.Time) (open bool, left time.Duration) {
	now := (int(t.Weekday())+6)%7*day + t.Hour()*60 + t.Minute()
	next := w.spans[0].from + week
	for _, s := range w.spans {
		if now < s.from {
			next = s.from
			break
		}
		if now < s.to {
			open, next = true, s.to
			if s.to == week && w.spans[0].from == 0 {
				next += w.spans[0].to
			}
			break
		}
	}
	passed := time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
	return open, time.Duration(next-now)*time.Minute - passed
}

// Closes says whether w, which may be nil for one that is always open, closes
// after t.
func (w *Window) Closes(t time.Time) bool {
	if w == nil {
		return false
	}
	_, until := w.Open(t)
	return !until.IsZero()
}

// Between returns for how long w, which may be nil, is open between two times.
func (w *Window) Between(from, to time.Time) (d time.Duration) {
	for from.Before(to) {
		open, until := true, to
		if w.Closes(from) {
			if open, until = w.Open(from); until.After(to) {
				until = to
			}
		}
		if open {
			d += until.Sub(from)
		}
		from = until
	}
	return d
}

// After returns when w, which may be nil, was open for so long since a time.
func (w *Window) After(from time.Time, d time.Duration) time.Time {
	for w.Closes(from) {
		open, until := w.Open(from)
		if open && !until.Before(from.Add(d)) {
			break
		}
		if open {
			d -= until.Sub(from)
		}
		from = until
	}
	return from.Add(d)
}
