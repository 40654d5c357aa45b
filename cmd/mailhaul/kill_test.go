package main

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

// kills is how often a run is killed before it may finish.
const kills = 50

// A killer stands in front of a simulator and kills the process whose requests
// it counts: at one of them, or a moment later, so that it dies in the middle
// of anything that it does between two requests.
type killer struct {
	mu    sync.Mutex
	after int // requests
	delay time.Duration
	kill  func()
}

func (k *killer) arm(after int, delay time.Duration, kill func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.after, k.delay, k.kill = after, delay, kill
}

func (k *killer) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.mu.Lock()
		if k.after--; k.after == 0 && k.kill != nil {
			time.AfterFunc(k.delay, k.kill)
		}
		k.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// killed runs a migration as a process that is killed again and again, and at
// last lets it finish.
func killed(t *testing.T, config string, k *killer) {
	rng := rand.New(rand.NewPCG(2026, 11))
	share := messages() / kills // requests in one life, on average
	done := 0
	for lives := 0; done < kills; lives++ {
		if lives > 4*kills {
			t.Fatalf("killed %d times in %d lives", done, lives)
		}
		if finished := life(t, config, func(kill func()) {
			k.arm(1+rng.IntN(share), time.Duration(rng.IntN(20_000))*time.Microsecond, kill)
		}); finished {
			t.Fatalf("the run was over after %d kills", done)
		}
		done++
	}
	k.arm(0, 0, nil)
	if !life(t, config, func(func()) {}) {
		t.Fatal("the last run did not finish")
	}
}

// program is this program as a process of its own.
func program(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), "MAILHAUL_TEST_MAIN=1")
	return c
}

// life runs one process and says whether it came to its end.
func life(t *testing.T, config string, started func(kill func())) bool {
	t.Helper()
	c := program("run", "--config", config)
	var output bytes.Buffer
	c.Stdout, c.Stderr = &output, &output
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	started(func() { c.Process.Kill() })
	c.Wait()
	switch code := c.ProcessState.ExitCode(); code {
	case exitDone, exitPerson:
		return true
	case -1: // killed by a signal
		return false
	default:
		t.Fatalf("a run ended with code %d: %s", code, output.String())
		return false
	}
}

func TestAMigrationToGmailSurvivesFiftyKills(t *testing.T) {
	t.Parallel()
	s := newSite(t, sourcetest.Options{Separator: "."}, messages())
	k := &killer{}
	sim, url := serveGmail(t, k.wrap)
	config := s.migration(t, "gmail", url)
	killed(t, config, k)
	s.checkGmail(t, config, sim)
	verifies(t, config)
}

func TestAMigrationToMicrosoft365SurvivesFiftyKills(t *testing.T) {
	t.Parallel()
	s := newSite(t, sourcetest.Options{Separator: "/"}, messages())
	k := &killer{}
	sim, url := serveGraph(t, k.wrap)
	config := s.migration(t, "graph", url)
	killed(t, config, k)
	s.checkGraph(t, config, sim)
	verifies(t, config)
}
