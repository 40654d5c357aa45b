//go:build unix

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
)

// What a terminal is told.
const (
	altScreen  = "\x1b[?1049h"
	mainScreen = "\x1b[?1049l"
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
)

// A console is a terminal with a program at work, of which a test reads what it
// is told.
type console struct {
	*exec.Cmd
	*os.File // the end of who looks and types
	output   strings.Builder
	seen     int // of output
}

// onConsole starts a command whose standard error is a terminal, as are its
// standard input and, if asked for, its standard output.
func onConsole(t *testing.T, c *exec.Cmd, width, height uint16) *console {
	t.Helper()
	c.Env = append(c.Env, "TERM=tmux-256color", "NO_COLOR=") // which is asked for no colours
	f, err := pty.StartWithSize(c, &pty.Winsize{Cols: width, Rows: height})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.Close()
		c.Process.Kill()
	})
	return &console{Cmd: c, File: f}
}

// sees reads until the terminal was told text, after what was seen before.
func (c *console) sees(t *testing.T, text string) {
	t.Helper()
	var b [4096]byte
	for {
		if i := strings.Index(c.output.String()[c.seen:], text); i >= 0 {
			c.seen += i + len(text)
			return
		}
		n, err := c.Read(b[:])
		c.output.Write(b[:n])
		if err != nil { // EIO: nobody has the terminal any more
			t.Fatalf("it is not told %q: %v\n%q", text, err, c.output.String())
		}
	}
}

// ends reads to the end and expects an exit code.
func (c *console) ends(t *testing.T, code int) {
	t.Helper()
	io.Copy(&c.output, c.File)
	c.Wait()
	if got := c.ProcessState.ExitCode(); got != code {
		t.Errorf("exit code %d, want %d:\n%q", got, code, c.output.String())
	}
}

// types types.
func (c *console) types(t *testing.T, keys string) {
	t.Helper()
	if _, err := io.WriteString(c, keys); err != nil {
		t.Fatal(err)
	}
}

// sane expects that a terminal was left as it was found.
func (c *console) sane(t *testing.T) {
	t.Helper()
	text := c.output.String()
	if strings.LastIndex(text, mainScreen) < strings.LastIndex(text, altScreen) {
		t.Error("it was left on its second screen")
	}
	if strings.LastIndex(text, showCursor) < strings.LastIndex(text, hideCursor) {
		t.Error("its cursor was left hidden")
	}
	for _, mode := range []string{"\x1b[?1000h", "\x1b[?1002h", "\x1b[?1003h", "\x1b[?2004h", "\x1b[?1004h", "\x1b]11;?"} {
		if strings.Contains(text, mode) {
			t.Errorf("it was told %q", mode)
		}
	}
}

// held is a migration of ann at Gmail whose first write is answered when the
// test says so.
func held(t *testing.T) (config string, reached <-chan struct{}, goOn func()) {
	t.Helper()
	var first, last atomic.Bool
	at, over := make(chan struct{}), make(chan struct{})
	goOn = sync.OnceFunc(func() {
		last.Store(true)
		close(over)
	})
	t.Cleanup(goOn)
	_, url := gmailFor(t, gmailsim.Options{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/messages/import") && !last.Load() {
				if first.CompareAndSwap(false, true) {
					close(at)
				}
				<-over
			}
			next.ServeHTTP(w, r)
		})
	})
	return newOffice(t, "ann").migration(t, "gmail", url, "", "", "ann"), at, goOn
}

