package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/mailhaul/mailhaul/cmd/mailhaul/live"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
)

// A shown is what a run or verification shows of itself.
type shown struct {
	live.Taker
	Remarks *remarks // what is said to who looks; nil for nothing
	File    string   // where "status --watch" finds it; empty for nowhere
}

// show shows mailboxes until the function that it returns is called: on a
// terminal a view of them all, elsewhere lines. When ctx ends, by which a run is
// told to stop, the view makes way for lines, so that a process that ends at
// once leaves the terminal as it was.
func (v shown) show(ctx context.Context, snapshot func() []migrate.MailboxSnapshot, limiters func() map[string]*pace.Limiter, w io.Writer) (stop func()) {
	v.Follow(snapshot, limiters)
	var mu sync.Mutex
	current := func() live.State {
		mu.Lock()
		defer mu.Unlock()
		return v.Take(time.Now())
	}
	current() // from which rates are told
	over, end := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	if v.File != "" {
		wg.Go(func() {
			tick := time.NewTicker(live.Every)
			defer tick.Stop()
			for over.Err() == nil {
				live.Write(v.File, current()) // only those who watch would miss it
				select {
				case <-tick.C:
				case <-over.Done():
				}
			}
			live.Remove(v.File)
		})
	}
	if v.Remarks == nil {
		v.Remarks = new(remarks)
	}
	v.Remarks.to(w)
	lines := newLines()
	drawn := false // until the end
	wg.Go(func() {
		if f, ok := w.(*os.File); ok && live.Draws(f) {
			drawing, cancel := context.WithCancel(over)
			defer context.AfterFunc(ctx, cancel)()
			v.Remarks.hold(true)
			live.Draw(drawing, f, func(width, height int) string {
				return draw(current(), time.Now(), paper{width: width, height: height, colour: colours(), footer: "Ctrl-C stops; run again to go on", notes: v.Remarks.latest()})
			})
			cancel()
			v.Remarks.hold(false)
			if drawn = over.Err() != nil; drawn {
				return
			}
			lines.news(current())                                               // was shown
			fmt.Fprintln(w, "mailhaul: stopping; a second Ctrl-C ends at once") // what main said is on the other screen
		}
		lines.follow(over, w, current)
	})
	return sync.OnceFunc(func() {
		end()
		wg.Wait()
		s := current()
		if !drawn {
			for _, text := range lines.news(s) {
				fmt.Fprintln(w, s.At.Format(time.TimeOnly), text)
			}
		}
		fmt.Fprintln(w, s.At.Format(time.TimeOnly), total(s), "in", span(s.At.Sub(s.Began)))
	})
}

// newShown returns what a command shows of the migration of c, here and to
// "status --watch". What fails is called bad.
func newShown(c *Config, command, bad string) shown {
	path, err := filepath.Abs(c.Run.Checkpoints)
	if err != nil {
		path = c.Run.Checkpoints
	}
	return shown{Taker: live.Taker{Command: command, Bad: bad, Migration: filepath.Base(filepath.Dir(path))}, Remarks: new(remarks), File: live.Path(path)}
}

// inLines keeps what is shown on w in lines if plain is set, as --plain does.
func inLines(plain bool, w io.Writer) io.Writer {
	if plain {
		return struct{ io.Writer }{w} // no terminal
	}
	return w
}

// plainUsage is the help of --plain.
const plainUsage = "show what is done in lines, even on a terminal: for screen readers"

// colours says whether the user wants any: see https://no-color.org.
func colours() bool { return os.Getenv("NO_COLOR") == "" }
