package main

import (
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/targets/gmail"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

func near(got, want, share float64) bool { return math.Abs(got-want) <= share*want }

func TestCallsHaveAMedianAndASpread(t *testing.T) {
	for _, median := range []time.Duration{200 * time.Microsecond, 170 * time.Millisecond, 9 * time.Second} {
		random := rand.New(rand.NewPCG(1, 1))
		var l logarithms
		for range 20_000 {
			l.add(median.Seconds() * math.Exp(0.4*random.NormFloat64()))
		}
		if got := l.times(); got.Calls != 20_000 || !near(got.Median.Seconds(), median.Seconds(), 0.02) || !near(got.Sigma, 0.4, 0.03) {
			t.Errorf("%v: %+v", median, got)
		}
	}
	var l logarithms
	if got := l.times(); got != (times{}) {
		t.Errorf("without calls: %+v", got)
	}
	l.add(0.5)
	if got := l.times(); got.Calls != 1 || !near(got.Median.Seconds(), 0.5, 0.03) || got.Sigma != 0 {
		t.Errorf("with one call: %+v", got)
	}
	for _, odd := range []float64{-1, 0, 1e-9, 1e9, math.Inf(1)} {
		l.add(odd) // counts as the shortest or the longest
	}
	if l.each[0] != 3 || l.each[len(l.each)-1] != 2 {
		t.Errorf("%v", l.each)
	}
}

// A slow transport reads what it is sent, and answers after some time.
type slow struct {
	takes  time.Duration
	status int
	err    error
}

func (s slow) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		io.Copy(io.Discard, req.Body)
	}
	time.Sleep(s.takes)
	if s.err != nil {
		return nil, s.err
	}
	return &http.Response{StatusCode: s.status, Body: http.NoBody}, nil
}

// call makes a call that carries so many octets, and says so unless it is to be
// sent in chunks.
func call(t *testing.T, w *stopwatch, base slow, method, path, kind string, octets int, chunked bool) {
	t.Helper()
	var body io.Reader
	if octets > 0 {
		body = strings.NewReader(strings.Repeat("x", octets))
	}
	req, err := http.NewRequest(method, "https://example.com"+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if req.Header.Set("Content-Type", kind); chunked {
		req.ContentLength = -1
	}
	before := req.Body
	if _, err := w.wrap(base).RoundTrip(req); err != base.err {
		t.Error(err)
	}
	if req.Body != before {
		t.Error("the request was changed")
	}
}

func TestAStopwatchTellsAnswersFromImports(t *testing.T) {
	for _, c := range []struct {
		method, path, kind string
		octets             int
		chunked            bool
		answers, imports   int64
	}{
		{"GET", "/gmail/v1/users/ann@example.org/profile", "", 0, false, 1, 0},
		{"POST", "/gmail/v1/users/ann@example.org/messages/1/modify", "application/json", 40, false, 1, 0},
		{"POST", "/upload/gmail/v1/users/ann@example.org/messages/import", "multipart/related", 5000, true, 0, 1},
		{"POST", "/upload/gmail/v1/users/ann@example.org/messages/import", "application/json", 40, false, 1, 0}, // opens a resumable upload
		{"POST", "/upload/gmail/v1/users/ann@example.org/messages/import", "message/rfc822", 0, false, 1, 0},    // asks how far it is
		{"POST", "/upload/gmail/v1/users/ann@example.org/messages/import", "message/rfc822", 99_999, false, 0, 1},
		{"POST", "/upload/gmail/v1/users/ann@example.org/messages/import", "message/rfc822", 100_000, false, 0, 0}, // neither small nor large
		{"POST", "/beta/users/ann@example.org/mailFolders/1/importMime", "text/plain", 133_000, false, 0, 1},       // in base64
		{"POST", "/beta/users/ann@example.org/mailFolders/1/importMime", "text/plain", 134_000, false, 0, 0},
		{"POST", "/v1.0/users/ann@example.org/mailFolders/1/messages", "application/json", 99_000, false, 0, 1},
		{"GET", "/v1.0/users/ann@example.org/mailFolders/1/messages", "", 0, false, 1, 0},
		{"PATCH", "/v1.0/users/ann@example.org/messages/1", "application/json", 300, false, 1, 0},
		{"POST", "/v1.0/users/ann@example.org/messages/1/attachments", "application/json", 50_000, false, 0, 0}, // a part of a message
		{"POST", "/v1.0/users/ann@example.org/messages/1/attachments", "application/json", 50_000, true, 0, 0},
		{"PUT", "/upload/1", "application/octet-stream", 50_000, false, 0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := new(stopwatch)
			call(t, w, slow{time.Second, 200, nil}, c.method, c.path, c.kind, c.octets, c.chunked)
			got := w.measured()
			if got.Answers.Calls != c.answers || got.Imports.Calls != c.imports {
				t.Errorf("%s %s of %d octets: %+v", c.method, c.path, c.octets, got)
			}
			if took := max(got.Answers.Median, got.Imports.Median); c.answers+c.imports > 0 && !near(took.Seconds(), 1, 0.03) {
				t.Errorf("%s %s took %v", c.method, c.path, took)
			}
			for _, failing := range []slow{{time.Second, 429, nil}, {time.Second, 500, nil}, {time.Second, 308, nil}, {time.Second, 0, errors.New("cut off")}} {
				call(t, w, failing, c.method, c.path, c.kind, c.octets, c.chunked)
			}
			if again := w.measured(); again != got {
				t.Errorf("%s %s: calls that failed count: %+v", c.method, c.path, again)
			}
		})
	}
}

