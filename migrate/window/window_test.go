package window

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func parse(t *testing.T, text, name string) *Window {
	t.Helper()
	w, err := Parse(text, zone(t, name))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return w
}

// changes returns how the window changes from one time to another, as text.
func (w *Window) changes(from, to time.Time) string {
	var all []string
	open, at := w.Open(from)
	for !at.IsZero() && at.Before(to) {
		var now bool
		var next time.Time
		if now, next = w.Open(at); now == open {
			return "no change at " + at.String()
		}
		open = now
		all = append(all, map[bool]string{true: "open ", false: "closed "}[open]+at.In(w.zone).Format("Mon 15:04 MST"))
		at = next
	}
	return strings.Join(all, ", ")
}

func TestAWindowOpensAndClosesWhenItsTextSays(t *testing.T) {
	for text, want := range map[string]string{
		"Mon-Fri 19:00-07:00, Sat-Sun": "open Mon 19:00 UTC, closed Tue 07:00 UTC, open Tue 19:00 UTC, " +
			"closed Wed 07:00 UTC, open Wed 19:00 UTC, closed Thu 07:00 UTC, open Thu 19:00 UTC, closed Fri 07:00 UTC, open Fri 19:00 UTC",
		"Sun-Fri 19:00-07:00, Sat-Sun": "closed Mon 07:00 UTC, open Mon 19:00 UTC, closed Tue 07:00 UTC, open Tue 19:00 UTC, " +
			"closed Wed 07:00 UTC, open Wed 19:00 UTC, closed Thu 07:00 UTC, open Thu 19:00 UTC, closed Fri 07:00 UTC, open Fri 19:00 UTC",
		"Sun 22:00-02:00":                       "closed Mon 02:00 UTC, open Sun 22:00 UTC",
		"fri-monday 01:00 - 02:00":              "open Mon 01:00 UTC, closed Mon 02:00 UTC, open Fri 01:00 UTC, closed Fri 02:00 UTC, open Sat 01:00 UTC, closed Sat 02:00 UTC, open Sun 01:00 UTC, closed Sun 02:00 UTC",
		"Tue 9:00–10:00 11:00-12:00, Wed":       "open Tue 09:00 UTC, closed Tue 10:00 UTC, open Tue 11:00 UTC, closed Tue 12:00 UTC, open Wed 00:00 UTC, closed Thu 00:00 UTC",
		"Mon Wed 20:00-24:00":                   "open Mon 20:00 UTC, closed Tue 00:00 UTC, open Wed 20:00 UTC, closed Thu 00:00 UTC",
		"Mon 10:00-12:00, Mon 11:00-13:00, Tue": "open Mon 10:00 UTC, closed Mon 13:00 UTC, open Tue 00:00 UTC, closed Wed 00:00 UTC",
		"Mon 10:00-20:00, Mon 11:00-12:00":      "open Mon 10:00 UTC, closed Mon 20:00 UTC",
		"Mon 10:00-12:00, Mon 12:00-13:00":      "open Mon 10:00 UTC, closed Mon 13:00 UTC",
		"Mon-Sun":                               "",
		"00:00-24:00":                           "",
		"12:00-00:00, Mon-Sun 00:00-12:00":      "",
		"Sat-Sun, Mon":                          "closed Tue 00:00 UTC, open Sat 00:00 UTC",
		"Sun 00:00-24:00, Sun 23:00-01:00":      "closed Mon 01:00 UTC, open Sun 00:00 UTC",
	} {
		from := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC) // a Monday
		if got := parse(t, text, "UTC").changes(from, from.AddDate(0, 0, 7)); got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", text, got, want)
		}
	}
}

func TestAWindowThatNeverClosesSaysSo(t *testing.T) {
	open, until := parse(t, "Mon-Sun", "UTC").Open(time.Now())
	if !open || !until.IsZero() {
		t.Error(open, until)
	}
}

// A machine may sleep meanwhile, which only the clock on the wall knows.
func TestAChangeIsNotMeasuredFromNow(t *testing.T) {
	if _, until := parse(t, "Sat-Sun", "UTC").Open(time.Now()); until != until.Round(0) {
		t.Error(until)
	}
}

