package graph

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

var (
	// ErrNoUser is wrapped by the error of Open where there is no such user, or
	// no mailbox behind the address.
	ErrNoUser = errors.New("no such user")

	// ErrNoMailbox is wrapped by it where the user has no licence for a mailbox,
	// or the mailbox is not there yet.
	ErrNoMailbox = errors.New("the user has no mailbox")
)

// A refusal is an answer of Graph that is an error.
type refusal struct {
	status    int
	code      string
	message   string
	requestID string // client-request-id, which Microsoft's support asks for
}

func (r *refusal) Error() string {
	s := fmt.Sprintf("Microsoft Graph answered %d", r.status)
	if r.code != "" {
		s += " " + r.code
	}
	if r.message != "" {
		s += ": " + r.message
	}
	if r.requestID != "" {
		s += " (client-request-id " + r.requestID + ")"
	}
	return s
}

// Unwrap returns what the code says of the user.
func (r *refusal) Unwrap() error {
	switch verdictOf(r.status, r.code, r.message).hint {
	case hintUser:
		return ErrNoUser
	case hintNoEXO:
		return ErrNoMailbox
	}
	return nil
}

// refused returns the refusal inside err, or an empty one.
func refused(err error) refusal {
	if r, ok := errors.AsType[*refusal](err); ok {
		return *r
	}
	return refusal{}
}

// A verdict is the meaning of an error code.
type verdict struct {
	class migrate.Class
	hint  string
}

const (
	hintToken   = "Check the tenant, the client id and its secret or certificate, and that the app still has consent."
	hintAccess  = "Give the app the application permission Mail.ReadWrite (and Mail-Advanced.ReadWrite.All to import): Microsoft Entra admin center > App registrations > API permissions, then Grant admin consent. If it is limited to some mailboxes, make sure that its scope holds this one. Changes take up to 2 hours."
	hintUser    = "Check the address: no such user, or no mailbox behind it. Create the user or correct the mailbox list."
	hintNoEXO   = "The user has no Exchange Online mailbox yet. Assign a licence, wait 15 minutes, and run again."
	hintFull    = "The mailbox is full. Enlarge it or its licence, or free space, and run again."
	hintFolder  = "The folder holds as many messages as Exchange allows. Split it at the source and run again."
	hintSize    = "The message is larger than the mailbox accepts. Raise its message size limits (Set-Mailbox -MaxReceiveSize, at most 150 MB) and retry."
	hintContent = "Exchange refuses the content of this message. Keep it as a file, or repair it at the source and retry."
)

// verdictOf knows the documented codes; what has none of them is judged by its
// status.
func verdictOf(status int, code, message string) verdict {
	switch code {
	case "InvalidAuthenticationToken":
		return verdict{migrate.Fatal, hintToken}
	case "Authorization_RequestDenied", "ErrorAccessDenied":
		return verdict{migrate.Fatal, hintAccess}
	case "ErrorInvalidUser", "Request_ResourceNotFound", "ResourceNotFound", "ErrorNonExistentMailbox":
		return verdict{migrate.Fatal, hintUser}
	case "MailboxNotEnabledForRESTAPI":
		return verdict{migrate.Transient, hintNoEXO}
	case "ErrorQuotaExceeded", "quotaLimitReached":
		return verdict{migrate.Fatal, hintFull}
	case "ErrorMessagePerFolderCountReceiveQuotaExceeded":
		return verdict{migrate.Permanent, hintFolder}
	case "ErrorMessageSizeExceeded", "ErrorDataSizeLimitExceeded":
		return verdict{migrate.Permanent, hintSize}
	case "ErrorMimeContentInvalidBase64String", "ErrorMimeContentInvalid", "ErrorInvalidRecipients", "ErrorCorruptData",
		"UnableToDeserializePostBody", "InvalidInternetMessageHeader", "InvalidInternetMessageHeaderCollection":
		return verdict{migrate.Permanent, hintContent}
	case "SyncStateNotFound", "SyncStateInvalid", "ResyncRequired", "resyncRequired", "ApplicationThrottled", "TooManyRequests", "activityLimitReached":
		return verdict{class: migrate.Transient}
	}
	switch {
	// Broken uploads have no code of their own.
	case strings.HasPrefix(message, "IO error during request payload read"):
		return verdict{class: migrate.Transient}
	case status == http.StatusUnauthorized:
		return verdict{migrate.Fatal, hintToken}
	case status == http.StatusForbidden:
		return verdict{migrate.Fatal, hintAccess}
	case status == http.StatusInsufficientStorage:
		return verdict{migrate.Fatal, hintFull}
	case status == http.StatusRequestEntityTooLarge:
		return verdict{migrate.Permanent, hintSize}
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests:
		return verdict{class: migrate.Transient}
	}
	return verdict{class: migrate.Permanent}
}

