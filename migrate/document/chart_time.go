package document

import "time"

// A timeScale is a time from start to end, in one zone.
type timeScale struct {
	start, end time.Time
}

// x is where t is between left and right.
func (s timeScale) x(t time.Time, left, right float64) float64 {
	length := s.end.Unix() - s.start.Unix()
	if length <= 0 {
		return (left + right) / 2
	}
	return left + (right-left)*float64(t.Unix()-s.start.Unix())/float64(length)
}

// mostTicks is how many ticks an axis of time has at most.
const mostTicks = 8

// ticks are at full minutes, hours or days of the zone; at days if those are
// enough, as the second value says.
func (s timeScale) ticks() (ticks []time.Time, days bool) {
	minutes := (s.end.Unix() - s.start.Unix()) / 60
	for _, each := range []int{1, 5, 15, 30, 60, 120, 180, 360, 720} {
		if minutes < int64(mostTicks*each) {
			return s.every(0, each), false
		}
	}
	for _, each := range []int{1, 2, 7, 14, 30} {
		if minutes < int64(mostTicks*each*1440) {
			return s.every(each, 0), true
		}
	}
	return s.every(int(minutes/1440/mostTicks)+1, 0), true
}

// every returns the times that are so many days and minutes apart, counted from
// the midnight before start.
func (s timeScale) every(days, minutes int) (ticks []time.Time) {
	year, month, day := s.start.Date()
	for i := 0; ; i++ {
		t := time.Date(year, month, day+i*days, 0, i*minutes, 0, 0, s.start.Location())
		if t.After(s.end) {
			return ticks
		}
		if !t.Before(s.start) {
			ticks = append(ticks, t)
		}
	}
}
