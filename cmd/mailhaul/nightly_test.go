package main

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
)

// An ear hears when a text is written, and what was.
type ear struct {
	mu    sync.Mutex
	text  strings.Builder
	wants string
	heard chan struct{}
}

func listen(wants string) *ear { return &ear{wants: wants, heard: make(chan struct{})} }

func (e *ear) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	before := strings.Contains(e.text.String(), e.wants)
	e.text.Write(p)
	if !before && strings.Contains(e.text.String(), e.wants) {
		close(e.heard)
	}
	return len(p), nil
}

func (e *ear) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.text.String()
}

// onceHeard runs a command line until it writes a text, and then something else
// before it is interrupted.
func onceHeard(t *testing.T, text string, then func(), args ...string) (code int, output string) {
	t.Helper()
	ctx, stop := context.WithCancelCause(t.Context())
	defer stop(nil)
	e := listen(text)
	ended := make(chan int, 1)
	go func() { ended <- execute(ctx, args, e, e) }()
	select {
	case <-e.heard:
		then()
		stop(errInterrupted)
		code = <-ended
	case code = <-ended:
		t.Errorf("it never wrote %q", text)
	}
	return code, e.String()
}

func TestTheTimesOfARunAreChecked(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	_, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", "", "ann")
	for args, text := range map[string]string{
		"--until yesterday":           `--until "yesterday": want done, a time`,
		"--until 2020-01-01T06:00":    "that time is over",
		"--every 1s":                  "want a minute or more",
		"--every soon":                "invalid argument",
		"--from-verify --every 24h":   "--from-verify makes one pass",
		"--from-verify --until 06:00": "--from-verify makes one pass",
	} {
		ends(t, exitUsage, append([]string{"run", "--config", config}, strings.Fields(args)...), text)
	}
	for run, text := range map[string]string{
		"window = \"Mon-Fry\"\ntime_zone = \"UTC\"": `run.window: at character 5, "Fry": want a day here`,
		"window = \"Mon-Fri\"":                      "run.time_zone: must be set with window",
		"time_zone = \"Mars/Olympus\"":              `"Mars/Olympus" is no time zone`,
		"time_zone = \"Local\"":                     `"Local" is no time zone`,
	} {
		ends(t, exitError, []string{"run", "--config", o.migration(t, "gmail", url, "", run, "ann")}, text)
	}
}

func TestARunUntilDoneEndsWhenEveryMailboxIsComplete(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann", "bob")
	sim, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", "", "ann", "bob")
	ends(t, exitDone, []string{"run", "--until", "done", "--config", config}, "Pass 1 ended: 2 of 2 mailboxes complete, 12 new messages arrived.", "ann@example.com", "complete")
	if n := len(sim.Messages("ann@example.org")); n != officeMail {
		t.Errorf("%d messages arrived", n)
	}
}

func TestARunOutsideItsWindowWaitsAndSaysSo(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	sim, url := gmailFor(t, gmailsim.Options{}, nil)
	later := time.Now().UTC().AddDate(0, 0, 3).Weekday().String()
	config := o.migration(t, "gmail", url, "", "time_zone = \"UTC\"\nwindow = \""+later+"\"", "ann")
	code, output := onceHeard(t, "outside the window", func() {}, "run", "--config", config)
	ended(t, "run", code, exitInterrupted, output, "interrupted; run again to go on")
	if n := len(sim.Messages("ann@example.org")); n != 0 {
		t.Errorf("%d messages arrived", n)
	}
}

func TestBetweenTheirPassesRunsLetOtherCommandsIn(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	_, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", "", "ann")
	code, output := onceHeard(t, "Pass 1 ended", func() {
		ends(t, exitDone, []string{"retry", "--config", config})
		ends(t, exitDone, []string{"run", "--config", config})
	}, "run", "--every", "24h", "--config", config)
	ended(t, "run", code, exitInterrupted, output, "interrupted")
}
