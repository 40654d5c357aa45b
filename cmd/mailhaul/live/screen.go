package live

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"golang.org/x/term"
)

// refresh is how often a terminal is drawn. Lines that did not change are not
// sent.
const refresh = 250 * time.Millisecond

// Draws says whether w is a terminal that a view can be drawn on: one that
// knows more than lines, with this process in its foreground.
func Draws(w *os.File) bool {
	return term.IsTerminal(int(w.Fd())) && os.Getenv("TERM") != "dumb" && inForeground(w) && understands(w)
}

// Draw keeps on the terminal w what frame returns for its size, until ctx ends;
// then all is as it was before. It uses the second screen that terminals have,
// asks the terminal nothing, reads no keys and leaves the keyboard alone, so that
// Ctrl-C and Ctrl-Z stay what they are and there is little to restore. While the
// process is stopped, or in the background, nothing is drawn.
func Draw(ctx context.Context, w *os.File, frame func(width, height int) string) {
	signals := make(chan os.Signal, 4)
	if len(jobControl) > 0 {
		signal.Notify(signals, jobControl...)
		defer signal.Stop(signals)
	}
	for ctx.Err() == nil {
		if drawUntil(ctx, w, signals, frame) && stopSelf() {
			select {
			case <-signals: // it was continued
			case <-ctx.Done():
			}
		}
		for !inForeground(w) && ctx.Err() == nil {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
		}
		drain(signals)
	}
}

// Control sequences (ECMA-48, and xterm's private modes).
const (
	enter   = "\x1b[?1049h\x1b[?25l\x1b[?7l" // second screen, no cursor, no wrapping
	leave   = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	erase   = "\x1b[2J"
	lineEnd = "\x1b[0m\x1b[K"
)

// drawUntil draws until ctx ends, or until the process is to stop.
func drawUntil(ctx context.Context, w *os.File, signals <-chan os.Signal, frame func(width, height int) string) (stop bool) {
	io.WriteString(w, enter)
	defer io.WriteString(w, leave)
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	s := screen{frame: frame}
	for {
		if width, height, err := term.GetSize(int(w.Fd())); err == nil {
			if _, err := w.Write(s.draw(width, height)); err != nil { // the terminal is gone
				<-ctx.Done()
				return false
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		case sig := <-signals:
			if stops(sig) {
				return true
			}
			s.lines = nil // the shell wrote something meanwhile
		}
	}
}

func drain(signals <-chan os.Signal) {
	for {
		select {
		case <-signals:
		default:
			return
		}
	}
}

// A screen remembers what a terminal shows.
type screen struct {
	frame         func(width, height int) string
	width, height int
	lines         []string // nil if it is not known
}

// draw returns what makes a terminal of that size show the frame.
func (s *screen) draw(width, height int) []byte {
	if width <= 0 || height <= 0 {
		return nil
	}
	var b bytes.Buffer
	lines := strings.Split(s.view(width, height), "\n")
	lines = lines[:min(len(lines), height)]
	if s.lines == nil || width != s.width || height != s.height {
		b.WriteString(erase)
		s.width, s.height, s.lines = width, height, []string{}
	}
	for i := range max(len(lines), len(s.lines)) {
		var line, before string
		if i < len(lines) {
			line = lines[i]
		}
		if i < len(s.lines) {
			before = s.lines[i]
		}
		if line != before {
			fmt.Fprintf(&b, "\x1b[%d;1H%s%s", i+1, line, lineEnd)
		}
	}
	s.lines = lines
	return b.Bytes()
}

// view never fails: a mistake in drawing must not cost a run.
func (s *screen) view(width, height int) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprintf("This view is broken, the work goes on: %v", r)
		}
	}()
	return strings.TrimRight(s.frame(width, height), "\n")
}
