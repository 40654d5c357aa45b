package notify

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/mailhaul/mailhaul/migrate"
)

// A Mail sends events as mail in plain text to the consultant.
type Mail struct {
	Host     string
	Port     int
	TLS      string         // "implicit", "starttls", or "none" for this machine
	CAs      *x509.CertPool // nil: those of the system
	User     string         // empty: no login
	Password Secret         // of User
	From     string         // addresses without names
	To       []string

	// Dial replaces the network; it may be nil.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

var _ Way = (*Mail)(nil)

const (
	mailTimeout = time.Minute // of one attempt
	repliesMax  = 256 << 10   // octets that a server may send in it
)

func (m *Mail) Name() string { return "mail" }

// Send hands one message to the server for all recipients. If the server's
// last answer is lost, the next attempt may double it, with the same Message-ID.
func (m *Mail) Send(ctx context.Context, e Event) error {
	ctx, cancel := context.WithTimeout(ctx, mailTimeout)
	defer cancel()
	msg, err := m.message(e)
	if err != nil {
		return failed("mail", "", "the message cannot be written: see from and to in [notify]")
	}
	closed := func() {}
	defer func() { closed() }() // the library leaves it open after an error
	options := []mail.Option{
		mail.WithPort(m.Port), mail.WithTimeout(mailTimeout), mail.WithoutNoop(), mail.WithTLSConfig(m.tls()), mail.WithHELO(m.domain()),
		mail.WithDialContextFunc(func(dialing context.Context, network, address string) (net.Conn, error) {
			c, err := m.dial(dialing, network, address)
			if err == nil {
				stop := context.AfterFunc(ctx, func() { c.Close() })
				closed = func() { stop(); c.Close() }
			}
			return c, err
		}),
	}
	switch m.TLS {
	case "implicit":
		options = append(options, mail.WithSSL())
	case "starttls":
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	default:
		if !loopback(m.Host) {
			return failed("mail", "", "without TLS mail goes to this machine only")
		}
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	}
	if m.User != "" {
		password, err := m.Password(ctx)
		if err != nil {
			return &migrate.Error{Op: "mail", Class: migrate.Transient, Err: err}
		}
		options = append(options, mail.WithUsername(m.User), mail.WithPassword(password),
			mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthPlain, mail.SMTPAuthLogin))
	}
	client, err := mail.NewClient(m.Host, options...)
	if err != nil {
		return failed("mail", "", "see host and port in [notify]")
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return m.failure(ctx, err)
	}
	if err := client.SendWithSMTPClient(session, msg); err != nil && !msg.IsDelivered() {
		return m.failure(ctx, err)
	}
	session.Quit()
	return nil
}

func (m *Mail) tls() *tls.Config {
	return &tls.Config{ServerName: m.Host, RootCAs: m.CAs, MinVersion: tls.VersionTLS12}
}

func (m *Mail) domain() string { return m.From[strings.LastIndexByte(m.From, '@')+1:] }

// dial opens a connection on which the server can say so much and no more.
func (m *Mail) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dial := m.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	c, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c = &terse{c, io.LimitReader(c, repliesMax)}
	if m.TLS != "implicit" {
		return c, nil
	}
	t := tls.Client(c, m.tls())
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return t, nil
}

// terse is a connection with an end to what is read from it.
type terse struct {
	net.Conn
	r io.Reader
}

func (t *terse) Read(p []byte) (int, error) { return t.r.Read(p) }

// failure says what went wrong without a word of the server, which may repeat
// the password.
func (m *Mail) failure(ctx context.Context, err error) error {
	code, step := 0, "the greeting"
	send, reply := (*mail.SendError)(nil), (*textproto.Error)(nil)
	switch {
	case errors.As(err, &send):
		code, step = send.ErrorCode(), map[mail.SendErrReason]string{
			mail.ErrSMTPMailFrom: "the sender", mail.ErrSMTPRcptTo: "a recipient", mail.ErrSMTPDataClose: "the message",
		}[send.Reason]
	case errors.As(err, &reply):
		code = reply.Code
		if code == 454 || code/10 == 53 { // RFC 4954 section 6
			step = "the login of " + m.User
		}
	case errors.Is(err, mail.ErrNoSupportedAuthDiscovered):
		return failed("mail", "Without TLS servers mostly offer none: see tls.", "the server offers no login that mailhaul knows")
	case noSTARTTLS(err):
		return failed("mail", `Set smtp_tls = "implicit" and its port, mostly 465, if the server has that.`, "the server offers no STARTTLS")
	}
	class := migrate.Transient
	if code >= 500 {
		class = migrate.Permanent
	}
	switch {
	case ctx.Err() != nil:
		err = described(ctx.Err())
	case code > 0:
		err = fmt.Errorf("the server refuses %s (%d)", cmp.Or(step, "the message"), code)
	default:
		err = described(err)
	}
	return &migrate.Error{Op: "mail", Class: class, Err: err}
}

// noSTARTTLS says whether a server does not offer it. The library says so in
// its text only.
func noSTARTTLS(err error) bool { return strings.Contains(err.Error(), "does not support STARTTLS") }

// message writes the event down (RFC 5322), as one that no program answers
// (RFC 3834 section 5).
func (m *Mail) message(e Event) (*mail.Msg, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := errors.Join(msg.From(m.From), msg.To(m.To...)); err != nil {
		return nil, err
	}
	msg.SetDateWithValue(e.Time)
	msg.SetMessageIDWithValue(e.ID + "@" + m.domain())
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader(mail.HeaderXAutoResponseSuppress, "All")
	msg.Subject(subject(e))
	msg.SetBodyString(mail.TypeTextPlain, text(e))
	return msg, nil
}
