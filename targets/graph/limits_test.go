package graph

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// line carries requests to a handler in this process, inside a synctest bubble.
type line struct{ http.Handler }

func (l line) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	l.ServeHTTP(w, r)
	response := w.Result()
	response.Request = r
	response.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	return response, nil
}

func TestFewerCallsRunAtOnceWhereMicrosoftServesFewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := graphsim.New(graphsim.Options{Quota: graphsim.Quota{Concurrent: 2}, Latency: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		target, err := Open(t.Context(), Config{
			User: "ann@example.com", Endpoint: "http://localhost", Token: StaticToken("test"), Route: RouteImport, Probed: true,
			Limiter: pace.NewLimiter(nil), Transport: line{sim},
		})
		if err != nil {
			t.Fatal(err)
		}
		var refused atomic.Int64
		var group sync.WaitGroup
		for i := range 4 {
			group.Go(func() {
				for j := range 8 {
					for {
						_, err := target.Append(t.Context(), "inbox", targettest.Letter(fmt.Sprintf("m%d-%d", i, j)))
						if err == nil {
							break
						}
						if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient {
							t.Error(err)
							return
						}
						refused.Add(1)
					}
				}
			})
		}
		group.Wait()
		if n := refused.Load(); n == 0 || n > 2 {
			t.Errorf("%d calls were refused, want those of the first moment", n)
		}
	})
}

func TestOnlyTheLimitOnCallsAtOnceNarrowsTheGate(t *testing.T) {
	for limit, want := range map[string]bool{"MailboxConcurrency": true, "RequestRate": false, "IncomingBytes": false} {
		e := classify(http.StatusTooManyRequests, "ApplicationThrottled", "Application is over its "+limit+" limit.", http.Header{}, time.Now())
		if tooMany(e) != want {
			t.Errorf("%s: %v", limit, !want)
		}
	}
}
