//go:build unix

package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
)

// A process is this program at work, whose standard error a test follows.
type process struct {
	*exec.Cmd
	lines  chan string // of standard error; closed at its end
	output strings.Builder
}

func started(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{Cmd: program(args...), lines: make(chan string, 1000)}
	p.Stdout = io.Discard
	stderr, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Process.Kill() })
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	return p
}

// says reads standard error until a line with that text comes.
func (p *process) says(t *testing.T, text string) {
	t.Helper()
	for line := range p.lines {
		p.output.WriteString(line + "\n")
		if strings.Contains(line, text) {
			return
		}
	}
	t.Fatalf("it does not say %q:\n%s", text, p.output.String())
}

// ends waits for the end of the process and expects its exit code.
func (p *process) ends(t *testing.T, code int, texts ...string) {
	t.Helper()
	for line := range p.lines {
		p.output.WriteString(line + "\n")
	}
	p.Wait()
	ended(t, strings.Join(p.Args[1:], " "), p.ProcessState.ExitCode(), code, p.output.String(), texts...)
}

func (p *process) interrupt(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
}

// crowded makes an office where bob has many messages.
func crowded(t *testing.T, messages int) *office {
	t.Helper()
	o := newOffice(t)
	bob := o.person(t, "bob")
	for i := range messages {
		put(t, bob, "INBOX", letter("bob", i, ""))
	}
	return o
}

// onceEach expects that so many messages of bob are at Gmail, each once.
func onceEach(t *testing.T, sim *gmailsim.Server, want int) {
	t.Helper()
	seen := map[string]bool{}
	for _, m := range sim.Messages("bob@example.org") {
		if seen[m.SHA256] {
			t.Errorf("%s is there twice", m.ID)
		}
		seen[m.SHA256] = true
	}
	if len(seen) != want {
		t.Errorf("%d messages are at Gmail, want %d", len(seen), want)
	}
}

func TestTheFirstInterruptLetsWritesInFlightFinish(t *testing.T) {
	t.Parallel()
	const messages, before = 300, 40
	o := crowded(t, messages)
	var calls atomic.Int64
	reached, stopping := make(chan struct{}), make(chan struct{})
	sim, url := gmailFor(t, gmailsim.Options{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/messages/import") {
				n := calls.Add(1)
				if n == before {
					close(reached)
				}
				if n >= before { // in flight when the signal comes
					<-stopping
				}
			}
			next.ServeHTTP(w, r)
		})
	})
	config := o.migration(t, "gmail", url, "", "", "bob")
	p := started(t, "run", "--config", config)
	<-reached
	p.interrupt(t)
	p.says(t, "stopping; a second Ctrl-C ends at once")
	close(stopping)
	p.ends(t, exitInterrupted, "mailhaul: interrupted; run again to go on")

	held := len(sim.Messages("bob@example.org"))
	if held < before || held > before+64 {
		t.Errorf("%d messages were written, though it was told to stop at %d", held, before)
	}
	s := sumsOf(t, config, exitStopped)
	if s.Total.Doubts != 0 {
		t.Errorf("%d messages are in doubt, though every write was answered", s.Total.Doubts)
	}
	if got := s.Total.Outcomes["copied"]; got != int64(held) {
		t.Errorf("%d messages are recorded as copied, %d are there", got, held)
	}
	ends(t, exitStopped, []string{"status", "--config", config}, "stopped early")

	ends(t, exitDone, []string{"run", "--config", config})
	if s := sumsOf(t, config, exitDone); s.Total.Outcomes["copied"] != messages || s.Total.Outcomes["adopted"] != 0 {
		t.Errorf("in the end: %v", s.Total.Outcomes)
	}
	onceEach(t, sim, messages)
}

func TestTheSecondInterruptEndsAtOnceAndTheNextRunLooksUpWhatWasInFlight(t *testing.T) {
	t.Parallel()
	const messages, before = 60, 20
	o := crowded(t, messages)
	var calls atomic.Int64
	reached := make(chan struct{})
	over := make(chan struct{})
	sim, url := gmailFor(t, gmailsim.Options{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.Contains(r.URL.Path, "/messages/import") {
				next.ServeHTTP(w, r)
				return
			}
			switch n := calls.Add(1); {
			case n == before: // takes effect, and is never answered
				next.ServeHTTP(muted{}, r)
				close(reached)
				<-over
			case n > before: // takes no effect, and is not answered before the process has ended
				<-over
			default:
				next.ServeHTTP(w, r)
			}
		})
	})
	config := o.migration(t, "gmail", url, "", "", "bob")
	p := started(t, "run", "--config", config)
	<-reached
	p.interrupt(t)
	p.says(t, "stopping; a second Ctrl-C ends at once")
	p.interrupt(t)
	p.ends(t, exitInterrupted)
	ends(t, exitStopped, []string{"status", "--config", config}, "was killed")
	if s := sumsOf(t, config, exitStopped); s.Total.Doubts == 0 {
		t.Error("nothing is in doubt, though writes were not answered")
	}

	calls.Store(-1 << 32)
	close(over)
	ends(t, exitDone, []string{"run", "--config", config})
	s := sumsOf(t, config, exitDone)
	if s.Total.Outcomes["adopted"] == 0 || s.Total.Outcomes["adopted"]+s.Total.Outcomes["copied"] != messages {
		t.Errorf("in the end: %v", s.Total.Outcomes)
	}
	onceEach(t, sim, messages)
}

// muted takes an answer that nobody gets.
type muted struct{}

func (muted) Header() http.Header         { return http.Header{} }
func (muted) Write(p []byte) (int, error) { return len(p), nil }
func (muted) WriteHeader(int)             {}

func TestAnInterruptEndsASimulatorWithItsDump(t *testing.T) {
	t.Parallel()
	dump := t.TempDir() + "/dump"
	p := started(t, "simulate", "gmail", "--dump", dump)
	p.says(t, "until Ctrl-C")
	p.interrupt(t)
	p.ends(t, exitDone, "Everything that arrived is in "+dump)
}

func TestARunThatWaitsForTheServerSaysWhyAndCanBeInterrupted(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := newOfficeOn(t, l, "ann")
	l.Close()
	_, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", "", "ann")
	p := started(t, "run", "--config", config)
	p.says(t, "connection refused")
	p.interrupt(t)
	p.ends(t, exitInterrupted, "ann@example.com", "waits until", "mailhaul: interrupted; run again to go on")
	sumsOf(t, config, exitStopped)
}
