package main

import (
	"errors"
	"slices"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// A pause is trouble that all mailboxes share.
type pause struct {
	limit bool // they wait for one; else nothing begins but probes
	from  evidence
	probe time.Time // when the next may begin
	tries int       // probes that failed
}

// worked notes that a mailbox is complete, for which the target was opened or
// there was nothing to do.
func (w *watch) worked(now time.Time, b *box, opened bool) {
	if b.told {
		w.tell(event{Kind: mailboxRecovered, Time: now, Mailbox: b.Source, Text: "A mailbox that had failed is complete."})
	}
	b.wanted, b.tried, b.complete, b.err = false, true, true, nil
	b.failures, b.own, b.told, b.person, b.local = 0, "", false, false, false
	switch {
	case w.pause != nil && w.pause.from.passed(b.began, now, opened):
		w.resume(now)
	case w.pause != nil && b.probe:
		w.pause.probe = now // it showed nothing
	}
	if len(w.trouble.row) > 0 && w.trouble.from.passed(b.began, now, opened) {
		w.alone(now, w.trouble.clear())
	}
}

// fell deals with a mailbox that failed, when asking the target or before.
func (w *watch) fell(now time.Time, b *box, asked bool) {
	why := cause(b.err)
	if w.pause == nil || w.pause.limit {
		b.failures++
		b.due = now.Add(backoff(firstAgain, lastAgain, b.failures))
	}
	switch {
	case w.schedule.once:
		b.wanted = false
		w.fail(now, b)
	case needsPersonNow(b.err): // and nothing is gained by trying before somebody acted
		b.wanted = false
		w.fail(now, b)
		if b.probe && w.pause != nil {
			w.pause.probe = now // it said nothing of the others
		}
	case w.pause != nil && !w.pause.limit:
		if b.probe {
			w.pause.tries++
			w.pause.from.target = asked
			w.pause.probe = now.Add(backoff(firstProbe, lastProbe, w.pause.tries+1))
		}
	case b.own == why || ofFolders(b.err):
		b.own = why
		w.fail(now, b)
	default:
		others := 0
		for _, o := range w.boxes {
			if o.wanted && o.own == "" {
				others++
			}
		}
		common, alone := w.trouble.failed(b.Source, why, others, len(w.boxes), asked, now, w.outcomes())
		w.alone(now, alone)
		if common {
			for _, o := range w.boxes {
				if slices.Contains(w.trouble.row, o.Source) {
					o.failures, o.due = 0, now
				}
			}
			w.trouble.clear()
			w.halt(now, &pause{probe: now.Add(firstProbe), from: since(now, asked)}, b.err,
				"All mailboxes that were tried in a row failed for the same reason. One is tried now and then, and the run goes on when that works.")
		}
	}
}

// alone is told of mailboxes that failed, in trouble that others do not share.
func (w *watch) alone(now time.Time, sources []string) {
	for _, b := range w.boxes {
		if slices.Contains(sources, b.Source) && b.err != nil {
			b.own = cause(b.err)
			w.fail(now, b)
		}
	}
}

// patience is how often a mailbox fails in a row until a person must look: after
// a quarter of an hour, or later if it takes long to fail.
const patience = 5

// fail tells of a mailbox that failed, what was not told before.
func (w *watch) fail(now time.Time, b *box) {
	reason, hint := migrate.Explain(b.err)
	e := event{Time: now, Mailbox: b.Source, Reason: reason, Hint: hint}
	if !b.told {
		b.told = true
		e.Kind, e.Text = mailboxFailed, "A mailbox failed; the others go on."
		w.tell(e)
	}
	if !b.person && !w.schedule.once && (b.failures >= patience || needsPersonNow(b.err)) {
		b.person = true
		e.Kind, e.Text = needsPerson, "A mailbox fails until somebody acts; the others go on."
		w.tell(e)
	}
}

// local deals with trouble of this machine, such as a full disk, which is that
// of all mailboxes. A run that makes one pass ends with it.
func (w *watch) local(now time.Time, err error) error {
	if w.schedule.once {
		return err
	}
	p := w.pause
	if p == nil || p.limit {
		p = &pause{from: since(now, false)}
	} else {
		p.tries++
	}
	p.probe = now.Add(backoff(firstProbe, lastProbe, p.tries+1))
	w.halt(now, p, err, "This machine is in trouble. The run tries now and then whether it can go on.")
	return nil
}

// halt begins a pause, and tells of it unless that was done.
func (w *watch) halt(now time.Time, p *pause, err error, text string) {
	if p == w.pause {
		return
	}
	w.pause = p
	reason, hint := migrate.Explain(err)
	w.tell(event{Kind: paused, Time: now, Text: text, Reason: reason, Hint: hint, Until: p.probe})
	if !p.limit {
		w.show("all fail alike: "+reason, time.Time{})
	}
}

func (w *watch) resume(now time.Time) {
	w.tell(event{Kind: resumed, Time: now, Text: "The run goes on after a pause of " + span(now.Sub(w.pause.from.at)) + "."})
	w.pause = nil
	w.show("", time.Time{})
	for _, b := range w.boxes {
		if b.wanted && b.failures == 0 {
			b.due = now
		}
	}
}

// longWait is how long all mailboxes must have to wait for a limit until the run
// counts as paused.
const longWait = 15 * time.Minute

// limits notices when all that runs waits long for a limit of the target, such
// as the quota of a day.
func (w *watch) limits(now time.Time) {
	var name string
	var until time.Time
	for _, b := range w.boxes {
		if !b.running {
			continue
		}
		s := b.progress.Snapshot()
		if len(s) == 0 {
			return
		}
		limit, at := w.work.limiters[b.Source].Waiting()
		if s[0].Wait != "" {
			limit, at = s[0].Wait, s[0].Until
		}
		if limit == "" || at.Sub(now) < longWait {
			return
		}
		if until.IsZero() || at.Before(until) {
			name, until = limit, at
		}
	}
	if name != "" && w.pause == nil {
		w.halt(now, &pause{limit: true, probe: until, from: since(now, true)}, errors.New(name), "All mailboxes wait for a limit of the target, and go on by themselves.")
	}
}
