package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// A Secret returns a secret: it is asked each time that one is needed.
type Secret func(context.Context) (string, error)

const (
	sendTimeout = 30 * time.Second // of one attempt
	delayLimit  = time.Hour        // the longest Retry-After that is waited out
)

// caller makes HTTP calls whose URL is a secret.
type caller struct {
	op     string // what people call it
	client *http.Client
}

// newCaller returns one that goes by transport, or as the environment says.
func newCaller(op string, transport http.RoundTripper) caller {
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		t.DisableKeepAlives = true // minutes or days lie between two calls
		transport = t
	}
	return caller{op, &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// parse reads the URL that secret returns. In the clear it may lead to this
// machine only.
func (c caller) parse(ctx context.Context, secret Secret) (*url.URL, error) {
	text, err := secret(ctx)
	if err != nil {
		return nil, &migrate.Error{Op: c.op, Class: migrate.Transient, Err: err}
	}
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, failed(c.op, "", "what is set is not a URL that begins with https://")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, failed(c.op, "", "http would send the URL, which is a secret, over the network in the clear: use https; http is for this machine only")
	}
	return u, nil
}

// loopback says whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// call sends a request and wants an answer of the 200s.
func (c caller) call(req *http.Request) error {
	ctx, cancel := context.WithTimeout(req.Context(), sendTimeout)
	defer cancel()
	req.Header.Set("User-Agent", "mailhaul")
	resp, err := c.client.Do(req.WithContext(ctx))
	if err != nil {
		return &migrate.Error{Op: c.op, Class: migrate.Transient, Err: described(err)}
	}
	resp.Body.Close() // unread: it may have any length
	code := resp.StatusCode
	switch {
	case code >= 200 && code < 300:
		return nil
	case code >= 300 && code < 400:
		return failed(c.op, "Set the URL that it leads to.", "the answer is a redirect (%d), which is not followed", code)
	case code >= 500, code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests:
		return &migrate.Error{Op: c.op, Class: migrate.Transient, Delay: retryAfter(resp.Header, time.Now()), Err: answered(code)}
	}
	return &migrate.Error{Op: c.op, Class: migrate.Permanent, Err: answered(code), Hint: "See that the URL is right and still in use."}
}

func answered(code int) error {
	return fmt.Errorf("the answer is %s", strings.TrimSpace(strconv.Itoa(code)+" "+http.StatusText(code)))
}

// retryAfter reads Retry-After (RFC 9110 section 10.2.3), up to delayLimit.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, delayLimit)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), delayLimit)
	}
	return 0
}

// failed is the error of what trying again cannot mend.
func failed(op, hint, format string, args ...any) error {
	return &migrate.Error{Op: op, Class: migrate.Permanent, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// described says what went wrong with a connection in words of our own. Those
// of the libraries hold URLs and host names, and what the server sent.
func described(err error) error {
	var (
		dns       *net.DNSError
		unknown   x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		cert      *tls.CertificateVerificationError
		alert     tls.AlertError
		record    tls.RecordHeaderError
		temporary net.Error
	)
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("stopped")
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &temporary) && temporary.Timeout():
		return fmt.Errorf("no answer within %v", sendTimeout)
	case errors.As(err, &dns):
		return errors.New("the name of its host is not known")
	case errors.As(err, &unknown):
		return errors.New("its certificate is signed by nobody whom this machine trusts")
	case errors.As(err, &host):
		return errors.New("its certificate is for another host")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return errors.New("its certificate has expired or is not valid yet")
	case errors.As(err, &invalid), errors.As(err, &cert):
		return errors.New("its certificate is not valid")
	case errors.As(err, &alert), errors.As(err, &record):
		return errors.New("TLS failed")
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("connection refused")
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return errors.New("no route to its host")
	}
	return errors.New("the connection failed")
}
