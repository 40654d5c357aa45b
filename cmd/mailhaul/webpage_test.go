package main

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// Front ends answer with web pages, and not as the API does.
func TestAMessageThatIsTooLargeIsSentOnceAndNamed(t *testing.T) {
	t.Parallel()
	const large = 200_000
	for kind, tries := range map[string]int64{"gmail": 1, "graph": 2} { // imported, and then rebuilt
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var sent atomic.Int64
			refuse := func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, err := io.ReadAll(r.Body)
					if r.Body = io.NopCloser(bytes.NewReader(body)); err != nil || len(body) < large {
						next.ServeHTTP(w, r)
						return
					}
					sent.Add(1)
					w.Header().Set("Content-Type", "text/html")
					w.WriteHeader(http.StatusRequestEntityTooLarge)
					io.WriteString(w, "<html><title>413 Too large</title><body>Your client issued a request that was too large.</body></html>")
				})
			}
			o := newOffice(t)
			bob := o.person(t, "bob")
			put(t, bob, "INBOX", letter("bob", 1, ""))
			put(t, bob, "INBOX", letter("bob", 2, strings.Repeat("A long line of a long letter.\r\n", large/25)))
			put(t, bob, "INBOX", letter("bob", 3, ""))
			var url string
			var held func() int
			if kind == "gmail" {
				sim, at := gmailFor(t, gmailsim.Options{}, refuse)
				url, held = at, func() int { return len(sim.Messages("bob@example.org")) }
			} else {
				sim, at := graphFor(t, graphsim.Options{}, refuse)
				url, held = at, func() int { return len(sim.Messages("bob@example.org")) }
			}
			config := o.migration(t, kind, url, "", "", "bob")
			for range 2 { // what failed is not tried again unasked
				ends(t, exitPerson, []string{"run", "--config", config}, "413", "larger than", "INBOX, UID 2, 2", "<bob-2@example.com>")
			}
			if n := sent.Load(); n != tries {
				t.Errorf("it was sent %d times, want %d", n, tries)
			}
			if n := held(); n != 2 {
				t.Errorf("%d messages are there, want 2", n)
			}
			f := sumsOf(t, config, exitPerson).Mailboxes[0].Failed
			if len(f) != 1 || f[0].UID != 2 || f[0].Doubt || f[0].Size < large {
				t.Errorf("%+v", f)
			}
		})
	}
}
