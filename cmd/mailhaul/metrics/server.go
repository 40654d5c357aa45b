package metrics

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Serve answers http://ADDRESS/metrics until the function that it returns is
// called, and has the Run look now and then. The address must be on this
// machine: what it shows is nobody else's business, and there is no login.
func (r *Run) Serve(address string) (stop func(), err error) {
	if err := CheckAddress(address); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return r.serve(l), nil
}

func (r *Run) serve(l net.Listener) (stop func()) {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(r, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	server := &http.Server{Handler: local(mux), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, WriteTimeout: 30 * time.Second}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { server.Serve(l) })
	wg.Go(func() { r.sample(ctx) })
	return func() {
		cancel()
		server.Close()
		wg.Wait()
	}
}

func (r *Run) sample(ctx context.Context) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			r.mu.Lock()
			r.look(now)
			r.mu.Unlock()
		case <-ctx.Done():
			return
		}
	}
}

// local turns away requests by another name than this machine's, by which a
// page in a browser could read what is served here.
func local(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !loopback(strings.Trim(host, "[]")) {
			http.Error(w, "ask for it by an address of this machine, as in http://127.0.0.1", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// CheckAddress returns an error unless an address is a port of this machine.
func CheckAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || !loopback(host) {
		return fmt.Errorf("%q is not an address on this machine", address)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q has no port in numbers", address)
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
