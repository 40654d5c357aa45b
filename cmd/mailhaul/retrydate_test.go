package main

import (
	"bytes"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

func TestWhatIsTriedAgainLaterKeepsItsDate(t *testing.T) {
	t.Parallel()
	var mended atomic.Bool
	sim, url := graphFor(t, graphsim.Options{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if r.Body = io.NopCloser(bytes.NewReader(body)); err == nil && !mended.Load() && r.Method == http.MethodPost && bytes.Contains(body, []byte("Letter 2")) {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	o := newOffice(t, "ann")
	config := o.migration(t, "graph", url, "", "", "ann")
	edit(t, config, `route = "auto"`, `route = "json"`)
	ends(t, exitPerson, []string{"run", "--config", config}, "1 message needs a person")
	mended.Store(true)
	ends(t, exitDone, []string{"retry", "--config", config})
	ends(t, exitDone, []string{"run", "--config", config})
	all := sim.Messages("ann@example.org")
	if len(all) != officeMail {
		t.Errorf("%d messages are there", len(all))
	}
	for _, m := range all {
		if !m.ReceivedDateTime.Equal(time.Unix(1_700_000_000, 0)) {
			t.Errorf("%s is dated %v", m.ID, m.ReceivedDateTime)
		}
	}
}
