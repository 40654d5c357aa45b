// Package imap reads a mailbox over IMAP (RFC 3501, RFC 9051), from Dovecot
// above all.
//
// The source is never changed: folders are opened with EXAMINE and bodies are
// fetched with BODY.PEEK. A [Source] holds one connection. It does not try
// anything twice: an error that leaves the connection in doubt closes it, and
// the next call connects again.
//
// Limits: go-imap decodes the answers, and one that it cannot decode (a folder
// name that is neither modified UTF-7 nor UTF-8, a keyword that is no atom, an
// INTERNALDATE of NIL) costs the connection. Its deadlines are not used, since
// they bound a body as a whole; see [Config.Patience]. Folders are those of the
// user's own namespaces; what others share with the user is not listed.
package imap

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// TLS says how a connection is protected. Certificates are always verified.
type TLS string

const (
	Implicit TLS = "implicit" // from the first octet, as on port 993; also the zero value
	StartTLS TLS = "starttls" // by the STARTTLS command, as on port 143
	None     TLS = "none"     // not at all: on loopback, or with Config.AllowPlaintext
)

// Auth says how to log in.
type Auth string

const (
	Plain       Auth = "plain"       // AUTHENTICATE PLAIN, or LOGIN where that is all there is; also the zero value
	Login       Auth = "login"       // the LOGIN command
	XOAuth2     Auth = "xoauth2"     // Google's and Microsoft's forerunner of OAUTHBEARER
	OAuthBearer Auth = "oauthbearer" // RFC 7628
)

// Config says where a mailbox is and how to log in to it.
type Config struct {
	Host           string
	Port           int    // 0 means 993, or 143 unless TLS is implicit
	TLS            TLS    // "" means Implicit
	CAFile         string // PEM file of certificates to trust besides the system's
	AllowPlaintext bool   // TLS None may be used beyond loopback

	Auth            Auth // "" means Plain
	User            string
	MasterUser      string // log in as User with the rights of this one (Dovecot master user)
	MasterSeparator string // between User and MasterUser; "" means "*"

	// Secret returns the password or bearer token. It is called at each login.
	// Its errors are fatal unless they are a migrate.Error of another class.
	Secret func(ctx context.Context) (string, error)

	// Patience is how long the server may be silent while it owes an answer;
	// 0 means two minutes. Sizes of folders may take five times as long, since
	// a server may have to read all messages for them.
	Patience time.Duration

	// Trace, unless it is nil, is called for each connection. What it returns
	// is told all that goes over it, in the clear and with the password; it is
	// told of both ways at once, and its errors do not count.
	Trace func() (sent, received io.Writer)
}

// login returns the name to log in with.
func (c Config) login() string {
	if c.MasterUser == "" {
		return c.User
	}
	sep := c.MasterSeparator
	if sep == "" {
		sep = "*"
	}
	return c.User + sep + c.MasterUser
}

func (c Config) patience() time.Duration {
	if c.Patience > 0 {
		return c.Patience
	}
	return 2 * time.Minute
}

// Source reads one mailbox. One goroutine at a time uses it.
type Source struct {
	config   Config
	session  *session          // nil if the next call has to connect
	names    map[string]string // the server's name of each folder, by key of its path; nil before the first LIST
	suspects []suspect
	server   string
}

var _ migrate.Source = (*Source)(nil)

// Open connects and logs in.
func Open(ctx context.Context, config Config) (*Source, error) {
	s := &Source{config: config}
	if err := s.use(ctx, "login", config.patience(), func(*session) error { return nil }); err != nil {
		return nil, err
	}
	return s, nil
}

// Server describes the server for people: its name, how the connection is
// protected, and its capabilities after login.
func (s *Source) Server() string { return s.server }

// Close ends the connection.
func (s *Source) Close() error {
	s.drop()
	return nil
}

func (s *Source) drop() {
	if s.session != nil {
		s.session.close()
		s.session = nil
	}
}

// use runs fn on a connection that is logged in, and makes one if there is
// none. The end of ctx closes the connection.
func (s *Source) use(ctx context.Context, op string, patience time.Duration, fn func(*session) error) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if s.session != nil && s.session.dead() { // e.g. logged out while the target was slow
		s.drop()
	}
	if s.session == nil {
		session, err := connect(ctx, s.config)
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return err
		}
		s.session = session
		s.server = session.describe()
	}
	session := s.session
	stop := context.AfterFunc(ctx, session.conn.kill)
	session.conn.begin(patience)
	err := fn(session)
	session.conn.end()
	if !stop() {
		s.drop()
		if err != nil {
			return context.Cause(ctx)
		}
		return nil
	}
	if err == nil {
		return nil
	}
	err = classify(op, session.conn.cause(err))
	if !answered(err) {
		s.drop()
	}
	if c, ok := errors.AsType[callback](err); ok {
		return c.error
	}
	return err
}

// key is path as a map key.
func key(path []string) string { return strings.Join(path, "\x00") }

var errNoSecret = errors.New("no password or token")