func TestARunDrawsOnATerminalAndLeavesItSane(t *testing.T) {
	t.Parallel()
	config, reached, goOn := held(t)
	c := program("run", "--config", config)
	c.Stdout = io.Discard
	p := onConsole(t, c, 80, 24)
	before, err := term.GetState(int(p.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	p.sees(t, altScreen)
	p.sees(t, "mailhaul run: ")
	<-reached
	p.sees(t, "ann@example.com")
	if now, err := term.GetState(int(p.Fd())); err != nil || *now != *before {
		t.Errorf("the modes of the terminal were changed: %v", err)
	}
	if err := pty.Setsize(p.File, &pty.Winsize{Cols: 30, Rows: 10}); err != nil {
		t.Fatal(err)
	}
	p.sees(t, "Ctrl-C stops; run …") // cut for 30 columns
	p.types(t, "\x03")
	p.sees(t, "stopping; a second Ctrl-C ends at once")
	p.sees(t, mainScreen)
	p.sees(t, "stopping; a second Ctrl-C ends at once") // which stays
	goOn()
	p.sees(t, "ann@example.com: stopped early: interrupted") // in lines from then on
	p.sees(t, "1 of 1 mailbox, ")                            // the summary
	p.ends(t, exitInterrupted)
	p.sane(t)
}

func TestASecondCtrlCEndsAtOnceWithASaneTerminal(t *testing.T) {
	t.Parallel()
	config, reached, _ := held(t)
	c := program("run", "--config", config)
	c.Stdout = io.Discard
	p := onConsole(t, c, 80, 24)
	<-reached
	p.sees(t, "ann@example.com")
	p.types(t, "\x03")
	p.sees(t, mainScreen)
	p.sees(t, "a second Ctrl-C ends at once")
	p.types(t, "\x03")
	p.ends(t, exitInterrupted)
	p.sane(t)
}

func TestARunThatEndsLeavesItsSummary(t *testing.T) {
	t.Parallel()
	config, reached, goOn := held(t)
	c := program("run", "--config", config)
	c.Stdout = io.Discard
	p := onConsole(t, c, 80, 24)
	<-reached
	p.sees(t, "ann@example.com")
	goOn()
	p.sees(t, mainScreen)
	p.sees(t, "1 of 1 mailbox, 6 of 6 messages")
	p.ends(t, exitDone)
	p.sane(t)
}

func TestCtrlZStopsARunAndGivesTheTerminalBackForTheTime(t *testing.T) {
	t.Parallel()
	config, reached, goOn := held(t)
	c := program("run", "--config", config)
	c.Args = append([]string{"sh", "-c", `set -m; "$@" >/dev/null; echo in between; fg >/dev/null; echo "it came to $?"`, "sh"}, c.Args...)
	var err error
	if c.Path, err = exec.LookPath("sh"); err != nil {
		t.Skip(err)
	}
	p := onConsole(t, c, 80, 24)
	<-reached
	p.sees(t, "ann@example.com")
	p.types(t, "\x1a")
	p.sees(t, mainScreen)
	p.sees(t, "in between")
	p.sees(t, altScreen) // and on it goes
	p.sees(t, "ann@example.com")
	goOn()
	p.sees(t, "it came to 0")
	p.ends(t, 0)
	p.sane(t)
}

func TestADumbTerminalIsToldInLines(t *testing.T) {
	t.Parallel()
	config, reached, goOn := held(t)
	c := program("run", "--config", config)
	c.Stdout = io.Discard
	c.Env = append(c.Env, "TERM=dumb")
	f, err := pty.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	<-reached
	goOn()
	p := &console{Cmd: c, File: f}
	p.ends(t, exitDone)
	if text := p.output.String(); strings.Contains(text, "\x1b") || !strings.Contains(text, "1 of 1 mailbox, 6 of 6 messages") {
		t.Errorf("%q", text)
	}
}

func TestARunIsWatchedFromAnotherTerminal(t *testing.T) {
	t.Parallel()
	config, reached, goOn := held(t)
	run := started(t, "run", "--config", config)
	<-reached
	c := program("status", "--watch", "--config", config)
	c.Stderr = io.Discard
	p := onConsole(t, c, 100, 30)
	p.sees(t, altScreen)
	p.sees(t, "messages listed")
	p.sees(t, "Ctrl-C ends this view")

	watch := program("status", "--watch", "--json", "--config", config)
	out, err := watch.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { watch.Process.Kill() })
	var seen watched
	if err := json.NewDecoder(out).Decode(&seen); err != nil || !strings.Contains(seen.Running, "process ") || seen.Total.Listed == 0 {
		t.Errorf("%v: %+v", err, seen)
	}
	watch.Process.Signal(os.Interrupt)
	io.Copy(io.Discard, out)
	if err := watch.Wait(); err != nil {
		t.Errorf("status --watch --json: %v", err)
	}

	goOn()
	run.ends(t, exitDone)
	p.types(t, "\x03")
	p.sees(t, mainScreen)
	p.ends(t, exitDone)
	p.sane(t)
}
