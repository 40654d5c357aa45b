package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"sync"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/verify"
	"github.com/mailhaul/mailhaul/sources/imap"
	"github.com/mailhaul/mailhaul/targets/gmail"
	"github.com/mailhaul/mailhaul/targets/graph"
)

// connections opens both ends of mailboxes as the configuration says. What
// mailboxes share, such as limits and logins, it makes once.
type connections struct {
	config   *Config
	target   func(m Mailbox, limiter *pace.Limiter) func(context.Context) (migrate.Target, error)
	reader   func(m Mailbox, limiter *pace.Limiter) func(context.Context) (verify.Target, error) // writes nothing
	readCost func(verify.Work) pace.Cost
	user     []pace.Limit  // of one mailbox
	common   []pace.Limit  // of all mailboxes
	shared   *pace.Limiter // of common
	gmail    *gmailRoute   // the way in, once it was probed
	graph    *graphRoute

	stopwatch *stopwatch // of calls to the target, and of logins to the source; nil if nobody asks
}

func newConnections(ctx context.Context, c *Config) (*connections, error) {
	k := &connections{config: c, stopwatch: new(stopwatch)}
	k.user, k.common = c.limits()
	switch c.Target.Kind {
	case "gmail":
		k.gmail = &gmailRoute{route: gmail.Route(c.Gmail.Route)}
		k.target = func(m Mailbox, l *pace.Limiter) func(context.Context) (migrate.Target, error) {
			return func(ctx context.Context) (migrate.Target, error) { return k.gmail.open(ctx, k, m, l) }
		}
		k.reader = func(m Mailbox, l *pace.Limiter) func(context.Context) (verify.Target, error) {
			return func(ctx context.Context) (verify.Target, error) {
				return k.openGmail(ctx, m, l, gmail.RouteInsert) // any route but auto, which probes
			}
		}
		k.readCost = gmail.ReadCost
	case "graph":
		token, err := graphToken(ctx, c.Graph)
		if err != nil {
			return nil, err
		}
		token = knownToken(token)
		k.graph = &graphRoute{route: graph.Route(c.Graph.Route), probed: c.Graph.Route == string(graph.RouteJSON)}
		k.target = func(m Mailbox, l *pace.Limiter) func(context.Context) (migrate.Target, error) {
			return func(ctx context.Context) (migrate.Target, error) { return k.graph.open(ctx, k, token, m, l) }
		}
		k.reader = func(m Mailbox, l *pace.Limiter) func(context.Context) (verify.Target, error) {
			return func(ctx context.Context) (verify.Target, error) {
				return k.openGraph(ctx, token, m, l, func(config *graph.Config) { config.Route = graph.RouteJSON }) // the one that does not probe
			}
		}
		k.readCost = graph.ReadCost
	}
	k.shared = pace.NewLimiter(nil, k.common...)
	return k, nil
}

// limits are those of the target that calls keep: of one mailbox, and of all.
func (c *Config) limits() (own, common []pace.Limit) {
	if c.Target.Kind == "graph" {
		if c.Graph.Profile == "none" {
			return nil, nil
		}
		return graph.MailboxLimits(), graph.AppLimits()
	}
	for _, p := range gmail.Profiles() {
		if p.Name == c.Gmail.Profile {
			if own, common = p.User, p.Project; c.Gmail.Daily == "wait" {
				common = append(common, p.Daily...)
			}
		}
	}
	return own, common
}

// remember takes over what was measured by an earlier pass, if it was to the same
// target, and which ways in it found, if it was configured alike.
func (k *connections) remember(before *connections) {
	if k.config.Target == before.config.Target && k.config.endpoint() == before.config.endpoint() {
		k.stopwatch = before.stopwatch
	}
	switch {
	case k.config.Target != before.config.Target:
	case k.gmail != nil && reflect.DeepEqual(k.config.Gmail, before.config.Gmail):
		k.gmail = before.gmail
	case k.graph != nil && reflect.DeepEqual(k.config.Graph, before.config.Graph):
		k.graph = before.graph
	}
}

