package notify

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/mailhaul/mailhaul/migrate/privacy"
)

// A pipes is a listener for connections in memory, which a synctest bubble can
// wait for, as it could not for sockets.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// serve answers HTTP on pipes until the test ends, and returns the way there.
func serve(t *testing.T, handler http.HandlerFunc) http.RoundTripper {
	p := newPipes()
	server := http.Server{Handler: handler}
	var served sync.WaitGroup
	served.Go(func() { server.Serve(p) })
	t.Cleanup(func() {
		server.Close()
		served.Wait()
	})
	return &http.Transport{DialContext: p.Dial, DisableKeepAlives: true}
}

// is returns a secret of a test.
func is(s string) Secret { return func(context.Context) (string, error) { return s, nil } }

// reports collects what an outbox or pings report.
type reports struct {
	mu  sync.Mutex
	all []string
}

func (r *reports) add(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, err.Error())
}

func (r *reports) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all
}

var full = privacy.Policy{Level: privacy.Full}
