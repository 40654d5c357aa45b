package gmail

import (
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/mailhaul/mailhaul/migrate"
)

var (
	// ErrNoUser is wrapped by the error of Open where Google knows no such user.
	ErrNoUser = errors.New("no such user")

	// ErrNoMailbox is wrapped by it where the user has no Gmail, or has none yet.
	ErrNoMailbox = errors.New("the user has no mailbox")
)

// unserved is a refusal that says what of these is the matter.
type unserved struct {
	error
	what error
}

func (e *unserved) Unwrap() []error { return []error{e.error, e.what} }

// A kind of failure is one that more depends on than the fate of the call.
type kind int

const (
	other      kind = iota
	tooFast         // a quota of the mailbox is used up
	allTooFast      // one of the project is
	tooMany         // too many calls at once
	ended           // the call failed at Gmail and is over, whatever it did
)

// classify makes an error of the client library, or of the transport below
// it, an *migrate.Error without URLs, which hold addresses and upload keys.
func classify(op string, err error, now time.Time) (*migrate.Error, kind) {
	if e, ok := errors.AsType[*migrate.Error](err); ok {
		return e, other
	}
	if i, ok := errors.AsType[*interruption](err); ok {
		e, what := classify(op, i.err, now)
		return i.judge(e), what
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*tokenError](err); ok {
		return tokenRefusal(op, e.err), other
	}
	if e, ok := errors.AsType[*refusedToken](err); ok {
		return unauthorized(op, e), other
	}
	if e, ok := errors.AsType[*googleapi.Error](err); ok {
		return refusal(op, answerOf(e), now)
	}
	e := &migrate.Error{Op: op, Class: migrate.Transient, Err: err}
	if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
		e.Refused = true // nothing was sent
	}
	if cert, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		e.Class, e.Refused, e.Err = migrate.Fatal, true, cert
		e.Hint = "The certificate of the endpoint is not trusted. If a proxy inspects TLS, add its authority to this machine's trusted certificates."
	}
	return e, other
}

// unauthorized is Transient once, since tokens expire, and then Fatal.
func unauthorized(op string, refused *refusedToken) *migrate.Error {
	e := &migrate.Error{Op: op, Class: migrate.Transient, Refused: true, Err: refused.err}
	if g, ok := errors.AsType[*googleapi.Error](refused.err); ok {
		e.Err = answerOf(g).err()
	}
	if refused.final {
		e.Class = migrate.Fatal
		e.Hint = "Google refuses the token, and a new one as well: check the key of the service account and whether it was disabled."
	}
	return e
}

func hideURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// notThere is Gmail's 404.
type notThere struct{ text string }

func (e *notThere) Error() string { return e.text }

// gone says whether err says that what was asked for is not at Gmail.
func gone(err error) bool {
	_, ok := errors.AsType[*notThere](err)
	return ok
}
