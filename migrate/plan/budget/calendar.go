package budget

import "time"

// day is 24 hours, whatever the clock does.
const day = 24 * time.Hour

// daysBegun is how many days have begun before end: at least one.
func daysBegun(start, end time.Time) int64 {
	d := end.Sub(start)
	n := int64(d / day)
	if d%day > 0 {
		n++
	}
	return max(1, n)
}

// monthsBegun is how many months have begun before end, by the calendar of their
// zone: at least one.
func monthsBegun(start, end time.Time) int64 {
	n := 12*(end.Year()-start.Year()) + int(end.Month()-start.Month())
	if end.After(after(start, n)) {
		n++
	}
	return int64(max(1, n))
}

// after is when so many months are over: on the day of start, or on the last one
// of a month that has no such day.
func after(start time.Time, months int) time.Time {
	year, month, day := start.Date()
	hour, minute, second := start.Clock()
	month += time.Month(months)
	last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return time.Date(year, month, min(day, last), hour, minute, second, start.Nanosecond(), start.Location())
}