func TestLargeMessagesTellHowFastOctetsGo(t *testing.T) {
	const path, rate = "/upload/gmail/v1/users/ann@example.org/messages/import", 2_000_000
	for large, want := range map[int]int64{19: 4_000_000, 20: rate} {
		synctest.Test(t, func(t *testing.T) {
			w := new(stopwatch)
			send := func(n, octets int, takes time.Duration) {
				for range n {
					call(t, w, slow{takes, 200, nil}, "POST", path, "message/rfc822", octets, false)
				}
			}
			send(30, 3_000_000, time.Hour) // nobody knows how much of it is for the size
			send(25, 50_000, time.Second)
			send(25, 500_000, time.Minute) // neither small nor large
			send(large, 3_000_000, time.Second+3_000_000*time.Second/rate)
			if got := w.measured(); !near(float64(got.completed("gmail").rate()), float64(want), 0.05) || got.Imports.Calls != 25 || !near(got.Imports.Median.Seconds(), 1, 0.03) {
				t.Errorf("%d large ones: %+v", large, got)
			}
		})
	}
}

func TestAStopwatchIsUsedByManyAndByNone(t *testing.T) {
	var none *stopwatch
	if none.opens(time.Second); none.measured() != (measured{}) || none.wrap(slow{}) != (slow{}) {
		t.Error("none measures something")
	}
	w := new(stopwatch)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				w.answer(time.Second)
				w.carried(time.Second, 5)
				w.opens(time.Second)
				w.measured()
			}
		})
	}
	group.Wait()
	if got := w.measured(); got.Answers.Calls != 800 || got.Imports.Calls != 800 || got.Opens.Calls != 800 || !near(got.Opens.Median.Seconds(), 1, 0.03) {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsMeasuredIsKeptNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(stopwatch)
		var kept []int64
		keep := func(m measured) { kept = append(kept, m.Answers.Calls) }
		w.keeps(keep)
		for range 11 {
			time.Sleep(time.Minute)
			w.answer(time.Second)
			w.keeps(keep) // as another pass does
		}
		if w.end(); len(kept) != 3 || kept[0] != 5 || kept[1] != 10 || kept[2] != 11 {
			t.Errorf("kept after %v calls", kept)
		}
	})
}

// Calls wait for limits, and that is no time of theirs.
func TestWaitingForALimitIsNotMeasured(t *testing.T) {
	for _, kind := range []string{"gmail", "graph"} {
		synctest.Test(t, func(t *testing.T) {
			w := new(stopwatch)
			line := w.wrap(answerer(func() *http.Response {
				time.Sleep(100 * time.Millisecond)
				return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}, "Date": {time.Now().UTC().Format(http.TimeFormat)}},
					Body: io.NopCloser(strings.NewReader(`{"historyId": "5"}`))}
			}))
			limiter := pace.NewLimiter(nil, pace.Limit{Name: "slow", Unit: pace.Requests, Amount: 1, Per: time.Minute})
			var target migrate.Target
			var err error
			if kind == "gmail" {
				target, err = gmail.Open(t.Context(), gmail.Config{User: "me", Endpoint: "http://localhost/", Limiter: limiter, Transport: line, Route: gmail.RouteImport,
					TokenSource: gmail.Static(func() (string, error) { return "test", nil })})
			} else {
				target, err = graph.Open(t.Context(), graph.Config{User: "me", Endpoint: "http://localhost", Limiter: limiter, Transport: line, Route: graph.RouteJSON,
					Token: graph.StaticToken("test")})
			}
			if err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			for range 4 {
				if _, err := target.Position(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if got := w.measured().Answers; got.Calls != 5 || !near(got.Median.Seconds(), 0.1, 0.03) || time.Since(begun) < 3*time.Minute {
				t.Errorf("%s: %+v after %v", kind, got, time.Since(begun))
			}
		})
	}
}

// An answerer is a transport that gives one answer to everything.
type answerer func() *http.Response

func (a answerer) RoundTrip(*http.Request) (*http.Response, error) { return a(), nil }

func TestAMailboxThatIsClosedLeavesNoConnection(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	forGmail, err := gmailsim.New(gmailsim.Options{Tokens: []string{officeToken}})
	if err != nil {
		t.Fatal(err)
	}
	defer forGmail.Close()
	forGraph, err := graphsim.New(graphsim.Options{Tokens: []string{officeToken}})
	if err != nil {
		t.Fatal(err)
	}
	defer forGraph.Close()
	for kind, sim := range map[string]http.Handler{"gmail": forGmail, "graph": forGraph} {
		for _, refused := range []bool{false, true} {
			var open sync.WaitGroup
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if refused {
					w.WriteHeader(http.StatusForbidden)
					return
				}
				sim.ServeHTTP(w, r)
			}))
			server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
				switch s {
				case http.StateNew:
					open.Add(1)
				case http.StateClosed:
					open.Done()
				}
			}
			server.Start()
			defer server.Close()
			c, ms, err := loadMigration(o.migration(t, kind, server.URL, "", "", "ann"))
			if err != nil {
				t.Fatal(err)
			}
			k, err := newConnections(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			for name, open := range map[string]func() (io.Closer, error){
				"target": func() (io.Closer, error) { return k.target(ms[0], nil)(t.Context()) },
				"reader": func() (io.Closer, error) {
					r, err := k.reader(ms[0], nil)(t.Context())
					return r.(io.Closer), err
				},
			} {
				target, err := open()
				if (err != nil) != refused {
					t.Fatalf("%s, %s: %v", kind, name, err)
				}
				if err == nil {
					target.Close()
				}
			}
			closed := make(chan struct{})
			go func() { open.Wait(); close(closed) }()
			select {
			case <-closed:
			case <-time.After(20 * time.Second):
				t.Errorf("%s, refused %v: connections stay open", kind, refused)
			}
		}
	}
}
