package main

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"github.com/mailhaul/mailhaul/cmd/mailhaul/live"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) // a Friday

// atWork is a mailbox that copies.
func atWork(source string, accounted, total int64, rate float64, phase string) live.Mailbox {
	return live.Mailbox{Source: source, Target: source, Began: noon.Add(-time.Hour), Total: total, Known: accounted / 4, Done: accounted - accounted/4,
		Bytes: accounted * 64_000, Rate: rate, Phase: phase}
}

// atEnd is a mailbox that came to its end.
func atEnd(source string, total int64) live.Mailbox {
	m := atWork(source, total, total, 0, "")
	m.Ended = noon.Add(-time.Minute)
	return m
}

// scenes are States that a run may be in.
func scenes() map[string]live.State {
	state := func(mailboxes ...live.Mailbox) live.State {
		return live.State{Version: live.Version, At: noon, Command: "run", Migration: "acme", Bad: "failed", Began: noon.Add(-72 * time.Minute), Mailboxes: mailboxes}
	}
	person := func(i int) string {
		return fmt.Sprintf("%s.%s%d@example.com", []string{"anna", "bruno", "chiyo", "dora"}[i%4], []string{"berg", "keller", "tanabe"}[i%3], i)
	}
	var unbegun, many, quota, asked, failing, over []live.Mailbox
	for i := range 12 {
		unbegun = append(unbegun, live.Mailbox{Source: person(i), Target: person(i)})
	}
	for i := range 300 {
		switch {
		case i < 120:
			many = append(many, atEnd(person(i), int64(1000+37*i)))
		case i < 123:
			m := atEnd(person(i), 2000)
			m.Error = "login: the server answered NO [AUTHENTICATIONFAILED] Authentication failed"
			many = append(many, m)
		case i == 130:
			m := atWork(person(i), 700, 52_000, 0, "Archive/2019")
			m.Wait, m.Until = "connect: dial tcp 192.0.2.7:993: connect: connection refused", noon.Add(48*time.Second)
			many = append(many, m)
		case i < 155:
			m := atWork(person(i), int64(300*i), int64(3000*i%70_000+300*i), 4.1+float64(i%7), []string{"INBOX", "Sent", "Projects/2024/Angebote und Rechnungen"}[i%3])
			if i%5 == 0 {
				m.AtLimit = "15,000 units per minute and user"
			}
			many = append(many, m)
		default:
			many = append(many, live.Mailbox{Source: person(i), Target: person(i)})
		}
	}
	for i := range 8 {
		m := atWork(person(i), 12_345, 40_000, 0.4, "INBOX")
		m.AtLimit, m.Wait, m.Until = "80,000,000 units per day and project, then charges", "80,000,000 units per day and project, then charges", noon.Add(14*time.Hour+5*time.Minute)
		quota = append(quota, m)
		n := atWork(person(i), int64(9_000+i), 40_000, 0, "Sent")
		n.Wait, n.Until = "Microsoft 365 asked to wait (429)", noon.Add(2*time.Minute+5*time.Second)
		asked = append(asked, n)
	}
	for i := range 5 {
		m := atWork(person(i), 8_000, 16_000, 21, "INBOX")
		m.Failed = int64(i * i)
		failing = append(failing, m)
		over = append(over, atEnd(person(i), 16_000))
	}
	failing[4].Ended, failing[4].Error = noon.Add(-time.Second), "list: UIDVALIDITY of the folder changed"
	m := map[string]live.State{
		"nothing begun": state(unbegun...),
		"one mailbox":   state(atWork("anna.berg@example.com", 11_200, 40_000, 21.7, "Clients/2019")),
		"300 mailboxes": state(many...),
		"quota":         state(quota...),
		"asked to wait": state(asked...),
		"failures":      state(failing...),
		"paused":        state(asked[:3]...),
		"done":          state(over...),
		"hostile": state(
			atWork("анна.берг@пример.рф", 1, 9, 1, "日本語のメール/顧客/请求书/と非常に長い名前のフォルダー"),
			atWork("\x1b[31mred\x1b]0;title\a@example.com", 1, 9, 1, "\u202eevil\u2066\u200d\n\r\t\x00"),
			atWork(strings.Repeat("🇩🇪👩‍👩‍👧‍👦❤️👍🏽", 20)+"@example.com", 1, 9, 1, strings.Repeat("e\u0301\u0302\u0303", 60)),
			atWork("a"+strings.Repeat("\u0301", 5000)+"@example.com", 1, 9, 1, "مجلد/العملاء")),
	}
	at := func(name string, change func(*live.State)) {
		s := m[name]
		change(&s)
		m[name] = s
	}
	at("one mailbox", func(s *live.State) {
		s.Rate, s.Left = 21.7, live.Estimate{Low: 21 * time.Minute, Likely: 23 * time.Minute, High: 26 * time.Minute}
		s.Limits = []live.Limit{{Name: "15,000 units per minute and user", Used: 0.982, Rate: 245.5, Unit: "units", Source: "anna.berg@example.com"}}
	})
	at("300 mailboxes", func(s *live.State) {
		s.Rate, s.Left = 182, live.Estimate{Low: 5*time.Hour + 20*time.Minute, Likely: 7 * time.Hour, High: 9 * time.Hour, Guessed: 145}
		s.Limits = []live.Limit{
			{Name: "1,200,000 units per minute and project", Used: 0.82, Rate: 16_400, Unit: "units"},
			{Name: "15,000 units per minute and user", Used: 0.42, Rate: 105, Unit: "units", Source: "anna.berg136@example.com"}}
		s.Failures = []live.Failure{{At: noon.Add(-time.Minute), Source: person(121), Reason: "login: the server answered NO [AUTHENTICATIONFAILED] Authentication failed"}}
	})
	at("quota", func(s *live.State) { s.Rate, s.Left = 0.1, live.Estimate{Low: 30 * time.Hour} })
	at("failures", func(s *live.State) {
		s.Rate, s.Left = 105, live.Estimate{Low: 6 * time.Minute, High: 6*time.Minute + 10*time.Second}
		s.Failures = []live.Failure{
			{At: noon.Add(-time.Second), Source: person(4), Reason: "list: UIDVALIDITY of the folder changed"},
			{At: noon.Add(-20 * time.Minute), Source: person(3), Messages: 9, Reason: "import: HTTP 400, invalidArgument: Expected a single 'From' header"},
			{At: noon.Add(-13 * time.Hour), Source: person(2), Messages: 1}}
	})
	at("paused", func(s *live.State) {
		s.Pause, s.Until = "outside the window Mon-Fri 19:00-07:00, Sat-Sun", noon.Add(7*time.Hour)
		s.Left = live.Estimate{Low: 8 * time.Hour, Likely: 9 * time.Hour, High: 10*time.Hour + 10*time.Minute}
	})
	return m
}

