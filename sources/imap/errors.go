package imap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/emersion/go-imap/v2"

	"github.com/mailhaul/mailhaul/migrate"
)

// unreachable is an error for which no message is to blame.
func unreachable(op string, class migrate.Class, err error, hint string) error {
	return &migrate.Error{Op: op, Class: class, Hint: hint, Err: blameless{err}}
}

// blameless is an error that wraps ErrUnreachable, whose text would only hide
// what happened: a password is wrong, a certificate has expired.
type blameless struct{ error }

func (b blameless) Unwrap() []error { return []error{migrate.ErrUnreachable, b.error} }

func fatal(op string, err error, hint string) error {
	return unreachable(op, migrate.Fatal, err, hint)
}

func gone(f migrate.Folder, err error) error {
	return &migrate.Error{Op: "examine", Class: migrate.Permanent, Hint: "List the folders again.",
		Err: fmt.Errorf("%w: %s: %w", migrate.ErrFolderGone, f, err)}
}

// classify makes an error of an established session one of three classes. What
// is classified already, and the caller's own errors, stay as they are.
func classify(op string, err error) error {
	var status *imap.Error
	switch {
	case own(err) && !errors.As(err, &status):
		return err
	case errors.As(err, &status):
		return &migrate.Error{Op: op, Class: statusClass(status), Err: serverError(status)}
	}
	return &migrate.Error{Op: op, Class: migrate.Transient, Err: bounded(err)}
}

// statusClass judges a NO or BAD by its response code (RFC 5530).
func statusClass(e *imap.Error) migrate.Class {
	switch e.Code {
	case imap.ResponseCodeUnavailable, imap.ResponseCodeInUse, imap.ResponseCodeServerBug,
		imap.ResponseCodeLimit, imap.ResponseCodeContactAdmin:
		return migrate.Transient
	}
	return migrate.Permanent
}

// serverError is a refusal in the server's own words.
func serverError(e *imap.Error) error {
	text := strings.TrimSpace(printable(e.Text))
	if e.Code != "" {
		text = "[" + printable(string(e.Code)) + "] " + text
	}
	return &answer{kind: string(e.Type), text: text}
}

// answer is a NO or BAD of the server, after which the connection is sound.
type answer struct{ kind, text string }

func (a *answer) Error() string { return fmt.Sprintf("the server answered %s %s", a.kind, a.text) }

func answered(err error) bool {
	_, ok := errors.AsType[*answer](err)
	return ok
}

// callback marks an error of the function given to Read.
type callback struct{ error }

func (c callback) Unwrap() error { return c.error }

// refused says whether err is a NO or BAD of the server.
func refused(err error) bool {
	_, ok := errors.AsType[*imap.Error](err)
	return ok
}

// own says whether err was made here or by the caller, or is the server's
// answer, so that the state of the connection does not explain it.
func own(err error) bool {
	var (
		made   *migrate.Error
		status *imap.Error
		theirs callback
	)
	return errors.As(err, &made) || errors.As(err, &status) || errors.As(err, &theirs)
}

// bounded keeps the library's text short, unless err has a type worth keeping.
func bounded(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("the server is silent: %w", err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, errTooMuch),
		errors.As(err, new(net.Error)):
		return err
	}
	return fmt.Errorf("cannot understand the server: %s", printable(err.Error()))
}

func dialError(host string, err error) error {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return fatal("look up "+host, errors.New("there is no such host"), "Check the host name in the configuration.")
		}
		return unreachable("look up "+host, migrate.Transient, err, "The name server does not answer.")
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return unreachable("connect", migrate.Transient, err, "Nothing listens on that port. Check host and port, and whether the server runs.")
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return unreachable("connect", migrate.Transient, err, "The server cannot be reached. Check the port and the firewall.")
	}
	return unreachable("connect", migrate.Transient, err, "")
}

// tlsError names the certificate that was not accepted and what to do.
func tlsError(host string, err error) error {
	if record, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return fatal("tls", errors.New(record.Msg), "The server does not speak TLS on this port. Use starttls, or port 993.")
	}
	verify, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok || len(verify.UnverifiedCertificates) == 0 {
		return unreachable("tls", migrate.Transient, err, "")
	}
	cert := verify.UnverifiedCertificates[0]
	var reason, hint string
	var (
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &name):
		reason = "is for other names than " + host
		hint = "Put one of the certificate's names into the configuration as the host."
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		reason = "has expired or is not valid yet"
		hint = "Renew the server's certificate, and check this machine's clock."
	default:
		reason = "is not signed by an authority that this machine trusts"
		hint = "Save the certificate of the server's own authority to a file and name it in ca_file."
	}
	return fatal("tls", fmt.Errorf("the certificate of %s %s (subject %q, issuer %q, valid %s to %s, names %s): %w", host, reason,
		printable(cert.Subject.String()), printable(cert.Issuer.String()),
		cert.NotBefore.Format(time.DateOnly), cert.NotAfter.Format(time.DateOnly), printable(names(cert)), err), hint)
}

func names(cert *x509.Certificate) string {
	all := cert.DNSNames
	for _, ip := range cert.IPAddresses {
		all = append(all, ip.String())
	}
	return strings.Join(all, " ")
}

func greetingError(mode TLS, err error) error {
	hint := ""
	if mode != Implicit && errors.Is(err, os.ErrDeadlineExceeded) {
		hint = "If this port begins with TLS, as 993 does, use implicit TLS."
	}
	return unreachable("greeting", migrate.Transient, bounded(err), hint)
}

func loginError(config Config, err error) error {
	const op = "login"
	bearer := config.Auth == XOAuth2 || config.Auth == OAuthBearer
	if status, ok := errors.AsType[*imap.Error](err); ok {
		class := statusClass(status)
		if class == migrate.Transient {
			return unreachable(op, class, serverError(status), "")
		}
		hint := fmt.Sprintf("Check user name and password of %s.", config.login())
		switch {
		case bearer:
			hint = fmt.Sprintf("The token was not accepted for %s.", config.login())
		case config.MasterUser != "":
			hint = fmt.Sprintf("Check that the mailbox %s exists, the master user's password, and the separator between both names.", config.User)
		}
		return fatal(op, serverError(status), hint)
	}
	if bearer && !own(err) && !errors.As(err, new(net.Error)) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fatal(op, bounded(err), fmt.Sprintf("The token was not accepted for %s.", config.login()))
	}
	return unreachable(op, migrate.Transient, bounded(err), "")
}

func examineError(f migrate.Folder, err error) error {
	const op = "examine"
	status, ok := errors.AsType[*imap.Error](err)
	if !ok {
		return unreachable(op, migrate.Transient, fmt.Errorf("%s: %w", f, bounded(err)), "")
	}
	class := statusClass(status)
	if status.Code == imap.ResponseCodeServerBug || status.Code == imap.ResponseCodeContactAdmin {
		class = migrate.Permanent // Dovecot says so of a folder whose files are damaged; the others can be read
	}
	return unreachable(op, class, fmt.Errorf("%s: %w", f, serverError(status)), "Look at the folder's rights and files at the source.")
}

// printable bounds a text of the server and takes control characters out.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if r := []rune(s); len(r) > 1000 {
		return string(r[:1000]) + "..."
	}
	return s
}
