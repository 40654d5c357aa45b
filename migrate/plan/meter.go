package plan

import (
	"cmp"
	"slices"
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
)

// What mailboxes wait for besides limits and pace.Turn.
const (
	Reading = "source" // the source gives no more
	Jobs    = "jobs"   // as many others are at work as may be
	Closed  = "window" // is closed
)

// slicesInAll is how many slices a chart has.
const slicesInAll = 120

// A meter measures a run. One that is nil does not.
type meter struct {
	start time.Time
	each  time.Duration // a slice
	cost  [slicesInAll]pace.Cost
	busy  [slicesInAll]time.Duration            // of all mailboxes at work
	waits [slicesInAll]map[string]time.Duration // of all mailboxes
	days  []Day
	boxes []boxMeter
	alone stretch // that is not over
	last  Last    // of the longest stretch
}

type boxMeter struct {
	took  time.Duration
	waits map[string]time.Duration
}

// newMeter returns a meter for a run that takes so long.
func newMeter(r *run, took time.Duration) *meter {
	m := &meter{start: r.Start, each: took/slicesInAll + 1, boxes: make([]boxMeter, len(r.boxes))}
	for i := range m.waits {
		m.waits[i] = map[string]time.Duration{}
	}
	for i := range m.boxes {
		m.boxes[i].waits = map[string]time.Duration{}
	}
	return m
}

// slice returns the slice of a time.
func (m *meter) slice(at time.Duration) int { return min(int(at/m.each), slicesInAll-1) }

// spread calls add with what of a time is in each slice.
func (m *meter) spread(from, to time.Duration, add func(slice int, d time.Duration)) {
	for from < to {
		i := m.slice(from)
		end := to
		if i < slicesInAll-1 {
			end = min(to, time.Duration(i+1)*m.each)
		}
		add(i, end-from)
		from = end
	}
}

// waited notes that a mailbox waited for something.
func (m *meter) waited(b *box, reason string, from, to time.Duration) {
	if m == nil || to <= from {
		return
	}
	m.boxes[b.number].waits[reason] += to - from
	m.spread(from, to, func(i int, d time.Duration) { m.waits[i][reason] += d })
}

// worked notes that a mailbox was at work, waiting for limits included.
func (m *meter) worked(b *box, from, to time.Duration) {
	if m == nil {
		return
	}
	m.boxes[b.number].took += to - from
	m.spread(from, to, func(i int, d time.Duration) { m.busy[i] += d })
}

// closed notes that the window was closed for a mailbox that was at work.
func (m *meter) closed(b *box, from, to time.Duration) {
	m.waited(b, Closed, from, to)
	if m == nil || !b.begun {
		return
	}
	m.boxes[b.number].took -= to - from
	m.spread(from, to, func(i int, d time.Duration) { m.busy[i] -= d })
}

// spent notes what a step costs.
func (m *meter) spent(at time.Duration, c pace.Cost) {
	if m == nil {
		return
	}
	year, month, day := m.start.Add(at).Date()
	date := time.Date(year, month, day, 0, 0, 0, 0, m.start.Location())
	if n := len(m.days); n == 0 || !m.days[n-1].Date.Equal(date) {
		m.days = append(m.days, Day{Date: date})
	}
	of := &m.days[len(m.days)-1]
	i := m.slice(at)
	for unit, n := range c {
		of.Cost[unit] += n
		m.cost[i][unit] += n
	}
}

// tell puts what was measured into a forecast.
func (m *meter) tell(f *Forecast, r *run) {
	f.Slices, f.Days, f.Last = Slices{m.start, m.each}, m.days, m.last
	for i := range f.Mailboxes {
		box := &f.Mailboxes[i]
		box.Took = m.boxes[i].took
		for reason, d := range m.boxes[i].waits {
			box.Waited = append(box.Waited, Wait{reason, d})
		}
		slices.SortFunc(box.Waited, func(a, b Wait) int { return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(a.For, b.For)) })
	}
	for n, l := range r.limits() {
		u := Use{Limit: l, Shared: n >= len(r.Model.Own)}
		for i := range slicesInAll {
			allowed := float64(l.Amount) * m.each.Seconds() / l.Per.Seconds()
			if !u.Shared {
				allowed *= float64(m.busy[i]) / float64(m.each)
			}
			used := 0.0
			if allowed > 0 {
				used = float64(m.cost[i][l.Unit]) / allowed
			}
			u.Used = append(u.Used, used)
			u.Waiting = append(u.Waiting, float64(m.waits[i][l.Name])/float64(m.each))
		}
		f.Limits = append(f.Limits, u)
	}
}
