package main

import (
	"strings"
	"testing"
	"time"
)

func TestTheEndOfARunIsATimeInTheZoneOfTheConfiguration(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 21, 30, 0, 0, zone)
	for text, want := range map[string]string{
		"2026-12-01T06:00:00+02:00": "2026-12-01T05:00:00+01:00",
		"2026-12-01T06:00Z":         "2026-12-01T07:00:00+01:00",
		"2026-12-01T06:00":          "2026-12-01T06:00:00+01:00",
		"2026-12-01 06:00":          "2026-12-01T06:00:00+01:00",
		"2026-12-01T06:00:30":       "2026-12-01T06:00:30+01:00",
		"2027-06-01T06:00":          "2027-06-01T06:00:00+02:00",
		"21:31":                     "2026-11-22T21:31:00+01:00",
		"21:30":                     "2026-11-23T21:30:00+01:00",
		"06:00":                     "2026-11-23T06:00:00+01:00",
	} {
		s, err := newSchedule(text, 0, zone, now)
		if got := s.until.In(zone).Format(time.RFC3339); err != nil || got != want || s.once || s.forever() {
			t.Errorf("%s: %s, want %s (%v)", text, got, want, err)
		}
	}
	for _, text := range []string{"tomorrow", "2026-12-01", "24:00", "2026-13-01T06:00", "6", "2026-11-22T21:30", "2020-01-01T00:00Z"} {
		if s, err := newSchedule(text, 0, zone, now); err == nil || !strings.Contains(err.Error(), "--until") {
			t.Errorf("%s: %v, %v", text, s, err)
		}
	}
	if _, err := newSchedule("", time.Second, zone, now); err == nil || !strings.Contains(err.Error(), "want a minute or more") {
		t.Error(err)
	}
	if _, err := newSchedule("", -time.Hour, zone, now); err == nil {
		t.Error("a negative interval")
	}
}

func TestAScheduleSaysWhatARunDoes(t *testing.T) {
	now := time.Date(2026, 11, 22, 21, 30, 0, 0, time.UTC)
	for _, test := range []struct {
		until string
		every time.Duration
		want  string
	}{
		{"", 0, "one pass"},
		{"Done", 0, "passes until every mailbox is complete"},
		{"", 24 * time.Hour, "a pass every 24 h 0 min"},
		{"done", 24 * time.Hour, "a pass every 24 h 0 min until every mailbox is complete"},
		{"06:00", 0, "passes until every mailbox is complete, until Mon 23 Nov 06:00 at the latest"},
		{"06:00", time.Hour, "a pass every 60 min, until Mon 23 Nov 06:00 at the latest"},
	} {
		s, err := newSchedule(test.until, test.every, time.UTC, now)
		if err != nil || s.String() != test.want {
			t.Errorf("%q, %v: %q, want %q (%v)", test.until, test.every, s, test.want, err)
		}
	}
}

func TestPassesThatWereMissedAreOne(t *testing.T) {
	s := schedule{every: 24 * time.Hour}
	begin := time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)
	for ended, want := range map[time.Duration]time.Duration{
		time.Hour:      24 * time.Hour,
		23 * time.Hour: 24 * time.Hour,
		30 * time.Hour: 24 * time.Hour, // at once
		50 * time.Hour: 48 * time.Hour, // at once, and the next one on time
		72 * time.Hour: 72 * time.Hour,
	} {
		due := s.due(s.after(begin, begin), begin.Add(ended))
		if got := due.Sub(begin); got != want {
			t.Errorf("a pass of %v: the next is due after %v, want %v", ended, got, want)
		}
		if next := s.after(due, begin.Add(ended)); next.Sub(begin)%s.every != 0 || next.Sub(due) < s.every {
			t.Errorf("a pass of %v: the one after the next is due after %v", ended, next.Sub(begin))
		}
	}
}

func TestADigestComesAtTheSameHourWhenClocksChange(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	s := schedule{zone: zone, digest: 7 * time.Hour}
	at := time.Date(2027, 3, 26, 12, 0, 0, 0, zone)
	for _, want := range []string{"27 Mar 07:00 CET", "28 Mar 07:00 CEST", "29 Mar 07:00 CEST"} {
		if at = s.nextDigest(at); at.Format("2 Jan 15:04 MST") != want {
			t.Errorf("%v, want %s", at, want)
		}
	}
}