func TestAWindowGoesByTheClockOnTheWall(t *testing.T) {
	for _, test := range []struct {
		text, zone string
		from       time.Time // noon before the clock changes, and then a day
		want       string
	}{
		{"19:00-02:30", "Europe/Berlin", time.Date(2027, 3, 27, 11, 0, 0, 0, time.UTC), "open Sat 19:00 CET, closed Sun 03:00 CEST"},
		{"02:30-05:00", "Europe/Berlin", time.Date(2027, 3, 27, 11, 0, 0, 0, time.UTC), "open Sun 03:00 CEST, closed Sun 05:00 CEST"},
		{"02:10-02:50", "Europe/Berlin", time.Date(2027, 3, 27, 11, 0, 0, 0, time.UTC), ""},
		{"02:00-03:00", "Europe/Berlin", time.Date(2027, 3, 27, 11, 0, 0, 0, time.UTC), ""},
		{"01:00-02:00, 03:00-04:00", "Europe/Berlin", time.Date(2027, 3, 27, 11, 0, 0, 0, time.UTC), "open Sun 01:00 CET, closed Sun 04:00 CEST"},
		{"19:00-02:30", "Europe/Berlin", time.Date(2026, 10, 24, 10, 0, 0, 0, time.UTC),
			"open Sat 19:00 CEST, closed Sun 02:30 CEST, open Sun 02:00 CET, closed Sun 02:30 CET"},
		{"02:30-05:00", "Europe/Berlin", time.Date(2026, 10, 24, 10, 0, 0, 0, time.UTC),
			"open Sun 02:30 CEST, closed Sun 02:00 CET, open Sun 02:30 CET, closed Sun 05:00 CET"},
		{"01:00-03:00", "Europe/Berlin", time.Date(2026, 10, 24, 10, 0, 0, 0, time.UTC), "open Sun 01:00 CEST, closed Sun 03:00 CET"},
		{"19:00-02:30", "America/New_York", time.Date(2027, 3, 13, 17, 0, 0, 0, time.UTC), "open Sat 19:00 EST, closed Sun 03:00 EDT"},
		{"01:30-03:00", "America/New_York", time.Date(2026, 10, 31, 16, 0, 0, 0, time.UTC),
			"open Sun 01:30 EDT, closed Sun 01:00 EST, open Sun 01:30 EST, closed Sun 03:00 EST"},
		// Half an hour: 02:00 becomes 02:30, and 02:00 becomes 01:30.
		{"02:15-03:00", "Australia/Lord_Howe", time.Date(2026, 10, 3, 2, 0, 0, 0, time.UTC), "open Sun 02:30 +11, closed Sun 03:00 +11"},
		{"01:45-03:00", "Australia/Lord_Howe", time.Date(2027, 4, 3, 2, 0, 0, 0, time.UTC),
			"open Sun 01:45 +11, closed Sun 01:30 +1030, open Sun 01:45 +1030, closed Sun 03:00 +1030"},
		{"02:30-05:00", "Asia/Kolkata", time.Date(2027, 3, 27, 6, 30, 0, 0, time.UTC), "open Sun 02:30 IST, closed Sun 05:00 IST"},
	} {
		if got := parse(t, test.text, test.zone).changes(test.from, test.from.Add(23*time.Hour)); got != test.want {
			t.Errorf("%q, %s:\ngot  %s\nwant %s", test.text, test.zone, got, test.want)
		}
	}
}

// inside says what Open says, by the text of the times alone.
func inside(t time.Time, days [7]bool, from, to int) bool {
	today, now := (int(t.Weekday())+6)%7, t.Hour()*60+t.Minute()
	if from < to {
		return days[today] && from <= now && now < to
	}
	return days[today] && now >= from || days[(today+6)%7] && now < to
}

func TestEveryMinuteIsOpenOrClosedAsTheClockOnTheWallSays(t *testing.T) {
	zones := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC", "Africa/Casablanca", "America/Sao_Paulo"}
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		z := zone(t, zones[int(seed)%len(zones)])
		var days [7]bool
		var text strings.Builder
		for d := range days {
			if days[d] = r.IntN(2) == 0; days[d] {
				text.WriteString(names[d] + " ")
			}
		}
		from, to := r.IntN(day), r.IntN(day+1)
		if days == [7]bool{} || from == to {
			continue
		}
		clock := func(m int) string {
			return time.Date(0, 1, 1, 0, m, 0, 0, time.UTC).Format("15:04")
		}
		ends := clock(to)
		if to == day {
			ends = "24:00"
		}
		text.WriteString(clock(from) + "-" + ends)
		w, err := Parse(text.String(), z)
		if err != nil {
			t.Fatal(err)
		}
		// Weeks in which clocks change, and any other.
		begin := []time.Time{
			time.Date(2027, 3, 8, 0, 0, 0, 0, time.UTC), time.Date(2027, 3, 24, 0, 0, 0, 0, time.UTC), time.Date(2026, 9, 30, 0, 0, 0, 0, time.UTC),
			time.Date(2026, 10, 21, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 28, 0, 0, 0, 0, time.UTC), time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC),
			time.Date(2026, 2, 14, 0, 0, 0, 0, time.UTC), // in Casablanca Ramadan begins
		}[r.IntN(7)]
		var last time.Time // what was said of the next change
		for m := range 8 * day {
			at := begin.Add(time.Duration(m)*time.Minute + time.Duration(r.IntN(int(time.Minute))))
			want := inside(at.In(z), days, from, to)
			open, until := w.Open(at)
			if open != want {
				t.Fatalf("%q at %v: %v, want %v", text.String(), at.In(z), open, want)
			}
			if until.Sub(at) <= 0 {
				t.Fatalf("%q at %v: changes at %v", text.String(), at.In(z), until.In(z))
			}
			if !until.Equal(last) && last.After(at) {
				t.Fatalf("%q at %v: changes at %v, before it was %v", text.String(), at.In(z), until.In(z), last.In(z))
			}
			if before := inside(until.Add(-time.Nanosecond).In(z), days, from, to); before != open || inside(until.In(z), days, from, to) == open {
				t.Fatalf("%q at %v, %v: no change at %v", text.String(), at.In(z), open, until.In(z))
			}
			last = until
		}
	}
}