// mailbox returns how to open both ends of m, and the limiter of its target.
func (k *connections) mailbox(m Mailbox) (migrate.Mailbox, *pace.Limiter) {
	l := pace.NewLimiter(k.shared, k.user...)
	return migrate.Mailbox{
		Source:     m.Source,
		Target:     m.Target,
		OpenSource: func(ctx context.Context) (migrate.Source, error) { return k.source(ctx, m) },
		OpenTarget: k.target(m, l),
	}, l
}

// verification returns how to read both ends of m, and the limiter of its
// target.
func (k *connections) verification(m Mailbox, ledger verify.Ledger) (verify.Mailbox, *pace.Limiter) {
	l := pace.NewLimiter(k.shared, k.user...)
	return verify.Mailbox{
		Source:     m.Source,
		Target:     m.Target,
		OpenSource: func(ctx context.Context) (verify.Source, error) { return k.source(ctx, m) },
		OpenTarget: k.reader(m, l),
		Ledger:     ledger,
	}, l
}

func (k *connections) source(ctx context.Context, m Mailbox) (*imap.Source, error) {
	begun := time.Now()
	s := k.config.Source
	password := m.Password
	if password.IsZero() {
		password = s.Password()
	}
	source, err := imap.Open(ctx, imap.Config{
		Host:            s.Host,
		Port:            s.Port,
		TLS:             imap.TLS(s.TLS),
		CAFile:          s.CAFile,
		AllowPlaintext:  s.AllowPlaintext,
		Auth:            imap.Auth(s.Auth),
		User:            m.Source,
		MasterUser:      s.MasterUser,
		MasterSeparator: s.MasterSeparator,
		Secret:          func(ctx context.Context) (string, error) { return reveal(ctx, password) },
		Trace:           traceIMAP(ctx, m.Source),
	})
	if err == nil {
		k.stopwatch.opens(time.Since(begun))
	}
	return source, err
}

// line returns what carries the calls to a mailbox of the target: own, measured
// and traced.
func (k *connections) line(ctx context.Context, m Mailbox, own *http.Transport) http.RoundTripper {
	if traced := traceHTTP(ctx, m.Target, func() *http.Transport { return own }); traced != nil {
		return k.stopwatch.wrap(traced)
	}
	return k.stopwatch.wrap(own)
}

func reveal(ctx context.Context, ref SecretRef) (string, error) {
	s, err := ref.Resolve(ctx)
	if err != nil {
		return "", err
	}
	return s.Reveal(), nil
}

// gmailRoute is the way into a domain. Where it is probed, the first mailbox
// does it for all.
type gmailRoute struct {
	mu    sync.Mutex
	route gmail.Route
}

func (r *gmailRoute) open(ctx context.Context, k *connections, m Mailbox, l *pace.Limiter) (migrate.Target, error) {
	r.mu.Lock()
	route := r.route
	probes := route == gmail.RouteAuto
	if !probes {
		r.mu.Unlock()
	} else {
		defer r.mu.Unlock()
	}
	t, err := k.openGmail(ctx, m, l, route)
	if err != nil {
		return nil, err
	}
	if probes {
		r.route = t.Route()
	}
	return t, nil
}

// A gmailMailbox closes the connections that were made for it.
type gmailMailbox struct {
	*gmail.Target
	own *http.Transport
}

func (t gmailMailbox) Close() error {
	defer t.own.CloseIdleConnections()
	return t.Target.Close()
}

func (k *connections) openGmail(ctx context.Context, m Mailbox, l *pace.Limiter, route gmail.Route) (t gmailMailbox, err error) {
	c := k.config.Gmail
	config := gmail.Config{
		User: m.Target, Endpoint: c.Endpoint, Limiter: l, Parallel: c.Parallel,
		Route: route, DateTolerance: time.Duration(c.DateToleranceDays) * 24 * time.Hour,
	}
	switch {
	case c.ServiceAccountFile != "":
		key, err := os.ReadFile(c.ServiceAccountFile)
		if err != nil {
			return t, &migrate.Error{Op: "service_account_file", Class: migrate.Fatal, Err: err}
		}
		if config.TokenSource, err = gmail.ServiceAccount(key, m.Target); err != nil {
			return t, &migrate.Error{Op: "service_account_file " + c.ServiceAccountFile, Class: migrate.Fatal, Err: err}
		}
	case c.Impersonate != "":
		config.TokenSource = gmail.Keyless(ctx, c.Impersonate, m.Target)
	default:
		config.TokenSource = gmail.Static(func() (string, error) { return reveal(context.WithoutCancel(ctx), c.Token()) })
	}
	config.TokenSource = knownTokens{config.TokenSource}
	t.own = gmail.NewTransport(c.Parallel)
	config.Transport = k.line(ctx, m, t.own)
	if t.Target, err = gmail.Open(ctx, config); err != nil {
		t.own.CloseIdleConnections()
	}
	return t, err
}

