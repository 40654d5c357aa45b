package graphsim

import (
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func retryAfter(t *testing.T, a answer) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(a.header.Get("Retry-After"), 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func limitedBy(t *testing.T, a answer, limit string) {
	t.Helper()
	if m := str(a.json["error"].(map[string]any)["message"]); m != "Application is over its "+limit+" limit." {
		t.Errorf("the message is %q", m)
	}
}

func TestRequestsAreLimitedPerAppAndMailbox(t *testing.T) {
	clock := newClock()
	c := newClient(t, Options{Now: clock.Now, Quota: Quota{Requests: 3, Per: 10 * time.Second}, Tokens: []string{"test", "other"}})
	for range 3 {
		c.want(200, "GET", "/mailFolders", nil)
		clock.add(2 * time.Second)
	}
	a := c.refused(429, "ApplicationThrottled", "GET", "/mailFolders", nil)
	limitedBy(t, a, "RequestRate")
	// At 0, 2, 4 and, throttled, 6: two of them must leave.
	if got := retryAfter(t, a); got != 6 {
		t.Errorf("Retry-After is %v, want 6", got)
	}
	other := *c
	other.user = "bo@contoso.com"
	other.want(200, "GET", "/mailFolders", nil)
	clock.add(6 * time.Second)
	c.want(200, "GET", "/mailFolders", nil)
	if c.sim.Fired()["throttled:RequestRate"] != 1 {
		t.Errorf("counted %v", c.sim.Fired())
	}
}

func TestRequestsWhileThrottledCount(t *testing.T) {
	clock := newClock()
	c := newClient(t, Options{Now: clock.Now, Quota: Quota{Requests: 1, Per: 10 * time.Second}})
	c.want(200, "GET", "/mailFolders", nil)
	for range 5 {
		clock.add(5 * time.Second)
		c.want(429, "GET", "/mailFolders", nil)
	}
	clock.add(10 * time.Second)
	c.want(200, "GET", "/mailFolders", nil)
}

func TestUploadedBytesAreLimited(t *testing.T) {
	clock := newClock()
	body := b64(sample)
	c := newClient(t, Options{Now: clock.Now, Quota: Quota{Upload: int64(2 * len(body)), UploadPer: time.Minute}})
	c.want(201, "POST", "/messages", body)
	clock.add(10 * time.Second)
	c.want(201, "POST", "/messages", body)
	a := c.want(429, "POST", "/messages", body)
	limitedBy(t, a, "IncomingBytes")
	if got := retryAfter(t, a); got != 50 {
		t.Errorf("Retry-After is %v, want 50", got)
	}
	c.want(200, "GET", "/messages", nil) // reads are spared
	clock.add(50 * time.Second)
	c.want(201, "POST", "/messages", body)
}

func TestUploadURLsDrawOnTheSameQuotaUnlessSwitched(t *testing.T) {
	for apart, status := range map[bool]int{false: 429, true: 200} {
		c := newClient(t, Options{Quota: Quota{Upload: minUpload, UploadURLsApart: apart}})
		id := c.want(201, "POST", "/messages", map[string]any{}).str("id")
		u := c.want(201, "POST", "/messages/"+id+"/attachments/createUploadSession", uploadItem(minUpload)).str("uploadUrl")
		c.want(status, "PUT", u, make([]byte, minUpload-1), "Authorization", "Content-Range: bytes 0-2999998/3000000")
	}
}

func TestRetryAfterComesInSeveralForms(t *testing.T) {
	for form, want := range map[RetryAfter]string{
		WholeSeconds: "600", FractionalSeconds: "599.500", NoRetryAfter: "", RetryAfterDate: "Sat, 21 Nov 2026 12:10:01 GMT",
	} {
		clock := newClock()
		c := newClient(t, Options{Now: clock.Now, Quota: Quota{Requests: 2, RetryAfter: form}})
		c.want(200, "GET", "/mailFolders", nil)
		c.want(200, "GET", "/mailFolders", nil)
		clock.add(500 * time.Millisecond)
		if got := c.want(429, "GET", "/mailFolders", nil).header.Get("Retry-After"); got != want {
			t.Errorf("form %d is %q, want %q", form, got, want)
		}
	}
}

func TestFourCallsRunAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := New(Options{Quota: DocumentedQuota(), Latency: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		var mu sync.Mutex
		count := map[int]int{}
		var wg sync.WaitGroup
		start := time.Now()
		for range 6 {
			wg.Go(func() {
				r := httptest.NewRequest("GET", "/v1.0/users/a@b.c/mailFolders", nil)
				r.Header.Set("Authorization", "Bearer test")
				w := httptest.NewRecorder()
				sim.ServeHTTP(w, r)
				mu.Lock()
				defer mu.Unlock()
				count[w.Code]++
				if w.Code == 429 && (w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), "MailboxConcurrency")) {
					t.Errorf("refused by %v %s", w.Header(), w.Body)
				}
			})
		}
		wg.Wait()
		if count[200] != 4 || count[429] != 2 {
			t.Errorf("answers: %v", count)
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("with a latency of 1 s it took %v", d)
		}
	})
}

func TestMailboxesOfAnAppMayShareTheCallsAtOnce(t *testing.T) {
	for shared, want := range map[bool]int{true: 4, false: 6} {
		synctest.Test(t, func(t *testing.T) {
			sim, err := New(Options{Quota: Quota{Concurrent: 4, ConcurrentPerApp: shared}, Latency: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			defer sim.Close()
			for range 2 { // the second time none of the first still counts
				var served atomic.Int64
				var wg sync.WaitGroup
				for i := range 6 {
					wg.Go(func() {
						r := httptest.NewRequest("GET", "/v1.0/users/"+[]string{"ann", "bob"}[i%2]+"@b.c/mailFolders", nil)
						r.Header.Set("Authorization", "Bearer test")
						w := httptest.NewRecorder()
						if sim.ServeHTTP(w, r); w.Code == 200 {
							served.Add(1)
						}
					})
				}
				wg.Wait()
				if n := int(served.Load()); n != want {
					t.Errorf("shared %v: %d calls of two mailboxes ran at once, want %d", shared, n, want)
				}
			}
		})
	}
}
