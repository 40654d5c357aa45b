package main

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Octets of messages that take no time for their size, and of those that do.
// What is between them tells neither time well.
const (
	smallMessage = 100_000
	largeMessage = 1_000_000
)

// A stopwatch measures calls of any number of mailboxes, in little memory. A nil
// one measures nothing.
type stopwatch struct {
	mu                              sync.Mutex
	answers, imports, large, opened logarithms

	keep func(measured) // what was measured so far; nil if nobody does
	kept time.Time
}

// measured returns what was measured so far.
func (w *stopwatch) measured() measured {
	if w == nil {
		return measured{}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return measured{Answers: w.answers.times(), Imports: w.imports.times(), Large: w.large.times(), Opens: w.opened.times()}
}

// keepEvery is how much of what was measured may be lost.
const keepEvery = 5 * time.Minute

// keeps lets keep have what was measured so far, after a call each few minutes.
func (w *stopwatch) keeps(keep func(measured)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.keep = keep; w.kept.IsZero() {
		w.kept = time.Now()
	}
}

// end lets what was measured be kept at last.
func (w *stopwatch) end() { w.keep(w.measured()) }

// note notes a call of some kind.
func (w *stopwatch) note(call func()) {
	w.mu.Lock()
	call()
	due := w.keep != nil && time.Since(w.kept) >= keepEvery
	if due {
		w.kept = time.Now()
	}
	keep := w.keep
	w.mu.Unlock()
	if due {
		keep(w.measured())
	}
}

// answer notes a call that carried no message.
func (w *stopwatch) answer(took time.Duration) {
	w.note(func() { w.answers.add(took.Seconds()) })
}

// carried notes a call that carried a message. Of a large one counts what it
// takes longer than small ones do.
func (w *stopwatch) carried(took time.Duration, octets float64) {
	w.note(func() {
		switch {
		case octets < smallMessage:
			w.imports.add(took.Seconds())
		case octets >= largeMessage && w.imports.n >= fewCalls:
			w.large.add((took.Seconds() - w.imports.median()) * 1e6 / octets)
		}
	})
}

// opens notes how long it took to open a mailbox of the source.
func (w *stopwatch) opens(took time.Duration) {
	if w != nil {
		w.note(func() { w.opened.add(took.Seconds()) })
	}
}

// wrap returns base with its calls measured, from the request to the header of
// the answer: how fast the rest of it comes is up to whoever reads it. Time spent
// waiting for limits, for tokens, and before another try is not in it. Calls that
// fail do not count, nor do those that carry parts of a message.
func (w *stopwatch) wrap(base http.RoundTripper) http.RoundTripper {
	if w == nil {
		return base
	}
	return &timed{base, w}
}

type timed struct {
	base http.RoundTripper
	*stopwatch
}

func (t *timed) RoundTrip(req *http.Request) (*http.Response, error) {
	share := mailIn(req)
	var body *counted
	if share > 0 {
		body = &counted{ReadCloser: req.Body}
		req = req.WithContext(req.Context())
		req.Body = body
	}
	begun := time.Now()
	res, err := t.base.RoundTrip(req)
	switch took := time.Since(begun); {
	case err != nil || res.StatusCode/100 != 2:
	case body != nil:
		t.carried(took, share*float64(body.n.Load()))
	case 0 <= req.ContentLength && req.ContentLength <= bareRequest:
		t.answer(took)
	}
	return res, err
}

// bareRequest is more than a request has that carries nothing of a message.
const bareRequest = 16 << 10

// mailIn returns how many octets of a message there are to an octet of the
// request, 0 if it carries none.
func mailIn(req *http.Request) float64 {
	path := req.URL.Path
	switch {
	case req.Body == nil || req.Body == http.NoBody || req.Method != http.MethodPost:
	case strings.HasPrefix(path, "/upload/") && req.Header.Get("Content-Type") != "application/json": // which opens a resumable upload
		return 1
	case strings.HasSuffix(path, "/importMime"):
		return 3.0 / 4 // it is in base64
	case strings.HasSuffix(path, "/messages") && strings.Contains(path, "/mailFolders/"):
		return 1
	}
	return 0
}

// counted is the body of a request.
type counted struct {
	io.ReadCloser
	n atomic.Int64 // octets; whoever sends them may still be at it when the answer is there
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n.Add(int64(n))
	return n, err
}
