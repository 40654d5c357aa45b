package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
)

// Intervals of the display: of lines where there is no terminal, and of a
// terminal's refresh.
const (
	lineEvery    = 5 * time.Second
	refreshEvery = 250 * time.Millisecond
)

// barWidth is in columns, with its ends.
const barWidth = 20

// showProgress shows a run until the function that it returns is called: on a
// terminal one line for each running mailbox and one for all, elsewhere a line
// every few seconds. Failures are called bad.
func showProgress(ctx context.Context, snapshot func() []migrate.MailboxSnapshot, bad string, limiters map[string]*pace.Limiter, w io.Writer) (stop func()) {
	view := &progressView{snapshot: snapshot, bad: bad, limiters: limiters, meters: map[string]*meter{}}
	show := view.lines
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		show = view.bars
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { show(ctx, w) })
	return func() {
		cancel()
		wg.Wait()
	}
}

// A progressView turns snapshots of a run into text.
type progressView struct {
	snapshot func() []migrate.MailboxSnapshot
	bad      string // "failed"
	limiters map[string]*pace.Limiter

	mu     sync.Mutex
	meters map[string]*meter // by source; "" is all
}

// lines prints a line every few seconds, and one at the end. A mailbox that
// began to wait for something has a line of its own, once.
func (v *progressView) lines(ctx context.Context, w io.Writer) {
	tick := time.NewTicker(lineEvery)
	defer tick.Stop()
	waits := map[string]string{}
	for {
		select {
		case now := <-tick.C:
			fmt.Fprintln(w, now.Format(time.TimeOnly), v.total(now))
			for i, s := range v.snapshot() {
				if s.Wait != "" && s.Wait != waits[s.Source] {
					fmt.Fprintln(w, now.Format(time.TimeOnly), v.mailbox(i, now))
				}
				waits[s.Source] = s.Wait
			}
		case <-ctx.Done():
			now := time.Now()
			fmt.Fprintln(w, now.Format(time.TimeOnly), v.total(now))
			return
		}
	}
}

// bars draws on a terminal.
func (v *progressView) bars(ctx context.Context, w io.Writer) {
	container := mpb.New(mpb.WithOutput(w), mpb.WithRefreshRate(refreshEvery))
	line := func(priority int, text func() string) *mpb.Bar {
		return container.MustAdd(0, mpb.BarStyle().Build(), mpb.BarPriority(priority), mpb.BarWidth(barWidth), mpb.BarRemoveOnComplete(),
			mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string { return cut(text(), s.AvailableWidth-barWidth) })))
	}
	all := line(1<<20, func() string { return v.total(time.Now()) })
	bars := map[string]*mpb.Bar{}
	update := func() {
		var done, total int64
		for i, s := range v.snapshot() {
			n, m := s.Known+s.Done, max(s.Total, s.Known+s.Done)
			done, total = done+n, total+m
			bar := bars[s.Source]
			if s.Started.IsZero() {
				continue
			}
			if bar == nil && s.Ended.IsZero() {
				bar = line(i, func() string { return v.mailbox(i, time.Now()) })
				bars[s.Source] = bar
			}
			if bar == nil {
				continue
			}
			bar.SetTotal(max(m, n)+1, false) // never full before the mailbox has ended
			bar.SetCurrent(n)
			if !s.Ended.IsZero() {
				bar.SetTotal(-1, true)
			}
		}
		all.SetTotal(total+1, false)
		all.SetCurrent(done)
	}
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		update()
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	for _, b := range bars {
		b.SetTotal(-1, true)
	}
	all.SetTotal(-1, true)
	container.Wait()
	fmt.Fprintln(w, v.total(time.Now()))
}

// total is the line about the run as a whole.
func (v *progressView) total(now time.Time) string {
	var sum migrate.MailboxSnapshot
	var ended, early int
	all := v.snapshot()
	for _, s := range all {
		sum.Total += max(s.Total, s.Known+s.Done)
		sum.Known, sum.Done, sum.Bytes, sum.Failed = sum.Known+s.Known, sum.Done+s.Done, sum.Bytes+s.Bytes, sum.Failed+s.Failed
		if !s.Ended.IsZero() {
			ended++
			if s.Err != nil {
				early++
			}
		}
	}
	text := fmt.Sprintf("%d of %s, %s of %s%s", ended, count(int64(len(all)), "mailbox", "mailboxes"),
		thousands(sum.Known+sum.Done), count(sum.Total, "message", "messages"), v.amounts("", sum, now))
	if early > 0 {
		text += fmt.Sprintf(", %d stopped early", early)
	}
	return text
}

// mailbox is the line about the i-th mailbox.
func (v *progressView) mailbox(i int, now time.Time) string {
	all := v.snapshot()
	if i >= len(all) {
		return ""
	}
	s := all[i]
	text := fmt.Sprintf("%s %s of %s%s", printable(s.Source), thousands(s.Known+s.Done), thousands(s.Total), v.amounts(s.Source, s, now))
	limit, until := v.limiters[s.Source].Waiting()
	switch {
	case s.Wait != "":
		text += fmt.Sprintf("; waits until %s: %s", s.Until.Format(time.TimeOnly), printable(s.Wait))
	case limit != "" && until.Sub(now) > time.Second:
		text += fmt.Sprintf("; waits until %s: %s", until.Format(time.TimeOnly), limit)
	case limit != "":
		text += "; at the limit"
	case s.Phase != "":
		text += "; " + printable(s.Phase)
	}
	return text
}

// amounts is what lines have in common: size, rate, time left, failures.
func (v *progressView) amounts(name string, s migrate.MailboxSnapshot, now time.Time) string {
	v.mu.Lock()
	m := v.meters[name]
	if m == nil {
		m = &meter{}
		v.meters[name] = m
	}
	rate := m.rate(now, s.Done)
	v.mu.Unlock()
	text := ", " + octets(s.Bytes)
	if rate > 0 {
		text += fmt.Sprintf(", %.3g/s", rate)
		if left := s.Total - s.Known - s.Done; left > 0 {
			text += ", " + span(time.Duration(float64(left)/rate*float64(time.Second))) + " left"
		}
	}
	if s.Failed > 0 {
		text += fmt.Sprintf(", %s %s", thousands(s.Failed), v.bad)
	}
	return text
}

// A meter tells how fast a counter went up during the last half minute.
type meter struct {
	at []time.Time
	n  []int64
}

const meterSpan = 30 * time.Second

// rate adds a reading and returns units per second; 0 if it cannot tell yet.
func (m *meter) rate(now time.Time, n int64) float64 {
	if k := len(m.at); k == 0 || now.Sub(m.at[k-1]) >= time.Second {
		m.at, m.n = append(m.at, now), append(m.n, n)
	}
	for len(m.at) > 2 && now.Sub(m.at[1]) > meterSpan {
		m.at, m.n = m.at[1:], m.n[1:]
	}
	d := now.Sub(m.at[0])
	if d < time.Second {
		return 0
	}
	return float64(n-m.n[0]) / d.Seconds()
}
