package metrics

import "time"

// rateSpan is what a rate is measured over, rateSlots how many readings of it
// are kept.
const (
	rateSpan  = 10 * time.Minute
	rateSlots = 120
)

// A rate tells how fast a counter went up of late.
type rate struct {
	at []time.Time
	n  []int64
}

// note adds a reading, unless the latest is too new. While nothing is left to
// do there is no rate.
func (r *rate) note(now time.Time, n, left int64) {
	if left == 0 {
		r.at, r.n = nil, nil
		return
	}
	if k := len(r.at); k == 0 || now.Sub(r.at[k-1]) >= rateSpan/rateSlots {
		r.at, r.n = append(r.at, now), append(r.n, n)
	}
	for len(r.at) > 2 && now.Sub(r.at[1]) > rateSpan {
		r.at, r.n = r.at[1:], r.n[1:]
	}
}

// eta returns how long so much more takes; false if it cannot be told.
func (r *rate) eta(now time.Time, left int64) (time.Duration, bool) {
	k := len(r.at) - 1
	if left == 0 {
		return 0, true
	}
	if k < 1 || r.n[k] <= r.n[0] {
		return 0, false
	}
	return time.Duration(float64(left) * float64(r.at[k].Sub(r.at[0])) / float64(r.n[k]-r.n[0])), true
}
