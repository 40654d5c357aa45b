package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/microsoft/kiota-abstractions-go/authentication"
	jsonserialization "github.com/microsoft/kiota-serialization-json-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
)

// client makes every call to Graph: the SDK's, whose transport it is, and our
// own. It waits for the limiter, adds headers and the token, and turns answers
// that are errors into classified errors, so that both kinds of callers get
// the same. The SDK's own middleware, with its retries, is not used.
type client struct {
	base     http.RoundTripper
	idle     func() // closes idle connections of our own transport
	endpoint *url.URL
	token    Token
	limiter  *pace.Limiter
	gate     *pace.Gate
}

// callTimeout bounds one call with its answer, but for the time it waits for
// the limiter. It is for servers that fall silent, not for slow lines.
const callTimeout = 15 * time.Minute

// NewTransport returns a transport as Open makes one, for callers who wrap it.
// It keeps as many connections as there are calls at once.
func NewTransport(parallel int) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = parallel
	return t
}

func newClient(endpoint *url.URL, cfg Config) *client {
	base, idle := cfg.Transport, func() {}
	if base == nil {
		own := NewTransport(cfg.Parallel)
		base, idle = own, own.CloseIdleConnections
	}
	return &client{base, idle, endpoint, cfg.Token, cfg.Limiter, pace.NewGate(cfg.Parallel, cfg.Parallel)}
}

// builder returns the SDK's view of the user, on this client.
func (c *client) builder(user string) (*users.UserItemRequestBuilder, error) {
	httpClient := &http.Client{Transport: c, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	adapter, err := core.NewGraphRequestAdapterBaseWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		&authentication.AnonymousAuthenticationProvider{}, core.GraphClientOptions{},
		jsonserialization.NewJsonParseNodeFactory(), jsonserialization.NewJsonSerializationWriterFactory(), httpClient)
	if err != nil {
		return nil, err
	}
	base := c.endpoint.String() + "/v1.0"
	adapter.SetBaseUrl(base)
	return users.NewUserItemRequestBuilderInternal(map[string]string{"baseurl": base, "user%2Did": user}, adapter), nil
}

// RoundTrip serves the SDK.
func (c *client) RoundTrip(req *http.Request) (*http.Response, error) {
	// The SDK sends JSON in chunks, which Outlook's end points may refuse with
	// 411, and gives no way to send it again.
	if req.Body != nil && req.GetBody == nil {
		data, err := io.ReadAll(req.Body)
		req.Body.Close()
		if err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.ContentLength = int64(len(data))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	}
	return c.send(req, true)
}

// send makes one call. Its errors are classified. bearer is false for the URLs
// of upload sessions, which carry their own authorisation.
func (c *client) send(req *http.Request, bearer bool) (*http.Response, error) {
	resp, leave, err := c.enter(req, bearer)
	if err != nil {
		return nil, err
	}
	leave()
	return resp, nil
}

// enter is send for a call that is under way until leave is called, as one is
// whose answer is long.
func (c *client) enter(req *http.Request, bearer bool) (resp *http.Response, leave func(), err error) {
	if bearer && (req.URL.Host != c.endpoint.Host || req.URL.Scheme != c.endpoint.Scheme) {
		return nil, nil, &migrate.Error{Op: "call", Class: migrate.Fatal, Refused: true, Err: fmt.Errorf("the server sent us to %s, which must not see the token", req.URL.Host),
			Hint: "If a proxy stands between, it must rewrite the links in Graph's answers."}
	}
	width, err := c.gate.Enter(req.Context())
	if err != nil {
		return nil, nil, unsent(err)
	}
	if resp, err = c.answer(req, bearer); err != nil {
		c.gate.Leave(width, tooMany(err))
		return nil, nil, err
	}
	return resp, func() { c.gate.Leave(width, false) }, nil
}

// answer sends the request, once more with a new token if its token is refused.
func (c *client) answer(req *http.Request, bearer bool) (*http.Response, error) {
	refusedToken := ""
	for {
		resp, token, err := c.try(req, bearer, refusedToken)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode < 300 {
			return resp, nil
		}
		e := answered(resp, time.Now())
		resp.Body.Close()
		if e.Hint == hintAccess {
			e.Hint = accessHint(req.URL.Path, token)
		}
		if resp.StatusCode == http.StatusUnauthorized && bearer && refusedToken == "" {
			refusedToken = token
			continue
		}
		if e.Delay > 0 {
			c.limiter.Park(time.Now().Add(e.Delay), fmt.Sprintf("Microsoft 365 asked to wait (%d)", resp.StatusCode))
		}
		return nil, e
	}
}

