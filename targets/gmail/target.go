// Package gmail writes one mailbox of Google Workspace through the Gmail API.
//
// Folders become labels, messages go in with users.messages.import, or insert
// where a probe shows that import takes different messages for one, and a
// write in doubt is looked up by Message-ID, by the mailbox's history and at
// last by its content. The package never retries: it classifies, and parks the
// mailbox's limiter when Gmail says to wait.
//
// Limits: Gmail prepends header fields to what it stores and takes the date of
// a message from its Date header only. What is said here about Gmail comes
// from its documentation and from public reports, not from a live tenant.
package gmail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/oauth2"
	api "google.golang.org/api/gmail/v1"
	"google.golang.org/api/option"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
)

// MaxMessageSize is the size limit of users.messages.import and insert in
// octets (discovery document, revision 20261005).
const MaxMessageSize = 157_286_400

// MaxDraftSize is that of users.drafts.create.
const MaxDraftSize = 36_700_160

// firstParallel is how many calls run at once before Gmail has shown that it
// bears more. Its own bound on a mailbox is not published.
const firstParallel = 4

// A Config says which mailbox to write, and how. Zero values have defaults
// except for User and TokenSource.
type Config struct {
	User     string // address of the mailbox, the one the tokens are for; or "me"
	Endpoint string // https://gmail.googleapis.com/; plain HTTP only on loopback

	// TokenSource is asked for a token when there is none, when the last one
	// is about to expire and when Gmail refused it. It should not cache: a
	// source that gives a refused token again stops the mailbox.
	TokenSource oauth2.TokenSource

	Route Route // how messages are written; empty means RouteAuto

	DateTolerance time.Duration // how far Date may be from INTERNALDATE before a note says so; a week by default

	Limiter  *pace.Limiter // of this mailbox; nil for none
	Parallel int           // calls at once, 8 by default; 4 at first, and fewer when Gmail asks for it

	// Settle is how long a write whose answer was lost may still take effect
	// at Gmail: Find promises nothing before. 3 s by default, none if negative.
	Settle time.Duration

	// Transport carries the requests; by default one that keeps connections
	// for this mailbox, which Close closes.
	Transport http.RoundTripper
}

// Target is one Gmail mailbox.
type Target struct {
	user          string
	route         Route // known, once the mailbox is open
	dateTolerance time.Duration

	endpoint *url.URL
	service  *api.Service
	raw      *http.Client // for answers that are streamed
	idle     func()       // closes idle connections of our own transport
	tokens   *tokens
	limiter  *pace.Limiter
	gate     *pace.Gate
	settle   time.Duration
	memory   memory

	interrupted interruptions
	streak      streak

	mu      sync.Mutex
	settled time.Time // when no write of this process can be on its way any more

	placing  sync.Mutex                            // held while labels are made; guards what follows
	taken    map[migrate.FolderID]bool             // places of the folders of the last Place
	names    map[migrate.FolderID]string           // of their labels
	remade   map[migrate.FolderID]migrate.FolderID // labels made since for those that were deleted
	replaced map[migrate.FolderID]bool             // folders that had another label once
	fallback migrate.FolderID                      // the label for refused sent mail, once needed
}

var _ migrate.Target = (*Target)(nil)

// Open returns the mailbox of c after a call that proves access to it. For
// RouteAuto it also probes.
func Open(ctx context.Context, c Config) (*Target, error) {
	t, err := newTarget(ctx, c)
	if err != nil {
		return nil, &migrate.Error{Op: "open", Class: migrate.Fatal, Refused: true, Err: err}
	}
	_, err = t.Position(ctx)
	if err != nil && t.tokens.refused() {
		_, err = t.Position(ctx) // with a new token: whoever opens again has no memory of this one
	}
	if err == nil && t.route == RouteAuto {
		t.route, err = t.Probe(ctx)
	}
	if err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func newTarget(ctx context.Context, c Config) (*Target, error) {
	if c.User == "" || c.TokenSource == nil {
		return nil, errors.New("a user and a token source are needed")
	}
	route := cmp.Or(c.Route, RouteAuto)
	if !slices.Contains([]Route{RouteAuto, RouteImport, RouteInsert}, route) {
		return nil, fmt.Errorf("unknown route %q", route)
	}
	endpoint, err := parseEndpoint(cmp.Or(c.Endpoint, "https://gmail.googleapis.com/"))
	if err != nil {
		return nil, err
	}
	parallel := cmp.Or(max(c.Parallel, 0), 8)
	base, idle := c.Transport, func() {}
	if base == nil {
		own := NewTransport(parallel)
		base, idle = own, own.CloseIdleConnections
	}
	tokens := newTokens(c.TokenSource)
	service, err := api.NewService(ctx,
		option.WithHTTPClient(client(&transport{base, tokens, endpoint, maxAnswer})),
		option.WithEndpoint(endpoint.String()))
	if err != nil {
		return nil, err
	}
	settle := cmp.Or(c.Settle, 3*time.Second)
	return &Target{
		user:          c.User,
		route:         route,
		dateTolerance: cmp.Or(c.DateTolerance, 7*24*time.Hour),
		endpoint:      endpoint,
		service:       service,
		raw:           client(&transport{base, tokens, endpoint, maxRaw}),
		idle:          idle,
		tokens:        tokens,
		limiter:       c.Limiter,
		gate:          pace.NewGate(firstParallel, parallel),
		settle:        settle,
		settled:       time.Now().Add(settle),
	}, nil
}

// parseEndpoint accepts a URL without a path that is safe to send tokens to.
func parseEndpoint(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Path != "" && u.Path != "/" {
		return nil, fmt.Errorf("endpoint %q: want https://host/", s)
	}
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback) {
		return nil, fmt.Errorf("endpoint %q: want https, since tokens go there (plain http only on loopback)", s)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}, nil
}

// Route says how messages go into this mailbox. Given to the next Config, it
// saves the probe.
func (t *Target) Route() Route { return t.route }

// Capabilities says that one message may carry several labels, and so be in
// several folders.
func (t *Target) Capabilities() migrate.Capabilities {
	return migrate.Capabilities{Parallel: t.gate.Most(), MaxMessageSize: MaxMessageSize, Labels: true}
}

// Position returns the mailbox's historyId, which grows with every change.
func (t *Target) Position(ctx context.Context) (migrate.Position, error) {
	var profile *api.Profile
	err := t.call(ctx, costGetProfile, func(ctx context.Context) (err error) {
		profile, err = t.service.Users.GetProfile(t.user).Fields("historyId").Context(ctx).Do()
		return err
	})
	if err != nil {
		return "", err
	}
	return migrate.Position(strconv.FormatUint(profile.HistoryId, 10)), nil
}

// Close lets go of idle connections. It does not wait for calls.
func (t *Target) Close() error {
	t.idle()
	return nil
}
