package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mailhaul/mailhaul/checkpoints/sqlite"
	"github.com/mailhaul/mailhaul/cmd/mailhaul/live"
)

// How long the sums of the checkpoints are taken for new: counting millions of
// records takes a while, and it shall not take more than a small part of the
// time.
const (
	sumsEvery = 10 * time.Second
	sumsShare = 20
)

// A watcher follows a run in another process, or the checkpoints while there is
// none.
type watcher struct {
	config    *Config
	mailboxes []Mailbox
}

// A watched is what "status --watch --json" writes, in a line.
type watched struct {
	At      time.Time   `json:"at"`
	Running string      `json:"running,omitempty"` // the process that has the checkpoints
	Run     *live.State `json:"run,omitempty"`     // what a run shows of itself
	Total   sums        `json:"total"`             // by the checkpoints, some seconds ago
	Error   string      `json:"error,omitempty"`   // why the checkpoints cannot be read now

	status *status
}

// watch shows what goes on until ctx ends.
func (v watcher) watch(ctx context.Context, asJSON bool, w io.Writer) error {
	latest, next, err := v.look(ctx, watched{}, time.Time{})
	if err != nil {
		return err // such as checkpoints that are not there
	}
	var mu sync.Mutex
	current := func() watched {
		mu.Lock()
		defer mu.Unlock()
		return latest
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wg.Go(func() {
		tick := time.NewTicker(live.Every)
		defer tick.Stop()
		for ctx.Err() == nil {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			var seen watched
			seen, next, err = v.look(ctx, latest, next)
			if err != nil {
				seen.Error = err.Error()
			}
			mu.Lock()
			latest = seen
			mu.Unlock()
		}
	})
	if asJSON {
		return v.printJSON(ctx, w, current)
	}
	if f, ok := w.(*os.File); ok && live.Draws(f) {
		live.Draw(ctx, f, func(width, height int) string {
			return drawWatched(current(), time.Now(), paper{width: width, height: height, colour: colours(), footer: "Ctrl-C ends this view; a run goes on"})
		})
		return nil
	}
	v.print(ctx, w, current)
	return nil
}

// look reads what a run shows, and the checkpoints if it is time for that.
func (v watcher) look(ctx context.Context, last watched, next time.Time) (watched, time.Time, error) {
	now := time.Now()
	seen := watched{At: now, Running: last.Running, Total: last.Total, Error: last.Error, status: last.status}
	var err error
	if !now.Before(next) {
		next = now.Add(sumsEvery)
		var s *status
		if s, err = v.status(ctx); err == nil {
			seen.status, seen.Running, seen.Total, seen.Error = s, s.Running, s.Total, ""
			next = now.Add(max(sumsEvery, sumsShare*time.Since(now)))
		}
	}
	// A State that cannot be read is none: the run of another version shows it
	// in another form.
	s, readErr := live.Read(live.Path(v.config.Run.Checkpoints))
	holds := seen.Running == sqlite.Holder{PID: s.PID, Host: s.Host}.String()
	if readErr == nil && (s.Fresh(now) || holds) {
		seen.Run = &s
	}
	return seen, next, err
}

func (v watcher) status(ctx context.Context) (*status, error) {
	store, err := sqlite.OpenReadOnly(v.config.Run.Checkpoints)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	return readStatus(ctx, v.config, store, v.mailboxes)
}

func (v watcher) printJSON(ctx context.Context, w io.Writer, current func() watched) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	tick := time.NewTicker(lineEvery)
	defer tick.Stop()
	for {
		if err := e.Encode(current()); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// print prints what changes, one fact in a line.
func (v watcher) print(ctx context.Context, w io.Writer, current func() watched) {
	said := ""
	tick := time.NewTicker(lineEvery)
	defer tick.Stop()
	lines := newLines()
	for ctx.Err() == nil {
		now, s := time.Now(), current()
		if s.Run != nil {
			lines.print(w, *s.Run, now)
			said = ""
		} else if text := strings.Join(append([]string{idle(s)}, s.notes()...), ". "); text != said {
			fmt.Fprintln(w, now.Format(time.TimeOnly), text)
			said = text
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// notes says what keeps the sums from being new.
func (s watched) notes() []string {
	if s.Error == "" {
		return nil
	}
	return []string{"The checkpoints cannot be read now: " + printable(s.Error)}
}

// idle says that no run shows itself, and what the checkpoints say.
func idle(s watched) string {
	text := "No run is going on. "
	if s.Running != "" {
		text = fmt.Sprintf("A run is going on in %s, but it does not show itself. ", s.Running)
	}
	return text + s.Total.String()
}

// String is the sums in a line: "1,234 messages listed: 1,200 copied, 34 pending".
func (s sums) String() string {
	text := count(s.Listed, "message", "messages") + " listed"
	separator := ": "
	for _, o := range outcomes {
		if n := s.Outcomes[o]; n > 0 {
			text += separator + thousands(n) + " " + o
			separator = ", "
		}
	}
	return text
}

// drawWatched shows a run in another process, or the checkpoints if there is
// none.
func drawWatched(s watched, now time.Time, p paper) string {
	if s.Run != nil {
		p.notes = append(s.notes(), "In the checkpoints: "+s.Total.String())
		return draw(*s.Run, now, p)
	}
	p.width = max(p.width-1, 1)
	lines := append([]string{"mailhaul status", idle(s)}, s.notes()...)
	if s.status != nil {
		var table strings.Builder
		s.status.table(&table)
		lines = append(lines, "")
		lines = append(lines, strings.Split(strings.TrimRight(table.String(), "\n"), "\n")...)
	}
	if room := p.height - 1; len(lines) > room {
		keep := max(room-1, 0)
		lines = append(lines[:keep], fmt.Sprintf("and %s more: see mailhaul status", count(int64(len(lines)-keep), "line", "lines")))[:room]
	}
	for i := range lines {
		lines[i] = p.fit(lines[i])
	}
	if len(lines) > 0 {
		lines[0] = p.in(strong, lines[0])
	}
	return strings.Join(append(lines, p.bottom(now)), "\n")
}
