package budget

import (
	"testing"
	"time"
)

func TestDaysThatHaveBegunAreCounted(t *testing.T) {
	for d, want := range map[time.Duration]int64{-time.Hour: 1, 0: 1, 1: 1, day: 1, day + 1: 2, 10*day - 1: 10} {
		if got := daysBegun(start, start.Add(d)); got != want {
			t.Errorf("%s are %d days, want %d", d, got, want)
		}
	}
}

func TestMonthsThatHaveBegunAreCounted(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		t.Helper()
		v, err := time.ParseInLocation("2006-01-02 15:04", s, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		start, end string
		want       int64
	}{
		{"2026-12-01 20:00", "2026-12-01 20:00", 1},
		{"2026-12-01 20:00", "2026-11-30 20:00", 1},
		{"2026-12-01 20:00", "2027-01-01 20:00", 1},
		{"2026-12-01 20:00", "2027-01-01 20:01", 2},
		{"2026-12-15 20:00", "2027-01-14 23:00", 1},
		{"2026-12-15 20:00", "2027-12-15 20:01", 13},
		{"2027-01-31 10:00", "2027-02-28 10:00", 1}, // and not 3 March
		{"2027-01-31 10:00", "2027-02-28 10:01", 2},
		{"2027-01-31 10:00", "2027-03-31 10:00", 2},
		{"2028-01-31 10:00", "2028-02-29 10:00", 1},
		{"2027-02-28 12:00", "2027-03-28 12:00", 1}, // summer begins
		{"2027-02-28 12:00", "2027-03-28 12:01", 2},
	} {
		if got := monthsBegun(at(c.start), at(c.end)); got != c.want {
			t.Errorf("from %s to %s are %d months, want %d", c.start, c.end, got, c.want)
		}
	}
}

// The clock is put back during the days after the move: they end at the hour at
// which they began.
func TestDaysOfBothSystemsAreOfTheCalendar(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2027, 10, 1, 12, 0, 0, 0, berlin)
	end := time.Date(2027, 10, 18, 12, 0, 0, 0, berlin).UTC()
	w := Work{Start: begin}
	w.End.P10, w.End.P50, w.End.P90 = end, end, end.Add(time.Minute)
	lines, _ := of(t, Prices{DualDays: 14}, w)
	if got := lines[OldSystem].Count; got != (Range{1, 1, 2}) {
		t.Errorf("%+v", got)
	}
}
