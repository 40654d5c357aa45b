package locale

import (
	"strings"
	"time"
)

// Date writes the day of t in its own zone: "22 Nov 2026".
func (l *Language) Date(t time.Time) string {
	if len(l.words.Months) == 0 {
		return t.Format(l.words.Date)
	}
	before, after, _ := strings.Cut(l.words.Date, "Jan")
	return t.Format(before) + l.words.Months[t.Month()-1] + t.Format(after)
}

// Time writes t in its own zone, to the minute: "22 Nov 2026, 15:17 CET".
func (l *Language) Time(t time.Time) string {
	return l.Date(t) + ", " + strings.ReplaceAll(t.Format(l.words.Clock), " ", "\u00a0")
}

// Duration writes d with two units at most: "45 s", "12 min", "3 h 20 min",
// "2 days 4 h".
func (l *Language) Duration(d time.Duration) string {
	s, sign := int64(d.Round(time.Second)/time.Second), ""
	if s < 0 {
		s, sign = -s, "-"
	}
	switch w := l.words; {
	case s < 100:
		return sign + l.part(w.Seconds, s)
	case s < 100*60:
		return sign + l.part(w.Minutes, (s+30)/60)
	case s < 48*3600:
		return sign + l.part(w.Hours, s/3600) + "\u00a0" + l.part(w.Minutes, s%3600/60)
	default:
		return sign + l.part(w.Days, s/86400) + "\u00a0" + l.part(w.Hours, s%86400/3600)
	}
}

func (l *Language) part(template string, n int64) string {
	return fill(template, "n", l.Count(n))
}
