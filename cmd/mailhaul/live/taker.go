package live

import (
	"cmp"
	"os"
	"slices"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
)

// A Taker takes the State of a run in this process. Its fields are set before
// its first use. One goroutine at a time uses it.
type Taker struct {
	Command, Migration, Bad string // as in State

	// Pause says why the run as a whole does nothing, until when; nil if that
	// does not occur.
	Pause func() (reason string, until time.Time)

	// Simulated says when a simulation lets the run end, if there is one that
	// holds for what is left now; nil if there never is. Without one the rates tell.
	Simulated func() (Simulation, bool)

	snapshot func() []migrate.MailboxSnapshot
	limiters func() map[string]*pace.Limiter // by source
	began    time.Time
	host     string

	done     float64 // messages that came to an outcome since the beginning, in all passes
	all      *meter
	recent   *meter
	each     map[string]*meter
	spent    map[budget]*meter
	seen     map[string]seen
	failures []Failure
}

// seen is what was known of a mailbox when the last State was taken.
type seen struct {
	began        time.Time
	done, failed int64
	ended        bool
}

// A budget is a limit of one mailbox, or of all: then source is empty.
type budget struct {
	source string
	limit  pace.Limit
}

// Failures is how many of the latest failures a State names.
const Failures = 10

// clip bounds words that come from outside, in runes.
const clip = 300

// Follow makes t tell of a run's mailboxes. Limiters are named by the source;
// both are asked for at each Take, as a new pass may have others.
func (t *Taker) Follow(snapshot func() []migrate.MailboxSnapshot, limiters func() map[string]*pace.Limiter) {
	t.snapshot, t.limiters = snapshot, limiters
	t.began = time.Now()
	t.host, _ = os.Hostname()
	t.all, t.recent = newMeter(history), newMeter(recent)
	t.each, t.spent, t.seen = map[string]*meter{}, map[budget]*meter{}, map[string]seen{}
}

// Take returns the State of this instant.
func (t *Taker) Take(now time.Time) State {
	s := State{Version: Version, At: now, PID: os.Getpid(), Host: t.host, Command: t.Command, Migration: t.Migration, Bad: t.Bad, Began: t.began}
	if t.Pause != nil {
		s.Pause, s.Until = t.Pause()
	}
	limiters := t.limiters()
	for _, m := range t.snapshot() {
		s.Mailboxes = append(s.Mailboxes, t.mailbox(now, m, limiters[m.Source]))
	}
	t.estimate(now, &s)
	s.Limits = t.limits(now, s.Mailboxes, limiters)
	s.Failures = slices.Clone(t.failures)
	return s
}

func (t *Taker) mailbox(now time.Time, s migrate.MailboxSnapshot, limiter *pace.Limiter) Mailbox {
	m := Mailbox{Source: s.Source, Target: s.Target, Began: s.Started, Ended: s.Ended, Phase: clipped(s.Phase),
		Wait: clipped(s.Wait), Total: s.Total, Known: s.Known, Done: s.Done, Bytes: s.Bytes, Failed: s.Failed}
	if m.Wait != "" {
		m.Until = s.Until
	}
	if s.Err != nil {
		reason, _ := migrate.Explain(s.Err)
		m.Error = clipped(cmp.Or(reason, "unknown"))
	}
	t.note(now, &m, clipped(s.Reason))
	if m.Began.IsZero() || !m.Ended.IsZero() {
		delete(t.each, m.Source)
		return m
	}
	if limit, until := limiter.Waiting(); limit != "" && m.Wait == "" {
		m.AtLimit = clipped(limit)
		if until.Sub(now) > time.Second {
			m.Wait, m.Until = m.AtLimit, until
		}
	}
	if t.each[m.Source] == nil {
		t.each[m.Source] = newMeter(recent)
	}
	t.each[m.Source].add(now, float64(m.Done))
	m.Rate = t.each[m.Source].rate(now, float64(m.Done), recent)
	return m
}

// note counts what was done, and notes what failed, and for what reason at last,
// since the last time: a mailbox that is begun again counts from nothing. What
// failed for the same reason in the same mailbox is told as one.
func (t *Taker) note(now time.Time, m *Mailbox, reason string) {
	was := t.seen[m.Source]
	if !m.Began.Equal(was.began) {
		was = seen{}
	}
	is := seen{m.Began, m.Done, m.Failed, m.Stage() == Stopped}
	t.seen[m.Source] = is
	t.done += float64(max(is.done-was.done, 0))
	add := func(f Failure) {
		if i := slices.IndexFunc(t.failures, func(g Failure) bool {
			return g.Source == f.Source && g.Reason == f.Reason && (g.Messages > 0) == (f.Messages > 0)
		}); i >= 0 {
			f.Messages += t.failures[i].Messages
			t.failures = slices.Delete(t.failures, i, i+1)
		}
		t.failures = slices.Insert(t.failures, 0, f)
		t.failures = t.failures[:min(len(t.failures), Failures)]
	}
	if n := is.failed - was.failed; n > 0 {
		add(Failure{At: now, Source: m.Source, Messages: n, Reason: reason})
	}
	if is.ended && !was.ended {
		add(Failure{At: now, Source: m.Source, Reason: m.Error})
	}
}