func TestAWindowThatCannotBeReadSaysWhere(t *testing.T) {
	for text, want := range map[string]string{
		"":                             `empty: `,
		" ":                            `empty: `,
		"Mon-Fry 19:00-07:00":          `at character 5, "Fry": want a day here`,
		"Mon-Fri 19:00-07:00,":         `at the end: want a day or a time here`,
		"Mon-Fri, ,":                   `at character 10, ",": want a day or a time here`,
		"Mon 19-7":                     `at character 5, "19": want a time`,
		"Mon 19:00-07:60":              `at character 11, "07:60": want a time`,
		"Mon 19:00-24:01":              `at character 11, "24:01": want a time`,
		"Mon 019:00-20:00":             `at character 5, "019:00": want a time`,
		"Mon 19:00:00-20:00":           `at character 5, "19:00:00": want a time`,
		"Mon 24:00-07:00":              `at character 5, "24:00": 24:00 is the end of a day`,
		"Mon 19:00-19:00":              `at character 5, "19:00": begins when it ends`,
		"Mon 19:00 07:00":              `at character 11, "07:00": want when it ends here`,
		"Mon 19:00-":                   `at the end: want a time`,
		"Mön-Fri":                      `at character 1, "Mön": want a day`,
		"Mon–Fri; Sat":                 `at character 8, ";": want a comma`,
		"Sat-Sun, Mon-Fri 19:00-07:00": `at character 1, "Sat-Sun": is this the whole day`,
		"Mon, Wed 19:00-07:00":         `Write "Mon 00:00-24:00" in the one case`,
		"19:00-07:00 Mon":              `at character 13, "Mon": want a comma`,
		"Mon-":                         `at the end: want a day`,
		"Mon 19:00-07:00 \xff":         `at character 17, "\xff"`,
	} {
		w, err := Parse(text, time.UTC)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v, want %s", text, w, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"Mon-Fri 19:00-07:00, Sat-Sun", "fri-mon 9:00–10:00 11:00-24:00, Wed", "00:00-24:00", "Mon, Wed 1:00-2:00", "-,;\xff"} {
		f.Add(text, int64(1_800_000_000))
	}
	f.Fuzz(func(t *testing.T, text string, at int64) {
		z := zone(t, "Australia/Lord_Howe")
		w, err := Parse(text, z)
		if err != nil {
			if w != nil || err.Error() == "" {
				t.Error(w, err)
			}
			return
		}
		now := time.Unix(at%(1<<34), 0)
		open, until := w.Open(now)
		if until.IsZero() {
			if !open {
				t.Errorf("%q never opens", text)
			}
			return
		}
		if after, _ := w.Open(until); after == open || !until.After(now) || until.Sub(now) > 22*24*time.Hour {
			t.Errorf("%q at %v, %v: changes at %v", text, now, open, until)
		}
	})
}

func TestTimeIsCountedWhileAWindowIsOpen(t *testing.T) {
	monday := time.Date(2026, 3, 23, 0, 0, 0, 0, time.UTC)
	at := func(hours float64) time.Time { return monday.Add(time.Duration(hours * float64(time.Hour))) }
	nights := parse(t, "22:00-06:00", "UTC")
	for _, c := range []struct {
		*Window
		from, to float64 // hours since monday
		open     float64
	}{
		{nil, 3, 5, 2}, {parse(t, "Mon-Sun", "UTC"), 3, 50, 47},
		{nights, 1, 5, 4}, {nights, 5, 23, 2}, {nights, 23, 47, 8}, {nights, 21.5, 54, 16}, {parse(t, "Tue 09:00-10:00", "UTC"), 9, 33.25, 0.25},
	} {
		if got := c.Between(at(c.from), at(c.to)); got != at(c.open).Sub(monday) {
			t.Errorf("from %v to %v it is open for %v, want %v hours", c.from, c.to, got, c.open)
		}
		if got := c.After(at(c.from), at(c.open).Sub(monday)); !got.Equal(at(c.to)) {
			t.Errorf("from %v it was open for %v hours at %v, want %v", c.from, c.open, got, at(c.to))
		}
	}
	if got := nights.Between(at(10), at(20)) + nights.Between(at(5), at(1)); got != 0 {
		t.Errorf("closed, and backwards, it is open for %v", got)
	}
	for w, want := range map[*Window]bool{nil: false, nights: true, parse(t, "00:00-24:00", "UTC"): false} {
		if w.Closes(monday) != want {
			t.Errorf("%v closes: %v", w, !want)
		}
	}
	// The night on which the clock is put forward has 7 hours.
	if got := parse(t, "22:00-06:00", "Europe/Berlin").Between(at(5*24+12), at(6*24+12)); got != 7*time.Hour {
		t.Errorf("that night it is open for %v", got)
	}
}
