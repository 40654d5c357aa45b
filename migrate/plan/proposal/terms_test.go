package proposal

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate/locale"
)

func TestAPlanTellsWhichTimesWereMeasured(t *testing.T) {
	assumed := func(kind string, takes time.Duration) CallTime {
		return CallTime{Kind: kind, Takes: takes, Basis: "assumed"}
	}
	rest := []CallTime{assumed("large", 250*time.Millisecond), assumed("connect", time.Second)}
	answers := CallTime{Kind: "answers", Takes: 151_340 * time.Microsecond, Basis: "check", Calls: 42, At: made}
	for _, c := range []struct {
		calls []CallTime
		bases []string
		says  map[string]string
	}{
		{append([]CallTime{assumed("answers", 170*time.Millisecond), assumed("imports", 800*time.Millisecond)}, rest...), []string{"assumed", "assumed", "assumed", "assumed"},
			map[string]string{"en": "is not known before a pilot", "de": "vor einem Versuch nicht bekannt"}},
		{append([]CallTime{answers, {Kind: "imports", Takes: time.Second, Basis: "ratio"}}, rest...), []string{"check", "ratio", "assumed", "assumed"},
			map[string]string{"en": "assumed in proportion to that", "de": "im Verhältnis dazu angesetzt"}},
		{append([]CallTime{answers, {Kind: "imports", Takes: time.Second, Basis: "run", Calls: 5000, At: made}}, rest...), []string{"check", "run", "assumed", "assumed"},
			map[string]string{"en": "allows for other days", "de": "dass andere Tage anders sind"}},
	} {
		for _, tag := range locale.Tags() {
			m := sample(t, tag)
			m.Calls = c.calls
			page, data := faces(t, m)
			if got := cells(t, data, "call_times", "basis"); !slices.Equal(got, c.bases) {
				t.Errorf("%s: %v, want %v", tag, got, c.bases)
			}
			if !strings.Contains(page, c.says[tag]) {
				t.Errorf("%s: it does not say %q", tag, c.says[tag])
			}
			if c.bases[0] == "assumed" {
				continue
			}
			if ms, calls, date := cells(t, data, "call_times", "milliseconds")[0], cells(t, data, "call_times", "calls"), cells(t, data, "call_times", "date")[0]; ms != "151.3" || calls[0] != "42" || calls[2] != "<nil>" || date != "2026-11-22" {
				t.Errorf("%s: %s ms, by %v calls, on %s", tag, ms, calls, date)
			}
		}
	}
	m := sample(t, "en")
	m.Forecast = nil
	if _, data := faces(t, m); data["call_times"] != nil {
		t.Error("a plan that tells no time tells how long calls take")
	}
}
