package main

import (
	"fmt"
	"strings"
	"time"
)

// A schedule says when passes begin and when a run ends. Without anything set
// but once, there is one pass in which each mailbox is tried once.
type schedule struct {
	once     bool
	every    time.Duration  // from the begin of a pass to that of the next; 0: the next begins when something is left to do
	complete bool           // the run ends when every mailbox is
	until    time.Time      // or then; zero for never
	zone     *time.Location // whose clock counts for digests
	digest   time.Duration  // when those come, since midnight
}

// repeat is how long after a pass those mailboxes are tried again that only a
// person could help, and what else is not complete.
const repeat = time.Hour

// newSchedule reads --until and --every. Times are those of a zone.
func newSchedule(until string, every time.Duration, zone *time.Location, now time.Time) (schedule, error) {
	s := schedule{once: until == "" && every == 0, every: every, zone: zone}
	if every != 0 && every < time.Minute {
		return s, fmt.Errorf("--every %s: want a minute or more, as in --every 24h", every)
	}
	switch {
	case until == "":
	case strings.EqualFold(until, "done"):
		s.complete = true
	default:
		var ok bool
		if s.until, ok = instant(until, zone, now); !ok {
			return s, fmt.Errorf(`--until %q: want done, a time as in 2026-12-01T06:00 or 2026-12-01T06:00:00+01:00, or 06:00 for the next time that it is six`, until)
		}
		if !s.until.After(now) {
			return s, fmt.Errorf("--until %s: that time is over", s.until.Format(time.RFC3339))
		}
	}
	return s, nil
}

// instant reads a time: RFC 3339, or without its offset or seconds, then in the
// zone; or a time of day, the next one.
func instant(text string, zone *time.Location, now time.Time) (t time.Time, ok bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, true
		}
	}
	day, err := time.Parse("15:04", text)
	if err != nil {
		return t, false
	}
	return next(day.Hour(), day.Minute(), zone, now), true
}

// next returns when the clock of a zone shows that time next, after now.
func next(hour, minute int, zone *time.Location, now time.Time) time.Time {
	now = now.In(zone)
	for days := 0; ; days++ {
		if t := time.Date(now.Year(), now.Month(), now.Day()+days, hour, minute, 0, 0, zone); t.After(now) {
			return t
		}
	}
}

func (s schedule) nextDigest(now time.Time) time.Time {
	return next(0, int(s.digest.Minutes()), s.zone, now)
}

// forever says that the run goes on when all mailboxes are complete.
func (s schedule) forever() bool { return s.every > 0 && !s.complete }

// after returns when the pass after one that was due, and begins now, is due;
// zero if that is not known yet.
func (s schedule) after(due, now time.Time) time.Time {
	if s.every == 0 {
		return time.Time{}
	}
	return s.due(due.Add(s.every), now)
}

// due returns when the next pass is due, now that one has ended. Those that were
// missed are one.
func (s schedule) due(due, now time.Time) time.Time {
	switch {
	case s.once:
		return time.Time{}
	case s.every == 0:
		return now.Add(repeat)
	}
	if late := now.Sub(due); late >= s.every {
		due = due.Add(late.Truncate(s.every))
	}
	return due
}

func (s schedule) String() string {
	if s.once {
		return "one pass"
	}
	text := "passes until every mailbox is complete"
	if s.every > 0 {
		text = "a pass every " + span(s.every)
		if s.complete {
			text += " until every mailbox is complete"
		}
	}
	if !s.until.IsZero() {
		text += ", until " + s.until.In(s.zone).Format("Mon 2 Jan 15:04") + " at the latest"
	}
	return text
}
