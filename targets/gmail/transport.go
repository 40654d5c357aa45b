package gmail

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
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

// NewTransport returns a transport as Open makes one, for callers who wrap it.
// It keeps as many connections as there are calls at once.
func NewTransport(parallel int) *http.Transport {
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
