package window

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Parse reads a window, in the time of a zone. Its text is a list, with commas,
// of
//
//	Mon-Fri 19:00-07:00   days, and times on each of them
//	Mon Wed 20:00-24:00   several days; several times stand one after the other too
//	Sat-Sun               whole days
//	19:00-07:00           times on every day
//
// Days are English, in full or their first three letters. Times over midnight
// belong to the day on which they begin: "Fri 19:00-07:00" ends on Saturday.
// Days without times may not stand before days with them, since people mean
// different things by "Mon, Wed 20:00-24:00".
func Parse(text string, zone *time.Location) (*Window, error) {
	if strings.TrimSpace(text) == "" {
		return nil, errors.New(`empty: write when work is allowed, as in "Mon-Fri 19:00-07:00, Sat-Sun"`)
	}
	p := &parser{text: text}
	p.next()
	w := &Window{zone: zone}
	bare := token{} // days without times, which must come last
	for {
		first := p.token
		days, err := p.days()
		if err != nil {
			return nil, err
		}
		times, err := p.times()
		switch {
		case err != nil:
			return nil, err
		case len(days) == 0 && len(times) == 0:
			return nil, p.wrong(p.token, `want a day or a time here, as in "Mon-Fri 19:00-07:00, Sat-Sun"`)
		case len(times) > 0 && bare.kind != end:
			return nil, p.wrong(bare, `is this the whole day, or do the times that follow hold for it too? Write "%s 00:00-24:00" in the one case, and a space for the comma in the other`, bare.text)
		case len(times) == 0:
			bare, times = first, []span{{0, day}}
			bare.text = strings.TrimSpace(text[first.at:p.token.at])
		}
		w.add(days, times)
		if p.token.kind == end {
			w.merge()
			return w, nil
		}
		if p.token.kind != comma {
			return nil, p.wrong(p.token, "want a comma before the next days")
		}
		p.next()
	}
}

// add adds times of some days, of every day if none is given.
func (w *Window) add(days []int, times []span) {
	if days == nil {
		days = []int{0, 1, 2, 3, 4, 5, 6}
	}
	for _, d := range days {
		for _, s := range times {
			s := span{d*day + s.from, d*day + s.to}
			if over := s.to - week; over > 0 {
				s.to = week
				w.spans = append(w.spans, span{0, over})
			}
			w.spans = append(w.spans, s)
		}
	}
}

// merge puts spans in order and joins those that touch.
func (w *Window) merge() {
	slices.SortFunc(w.spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	joined := w.spans[:1]
	for _, s := range w.spans[1:] {
		if last := &joined[len(joined)-1]; s.from <= last.to {
			last.to = max(last.to, s.to)
		} else {
			joined = append(joined, s)
		}
	}
	w.spans = joined
}

// days reads days and ranges of them, perhaps none; from 0 for Monday.
func (p *parser) days() (days []int, err error) {
	for p.token.kind == word {
		from, err := p.day()
		if err != nil {
			return nil, err
		}
		to := from
		if p.token.kind == dash {
			p.next()
			if to, err = p.day(); err != nil {
				return nil, err
			}
		}
		for d := from; ; d = (d + 1) % 7 {
			days = append(days, d)
			if d == to {
				break
			}
		}
	}
	return days, nil
}

var names = []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}

func (p *parser) day() (int, error) {
	t := p.token
	name := strings.ToLower(t.text)
	i := slices.IndexFunc(names, func(n string) bool { return name == n || name == n[:3] })
	if t.kind != word || i < 0 {
		return 0, p.wrong(t, "want a day here: Mon, Tue, Wed, Thu, Fri, Sat or Sun")
	}
	p.next()
	return i, nil
}

// times reads ranges of times, perhaps none, in minutes of the day on which
// they begin.
func (p *parser) times() (times []span, err error) {
	for p.token.kind == number {
		first := p.token
		var s span
		if s.from, err = p.time(); err != nil {
			return nil, err
		}
		if p.token.kind != dash {
			return nil, p.wrong(p.token, "want when it ends here, as in 19:00-07:00")
		}
		p.next()
		if s.to, err = p.time(); err != nil {
			return nil, err
		}
		switch {
		case s.from == day:
			return nil, p.wrong(first, "24:00 is the end of a day: begin at 00:00 of the next one")
		case s.from == s.to:
			return nil, p.wrong(first, "begins when it ends: the whole day is 00:00-24:00")
		case s.to < s.from:
			s.to += day
		}
		times = append(times, s)
	}
	return times, nil
}

func (p *parser) time() (int, error) {
	t := p.token
	hours, minutes, ok := strings.Cut(t.text, ":")
	h, err := strconv.Atoi(hours)
	m, err2 := strconv.Atoi(minutes)
	if t.kind != number || !ok || err != nil || err2 != nil || len(hours) > 2 || len(minutes) != 2 || m > 59 || h*60+m > day {
		return 0, p.wrong(t, "want a time from 00:00 to 24:00 here")
	}
	p.next()
	return h*60 + m, nil
}

// A token is a piece of the text.
type token struct {
	kind kind
	text string
	at   int // octets before it
}

type kind int

const (
	end kind = iota
	word
	number
	dash
	comma
	other
)

// A parser reads a text one token ahead.
type parser struct {
	text  string
	at    int // octets that were read
	token token
}

func (p *parser) next() {
	p.at = len(p.text) - len(strings.TrimLeftFunc(p.text[p.at:], unicode.IsSpace))
	rest := p.text[p.at:]
	r, size := utf8.DecodeRuneInString(rest)
	length := func(part func(rune) bool) int {
		if i := strings.IndexFunc(rest, func(r rune) bool { return !part(r) }); i >= 0 {
			return i
		}
		return len(rest)
	}
	k := other
	switch {
	case rest == "":
		k = end
	case unicode.IsLetter(r):
		k, size = word, length(unicode.IsLetter)
	case r >= '0' && r <= '9':
		k, size = number, length(func(r rune) bool { return r >= '0' && r <= '9' || r == ':' })
	case r == '-' || r == '–': // which some programs make of it
		k = dash
	case r == ',':
		k = comma
	}
	p.token = token{k, rest[:size], p.at}
	p.at += size
}

// wrong says where the text is wrong and what to write.
func (p *parser) wrong(t token, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if t.kind == end {
		return fmt.Errorf("at the end: %s", text)
	}
	return fmt.Errorf("at character %d, %q: %s", utf8.RuneCountInString(p.text[:t.at])+1, t.text, text)
}
