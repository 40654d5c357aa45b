package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/rivo/uniseg"

	"github.com/mailhaul/mailhaul/cmd/mailhaul/live"
)

// A paper is what a view is drawn on.
type paper struct {
	width, height int // in columns and lines
	colour        bool
	footer        string // what Ctrl-C does
	notes         []string
}

// Colours that all eyes tell apart, as their lightness differs. What they say is
// said in words too.
const (
	strong  = "1"    // bold
	weak    = "2"    // faint
	calm    = "36"   // cyan
	careful = "33"   // yellow
	alarm   = "1;31" // bold red
)

func (p paper) in(style, s string) string {
	if !p.colour || s == "" {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[0m"
}

// draw shows a State at the time now, in at most so many lines and columns. The
// last column stays free: some terminals draw a character wider than it is said
// to be.
func draw(s live.State, now time.Time, p paper) string {
	p.width = max(p.width-1, 1)
	top := p.head(s, now)
	bottom := []string{p.bottom(now)}
	room := max(p.height-len(top)-len(bottom), 0)
	airy := room >= 12
	if airy {
		room -= 3
	}
	failures := p.failures(s, now, min(max(room/3, 1), 6))
	parts := [][]string{top, p.mailboxes(s, now, max(room-len(failures), 0)), failures, bottom}
	var lines []string
	for _, part := range parts {
		if airy && len(lines) > 0 && len(part) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, part...)
	}
	if more := len(lines) - p.height; more > 0 {
		lines = slices.Delete(lines, max(len(lines)-len(bottom)-more, 0), len(lines)-len(bottom))
	}
	return strings.Join(lines[:min(len(lines), p.height)], "\n")
}

// head is what is said of the run as a whole.
func (p paper) head(s live.State, now time.Time) []string {
	lines := []string{p.in(strong, p.ends("mailhaul "+s.Command+": "+printable(s.Migration), "for "+span(now.Sub(s.Began))))}
	if age := now.Sub(s.At); age > 5*time.Second {
		lines = append(lines, p.in(alarm, p.fit(fmt.Sprintf("No news for %s: is its process stopped, or the machine busy?", span(age)))))
	}
	if s.Pause != "" {
		text := "Paused"
		if !s.Until.IsZero() {
			text += " until " + clock(s.Until, now)
		}
		lines = append(lines, p.all(careful, p.fold(text+": "+printable(s.Pause), "  ", p.height/8))...)
	}
	for _, n := range p.notes {
		lines = append(lines, p.fit(n))
	}
	stages, sum := s.Sum()
	var items []string
	for stage, n := range stages {
		if n > 0 {
			items = append(items, thousands(int64(n))+" "+stageNames[stage])
		}
	}
	all := count(int64(len(s.Mailboxes)), "mailbox", "mailboxes")
	if len(items) > 0 {
		all += ": "
	}
	lines = append(lines, p.wrap(all, items, ", ")...)

	if text := waitOfAll(s, now); text != "" {
		lines = append(lines, p.all(careful, p.fold(text, "  ", p.height/8))...)
	}
	if accounted, announced := sum.Accounted(), sum.Announced(); announced > 0 {
		known := ""
		if stages[live.NotBegun] > 0 {
			known = "known "
		}
		text := fmt.Sprintf("%s  %s of %s, %s", percent(accounted, announced), thousands(accounted), count(announced, known+"message", known+"messages"), octets(sum.Bytes))
		if p.width >= 60 {
			lines = append(lines, p.bar(accounted, announced)+" "+cut(text, p.width-barWidth-1))
		} else {
			lines = append(lines, p.fit(text))
		}
	}
	if text := p.speed(s, now); len(text) > 0 {
		lines = append(lines, p.wrap("", text, ", ")...)
	}
	for i, l := range s.Limits {
		if i == p.height/12 { // the fullest tell most
			break
		}
		lines = append(lines, p.limit(l))
	}
	return lines
}

var stageNames = [live.Stages]string{
	live.Running:  "running",
	live.Waiting:  "waiting",
	live.Done:     "done",
	live.Stopped:  "stopped early",
	live.NotBegun: "not begun",
}

// waitOfAll says what all wait for that are being worked on, if it is the same;
// empty if it is not.
func waitOfAll(s live.State, now time.Time) string {
	var first *live.Mailbox
	n := 0
	for i := range s.Mailboxes {
		m := &s.Mailboxes[i]
		switch stage := m.Stage(); {
		case stage == live.Running || stage == live.Waiting && first != nil && m.Wait != first.Wait:
			return ""
		case stage == live.Waiting:
			n++
			if first == nil || m.Until.Before(first.Until) {
				first = m
			}
		}
	}
	if n < 2 {
		return ""
	}
	return fmt.Sprintf("All %d %s", n, strings.Replace(doing(first, now), "waits", "wait", 1))
}

// speed says how fast the run is, and when it ends if it goes on so.
func (p paper) speed(s live.State, now time.Time) (text []string) {
	if s.Rate > 0 {
		text = append(text, perSecond(s.Rate)+" messages/s")
	}
	left := remaining(s.Left, now)
	if p.width < 60 && len(left) > 1 {
		left = left[:1]
		left[0], _, _ = strings.Cut(left[0], " (")
		if s.Left.Guessed > 0 {
			left[0] += ", a guess"
		}
	}
	return append(text, left...)
}

// remaining says what is left, for people: honest, so never exact.
func remaining(e live.Estimate, now time.Time) (text []string) {
	switch low, high := rough(e.Low), rough(e.High); {
	case e.Low == 0:
		return nil
	case e.Likely > 0:
		text = append(text, "about "+rough(e.Likely)+" left")
		if low != high {
			text[0] += " (" + low + " to " + high + ")"
		}
	case e.High == 0:
		text = append(text, low+" or more left")
	case low == high:
		text = append(text, "about "+low+" left")
	default:
		text = append(text, "about "+low+" to "+high+" left")
	}
	if e.Likely > time.Hour {
		text = append(text, "ends "+clock(now.Add(e.Likely).Truncate(time.Minute), now))
	} else if e.Likely == 0 && e.High > 0 {
		from, to := clock(now.Add(e.Low).Truncate(time.Minute), now), clock(now.Add(e.High).Truncate(time.Minute), now)
		if e.Low > time.Hour && from != to {
			text = append(text, "ends "+from+" to "+to)
		} else if e.Low > time.Hour {
			text = append(text, "ends "+from)
		}
	}
	switch {
	case e.Guessed > 0:
		text = append(text, fmt.Sprintf("if the %d not begun are like the others", e.Guessed))
	case e.Unknown > 0:
		text = append(text, fmt.Sprintf("and the %d not begun", e.Unknown))
	}
	return text
}

// limit says how much of a vendor's limit is used.
func (p paper) limit(l live.Limit) string {
	rate := perSecond(l.Rate) + " " + l.Unit
	if l.Unit == "octets" {
		rate = octets(int64(l.Rate))
	}
	text := fmt.Sprintf("%2.0f %% of %s (%s/s)", 100*l.Used, printable(l.Name), rate)
	if l.Source != "" {
		text += ", most by " + printable(l.Source)
	}
	if l.Used >= 0.9 {
		return p.in(calm, p.fit(text+": at the limit"))
	}
	return p.fit(text)
}

// A viewRow is a mailbox that is being worked on.
type viewRow struct {
	cells [4]string // name, progress, rate, time left
	now   string    // what it is doing
	wait  string    // the same in short, if it waits, and why
	why   string
	stage live.Stage
}

// mailboxes lists those that are being worked on, the slowest first, in at most
// so many lines.
func (p paper) mailboxes(s live.State, now time.Time, room int) []string {
	at := make([]int, 0, len(s.Mailboxes))
	for i := range s.Mailboxes {
		if stage := s.Mailboxes[i].Stage(); stage == live.Running || stage == live.Waiting {
			at = append(at, i)
		}
	}
	if len(at) == 0 || room == 0 {
		return nil
	}
	slices.SortStableFunc(at, func(a, b int) int {
		m, n := &s.Mailboxes[a], &s.Mailboxes[b]
		return cmp.Or(-cmp.Compare(slowness(m), slowness(n)), -cmp.Compare(m.Announced()-m.Accounted(), n.Announced()-n.Accounted()))
	})
	hidden := 0
	if len(at) > room {
		shown := room
		if room > 2 {
			shown, hidden = room-1, len(at)-room+1
		}
		at = at[:shown]
	}
	var rows []viewRow
	same := waitOfAll(s, now) != "" // was said
	for _, i := range at {
		r := p.row(&s.Mailboxes[i], now)
		if same {
			r.now, r.why = printable(s.Mailboxes[i].Phase), ""
		}
		rows = append(rows, r)
	}
	var widths [4]int
	for _, r := range rows {
		for i, c := range r.cells {
			widths[i] = max(widths[i], columns(c))
		}
	}
	widths[0] = min(widths[0], max(p.width*3/10, 12))
	spare := room - len(rows) - min(hidden, 1)
	var lines []string
	for _, r := range rows {
		var b strings.Builder
		for i, c := range r.cells {
			switch {
			case widths[i] == 0, r.stage == live.Waiting && c == "":
				continue
			case i == 0:
				c = cut(c, widths[0])
				b.WriteString(c + strings.Repeat(" ", widths[0]-columns(c)))
			default:
				b.WriteString("  " + strings.Repeat(" ", widths[i]-columns(c)) + c)
			}
		}
		line := b.String()
		style := weak
		if r.stage == live.Waiting {
			style = careful
		}
		var why []string
		if r.why != "" && columns(line)+2+columns(r.now) > p.width && spare > 0 { // said in full below
			why = p.all(style, p.fold("    "+r.why, "    ", min(spare, 2)))
			spare -= len(why)
			r.now = r.wait
		}
		rest := ""
		if r.now != "" {
			rest = p.in(style, cut("  "+r.now, max(p.width-columns(line), 0)))
		}
		lines = append(append(lines, cut(line, p.width)+rest), why...)
	}
	if hidden > 0 {
		lines = append(lines, p.in(weak, p.fit(fmt.Sprintf("and %s", count(int64(hidden), "other mailbox", "other mailboxes")))))
	}
	return lines
}

// slowness orders mailboxes: those that stand still come first.
func slowness(m *live.Mailbox) float64 {
	left, known := m.Left()
	switch {
	case !known && m.Total > 0:
		return math.Inf(1)
	case !known: // it has just begun
		return -1
	}
	return left.Seconds()
}

func (p paper) row(m *live.Mailbox, now time.Time) viewRow {
	r := viewRow{stage: m.Stage(), now: doing(m, now)}
	if why := printable(m.Wait); why != "" {
		r.wait, r.why = strings.TrimSuffix(r.now, ": "+why), why
	}
	r.cells[0] = printable(m.Source)
	r.cells[1] = percent(m.Accounted(), m.Announced())
	if p.width >= 100 && m.Total > 0 {
		r.cells[1] = fmt.Sprintf("%s of %s  %s", thousands(m.Accounted()), thousands(m.Announced()), r.cells[1])
	}
	if p.width >= 60 {
		if m.Rate > 0 {
			r.cells[2] = perSecond(m.Rate) + "/s"
		}
		if left, known := m.Left(); known && left > 0 {
			r.cells[3] = rough(left) + " left"
		}
	}
	return r
}

// doing says what is being done in a mailbox, or what it waits for.
func doing(m *live.Mailbox, now time.Time) string {
	switch {
	case m.Wait != "" && m.Until.IsZero():
		return "waits: " + printable(m.Wait)
	case m.Wait != "":
		return "waits until " + clock(m.Until, now) + ": " + printable(m.Wait)
	case m.AtLimit != "" && m.Phase != "":
		return printable(m.Phase) + ", at the limit"
	case m.AtLimit != "":
		return "at the limit"
	}
	return printable(m.Phase)
}

// failures says what needs a person, the latest first, in at most so many lines.
func (p paper) failures(s live.State, now time.Time, room int) []string {
	stages, sum := s.Sum()
	var text []string
	if sum.Failed > 0 {
		text = append(text, count(sum.Failed, "message ", "messages ")+s.Bad)
	}
	if n := stages[live.Stopped]; n > 0 {
		text = append(text, count(int64(n), "mailbox", "mailboxes")+" stopped early")
	}
	if len(text) == 0 {
		return nil
	}
	head := strings.Join(text, ", ")
	var latest []string
	for _, f := range s.Failures {
		if left := room - 1 - len(latest); left > 0 {
			latest = append(latest, p.fold(fmt.Sprintf("%12s  %s", clock(f.At.Truncate(time.Minute), now), told(f, s.Bad)), strings.Repeat(" ", 14), min(left, 2))...)
		}
	}
	if len(latest) > 0 {
		head += "; the latest:"
	}
	return append([]string{p.in(alarm, p.fit(head))}, latest...)
}

// told is a failure in words.
func told(f live.Failure, bad string) string {
	text := printable(f.Source) + ": "
	if f.Messages > 0 {
		text += count(f.Messages, "message ", "messages ") + bad
	} else {
		text += "stopped early"
	}
	if f.Reason != "" {
		text += ": " + printable(f.Reason)
	}
	return text
}

// bottom changes every second, so that what somebody typed is drawn over.
func (p paper) bottom(now time.Time) string {
	return p.in(weak, p.ends(p.footer, now.Format(time.TimeOnly)))
}

// barWidth is in columns, with its ends.
const barWidth = 22

// bar shows n of all.
func (p paper) bar(n, all int64) string {
	full := 0
	if n > 0 && all > 0 {
		full = int((barWidth - 2) * min(float64(n)/float64(all), 1))
	}
	return "[" + p.in(calm, strings.Repeat("=", full)) + strings.Repeat("-", barWidth-2-full) + "]"
}

// ends writes one text at the left end of a line and one at the right.
func (p paper) ends(left, right string) string {
	left = cut(left, max(p.width-columns(right)-2, 0))
	if left == "" {
		return p.fit(right)
	}
	return left + strings.Repeat(" ", max(p.width-columns(left)-columns(right), 1)) + right
}

// fold breaks s between words into at most so many lines, at least one.
func (p paper) fold(s, indent string, most int) (lines []string) {
	line := ""
	for i, word := range strings.Split(s, " ") {
		switch {
		case i == 0:
			line = word
		case len(lines) < most-1 && strings.TrimSpace(line) != "" && columns(line)+1+columns(word) > p.width:
			lines = append(lines, p.fit(line))
			line = indent + word
		default:
			line += " " + word
		}
	}
	return append(lines, p.fit(line))
}

// all styles lines.
func (p paper) all(style string, lines []string) []string {
	for i := range lines {
		lines[i] = p.in(style, lines[i])
	}
	return lines
}

func (p paper) fit(s string) string { return cut(s, p.width) }

// wrap writes items after a head, in lines that are broken between items.
func (p paper) wrap(head string, items []string, separator string) []string {
	lines := []string{head}
	for i, item := range items {
		if i < len(items)-1 {
			item += separator
		}
		k := len(lines) - 1
		if lines[k] != "" && columns(lines[k])+columns(strings.TrimRight(item, " ")) > p.width {
			lines = append(lines, "  ")
			k++
		}
		lines[k] += item
	}
	for i := range lines {
		lines[i] = p.fit(strings.TrimRight(lines[i], " "))
	}
	return lines
}

// percent is n of all, rounded down: 100 % is all.
func percent(n, all int64) string {
	if all <= 0 {
		return ""
	}
	return fmt.Sprintf("%d %%", int64(100*float64(n)/float64(all)))
}

// perSecond writes a rate with three digits.
func perSecond(rate float64) string {
	if rate >= 999.5 {
		return thousands(int64(math.Round(rate)))
	}
	return fmt.Sprintf("%.3g", rate)
}

// rough writes a duration as people estimate: "45 s", "12 min", "3 h", "2 d".
func rough(d time.Duration) string {
	switch {
	case d < 100*time.Second:
		return fmt.Sprintf("%d s", max(int64(d.Round(5*time.Second)/time.Second), 5))
	case d < 100*time.Minute:
		return fmt.Sprintf("%d min", int64(d.Round(time.Minute)/time.Minute))
	case d < 10*time.Hour:
		return strings.Replace(fmt.Sprintf("%.1f h", d.Hours()), ".0 h", " h", 1)
	case d < 72*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	default:
		return fmt.Sprintf("%.0f d", d.Hours()/24)
	}
}

// clock writes a time as near to now as it is: "14:05:10", "Tue 14:05", "2 Jan
// 14:05".
func clock(t, now time.Time) string {
	t = t.In(now.Location())
	switch {
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		if t.Second() == 0 {
			return t.Format("15:04")
		}
		return t.Format(time.TimeOnly)
	case t.Sub(now).Abs() < 6*24*time.Hour:
		return t.Format("Mon 15:04")
	}
	return t.Format("2 Jan 15:04")
}

// narrow are the widths of characters where the locale does not widen them.
var narrow = &runewidth.Condition{}

// columnsOf is how wide a cluster of characters is on a terminal: some draw it
// as one character, some each of its characters.
func columnsOf(cluster string, width int) int {
	each := 0
	for _, r := range cluster {
		each += narrow.RuneWidth(r)
	}
	return max(each, width)
}

// columns is how wide s is on a terminal at most.
func columns(s string) (n int) {
	for state := -1; s != ""; {
		var cluster string
		var width int
		cluster, s, width, state = uniseg.FirstGraphemeClusterInString(s, state)
		n += columnsOf(cluster, width)
	}
	return n
}

// longest bounds the octets for each column, as some characters have no width.
const longest = 8

// cut shortens s to so many columns, and says so.
func cut(s string, width int) string {
	if len(s) <= width { // nothing is wider than its octets
		return s
	}
	keep, at, used := 0, 0, 0
	for rest, state := s, -1; rest != ""; {
		var cluster string
		var w int
		cluster, rest, w, state = uniseg.FirstGraphemeClusterInString(rest, state)
		at, used = at+len(cluster), used+columnsOf(cluster, w)
		if used > width || at > longest*width {
			if width <= 0 {
				return ""
			}
			return s[:keep] + "…"
		}
		if used < width {
			keep = at
		}
	}
	return s
}
