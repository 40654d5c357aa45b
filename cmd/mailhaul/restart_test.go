package main

import (
	"testing"

	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

func TestARunGoesOnWhenDovecotIsKilledAndStartedAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, sourcetest.Options{Separator: "/"}, 1000)
	k := &killer{}
	sim, url := serveGmail(t, k.wrap)
	config := s.migration(t, "gmail", url)
	restarted := make(chan struct{})
	k.arm(200, 0, func() {
		s.dovecot.Restart()
		close(restarted)
	})
	code, _, stderr := mailhaul(t.Context(), "run", "--config", config)
	<-restarted
	if code != exitDone && code != exitPerson {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	s.checkGmail(t, config, sim)
}
