// Package graph writes mail into Microsoft 365 mailboxes with Microsoft Graph,
// and reads it back.
//
// A message takes one of two routes. Import hands Exchange the message as it
// is (mailFolder: importMime, a beta call) and then sets flags and a key. JSON
// rebuilds it from a Graph message with MAPI properties, in v1.0, and loses the
// MIME structure; what it loses is named in [migrate.Stored]. [Open] finds
// out whether a tenant can import.
//
// Every message carries a named property with [migrate.Message.Key]. A message
// with its key is complete, so a write in doubt is settled by looking. An import
// gets the property in a second call; till then a header field has the key.
//
// No call is retried here, except once with a new token after a 401.
package graph

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/users"
	"golang.org/x/sync/semaphore"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

// A Route is a way for messages into a mailbox.
type Route string

const (
	RouteAuto   Route = "auto"       // import if a probe passes, JSON if not
	RouteImport Route = "importmime" // MIME by importMime, even if it loses the date; what it cannot take goes by JSON
	RouteJSON   Route = "json"       // Graph messages with MAPI properties
)

// Config says which mailbox to open, and how.
type Config struct {
	User     string        // user id or userPrincipalName
	Endpoint string        // without a version; https, or http on loopback; empty for the global cloud
	Token    Token         // bearer tokens
	Limiter  *pace.Limiter // of this mailbox; may be nil
	Route    Route         // empty means RouteAuto
	Probed   bool          // an earlier Target of the tenant found Route to work
	NoImport error         // what its NoImport returned
	Parallel int           // concurrent calls; 0 means 4, the documented limit; fewer when Microsoft asks for it

	// AttachProtected makes the JSON route attach signed and encrypted messages
	// to a message of their own. Without it they fail.
	AttachProtected bool

	// Transport carries the requests; by default one that keeps connections
	// for this mailbox, which Close closes.
	Transport http.RoundTripper
}

// Target is one mailbox.
type Target struct {
	client *client
	root   string // URL of the user, without a version: "/users/adele%40contoso.com"
	user   *users.UserItemRequestBuilder
	name   Route
	route  route

	noImport error

	attachProtected bool
	palette         palette
	trash           trash
}

var (
	_ migrate.Target = (*Target)(nil)
	_ verify.Target  = (*Target)(nil)
)

// Open opens the mailbox and proves access to it by reading its inbox. Unless
// RouteJSON is asked for, which therefore suits those who only read, it also
// probes, and so writes. Errors are classified.
func Open(ctx context.Context, cfg Config) (*Target, error) {
	if cfg.Endpoint == "" {
		cfg.Endpoint = clouds()[0].Endpoint
	}
	if cfg.Parallel <= 0 {
		cfg.Parallel = concurrent
	}
	if cfg.User == "" || cfg.Token == nil {
		return nil, &migrate.Error{Op: "open", Class: migrate.Fatal, Err: errors.New("no user or no token given")}
	}
	endpoint, err := parseEndpoint(cfg.Endpoint)
	if err != nil {
		return nil, &migrate.Error{Op: "open", Class: migrate.Fatal, Err: err, Hint: "Check the endpoint of Microsoft Graph in the configuration."}
	}
	t := &Target{client: newClient(endpoint, cfg), root: "/users/" + url.PathEscape(cfg.User), attachProtected: cfg.AttachProtected, noImport: cfg.NoImport,
		palette: palette{turn: semaphore.NewWeighted(1)}, trash: trash{turn: semaphore.NewWeighted(1)}}
	if t.user, err = t.client.builder(cfg.User); err != nil {
		return nil, &migrate.Error{Op: "open", Class: migrate.Fatal, Err: err}
	}
	if _, err := t.Position(ctx); err != nil {
		t.Close()
		return nil, named("open "+cfg.User, err)
	}
	if t.name = cmp.Or(cfg.Route, RouteAuto); !cfg.Probed && t.name != RouteJSON {
		if t.name, err = t.probe(ctx, t.name); err != nil {
			t.Close()
			return nil, err
		}
	}
	switch json := (jsonRoute{t}); t.name {
	case RouteImport:
		t.route = importRoute{t, json}
	case RouteJSON:
		t.route = json
	default:
		t.Close()
		return nil, &migrate.Error{Op: "open", Class: migrate.Fatal, Err: fmt.Errorf("unknown route %q", cfg.Route),
			Hint: "Use auto, importmime or json."}
	}
	return t, nil
}

// parseEndpoint refuses endpoints that would send tokens in the clear.
func parseEndpoint(s string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(s, "/"))
	if err != nil {
		return nil, errors.New("the endpoint is not a URL")
	}
	if u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, errors.New("the endpoint must start with https://, or be on this machine")
	}
	return u, nil
}

// Route says how messages go into this mailbox.
func (t *Target) Route() Route { return t.name }

// NoImport says why a probe chose RouteJSON, nil if none did.
func (t *Target) NoImport() error { return t.noImport }

// Capabilities implements [migrate.Target].
func (t *Target) Capabilities() migrate.Capabilities {
	return migrate.Capabilities{Parallel: t.client.gate.Most(), MaxMessageSize: MaxMessageSize, Keyed: true}
}

// positionMargin allows for clocks of Microsoft's servers that differ.
const positionMargin = 15 * time.Minute

// Position returns the server's time, less a margin, and the route that writes
// from here on take: "2026-11-21T10:02:05Z importmime".
func (t *Target) Position(ctx context.Context) (migrate.Position, error) {
	resp, err := t.client.get(ctx, "/v1.0"+t.root+"/mailFolders/inbox?$select=id")
	if err != nil {
		return "", named("read the inbox", err)
	}
	resp.Body.Close()
	now, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return "", &migrate.Error{Op: "read the inbox", Err: errors.New("the answer has no date")}
	}
	return migrate.Position(now.Add(-positionMargin).UTC().Format(time.RFC3339) + " " + string(t.name)), nil
}

func parsePosition(p migrate.Position) (time.Time, Route, error) {
	at, route, _ := strings.Cut(string(p), " ")
	from, err := time.Parse(time.RFC3339, at)
	return from, Route(route), err
}

// Append implements [migrate.Target].
func (t *Target) Append(ctx context.Context, folder migrate.FolderID, m *migrate.Message) (migrate.Stored, error) {
	if m.Body == nil {
		return migrate.Stored{}, &migrate.Error{Op: "append", Class: migrate.Permanent, Refused: true, Err: errors.New("the message has no content")}
	}
	if m.Size > MaxMessageSize {
		return migrate.Stored{}, &migrate.Error{Op: "append", Class: migrate.Permanent, Refused: true, Hint: hintSize, Err: fmt.Errorf("the message has %d octets", m.Size)}
	}
	t.paint(ctx, categories(m.Flags))
	return t.route.append(ctx, folder, m)
}

// Close implements [migrate.Target].
func (t *Target) Close() error {
	t.client.idle()
	return nil
}

// A route writes a message. Its errors say Refused only if nothing of the
// message is at the target.
type route interface {
	append(ctx context.Context, folder migrate.FolderID, m *migrate.Message) (migrate.Stored, error)
}
