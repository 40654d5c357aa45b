package notify

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const pingURL = "https://localhost/" + marker

// A monitor takes pings and notes them with the minutes since it began.
type monitor struct {
	mu    sync.Mutex
	begun time.Time
	pings []string
	down  bool
}

func (m *monitor) take(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if r.ContentLength > 0 {
		w.WriteHeader(http.StatusBadRequest)
	}
	m.pings = append(m.pings, time.Since(m.begun).Round(time.Minute).String()+" "+r.URL.Path[len("/"+marker):])
}

func (m *monitor) set(down bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = down
}

func (m *monitor) expect(t *testing.T, want ...string) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Equal(m.pings, want) {
		t.Errorf("pings %q, want %q", m.pings, want)
	}
}

func TestAMonitorHearsTheStartTheLifeTheNeedAndTheEnd(t *testing.T) {
	for end, well := range map[string]bool{"16m0s ": true, "16m0s /fail": false} {
		synctest.Test(t, func(t *testing.T) {
			m := &monitor{begun: time.Now()}
			var r reports
			p := NewPings(is(pingURL), 5*time.Minute, plain(t, m.take), r.add)
			time.Sleep(6 * time.Minute)
			p.Failing(true)
			p.Failing(true)
			time.Sleep(6 * time.Minute)
			p.Failing(false)
			time.Sleep(4 * time.Minute)
			p.Close(t.Context(), well)
			m.expect(t, "0s /start", "5m0s ", "6m0s /fail", "10m0s /fail", "12m0s ", "15m0s ", end)
			if len(r.list()) != 0 {
				t.Errorf("reported %q", r.list())
			}
		})
	}
}

func TestAMonitorThatIsDownIsReportedOnceAndDoesNotEndThePings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &monitor{begun: time.Now(), down: true}
		var r reports
		p := NewPings(is(pingURL), 5*time.Minute, plain(t, m.take), r.add)
		time.Sleep(16 * time.Minute)
		m.set(false)
		time.Sleep(5 * time.Minute)
		m.set(true)
		time.Sleep(5 * time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		p.Close(ctx, true)
		m.expect(t, "20m0s ")
		if took := time.Since(m.begun); took != 26*time.Minute+30*time.Second {
			t.Errorf("it ended after %v", took)
		}
		if want := slices.Repeat([]string{"ping: the answer is 503 Service Unavailable"}, 2); !slices.Equal(r.list(), want) {
			t.Errorf("reported %q", r.list())
		}
	})
}

func TestTheLastPingIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &monitor{begun: time.Now()}
		p := NewPings(is(pingURL), time.Hour, plain(t, m.take), func(error) {})
		synctest.Wait()
		m.set(true)
		time.AfterFunc(time.Minute, func() { m.set(false) })
		p.Close(t.Context(), false)
		m.expect(t, "0s /start", "1m0s /fail")
	})
}

func TestOnePingMeansWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &monitor{begun: time.Now()}
		if err := Ping(t.Context(), is(pingURL+"/"), plain(t, m.take)); err != nil {
			t.Fatal(err)
		}
		m.expect(t, "0s /")
	})
}
