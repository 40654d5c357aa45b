package live

import (
	"math"
	"time"
)

// A meter remembers a counter that only grows, as far back as it has to, in a
// bounded number of readings.
type meter struct {
	span time.Duration // how far back
	gap  time.Duration // between readings
	at   []time.Time
	n    []float64
}

// A mailbox and the whole are told by their last half minute. What is left is
// told by the last hour.
const (
	recent  = 30 * time.Second
	history = time.Hour
)

func newMeter(span time.Duration) *meter {
	return &meter{span: span, gap: max(time.Second, span/360)}
}

// add takes a reading. A count that fell, and a clock that went back, begin anew.
func (m *meter) add(now time.Time, n float64) {
	k := len(m.at)
	if k > 0 && (n < m.n[k-1] || now.Before(m.at[k-1])) {
		m.at, m.n, k = nil, nil, 0
	}
	if k > 0 && now.Sub(m.at[k-1]) < m.gap {
		return
	}
	m.at, m.n = append(m.at, now), append(m.n, n)
	for len(m.at) > 2 && now.Sub(m.at[1]) >= m.span {
		m.at, m.n = m.at[1:], m.n[1:]
	}
}

// grown returns by how much the counter grew in the time d before now, or since
// the first reading, and in what time.
func (m *meter) grown(now time.Time, n float64, d time.Duration) (float64, time.Duration) {
	for i := len(m.at) - 1; i >= 0; i-- {
		if i == 0 || now.Sub(m.at[i]) >= d {
			return n - m.n[i], now.Sub(m.at[i])
		}
	}
	return 0, 0
}

// rate returns growth per second in the time d before now; 0 if it cannot tell
// yet.
func (m *meter) rate(now time.Time, n float64, d time.Duration) float64 {
	grown, in := m.grown(now, n, d)
	if in < time.Second {
		return 0
	}
	return grown / in.Seconds()
}

// estimate says how long left messages take.
func (m *meter) estimate(now time.Time, n, left float64) Estimate {
	if len(m.at) == 0 || now.Sub(m.at[0]) < recent || left <= 0 {
		return Estimate{}
	}
	low, high := math.Inf(1), 0.0
	for _, d := range []time.Duration{time.Minute, 5 * time.Minute, 20 * time.Minute, history} {
		r := m.rate(now, n, d)
		low, high = min(low, r), max(high, r)
		if now.Sub(m.at[0]) < d {
			break // the longer ones are the same
		}
	}
	if high <= 0 {
		return Estimate{}
	}
	e := Estimate{Low: seconds(left / high)}
	if low > 0 {
		e.High = seconds(left / low)
	}
	return e
}

// seconds is a duration of at most a hundred years.
func seconds(s float64) time.Duration {
	return time.Duration(min(s, 100*365*24*3600) * float64(time.Second))
}
