package main

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

func TestAVerificationThatWasInterruptedGoesOn(t *testing.T) {
	t.Parallel()
	vaults(t, func(t *testing.T, v *vault) {
		v.goesOn(t, func(args []string, at func(stop func())) {
			ctx, cancel := context.WithCancelCause(t.Context())
			at(func() { cancel(errInterrupted) })
			code, stdout, stderr := mailhaul(ctx, args...)
			ended(t, "verify", code, exitInterrupted, stdout+stderr, "interrupted; verify again to go on", "content, stopped")
		})
	})
}

func TestAVerificationThatWasKilledGoesOn(t *testing.T) {
	t.Parallel()
	vaults(t, func(t *testing.T, v *vault) {
		v.goesOn(t, func(args []string, at func(stop func())) {
			c, started := program(args...), make(chan struct{})
			at(func() {
				<-started
				c.Process.Kill()
			})
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			close(started)
			if c.Wait(); c.ProcessState.Success() {
				t.Error("it was not killed")
			}
		})
	})
}

// goesOn expects that a verification reads nothing again of a folder that was
// done when it was stopped. It runs in life, which gives at what stops it.
func (v *vault) goesOn(t *testing.T, life func(args []string, at func(stop func()))) {
	o := newOffice(t, "ann")
	config := o.migration(t, v.kind, v.url, "", "", "ann")
	ends(t, exitDone, []string{"run", "--config", config})
	inbox, sent := recorded(t, config, "ann", "INBOX"), recorded(t, config, "ann", "Sent")
	reads := func(requests []string, records map[migrate.UID]migrate.Record) (n int) {
		for _, r := range requests {
			for _, rec := range records {
				if strings.Contains(r, string(rec.Target)) {
					n++
				}
			}
		}
		return n
	}
	meet := func(fn func(*http.Request)) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.meet = fn
	}
	args := []string{"verify", "--config", config, "--depth", "content"}
	stopped := func() {
		v.asked()
		life(args, func(stop func()) {
			meet(func(r *http.Request) {
				v.mu.Lock()
				done := reads(v.requests, inbox) == len(inbox)
				v.mu.Unlock()
				if done && reads([]string{r.URL.Path}, sent) > 0 {
					stop()
					<-r.Context().Done()
				}
			})
		})
		meet(nil)
		if n := reads(v.asked(), inbox); n != len(inbox) {
			t.Errorf("%d messages of the inbox were read back, want %d", n, len(inbox))
		}
		ends(t, exitDone, []string{"status", "--config", config}, "content, stopped: 0 differences")
	}
	stopped()
	ends(t, exitDone, args, "Content: 6 messages were read back, 6 verified")
	asked := v.asked()
	// A request that was stopped may reach the simulator late.
	if again, rest := reads(asked, inbox), reads(asked, sent); again != 0 || rest < len(sent) {
		t.Errorf("%d messages of the inbox were read back again, and %d of Sent", again, rest)
	}
	stopped()
	ends(t, exitDone, append(args, "--fresh"))
	if n := reads(v.asked(), inbox); n != len(inbox) {
		t.Errorf("a fresh one read back %d messages of the inbox", n)
	}
}
