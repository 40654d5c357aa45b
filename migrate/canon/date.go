package canon

import (
	"strconv"
	"strings"
	"time"
)

// ParseDate reads a date (RFC 5322 sections 3.3 and 4.3). The name of the day
// is not looked at.
func ParseDate(s string) (t time.Time, ok bool) {
	words := strings.Fields(strings.NewReplacer(",", " ", "\x00", " ").Replace(withoutComments(s)))
	if len(words) > 0 && !digit(words[0][0]) {
		words = words[1:]
	}
	if len(words) != 5 || len(words[1]) < 3 {
		return t, false
	}
	month := strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", strings.ToLower(words[1][:3]))
	day, dayOK := number(words[0])
	year, yearOK := number(words[2])
	clock, clockOK := seconds(words[3])
	zone, zoneOK := zone(words[4])
	if month < 0 || month%3 != 0 || !dayOK || !yearOK || !clockOK || !zoneOK {
		return t, false
	}
	switch { // RFC 5322 section 4.3
	case len(words[2]) <= 2 && year < 50:
		year += 2000
	case len(words[2]) <= 3:
		year += 1900
	}
	t = time.Date(year, time.Month(month/3+1), day, 0, 0, 0, 0, time.UTC)
	if t.Day() != day {
		return t, false
	}
	return t.Add(time.Duration(clock-zone) * time.Second), true
}

// seconds reads a time of day.
func seconds(s string) (n int, ok bool) {
	parts := strings.Split(s, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return 0, false
	}
	for i, limit := range []int{23, 59, 60}[:len(parts)] {
		v, ok := number(parts[i])
		if !ok || v > limit {
			return 0, false
		}
		n = n*60 + v
	}
	if len(parts) == 2 {
		n *= 60
	}
	return n, true
}

// zone returns the seconds that a zone is east of Greenwich. Letters that say
// nothing are taken for UTC (RFC 5322 section 4.3).
func zone(s string) (east int, ok bool) {
	if s[0] == '+' || s[0] == '-' {
		v, ok := number(s[1:])
		if !ok || len(s) != 5 {
			return 0, false
		}
		east = v/100*3600 + v%100*60
		if s[0] == '-' {
			east = -east
		}
		return east, true
	}
	for _, c := range []byte(s) {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return 0, false
		}
	}
	switch strings.ToUpper(s) {
	case "EDT":
		return -4 * 3600, true
	case "EST", "CDT":
		return -5 * 3600, true
	case "CST", "MDT":
		return -6 * 3600, true
	case "MST", "PDT":
		return -7 * 3600, true
	case "PST":
		return -8 * 3600, true
	}
	return 0, true
}

// number reads up to four digits.
func number(s string) (n int, ok bool) {
	if s == "" || len(s) > 4 {
		return 0, false
	}
	for _, c := range []byte(s) {
		if !digit(c) {
			return 0, false
		}
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func withoutComments(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '(' {
			_, i = cutComment(s, i)
			b.WriteByte(' ')
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