// graphToken logs the app in, once for all mailboxes.
func graphToken(ctx context.Context, c GraphConfig) (graph.Token, error) {
	if !c.Token().IsZero() {
		token, err := reveal(ctx, c.Token())
		return graph.StaticToken(token), err
	}
	cloud, err := graph.CloudByName(c.Cloud)
	if err != nil {
		return nil, err
	}
	if c.CertificateFile == "" {
		secret, err := reveal(ctx, c.ClientSecret())
		if err != nil {
			return nil, err
		}
		return graph.SecretToken(cloud, c.Tenant, c.ClientID, secret)
	}
	data, err := os.ReadFile(c.CertificateFile)
	if err != nil {
		return nil, err
	}
	var password []byte
	if !c.CertificatePassword().IsZero() {
		p, err := reveal(ctx, c.CertificatePassword())
		if err != nil {
			return nil, err
		}
		password = []byte(p)
	}
	token, err := graph.CertificateToken(cloud, c.Tenant, c.ClientID, data, password)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.CertificateFile, err)
	}
	return token, nil
}

// graphRoute is the way into a tenant. The first mailbox probes it for all.
type graphRoute struct {
	mu       sync.Mutex
	route    graph.Route
	probed   bool
	noImport error
}

func (r *graphRoute) open(ctx context.Context, k *connections, token graph.Token, m Mailbox, l *pace.Limiter) (migrate.Target, error) {
	r.mu.Lock()
	route, probed, noImport := r.route, r.probed, r.noImport
	if probed {
		r.mu.Unlock()
	} else {
		defer r.mu.Unlock()
	}
	t, err := k.openGraph(ctx, token, m, l, func(c *graph.Config) { c.Route, c.Probed, c.NoImport = route, probed, noImport })
	if err != nil {
		return nil, err
	}
	if !probed {
		r.route, r.probed, r.noImport = t.Route(), true, t.NoImport()
	}
	return t, nil
}

// A graphMailbox closes the connections that were made for it.
type graphMailbox struct {
	*graph.Target
	own *http.Transport
}

func (t graphMailbox) Close() error {
	defer t.own.CloseIdleConnections()
	return t.Target.Close()
}

// openGraph opens a mailbox by the route that choose sets.
func (k *connections) openGraph(ctx context.Context, token graph.Token, m Mailbox, l *pace.Limiter, choose func(*graph.Config)) (t graphMailbox, err error) {
	c := k.config.Graph
	cloud, err := graph.CloudByName(c.Cloud)
	if err != nil {
		return t, err
	}
	t.own = graph.NewTransport(c.Parallel)
	config := graph.Config{
		User: m.Target, Token: token, Limiter: l, Parallel: c.Parallel, AttachProtected: c.Protected == "attach",
		Endpoint: cmp.Or(c.Endpoint, cloud.Endpoint), Transport: k.line(ctx, m, t.own),
	}
	choose(&config)
	if t.Target, err = graph.Open(ctx, config); err != nil {
		t.own.CloseIdleConnections()
	}
	return t, err
}

// endpoint is the server of the target.
func (c *Config) endpoint() string {
	vendors := "https://gmail.googleapis.com/"
	if c.Target.Kind == "graph" {
		cloud, _ := graph.CloudByName(c.Graph.Cloud) // checked when the configuration was read
		vendors = cloud.Endpoint
	}
	return cmp.Or(c.elsewhere(), vendors)
}

// elsewhere is where the target is reached, if that is not its vendor's own
// address.
func (c *Config) elsewhere() string {
	if c.Target.Kind == "graph" {
		return c.Graph.Endpoint
	}
	return c.Gmail.Endpoint
}
