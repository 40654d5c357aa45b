package graph

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

func TestWhatWasNotSentIsNotInDoubt(t *testing.T) {
	for _, route := range []Route{RouteImport, RouteJSON} {
		w := newWorld(t, graphsim.Options{})
		limiter := pace.NewLimiter(nil)
		target := w.open(t, Config{Route: route, Limiter: limiter})
		limiter.Park(time.Now().Add(time.Hour), "test")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := target.Append(ctx, "inbox", targettest.Letter("waiting"))
		if e, ok := errors.AsType[*migrate.Error](err); !ok || !e.Refused || e.Class != migrate.Transient || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the error is %#v", route, err)
		}
	}
}

func TestCancellingAnAppendLeavesItInDoubt(t *testing.T) {
	for _, route := range []Route{RouteImport, RouteJSON} {
		for _, method := range []string{http.MethodPost, http.MethodPatch} {
			w := newWorld(t, graphsim.Options{})
			target := w.open(t, Config{Route: route})
			ctx, cancel := context.WithCancel(t.Context())
			w.front = func(rw http.ResponseWriter, r *http.Request) {
				w.sim.ServeHTTP(rw, r)
				if r.Method == method {
					cancel()
					<-r.Context().Done() // the client hangs up
				}
			}
			_, err := target.Append(ctx, "inbox", targettest.Letter("in-flight"))
			if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Refused || e.Class != migrate.Transient || !errors.Is(err, context.Canceled) {
				t.Errorf("%s, %s: the error is %#v", route, method, err)
			}
		}
	}
}
