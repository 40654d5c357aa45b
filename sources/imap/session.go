package imap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"

	"github.com/mailhaul/mailhaul/migrate"
)

// session is a connection that is logged in.
type session struct {
	conn     *conn
	client   *imapclient.Client
	caps     imap.CapSet
	selected string           // the server's name of the folder that is open; "" if none is
	opened   *imap.SelectData // what EXAMINE told last
	name     string           // the server's, from ID (RFC 2971)
}

func connect(ctx context.Context, config Config) (*session, error) {
	if config.Secret == nil {
		return nil, fatal("login", errNoSecret, "Name the source of the password in the configuration.")
	}
	secret, err := config.Secret(ctx)
	if err != nil {
		class := migrate.Fatal
		if e, ok := errors.AsType[*migrate.Error](err); ok {
			class = e.Class
		}
		return nil, unreachable("login", class, fmt.Errorf("fetch the password: %w", err), "")
	}
	c, err := dial(ctx, config)
	if err != nil {
		return nil, err
	}
	s := &session{conn: c, client: imapclient.New(c, nil)}
	stop := context.AfterFunc(ctx, c.kill)
	defer stop()
	c.begin(config.patience())
	defer c.end()
	if err := s.login(config, secret); err != nil {
		s.close()
		return nil, redacted(err, secret)
	}
	return s, nil
}

// redacted takes the password out of what the server said: it may repeat the
// command that it refuses.
func redacted(err error, secret string) error {
	e, ok := errors.AsType[*migrate.Error](err)
	if !ok || secret == "" || !strings.Contains(err.Error(), secret) {
		return err
	}
	c := *e
	c.Err = fmt.Errorf("%w: %s", migrate.ErrUnreachable, strings.ReplaceAll(strings.TrimPrefix(e.Err.Error(), migrate.ErrUnreachable.Error()+": "), secret, "********"))
	return &c
}

func (s *session) login(config Config, secret string) error {
	s.caps = s.client.Caps()
	user := config.login()
	has := func(mech string) bool { return s.caps.Has(imap.Cap("AUTH=" + mech)) }
	var err error
	switch config.Auth {
	case "", Plain, Login:
		switch {
		case config.Auth != Login && has("PLAIN"):
			err = s.client.Authenticate(sasl.NewPlainClient("", user, secret))
		case s.caps.Has(imap.CapLoginDisabled):
			return fatal("login", errors.New("the server takes no password on this connection (LOGINDISABLED)"), "Use TLS.")
		default:
			err = s.client.Login(user, secret).Wait()
		}
	case XOAuth2:
		err = s.client.Authenticate(&xoauth2{user: user, token: secret})
	case OAuthBearer:
		err = s.client.Authenticate(sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{
			Username: user, Token: secret, Host: config.Host, Port: config.Port,
		}))
	default:
		return fatal("login", fmt.Errorf("unknown way to log in %q", config.Auth), "Use plain, login, xoauth2 or oauthbearer.")
	}
	if err != nil {
		return loginError(config, s.conn.cause(err))
	}
	// They differ after login. Client.Caps may still return the old ones.
	if s.caps, err = s.client.Capability().Wait(); err != nil {
		return unreachable("login", migrate.Transient, bounded(s.conn.cause(err)), "")
	}
	if s.caps.Has(imap.CapID) {
		if id, err := s.client.ID(nil).Wait(); err == nil && id != nil {
			s.name = strings.TrimSpace(id.Name + " " + id.Version)
		}
	}
	return nil
}

// xoauth2 is https://developers.google.com/gmail/imap/xoauth2-protocol.
type xoauth2 struct{ user, token string }

func (x *xoauth2) Start() (string, []byte, error) {
	return "XOAUTH2", []byte("user=" + x.user + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

// Next answers the server's reasons for saying no, so that it can say no.
func (x *xoauth2) Next([]byte) ([]byte, error) { return []byte{}, nil }

// describe is what [Source.Server] returns.
func (s *session) describe() string {
	name, protection := printable(s.name), "without TLS"
	if name == "" {
		name = "IMAP server"
	}
	if t, ok := s.conn.Conn.(*tls.Conn); ok {
		protection = tls.VersionName(t.ConnectionState().Version)
	}
	var caps []string
	for _, c := range slices.Sorted(maps.Keys(s.caps)) {
		caps = append(caps, string(c))
	}
	return fmt.Sprintf("%s, %s (%s)", name, protection, printable(strings.Join(caps, " ")))
}

// dead says whether the connection has ended.
func (s *session) dead() bool {
	select {
	case <-s.client.Closed():
		return true
	default:
		return false
	}
}

// close ends the connection. The server needs no LOGOUT to keep anything, and
// may be past hearing it.
func (s *session) close() { s.client.Close() }

// examine opens a folder read-only unless it is open.
func (s *session) examine(name string, f migrate.Folder) error {
	if s.selected == name {
		return nil
	}
	s.selected = ""
	data, err := s.client.Select(name, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err = s.conn.cause(err); refused(err) && !s.exists(name) {
		return gone(f, classify("examine", err))
	}
	if err != nil {
		return examineError(f, err)
	}
	if data.UIDValidity != f.UIDValidity {
		return gone(f, fmt.Errorf("it was made anew: UIDVALIDITY was %d, is %d", f.UIDValidity, data.UIDValidity))
	}
	s.selected, s.opened = name, data
	return nil
}

// exists says whether a folder can be opened. Dovecot 2.3 refuses to open one
// that is not there without saying why.
func (s *session) exists(name string) bool {
	data, err := s.client.List("", name, nil).Collect()
	return err != nil || slices.ContainsFunc(data, func(d *imap.ListData) bool { return d.Mailbox == name && !noSelect(d) })
}
