package metrics

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
)

// expect compares all metrics with those wanted, but for help texts.
func expect(t *testing.T, r *Run, want string) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(r)
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	var b strings.Builder
	families, err := registry.Gather()
	if err != nil {
		t.Error(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			b.WriteString(f.GetName())
			for _, l := range m.Label {
				b.WriteString(" " + l.GetName() + "=" + l.GetValue())
			}
			v := m.GetGauge().GetValue() + m.GetCounter().GetValue()
			b.WriteString(" " + time.Duration(v*1e9).Truncate(time.Millisecond).String() + "\n")
			if f.GetHelp() == "" {
				t.Errorf("%s has no help", f.GetName())
			}
		}
	}
	for line := range strings.Lines(want) {
		if line = strings.TrimSpace(line); line != "" && !strings.Contains(b.String(), line+"\n") {
			t.Errorf("no %q in\n%s", line, b.String())
		}
	}
}

func TestAnEmptyRunHasSoundMetrics(t *testing.T) {
	expect(t, NewRun("1.2.3", true), "mailhaul_build_info version=1.2.3 1s\nmailhaul_messages_total outcome=settled 0s\nmailhaul_mailboxes state=running 0s\nmailhaul_eta_seconds 0s")
}

func TestCountersGoOnFromPassToPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRun("1", false)
		var boxes []migrate.MailboxSnapshot
		limiter := pace.NewLimiter(nil, pace.Limit{Name: "6,000 units", Unit: pace.Points, Amount: 60, Per: time.Minute, Burst: 10})
		r.Follow(func() []migrate.MailboxSnapshot { return boxes }, map[string]*pace.Limiter{"ann": limiter})
		begun := time.Now()
		boxes = []migrate.MailboxSnapshot{{Source: "ann", Started: begun, Total: 100, Known: 10, Done: 30, Failed: 2, Bytes: 1000}, {Source: "bob", Total: 0}}
		expect(t, r, `mailhaul_messages_total outcome=settled 28s
			mailhaul_messages_total outcome=failed 2s
			mailhaul_queue_messages 1m0s
			mailhaul_mailboxes state=running 1s
			mailhaul_mailboxes state=waiting 1s`)
		for range 2 {
			if err := limiter.Wait(t.Context(), pace.Cost{pace.Requests: 1, pace.Points: 10, pace.Bytes: 500}); err != nil {
				t.Fatal(err)
			}
		}
		boxes[0].Done, boxes[0].Ended, boxes[0].Err = 40, time.Now(), errors.New("x")
		for range 3 {
			expect(t, r, "mailhaul_failures_total 1s\nmailhaul_mailboxes state=failed 1s")
		}
		boxes[0] = migrate.MailboxSnapshot{Source: "ann"} // a pass that has not begun
		expect(t, r, "mailhaul_messages_total outcome=settled 38s\nmailhaul_mailboxes state=waiting 2s")
		boxes[0] = migrate.MailboxSnapshot{Source: "ann", Started: time.Now(), Total: 100, Known: 40, Done: 5, Bytes: 1}
		next := pace.NewLimiter(nil)
		for range 2 {
			r.Follow(func() []migrate.MailboxSnapshot { return boxes }, map[string]*pace.Limiter{"ann": next})
		}
		if err := next.Wait(t.Context(), pace.Cost{pace.Requests: 1, pace.Points: 1}); err != nil {
			t.Fatal(err)
		}
		boxes[0].Ended = time.Now()
		expect(t, r, `mailhaul_messages_total outcome=settled 43s
			mailhaul_messages_total outcome=failed 2s
			mailhaul_bytes_total 16m41s
			mailhaul_failures_total 1s
			mailhaul_mailboxes state=ended 1s
			mailhaul_api_calls_total 3s
			mailhaul_quota_units_total 21s
			mailhaul_upload_bytes_total 16m40s
			mailhaul_waits_seconds_total limit=6,000 units 10s`)
	})
}

func TestAMailboxThatLeavesTheListLeavesItsCountsOnly(t *testing.T) {
	r := NewRun("1", true)
	boxes := []migrate.MailboxSnapshot{{Source: "ann", Started: time.Now(), Total: 100, Done: 30, Failed: 2, Bytes: 1000, Ended: time.Now(), Err: errors.New("no such user")}}
	r.Follow(func() []migrate.MailboxSnapshot { return boxes }, nil)
	expect(t, r, "mailhaul_queue_messages 1m10s\nmailhaul_mailboxes state=failed 1s")
	boxes = nil
	for range 3 {
		expect(t, r, `mailhaul_messages_total outcome=settled 28s
			mailhaul_messages_total outcome=failed 2s
			mailhaul_bytes_total 16m40s
			mailhaul_failures_total 1s
			mailhaul_queue_messages 0s
			mailhaul_mailboxes state=failed 0s
			mailhaul_mailboxes state=waiting 0s
			mailhaul_mailbox_queue_messages mailbox=ann 0s`)
	}
}

