package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/cmd/mailhaul/live"
)

// How often lines are printed: the whole at first as often as news, later less
// often, as a run may take weeks.
const (
	lineEvery  = 5 * time.Second
	manyLines  = 5 * time.Minute
	laterEvery = time.Minute
)

// lines tell of a run what changed, one fact in a line, for logs and for those
// who have a screen read to them.
type lines struct {
	mailboxes map[string]lineState // by source
	pause     string
	total     string
	at        time.Time // of the last line on the whole
}

// A lineState is what was told of a mailbox.
type lineState struct {
	began     time.Time
	ended     bool
	failed    int64
	wait      string
	accounted int64 // when the wait was told
}

func newLines() *lines {
	return &lines{mailboxes: map[string]lineState{}}
}

// follow prints what changes until ctx ends.
func (l *lines) follow(ctx context.Context, w io.Writer, state func() live.State) {
	tick := time.NewTicker(lineEvery)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			l.print(w, state(), now)
		case <-ctx.Done():
			return
		}
	}
}

// print prints what changed.
func (l *lines) print(w io.Writer, s live.State, now time.Time) {
	text := l.news(s)
	if whole := l.whole(s, now); whole != "" {
		text = append(text, whole)
	}
	for _, t := range text {
		fmt.Fprintln(w, now.Format(time.TimeOnly), t)
	}
}

// news returns what changed since it was called last, but for the whole.
func (l *lines) news(s live.State) (text []string) {
	if s.Pause != l.pause {
		switch {
		case s.Pause == "":
			text = append(text, "The run goes on.")
		case s.Until.IsZero():
			text = append(text, "The run pauses: "+printable(s.Pause))
		default:
			text = append(text, "The run pauses until "+clock(s.Until, s.At)+": "+printable(s.Pause))
		}
		l.pause = s.Pause
	}
	for i := range s.Mailboxes {
		m := &s.Mailboxes[i]
		was := l.mailboxes[m.Source]
		if !m.Began.Equal(was.began) { // it is begun again
			was = lineState{began: m.Began, wait: was.wait, accounted: was.accounted}
		}
		is := was
		switch stage := m.Stage(); {
		case (stage == live.Done || stage == live.Stopped) && !was.ended:
			is.ended = true
			text = append(text, ending(m, s.Bad))
		case stage == live.Waiting && m.Wait != was.wait && worthTelling(m, s.At):
			is.wait, is.accounted = m.Wait, m.Accounted()
			text = append(text, fmt.Sprintf("%s %s of %s; %s", printable(m.Source), thousands(m.Accounted()), thousands(m.Announced()), doing(m, s.At)))
		case stage == live.Running && m.Accounted() > was.accounted:
			is.wait = "" // it got on: the same wait is news again
		}
		if m.Failed > was.failed {
			is.failed = m.Failed
			f := live.Failure{Source: m.Source, Messages: m.Failed - was.failed}
			if at := slices.IndexFunc(s.Failures, func(f live.Failure) bool { return f.Source == m.Source && f.Messages > 0 }); at >= 0 {
				f.Reason = s.Failures[at].Reason
			}
			text = append(text, told(f, s.Bad))
		}
		l.mailboxes[m.Source] = is
	}
	return text
}

// worthTelling says that a wait is for trouble, or for longer than limits make
// calls wait now and then.
func worthTelling(m *live.Mailbox, now time.Time) bool {
	return m.AtLimit == "" || m.Until.Sub(now) > time.Minute
}

// ending says how the pass over a mailbox ended.
func ending(m *live.Mailbox, bad string) string {
	text := printable(m.Source) + ": done"
	if m.Error != "" {
		text = printable(m.Source) + ": stopped early: " + printable(m.Error)
	}
	text += fmt.Sprintf("; %s, %s", count(m.Accounted(), "message", "messages"), octets(m.Bytes))
	if m.Failed > 0 {
		text += fmt.Sprintf(", %s %s", thousands(m.Failed), bad)
	}
	return text + ", in " + span(m.Ended.Sub(m.Began))
}

// whole returns the line on the whole if it is due and says something new.
func (l *lines) whole(s live.State, now time.Time) string {
	text := total(s)
	if text == l.total || !l.at.IsZero() && now.Sub(s.Began) > manyLines && now.Sub(l.at) < laterEvery {
		return ""
	}
	l.total, l.at = text, now
	return text
}

// total is the line on the run as a whole.
func total(s live.State) string {
	stages, sum := s.Sum()
	early := stages[live.Stopped]
	text := fmt.Sprintf("%d of %s, %s of %s, %s", stages[live.Done]+early, count(int64(len(s.Mailboxes)), "mailbox", "mailboxes"),
		thousands(sum.Accounted()), count(sum.Announced(), "message", "messages"), octets(sum.Bytes))
	if s.Rate > 0 {
		text += ", " + perSecond(s.Rate) + "/s"
	}
	if left := remaining(s.Left, s.At); len(left) > 0 {
		text += ", " + strings.Join(left, ", ")
	}
	if sum.Failed > 0 {
		text += fmt.Sprintf(", %s %s", thousands(sum.Failed), s.Bad)
	}
	if early > 0 {
		text += fmt.Sprintf(", %d stopped early", early)
	}
	return text
}