// GuessFrom is how many mailboxes must have told their size before others are
// taken to be like them.
const GuessFrom = 3

// estimate sets how fast the run is and what is left of it.
func (t *Taker) estimate(now time.Time, s *State) {
	s.Left = t.byRate(now, s)
	if t.Simulated == nil || s.done() {
		return
	}
	if simulation, ok := t.Simulated(); ok {
		if e := simulation.estimate(now); simulation.Proven && e != (Estimate{}) {
			s.Left = e
		} else if e != (Estimate{}) {
			s.Left = e.wider(s.Left)
		}
	}
}

// byRate says how fast the run is, and what is left if it goes on so.
func (t *Taker) byRate(now time.Time, s *State) Estimate {
	var left, announced float64
	var sized, unknown int
	var slowest time.Duration
	for i := range s.Mailboxes {
		m := &s.Mailboxes[i]
		switch m.Stage() {
		case NotBegun:
			unknown++
			continue
		case Running, Waiting:
			left += float64(m.Announced() - m.Accounted())
			d, _ := m.Left()
			slowest = max(slowest, d)
		}
		if m.Total > 0 {
			sized++
			announced += float64(m.Total)
		}
	}
	t.recent.add(now, t.done)
	t.all.add(now, t.done)
	s.Rate = t.recent.rate(now, t.done, recent)
	guess := unknown > 0 && sized >= GuessFrom
	if guess {
		left += announced / float64(sized) * float64(unknown)
	}
	e := t.all.estimate(now, t.done, left)
	if e == (Estimate{}) {
		return e
	}
	if e.High > 0 {
		e.High = max(e.High, slowest) // the whole takes as long as its longest part
	}
	if guess {
		e.Guessed = unknown
	} else {
		e.Unknown = unknown
	}
	return e
}

// limits says how much is used of each limit: of those that each mailbox has
// for itself, by the mailbox that uses most of it. The fullest come first, and
// those that are hardly used are left out.
func (t *Taker) limits(now time.Time, mailboxes []Mailbox, limiters map[string]*pace.Limiter) []Limit {
	fullest := map[string]Limit{}
	fill := func(b budget, n int64) {
		m := t.spent[b]
		if m == nil {
			m = newMeter(max(recent, b.window()))
			t.spent[b] = m
		}
		m.add(now, float64(n))
		l := Limit{Name: b.limit.Name, Unit: unitNames[b.limit.Unit], Source: b.source, Rate: m.rate(now, float64(n), recent)}
		if b.limit.Burst > 0 {
			l.Used = l.Rate * b.limit.Per.Seconds() / float64(b.limit.Amount)
		} else {
			spent, _ := m.grown(now, float64(n), b.limit.Per)
			l.Used = spent / float64(b.limit.Amount)
		}
		l.Used = min(l.Used, 1) // a burst is no excess
		if was, ok := fullest[l.Name]; !ok || l.Used > was.Used {
			fullest[l.Name] = l
		}
	}
	var common []pace.Limit
	var sum pace.Cost
	for i := range mailboxes {
		m := &mailboxes[i]
		l := limiters[m.Source]
		if l == nil {
			continue
		}
		cost := l.Usage().Cost
		for unit, n := range cost {
			sum[unit] += n
		}
		var own []pace.Limit
		own, common = l.Limits()
		for _, limit := range own {
			b := budget{m.Source, limit}
			if stage := m.Stage(); stage == Running || stage == Waiting {
				fill(b, cost[limit.Unit])
			} else {
				delete(t.spent, b)
			}
		}
	}
	for _, limit := range common {
		fill(budget{"", limit}, sum[limit.Unit])
	}
	var ls []Limit
	for _, l := range fullest {
		if l.Used >= 0.01 {
			ls = append(ls, l)
		}
	}
	slices.SortFunc(ls, func(a, b Limit) int { return cmp.Or(cmp.Compare(b.Used, a.Used), cmp.Compare(a.Name, b.Name)) })
	return ls
}

var unitNames = map[pace.Unit]string{pace.Requests: "calls", pace.Points: "units", pace.Bytes: "octets"}

// window is how far back calls count against the limit.
func (b budget) window() time.Duration {
	if b.limit.Burst > 0 {
		return 0
	}
	return b.limit.Per
}

func clipped(s string) string {
	n := 0
	for i := range s {
		if n == clip {
			return s[:i] + "…"
		}
		n++
	}
	return s
}