func TestAMailboxIsNamedOnlyWhereThatIsAskedFor(t *testing.T) {
	for _, asked := range []bool{false, true} {
		r := NewRun("1", asked)
		r.Follow(func() []migrate.MailboxSnapshot {
			return []migrate.MailboxSnapshot{{Source: "ann@example.com\xff\n", Phase: "a folder", Started: time.Now(), Total: 10, Done: 3, Failed: 1, Wait: "ann waits", Err: errors.New("of ann")}, {Source: "bob"}}
		}, map[string]*pace.Limiter{"ann@example.com": pace.NewLimiter(nil), "nil": nil})
		registry := prometheus.NewPedanticRegistry()
		registry.MustRegister(r)
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, f := range families {
			text += f.String()
		}
		if strings.Contains(text, "ann") != asked || strings.Contains(text, "folder") {
			t.Errorf("asked %v: %s", asked, text)
		}
	}
}

func TestTheTimeLeftIsThatOfTheRateOfLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRun("1", false)
		box := migrate.MailboxSnapshot{Source: "ann", Started: time.Now(), Total: 100_000}
		r.Follow(func() []migrate.MailboxSnapshot { return []migrate.MailboxSnapshot{box} }, nil)
		eta := func() (d time.Duration, ok bool) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.look(time.Now())
			return r.rate.eta(time.Now(), r.boxes["ann"].left())
		}
		if d, ok := eta(); ok {
			t.Errorf("at the start it is %v", d)
		}
		go func() {
			for range 3600 {
				time.Sleep(time.Second)
				eta()
			}
		}()
		for range 1800 {
			time.Sleep(time.Second)
			r.mu.Lock()
			box.Done += 10
			r.mu.Unlock()
		}
		if d, ok := eta(); !ok || (d-8200*time.Second).Abs() > time.Minute { // 82,000 messages at 10 a second
			t.Errorf("after half an hour it is %v, %v", d, ok)
		}
		r.mu.Lock()
		if n := len(r.rate.at); n > rateSlots+2 {
			t.Errorf("%d readings", n)
		}
		r.mu.Unlock()
		time.Sleep(15 * time.Minute)
		if d, ok := eta(); ok {
			t.Errorf("after a quarter of an hour of standstill it is %v", d)
		}
		r.mu.Lock()
		box.Done = box.Total
		r.mu.Unlock()
		if d, ok := eta(); !ok || d != 0 {
			t.Errorf("in the end it is %v, %v", d, ok)
		}
		time.Sleep(time.Hour)
	})
}

func TestMetricsAreServedOnThisMachineOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "example.com:0", "192.0.2.1:0", "[::]:0", "127.0.0.1", "", "127.0.0.1.example.com:0"} {
		if stop, err := NewRun("1", false).Serve(address); err == nil {
			stop()
			t.Errorf("%q was taken", address)
		}
	}
	r := NewRun("1", false)
	l := listen(t)
	stop := r.serve(l)
	get := func(path, host string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+l.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			req.Host = host
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	for _, c := range []struct {
		path, host string
		code       int
	}{{"/metrics", "", 200}, {"/metrics", "localhost:9464", 200}, {"/metrics", "localhost", 200}, {"/metrics", "[::1]", 200}, {"/", "", 404}, {"/metrics", "evil.example.com", 403}} {
		code, body := get(c.path, c.host)
		if code != c.code || (code == 200) != strings.Contains(body, "\nmailhaul_api_calls_total 0\n") {
			t.Errorf("%s of %q: %d %.300s", c.path, c.host, code, body)
		}
	}
	stop()
	if _, err := http.Get("http://" + l.Addr().String() + "/metrics"); err == nil {
		t.Error("it is served after the end")
	}
}

func TestTheDocumentationHasEveryMetric(t *testing.T) {
	page, err := os.ReadFile("../../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	descs := make(chan *prometheus.Desc, 100)
	NewRun("1", true).Describe(descs)
	close(descs)
	if len(descs) < 10 {
		t.Errorf("only %d metrics", len(descs))
	}
	for d := range descs {
		name := strings.Split(d.String(), `"`)[1]
		kind := "gauge"
		if strings.HasSuffix(name, "_total") {
			kind = "counter"
		}
		if !strings.Contains(string(page), "\n| `"+name+"` | "+kind+" |") {
			t.Errorf("%s, a %s, has no row", name, kind)
		}
	}
}

func TestAPortThatIsTakenIsAnError(t *testing.T) {
	l := listen(t)
	defer l.Close()
	if _, err := NewRun("1", false).Serve(l.Addr().String()); err == nil || !strings.Contains(err.Error(), "metrics: ") {
		t.Error(err)
	}
}
