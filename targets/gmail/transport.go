package gmail

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/api/googleapi"
)

const (
	maxAnswer = 16 << 20 // octets of an answer that is decoded at once
	maxRefuse = 64 << 10 // octets of an error that are read
	// Octets of an answer that holds a whole message: base64 of the largest,
	// and what Gmail adds.
	maxRaw = MaxMessageSize/3*4 + 16<<20
)

// newTransport returns a transport that keeps as many connections as there
// are calls at once.
func newTransport(parallel int) *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   parallel,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: 5 * time.Minute,
		WriteBufferSize:       32 << 10,
	}
}

// client returns a client that follows no redirects, which the API does not use.
func client(t *transport) *http.Client {
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

// A transport adds the token to requests, to its own host only: the URI of a
// resumable upload is the server's choice. It bounds what answers may hold.
type transport struct {
	base   http.RoundTripper
	tokens *tokens
	origin *url.URL // where tokens may go
	limit  int64
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := t.send(req)
	if !isChunk(req) {
		return res, err
	}
	return noRetry(req, res, err)
}

func (t *transport) send(req *http.Request) (*http.Response, error) {
	token := ""
	if req.URL.Scheme == t.origin.Scheme && req.URL.Host == t.origin.Host {
		var err error
		if token, err = t.tokens.get(req.Context()); err != nil {
			if req.Body != nil {
				req.Body.Close()
			}
			return nil, err
		}
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode < 300 {
		if token != "" {
			t.tokens.answered(token, false)
		}
		res.Body = &bounded{res.Body, t.limit}
		return res, nil
	}
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxRefuse))
	res.Body.Close()
	if token != "" {
		// A proxy may echo what it was sent.
		body = bytes.ReplaceAll(body, []byte(token), []byte("[token]"))
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	if res.StatusCode == http.StatusUnauthorized {
		return nil, &refusedToken{
			err:   googleapi.CheckResponse(res),
			final: token == "" || t.tokens.answered(token, true),
		}
	}
	return res, nil
}

// refusedToken is Gmail's 401. The first one may mean no more than that the
// token has expired; after a final one no token will do.
type refusedToken struct {
	err   error
	final bool
}

func (e *refusedToken) Error() string { return e.err.Error() }

// bounded fails when more than n octets are read.
type bounded struct {
	io.ReadCloser
	n int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.n -= int64(n); b.n < 0 {
		return 0, errors.New("answer is longer than any that Gmail should give")
	}
	return n, err
}

// isChunk says whether req carries a chunk of a resumable upload.
func isChunk(req *http.Request) bool { return req.Header.Get("X-GUploader-No-308") != "" }

// noRetry makes what went wrong with a chunk an error that the client library
// does not repeat the request for.
//
// QUIRK: the library repeats a chunk after 5xx, 429, 408 and resets, for 32
// seconds and whatever Retry-After says, and cannot be told not to. It also
// ignores how much the server kept, so that a short chunk leaves a hole.
func noRetry(req *http.Request, res *http.Response, err error) (*http.Response, error) {
	if err == nil {
		err = googleapi.CheckResponse(res)
	}
	if err == nil && res.Header.Get("X-HTTP-Status-Code-Override") == "308" && !keptAll(req, res) {
		res.Body.Close()
		err = errShortChunk
	}
	if err != nil {
		return nil, &chunkError{err}
	}
	return res, nil
}

var errShortChunk = errors.New("a part of a chunk was kept only, so the upload cannot go on")

// keptAll compares the Content-Range that was sent, "bytes 0-99/*", with the
// Range that was kept, "bytes=0-99".
func keptAll(req *http.Request, res *http.Response) bool {
	_, sent, _ := strings.Cut(req.Header.Get("Content-Range"), "-")
	sent, _, _ = strings.Cut(sent, "/")
	_, kept, _ := strings.Cut(res.Header.Get("Range"), "-")
	return sent == kept
}

// chunkError hides err from the library, which looks at texts and at what
// errors unwrap to; errors.As finds err all the same.
type chunkError struct{ err error }

func (e *chunkError) Error() string      { return "chunk was not taken" }
func (e *chunkError) As(target any) bool { return errors.As(e.err, target) }
