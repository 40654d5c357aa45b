package locale

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// languageOf returns a language that is there.
func languageOf(t *testing.T, tag string) *Language {
	t.Helper()
	l, err := New(tag)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// plain writes spaces that do not break as those that do.
func plain(s string) string { return strings.ReplaceAll(s, "\u00a0", " ") }

func TestEveryLanguageIsWhole(t *testing.T) {
	tags := Tags()
	if !slices.Contains(tags, "en") || !slices.Contains(tags, "de") {
		t.Errorf("the languages are %q", tags)
	}
	for _, tag := range tags {
		l := languageOf(t, tag)
		w := l.words
		if l.Tag() != tag {
			t.Errorf("the tag of %q is %q", tag, l.Tag())
		}
		if n := len(w.Months); n != 12 && (n != 0 || strings.Contains(w.Date, "Jan")) {
			t.Errorf("%s has %d months", tag, n)
		}
		for name, template := range map[string]string{"seconds": w.Seconds, "minutes": w.Minutes, "hours": w.Hours, "days": w.Days, "percent": w.Percent} {
			if strings.Count(template, "{n}") != 1 {
				t.Errorf("%s: %s is %q", tag, name, template)
			}
		}
		if !strings.Contains(w.Money, "{amount}") || !strings.Contains(w.Money, "{currency}") {
			t.Errorf("%s: money is %q", tag, w.Money)
		}
		if w.Name == "" || w.Group == "" || w.Point == "" || w.And == "" || w.Date == "" || w.Clock == "" {
			t.Errorf("%s lacks something: %+v", tag, w)
		}
	}
}

func TestALanguageThatIsNotThereIsRefusedWithThoseThatAre(t *testing.T) {
	for _, tag := range []string{"", "fr", "EN", "../en", "en.toml"} {
		if _, err := New(tag); err == nil || !strings.Contains(err.Error(), "de, en") {
			t.Errorf("%q: %v", tag, err)
		}
	}
}

func TestNumbersAreWrittenAsPeopleReadThem(t *testing.T) {
	en, de := languageOf(t, "en"), languageOf(t, "de")
	for _, c := range []struct{ got, want string }{
		{en.Count(0), "0"},
		{en.Count(999), "999"},
		{en.Count(1000), "1,000"},
		{en.Count(-1000), "-1,000"},
		{en.Count(-999), "-999"},
		{de.Count(1234567), "1.234.567"},
		{en.Count(math.MinInt64), "-9,223,372,036,854,775,808"},

		{en.Number(0), "0"},
		{en.Number(0.25), "0.25"},
		{en.Number(0.5), "0.5"},
		{en.Number(10), "10"},
		{en.Number(99.99), "99.99"},
		{en.Number(99.996), "100"},
		{en.Number(1234.5), "1,234"},
		{de.Number(-1.5), "-1,5"},
		{en.Number(math.NaN()), "–"},
		{en.Number(math.Inf(-1)), "–"},

		{en.Percent(0), "0%"},
		{en.Percent(0.0004), "<0.1%"},
		{en.Percent(0.0007), "0.1%"},
		{en.Percent(0.9993), "99.9%"},
		{en.Percent(0.9995), ">99.9%"},
		{en.Percent(0.5), "50%"},
		{en.Percent(0.333), "33.3%"},
		{en.Percent(0.9999999), ">99.9%"},
		{en.Percent(1), "100%"},
		{en.Percent(1.234), "123.4%"},
		{de.Percent(0.333), "33,3 %"},
		{de.Percent(0.9999999), ">99,9 %"},
		{en.Percent(math.NaN()), "–"},

		{en.Bytes(0), "0 B"},
		{en.Bytes(999), "999 B"},
		{en.Bytes(1000), "1.00 kB"},
		{en.Bytes(9_995), "10.0 kB"},
		{en.Bytes(18_200_000), "18.2 MB"},
		{en.Bytes(99_950_000), "100 MB"},
		{en.Bytes(999_499_999), "999 MB"},
		{en.Bytes(999_500_000), "1.00 GB"},
		{en.Bytes(2_500_000_000_000_000), "2,500 TB"},
		{en.Bytes(-1500), "-1.50 kB"},
		{de.Bytes(18_200_000), "18,2 MB"},
	} {
		if plain(c.got) != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestMoneyHasTheDecimalsOfItsCurrency(t *testing.T) {
	en, de := languageOf(t, "en"), languageOf(t, "de")
	for _, c := range []struct{ got, want string }{
		{en.Money(123450, "EUR"), "EUR 1,234.50"},
		{de.Money(123450, "EUR"), "1.234,50 EUR"},
		{en.Money(5, "EUR"), "EUR 0.05"},
		{en.Money(-5, "EUR"), "EUR -0.05"},
		{en.Money(0, "CHF"), "CHF 0.00"},
		{en.Money(1234, "JPY"), "JPY 1,234"},
		{en.Money(0, "JPY"), "JPY 0"},
		{en.Money(1234, "KWD"), "KWD 1.234"},
		{en.Money(1, "CLF"), "CLF 0.0001"},
		{en.Money(math.MinInt64, "USD"), "USD -92,233,720,368,547,758.08"},
	} {
		if plain(c.got) != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestTimesAreWrittenInTheirOwnZone(t *testing.T) {
	en, de := languageOf(t, "en"), languageOf(t, "de")
	at := time.Date(2026, time.May, 3, 23, 5, 59, 0, time.FixedZone("CEST", 7200))
	for _, c := range []struct{ got, want string }{
		{en.Date(at), "3 May 2026"},
		{de.Date(at), "03.05.2026"},
		{en.Time(at), "3 May 2026, 23:05 CEST"},
		{de.Time(at), "03.05.2026, 23:05 CEST"},
		{en.Time(at.In(time.FixedZone("", 19800))), "4 May 2026, 02:35 +0530"},
		{en.Time(at.UTC()), "3 May 2026, 21:05 UTC"},
	} {
		if plain(c.got) != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	for m := time.January; m <= time.December; m++ {
		if got, want := en.Date(time.Date(2026, m, 1, 0, 0, 0, 0, time.UTC)), "1 "+m.String()[:3]+" 2026"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestALanguageMayHaveNamesOfMonths(t *testing.T) {
	l := &Language{words: words{Date: "2. Jan 2006", Months: []string{"I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"}}}
	if got := l.Date(time.Date(2026, time.May, 3, 0, 0, 0, 0, time.UTC)); got != "3. V 2026" {
		t.Error(got)
	}
}

func TestDurationsHaveTwoUnitsAtMost(t *testing.T) {
	en, de := languageOf(t, "en"), languageOf(t, "de")
	for _, c := range []struct{ got, want string }{
		{en.Duration(0), "0 s"},
		{en.Duration(1500 * time.Millisecond), "2 s"},
		{en.Duration(99 * time.Second), "99 s"},
		{en.Duration(100 * time.Second), "2 min"},
		{en.Duration(99*time.Minute + 59*time.Second), "100 min"},
		{en.Duration(100 * time.Minute), "1 h 40 min"},
		{en.Duration(200 * time.Minute), "3 h 20 min"},
		{en.Duration(-200 * time.Minute), "-3 h 20 min"},
		{en.Duration(48*time.Hour - time.Second), "47 h 59 min"},
		{en.Duration(52 * time.Hour), "2 days 4 h"},
		{de.Duration(52 * time.Hour), "2 Tage 4 h"},
		{en.Duration(math.MaxInt64), "106,751 days 23 h"},
		{en.Duration(math.MinInt64), "-106,751 days 23 h"},
	} {
		if plain(c.got) != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestListsReadAsPartOfASentence(t *testing.T) {
	en, de := languageOf(t, "en"), languageOf(t, "de")
	for _, c := range []struct{ got, want string }{
		{en.List(nil), ""},
		{en.List([]string{"a"}), "a"},
		{en.List([]string{"a", "b"}), "a and b"},
		{de.List([]string{"a", "b", "c"}), "a, b und c"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
