package imap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// dial connects up to the greeting, which is read, judged and put back.
func dial(ctx context.Context, config Config) (*conn, error) {
	mode := config.TLS
	if mode == "" {
		mode = Implicit
	}
	port := config.Port
	switch {
	case mode != Implicit && mode != StartTLS && mode != None:
		return nil, fatal("connect", fmt.Errorf("unknown TLS mode %q", mode), "Use implicit, starttls or none.")
	case mode == None && !config.AllowPlaintext && !loopback(config.Host):
		return nil, fatal("connect", fmt.Errorf("refused to talk to %s without TLS", config.Host),
			"Use TLS, or allow plaintext in the configuration in so many words: password and mail then cross the network readable.")
	case port == 0 && mode == Implicit:
		port = 993
	case port == 0:
		port = 143
	}
	trust := &tls.Config{ServerName: config.Host}
	if config.CAFile != "" {
		pool, err := trusted(config.CAFile)
		if err != nil {
			return nil, fatal("connect", err, "Name a file with PEM certificates in ca_file.")
		}
		trust.RootCAs = pool
	}

	addr := net.JoinHostPort(config.Host, strconv.Itoa(port))
	raw, err := (&net.Dialer{Timeout: min(config.patience(), 30*time.Second)}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, dialError(config.Host, err)
	}
	c := newConn(raw)
	if config.Trace != nil {
		c.sent, c.received = config.Trace()
	}
	stop := context.AfterFunc(ctx, c.kill)
	defer stop()
	c.begin(config.patience())
	defer c.end()
	if err := c.open(ctx, mode, trust); err != nil {
		c.kill()
		return nil, err
	}
	return c, nil
}

// open reads the greeting, after or before TLS is started.
func (c *conn) open(ctx context.Context, mode TLS, trust *tls.Config) error {
	handshake := func() error {
		if err := c.secure(ctx, trust); err != nil {
			return tlsError(trust.ServerName, err)
		}
		return nil
	}
	if mode == Implicit {
		if err := handshake(); err != nil {
			return err
		}
	}
	greeting, err := c.line()
	if err != nil {
		return greetingError(mode, c.cause(err))
	}
	switch fields := append(strings.Fields(greeting), "", ""); {
	case fields[0] == "*" && strings.EqualFold(fields[1], "OK"):
	case fields[0] == "*" && strings.EqualFold(fields[1], "BYE"):
		return unreachable("greeting", migrate.Transient, fmt.Errorf("the server turned the connection away: %s", printable(greeting)), "")
	case fields[0] == "*" && strings.EqualFold(fields[1], "PREAUTH"):
		return fatal("greeting", errors.New("the server lets everybody in without a login (PREAUTH)"),
			"Whose mailbox this is cannot be told. Connect to a port that asks for a login.")
	default:
		return fatal("greeting", fmt.Errorf("this is not an IMAP server: it said %q", printable(greeting)), "Check host and port.")
	}
	if mode != StartTLS {
		c.unread(greeting)
		return nil
	}
	if err := c.startTLS(); err != nil {
		return err
	}
	if err := handshake(); err != nil {
		return err
	}
	// RFC 3501 section 6.2.1: what was learnt before TLS is forgotten.
	c.unread("* OK TLS")
	return nil
}

func (c *conn) startTLS() error {
	if _, err := c.Write([]byte("S STARTTLS\r\n")); err != nil {
		return unreachable("starttls", migrate.Transient, c.cause(err), "")
	}
	for range 16 {
		line, err := c.line()
		if err != nil {
			return unreachable("starttls", migrate.Transient, c.cause(err), "")
		}
		fields := append(strings.Fields(line), "", "")
		switch {
		case fields[0] == "*":
		case fields[0] == "S" && strings.EqualFold(fields[1], "OK"):
			return nil
		default:
			return fatal("starttls", fmt.Errorf("the server refused: %s", printable(line)), "Use implicit TLS on port 993, or have STARTTLS enabled at the server.")
		}
	}
	return unreachable("starttls", migrate.Transient, errTooMuch, "")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// trusted returns the system's certificates and those in file.
func trusted(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", file)
	}
	return pool, nil
}
