package graph

import (
	"errors"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

func TestWhatIsToBeStoredWholeIsRefusedAndNotRebuilt(t *testing.T) {
	for _, opt := range []graphsim.Options{{RefuseBroken: true}, {RefuseBroken: true, Status: map[string]int{"ErrorMimeContentInvalid": 500}}} {
		w := newWorld(t, opt)
		target := w.open(t, Config{Route: RouteImport})
		m := targettest.Message([]byte("Subject: no From\r\n\r\nbody\r\n"), "")
		m.Whole = true
		_, err := target.Append(t.Context(), "inbox", m)
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Permanent || !e.Refused || !e.Content || !e.Rebuild || e.Hint == "" {
			t.Errorf("%#v", err)
		}
		if n := len(w.sim.Messages(user)); n != 0 {
			t.Errorf("%d messages are stored", n)
		}
		m.Whole = false
		if _, err := target.Append(t.Context(), "inbox", m); err != nil {
			t.Error(err)
		}
		if ms := w.sim.Messages(user); len(ms) != 1 || ms[0].Route != graphsim.RouteJSON {
			t.Errorf("%+v", ms)
		}
	}
}