// try sends the request once, and returns the token it used.
func (c *client) try(req *http.Request, bearer bool, refusedToken string) (*http.Response, string, error) {
	ctx := req.Context()
	if err := c.limiter.Wait(ctx, pace.Cost{pace.Requests: 1, pace.Bytes: max(req.ContentLength, 0)}); err != nil {
		return nil, "", unsent(err)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	r := req.Clone(ctx)
	token := ""
	if bearer {
		var err error
		if token, err = c.currentToken(ctx, refusedToken); err != nil {
			cancel()
			return nil, "", unsent(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Add("Prefer", `IdType="ImmutableId"`)
	}
	r.Header.Set("client-request-id", uuid.NewString())
	if req.GetBody != nil {
		var err error
		if r.Body, err = req.GetBody(); err != nil {
			cancel()
			return nil, "", unsent(err)
		}
	}
	resp, err := c.base.RoundTrip(r)
	if err != nil {
		cancel()
		if req.Context().Err() != nil {
			err = req.Context().Err()
		}
		return nil, "", unanswered(err)
	}
	if strings.Contains(resp.Header.Get("Content-Type"), "json") {
		resp.Body = &bounded{resp.Body, answerLimit, cancel}
	} else {
		resp.Body = &bounded{resp.Body, 2 * MaxMessageSize, cancel}
	}
	return resp, token, nil
}

// tooMany says whether Outlook served no call more because others were running.
// The code is that of every refusal for a limit.
func tooMany(err error) bool {
	return strings.Contains(refused(err).message, "MailboxConcurrency")
}

// unsent is the error of a call that never left.
func unsent(err error) error {
	if e, ok := errors.AsType[*migrate.Error](err); ok {
		return e
	}
	return &migrate.Error{Op: "call", Class: migrate.Transient, Refused: true, Err: err}
}

// currentToken returns the token in use, or a new one if it was refused.
func (c *client) currentToken(ctx context.Context, refusedToken string) (string, error) {
	token, err := c.token(ctx, refusedToken)
	if err != nil {
		return "", err
	}
	if refusedToken != "" && token == refusedToken {
		return "", &migrate.Error{Op: "call", Class: migrate.Fatal, Refused: true, Err: errors.New("the token was refused twice"), Hint: hintToken}
	}
	return token, nil
}

var errTooLong = errors.New("the answer is too long")

// bounded is the body of an answer.
type bounded struct {
	io.ReadCloser
	left   int64
	cancel func()
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

func (b *bounded) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// asking returns a GET. A link is a path that starts with the version, or a URL
// that Graph gave.
func (c *client) asking(ctx context.Context, link string) (*http.Request, error) {
	if strings.HasPrefix(link, "/") {
		link = c.endpoint.String() + link
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		err = unsent(errors.New("the server gave no usable link"))
	}
	return req, err
}

func (c *client) get(ctx context.Context, link string) (*http.Response, error) {
	req, err := c.asking(ctx, link)
	if err != nil {
		return nil, err
	}
	return c.send(req, true)
}

// read makes a GET and decodes the JSON answer into out.
func (c *client) read(ctx context.Context, link string, out any) error {
	resp, err := c.get(ctx, link)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return decode(resp, out)
}

// post makes a POST and decodes the JSON answer into out, unless that is nil.
// A lost or broken answer is an error without Refused.
func (c *client) post(ctx context.Context, path, contentType string, body payload, out any) error {
	req, err := body.request(ctx, http.MethodPost, c.endpoint.String()+path, contentType)
	if err != nil {
		return err
	}
	resp, err := c.send(req, true)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		return nil
	}
	return decode(resp, out)
}

func decode(resp *http.Response, out any) error {
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return &migrate.Error{Op: "call", Class: migrate.Transient, Err: fmt.Errorf("broken answer: %w", err)}
	}
	return nil
}
