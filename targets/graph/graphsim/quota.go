package graphsim

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A quotaKey names what a quota counts for.
type quotaKey struct {
	app, user string
	uploads   bool // upload URLs apart
}

// A ledger is what one app did to one mailbox lately.
type ledger struct {
	mu       sync.Mutex
	running  atomic.Int64
	requests window
	uploads  window
}

// A window sums up what happened in the last stretch of time.
type window struct {
	events []event // oldest first
	sum    int64
}

type event struct {
	at time.Time
	n  int64
}

// most bounds the memory of a window: further events join the last one.
const most = 100_000

// drop forgets what happened per ago or before.
func (w *window) drop(now time.Time, per time.Duration) {
	i := 0
	for i < len(w.events) && now.Sub(w.events[i].at) >= per {
		w.sum -= w.events[i].n
		i++
	}
	w.events = w.events[i:]
}

func (w *window) add(now time.Time, n int64) {
	w.sum += n
	if k := len(w.events); k >= most {
		w.events[k-1].at, w.events[k-1].n = now, w.events[k-1].n+n
		return
	}
	w.events = append(w.events, event{now, n})
}

// until returns how long it takes until the sum has fallen to room.
func (w *window) until(now time.Time, per time.Duration, room int64) time.Duration {
	sum := w.sum
	for _, e := range w.events {
		sum -= e.n
		if sum <= room {
			return e.at.Add(per).Sub(now)
		}
	}
	return per
}

// admit counts a call and lets it run, or refuses it with 429. done ends it.
func (s *Server) admit(key quotaKey, r *http.Request) (done func(), err error) {
	q := s.opt.Quota
	if q.Requests == 0 && q.Concurrent == 0 && q.Upload == 0 {
		return func() {}, nil
	}
	key.uploads = key.uploads && q.UploadURLsApart
	l := s.ledger(key)
	calls := &l.running
	if q.ConcurrentPerApp {
		calls = &s.ledger(quotaKey{app: key.app}).running
	}

	now := s.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests.drop(now, q.Per)
	l.uploads.drop(now, q.UploadPer)

	// Requests made while throttled still count.
	l.requests.add(now, 1)
	if n := int64(q.Requests); n > 0 && l.requests.sum > n {
		return nil, s.throttled("RequestRate", l.requests.until(now, q.Per, n-1))
	}
	if n := calls.Add(1); q.Concurrent > 0 && n > int64(q.Concurrent) {
		calls.Add(-1)
		return nil, s.throttled("MailboxConcurrency", time.Second)
	}
	var size int64
	if r.Method == http.MethodPost || r.Method == http.MethodPatch || r.Method == http.MethodPut {
		size = max(r.ContentLength, 0)
	}
	if q.Upload > 0 && size > 0 && l.uploads.sum > 0 && l.uploads.sum+size > q.Upload {
		calls.Add(-1)
		return nil, s.throttled("IncomingBytes", l.uploads.until(now, q.UploadPer, q.Upload-size))
	}
	if size > 0 {
		l.uploads.add(now, size)
	}
	return func() { calls.Add(-1) }, nil
}

func (s *Server) ledger(key quotaKey) *ledger {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.ledgers[key]
	if l == nil {
		l = new(ledger)
		s.ledgers[key] = l
	}
	return l
}

// throttled is Outlook's own form of 429 (section 8).
func (s *Server) throttled(limit string, wait time.Duration) *apiError {
	s.faults.mu.Lock()
	s.faults.fired["throttled:"+limit]++
	s.faults.mu.Unlock()
	e := refuse(429, "ApplicationThrottled", "Application is over its %s limit.", limit)
	switch s.opt.Quota.RetryAfter {
	case WholeSeconds:
		e.retryAfter = strconv.FormatFloat(math.Ceil(wait.Seconds()), 'f', 0, 64)
	case FractionalSeconds:
		e.retryAfter = fmt.Sprintf("%.3f", math.Ceil(wait.Seconds()*1000)/1000)
	case RetryAfterDate:
		e.retryAfter = s.now().Add(wait + time.Second).UTC().Format(http.TimeFormat)
	}
	return e
}