// sizes are those of terminals that people use.
var sizes = [][2]int{{80, 24}, {120, 40}, {40, 10}}

func TestTheViewShowsEveryStateOfARunAtEverySize(t *testing.T) {
	for name, s := range scenes() {
		var all strings.Builder
		for _, size := range sizes {
			fmt.Fprintf(&all, "%dx%d\n", size[0], size[1])
			text := draw(s, noon.Add(1500*time.Millisecond), paper{width: size[0], height: size[1], footer: "Ctrl-C stops; run again to go on"})
			for line := range strings.Lines(text + "\n") {
				line = strings.TrimSuffix(line, "\n")
				fmt.Fprintf(&all, "|%s%s|\n", line, strings.Repeat(" ", max(size[0]-columns(line), 0)))
			}
		}
		golden(t, "live "+name+".txt", all.String())
	}
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestTheViewFitsEverySize(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, s := range scenes() {
		for range 150 {
			p := paper{width: 1 + rng.IntN(140), height: 1 + rng.IntN(50), colour: true, footer: "Ctrl-C stops", notes: []string{"In the checkpoints: 100 messages listed"}}
			text := draw(s, noon.Add(time.Duration(rng.IntN(20))*time.Second), p)
			fits(t, fmt.Sprintf("%s at %dx%d", name, p.width, p.height), text, p)
		}
	}
}

// fits expects that a terminal shows text without breaking or moving a line.
func fits(t *testing.T, what, text string, p paper) {
	t.Helper()
	text = escapes.ReplaceAllString(text, "")
	if !utf8.ValidString(text) {
		t.Errorf("%s: not UTF-8: %q", what, text)
	}
	lines := strings.Split(text, "\n")
	if len(lines) > p.height {
		t.Errorf("%s: %d lines:\n%s", what, len(lines), text)
	}
	for _, line := range lines {
		if n := columns(line); n > max(p.width-1, 1) || uniseg.StringWidth(line) > n {
			t.Errorf("%s: %d columns: %q", what, n, line)
		}
		if strings.ContainsFunc(line, func(r rune) bool {
			return r < ' ' || r == 0x7f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
		}) {
			t.Errorf("%s: controls the terminal: %q", what, line)
		}
	}
}

func TestWithoutColourTheViewSaysTheSame(t *testing.T) {
	for name, s := range scenes() {
		p := paper{width: 80, height: 24, colour: true, footer: "Ctrl-C stops"}
		coloured := draw(s, noon, p)
		p.colour = false
		plain := draw(s, noon, p)
		if strings.Contains(plain, "\x1b") {
			t.Errorf("%s: escapes without colour: %q", name, plain)
		}
		if got := escapes.ReplaceAllString(coloured, ""); got != plain {
			t.Errorf("%s: with colour\n%s\nwithout\n%s", name, got, plain)
		}
		if name == "failures" && !strings.Contains(coloured, "\x1b["+alarm+"m30 messages failed") {
			t.Errorf("failures have no colour:\n%q", coloured)
		}
	}
}

func TestAViewWithoutNewsSaysSo(t *testing.T) {
	s := scenes()["one mailbox"]
	if text := draw(s, noon.Add(4*time.Second), paper{width: 80, height: 24}); strings.Contains(text, "No news") {
		t.Errorf("after 4 seconds:\n%s", text)
	}
	if text := draw(s, noon.Add(2*time.Minute), paper{width: 80, height: 24}); !strings.Contains(text, "No news for 2 min: is its process stopped") {
		t.Errorf("after 2 minutes:\n%s", text)
	}
}

func TestTheSlowestMailboxesAreShownFirst(t *testing.T) {
	s := scenes()["one mailbox"]
	s.Mailboxes = []live.Mailbox{
		atWork("quick@example.com", 900, 1000, 10, "INBOX"),
		atWork("slow@example.com", 900, 100_000, 10, "INBOX"),
		atWork("still@example.com", 900, 1000, 0, "INBOX"),
		atEnd("over@example.com", 5),
	}
	text := draw(s, noon, paper{width: 80, height: 24})
	still, slow, quick := strings.Index(text, "still@"), strings.Index(text, "slow@"), strings.Index(text, "quick@")
	if still < 0 || slow < still || quick < slow || strings.Contains(text, "over@") {
		t.Error(text)
	}
}

func TestWhyAMailboxWaitsIsSaidInFullWhereThereIsRoom(t *testing.T) {
	s := scenes()["one mailbox"]
	const why = "messages.import: HTTP 403, userRateLimitExceeded: User-rate limit exceeded. Retry after 2026-11-20T12:15:00Z (Mail sending)"
	s.Mailboxes[0].Wait, s.Mailboxes[0].Until = why, noon.Add(15*time.Minute)
	words := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	if text := draw(s, noon, paper{width: 80, height: 24}); !strings.Contains(words(text), "waits until 12:15 "+why) {
		t.Error(text)
	}
	if text := draw(s, noon, paper{width: 230, height: 24}); !strings.Contains(text, "waits until 12:15: "+why) {
		t.Error(text)
	}
	if text := draw(s, noon, paper{width: 80, height: 6}); !strings.Contains(text, "waits until 12:15: messages.") {
		t.Error(text)
	}
}

func TestEstimatesAreRoughAndHaveARange(t *testing.T) {
	for want, e := range map[string]live.Estimate{
		"":                  {},
		"about 35 s left":   {Low: 33 * time.Second, High: 36 * time.Second},
		"about 12 min left": {Low: 12 * time.Minute, High: 12*time.Minute + 20*time.Second},
		"about 1.8 h to 3 h left, ends 13:50 to 15:00":                              {Low: 110 * time.Minute, High: 3 * time.Hour},
		"14 h or more left":                                                         {Low: 14 * time.Hour},
		"about 3 d to 5 d left, ends Mon 12:00 to Wed 12:00":                        {Low: 72 * time.Hour, High: 120 * time.Hour},
		"about 20 min to 40 min left, if the 7 not begun are like the others":       {Low: 20 * time.Minute, High: 40 * time.Minute, Guessed: 7},
		"about 3 h left (2.7 h to 3.5 h), ends 15:00":                               {Low: 160 * time.Minute, Likely: 3 * time.Hour, High: 210 * time.Minute},
		"about 3 h left, ends 15:00":                                                {Low: 179 * time.Minute, Likely: 3 * time.Hour, High: 181 * time.Minute},
		"about 20 min left (5 s to 35 min), if the 7 not begun are like the others": {Low: 1, Likely: 20 * time.Minute, High: 35 * time.Minute, Guessed: 7},
		"about 20 min to 40 min left, and the 2 not begun":                          {Low: 20 * time.Minute, High: 40 * time.Minute, Unknown: 2},
	} {
		if got := strings.Join(remaining(e, noon), ", "); got != want {
			t.Errorf("%+v: %q, want %q", e, got, want)
		}
	}
}

func TestTimesAreToldAsNearAsTheyAre(t *testing.T) {
	for want, d := range map[string]time.Duration{"14:05": 125 * time.Minute, "12:00:07": 7 * time.Second, "Sat 02:00": 14 * time.Hour, "Thu 22:00": -14 * time.Hour, "30 Nov 12:00": 240 * time.Hour} {
		if got := clock(noon.Add(d), noon); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func FuzzTextIsCutToItsColumns(f *testing.F) {
	f.Add("日本語", 4)
	f.Add("e\u0301\u0301\u0301", 1)
	f.Add("🇩🇪🇫🇷", 3)
	f.Add("abc", 0)
	f.Fuzz(func(t *testing.T, s string, width int) {
		width = max(width%200, 0)
		got := cut(printable(s), width)
		if columns(got) > width || len(got) > longest*width+len("…") {
			t.Errorf("%q in %d columns: %q, %d columns", s, width, got, columns(got))
		}
		if columns(printable(s)) <= width && len(printable(s)) <= longest*width && got != printable(s) {
			t.Errorf("%q fits in %d columns: %q", s, width, got)
		}
	})
}
