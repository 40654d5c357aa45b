package main

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A line serves a simulator over HTTP on pipes, which a synctest bubble can
// wait for, as it could not for sockets. Calls and answers take a while on
// their way, each a different one, so that they also arrive out of step with
// the limits.
type line struct {
	sim    http.Handler
	travel time.Duration // the longest, one way; the mean is half of it
	upload time.Duration // of a message to Gmail, besides
	conns  chan net.Conn
	closed chan struct{}
	server http.Server
	served sync.WaitGroup

	mu      sync.Mutex
	random  *rand.Rand
	calls   int
	busy    time.Duration // of all calls together
	refused map[int]int   // answers that say that a limit was exceeded, by status
}

func newLine(sim http.Handler, travel, upload time.Duration) *line {
	l := &line{sim: sim, travel: travel, upload: upload, conns: make(chan net.Conn), closed: make(chan struct{}),
		random: rand.New(rand.NewPCG(1, 1)), refused: map[int]int{}}
	l.server.Handler = http.HandlerFunc(l.serve)
	go l.server.Serve(l)
	return l
}

// transport returns what carries requests to the simulator, whatever their
// host, and keeps as many connections as are used at once.
func (l *line) transport() *http.Transport {
	return &http.Transport{MaxIdleConnsPerHost: 1 << 20, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		near, far := net.Pipe()
		select {
		case l.conns <- far:
			return near, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
}

func (l *line) serve(w http.ResponseWriter, r *http.Request) {
	l.served.Add(1)
	defer l.served.Done()
	begun := time.Now()
	there, back := l.delay(), l.delay()
	if strings.Contains(r.URL.Path, "/upload/") {
		there += l.upload
	}
	time.Sleep(there)
	a := &answer{w, http.StatusOK}
	l.sim.ServeHTTP(a, r)
	time.Sleep(back)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	l.busy += time.Since(begun)
	if a.code == http.StatusForbidden || a.code == http.StatusTooManyRequests {
		l.refused[a.code]++
	}
}

// mean returns how long a call takes.
func (l *line) mean() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.busy / time.Duration(l.calls)
}

func (l *line) delay() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Duration(l.random.Int64N(int64(l.travel) + 1))
}

// Accept, Close and Addr make it a net.Listener.
func (l *line) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *line) Close() error {
	close(l.closed)
	return nil
}

func (l *line) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// An answer notes its status.
type answer struct {
	http.ResponseWriter
	code int
}

func (a *answer) WriteHeader(code int) {
	a.code = code
	a.ResponseWriter.WriteHeader(code)
}