// classify says what an answer means. It is a pure function; now is the
// client's time, for a Retry-After that is a date.
func classify(status int, code, message string, h http.Header, now time.Time) *migrate.Error {
	v := verdictOf(status, code, message)
	if status == http.StatusTooManyRequests {
		v = verdict{class: migrate.Transient}
	}
	e := &migrate.Error{
		Op: "call", Class: v.class, Hint: v.hint,
		// A server that fails may have stored the message all the same.
		Refused: status < 500 && status != http.StatusRequestTimeout && (status == http.StatusTooManyRequests || v.class != migrate.Transient),
		Content: v.hint == hintContent,
		Err:     &refusal{status, code, brief(message), h.Get("client-request-id")},
	}
	if e.Class == migrate.Transient {
		e.Delay = retryAfter(h, now)
	}
	e.Throttled = status == http.StatusTooManyRequests || status == statusBandwidth
	if e.Throttled && e.Delay == 0 {
		e.Delay = throttled
	}
	return e
}

// statusBandwidth is "Bandwidth Limit Exceeded".
const statusBandwidth = 509

// maxDelay bounds what a server can make us wait for.
const maxDelay = 24 * time.Hour

// throttled is how long to wait where the server throttles without saying so.
const throttled = 5 * time.Second

// retryAfter reads Retry-After: seconds, also with a fraction, or an HTTP date
// (RFC 9110 section 10.2.3).
func retryAfter(h http.Header, now time.Time) time.Duration {
	s := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		if !(seconds > 0) { // also NaN
			return 0
		}
		return time.Duration(min(seconds, maxDelay.Seconds()) * float64(time.Second))
	}
	if at, err := http.ParseTime(s); err == nil {
		if server, err := http.ParseTime(h.Get("Date")); err == nil {
			now = server // the date is by the server's clock
		}
		return min(max(at.Sub(now), 0), maxDelay)
	}
	return 0
}

// answered reads the error envelope of a response and classifies it. The
// envelope may be absent; errors inside it nest, but the outer one decides.
func answered(resp *http.Response, now time.Time) *migrate.Error {
	var envelope struct {
		Error struct{ Code, Message string }
	}
	data, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	_ = json.Unmarshal(data, &envelope)
	if resp.Header.Get("client-request-id") == "" && resp.Request != nil {
		resp.Header.Set("client-request-id", resp.Request.Header.Get("client-request-id"))
	}
	return classify(resp.StatusCode, envelope.Error.Code, envelope.Error.Message, resp.Header, now)
}

// unanswered classifies a call that got no answer.
func unanswered(err error) *migrate.Error {
	e := &migrate.Error{Op: "call", Class: migrate.Transient, Err: err}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		e.Refused = true // nothing was sent
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		e.Class, e.Refused = migrate.Fatal, true
		e.Hint = "The server's certificate is not trusted. Check the endpoint, and whether a proxy stands between."
	}
	return e
}

var errNoID = errors.New("the answer has no id")

// named says in err what was tried.
func named(op string, err error) error {
	if e, ok := errors.AsType[*migrate.Error](err); ok {
		c := *e
		c.Op = op
		return &c
	}
	return &migrate.Error{Op: op, Class: migrate.Transient, Err: err}
}

// rebuildable says of a refusal that the content can be stored otherwise.
func rebuildable(err error) error {
	e, _ := errors.AsType[*migrate.Error](named("import", err))
	e.Refused, e.Content, e.Rebuild = true, true, true
	return e
}

// begun is named for a call that comes after one that stored something, so
// that the message as a whole is in doubt.
func begun(op string, err error) error {
	e, _ := errors.AsType[*migrate.Error](named(op, err))
	e.Refused = false
	return e
}

func classOf(err error) migrate.Class {
	if e, ok := errors.AsType[*migrate.Error](err); ok {
		return e.Class
	}
	return migrate.Transient
}

// brief makes a vendor's text fit for one line of a log.
func brief(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200]) + "…"
	}
	return s
}
