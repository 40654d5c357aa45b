package gmail

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"google.golang.org/api/googleapi"

	"github.com/mailhaul/mailhaul/migrate"
)

// A kind of failure is one that more depends on than the fate of the call.
type kind int

const (
	other   kind = iota
	tooFast      // a quota is used up
	tooMany      // too many calls at once
	ended        // the call failed at Gmail and is over, whatever it did
)

// classify makes an error of the client library, or of the transport below
// it, an *migrate.Error without URLs, which hold addresses and upload keys.
func classify(op string, err error, now time.Time) (*migrate.Error, kind) {
	if e, ok := errors.AsType[*migrate.Error](err); ok {
		return e, other
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*chunkError](err); ok {
		err = e.err
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
	if errors.Is(err, errShortChunk) {
		e.Refused = true // the last chunk was never sent
	}
	return e, other
}

// An answer is what an error response says.
type answer struct {
	status  int
	reason  string // "rateLimitExceeded"; may be empty
	message string // bounded, one line; never empty
	header  http.Header
}

func answerOf(e *googleapi.Error) answer {
	a := answer{status: e.Code, message: e.Message, header: e.Header}
	if len(e.Errors) > 0 {
		a.reason = e.Errors[0].Reason
		if a.message == "" {
			a.message = e.Errors[0].Message
		}
	}
	if a.reason == "" {
		a.reason = reasonIn(e.Body)
	}
	if a.message == "" {
		a.message = pageText(e.Body) // front ends answer with web pages
	}
	if a.message = oneLine(a.message); a.message == "" {
		a.message = http.StatusText(a.status)
	}
	return a
}

// reasonIn returns the reason of google.rpc.ErrorInfo, or else the canonical
// status, of an error that lacks the older list of reasons.
func reasonIn(body string) string {
	var reply struct {
		Error struct {
			Status  string
			Details []struct{ Reason string }
		}
	}
	if json.Unmarshal([]byte(body), &reply) != nil {
		return ""
	}
	for _, d := range reply.Error.Details {
		if d.Reason != "" {
			return d.Reason
		}
	}
	return reply.Error.Status
}

func (a answer) err() error {
	if a.reason == "" {
		return fmt.Errorf("HTTP %d: %s", a.status, a.message)
	}
	return fmt.Errorf("HTTP %d, %s: %s", a.status, a.reason, a.message)
}

// refusal says what an error response means. Reasons count before status
// codes, since one refusal comes with several codes; texts count where Gmail
// gives nothing else to tell refusals apart (see the test for where each text
// was seen).
func refusal(op string, a answer, now time.Time) (*migrate.Error, kind) {
	e := &migrate.Error{Op: op, Class: migrate.Permanent, Refused: a.status < 500, Err: a.err()}
	says := func(text string) bool { return strings.Contains(strings.ToLower(a.message), text) }
	reason := strings.ToLower(a.reason)
	fatal := func(hint string) (*migrate.Error, kind) {
		e.Class, e.Hint = migrate.Fatal, hint
		return e, other
	}
	permanent := func(hint string) (*migrate.Error, kind) {
		e.Hint = hint
		return e, other
	}

	switch {
	case reason == "dailylimitexceeded":
		return fatal("The project's daily quota is used up: continue tomorrow, or ask Google for more in the Cloud console under Quotas.")
	case says("storage quota"):
		return fatal("The mailbox, or the storage of the organisation, is full: free or buy storage, then run again.")
	case says("concurrent requests"):
		e.Class, e.Delay = migrate.Transient, retryAfter(a, now)
		return e, tooMany
	case reason == "ratelimitexceeded", reason == "userratelimitexceeded", reason == "quotaexceeded",
		reason == "rate_limit_exceeded", reason == "resource_exhausted", a.status == http.StatusTooManyRequests:
		e.Class, e.Delay = migrate.Transient, retryAfter(a, now)
		if e.Delay > time.Minute {
			e.Hint = "Gmail has paused this mailbox: it was given too much data or too many messages. Other mailboxes go on."
		}
		return e, tooFast

	case a.status >= 500:
		e.Class, e.Delay = migrate.Transient, retryAfter(a, now)
		e.Hint = "Trouble at Google. If it goes on for this mailbox alone, look in the Admin console whether the user is suspended."
		if a.status == http.StatusInternalServerError || a.status == http.StatusServiceUnavailable {
			return e, ended
		}
		return e, other // a gateway has given up; the call may go on behind it
	case a.status == http.StatusRequestTimeout:
		e.Class, e.Refused = migrate.Transient, false
		return e, other
	case a.status < 400:
		e.Class, e.Refused = migrate.Transient, false
		e.Hint = "The endpoint answers with a redirect, which Gmail does not do: check the endpoint and the proxy."
		return e, other

	case reason == "domainpolicy":
		return fatal("Gmail or its API is switched off for this domain: Admin console, Apps, Google Workspace, Gmail.")
	case says("delegation denied"):
		return fatal("The token is for another user than this mailbox: each mailbox needs a token whose subject is its own address.")
	case reason == "insufficientpermissions", reason == "access_token_scope_insufficient":
		return fatal("The token lacks the scope " + Scope + ": Admin console, Security, API controls, Domain-wide delegation.")
	case reason == "accessnotconfigured", reason == "service_disabled":
		return fatal("The Gmail API is not enabled in the Google Cloud project: Cloud console, APIs and services, Library.")
	case a.status == http.StatusForbidden:
		return fatal("Google refuses access to this mailbox: check the user in the Admin console and the scopes under Domain-wide delegation.")

	case says("mail service not enabled"):
		return fatal("Gmail is switched off for this user: give the user a licence with Gmail and turn the service on in the Admin console.")
	case reason == "failedprecondition", reason == "failed_precondition":
		e.Class = migrate.Transient
		e.Hint = "The user may have no mailbox, or the token names no user; Gmail also says so for a minute now and then."
		return e, other
	case says("labelid not found"):
		return fatal("A label was deleted during the run: run again, and it is made anew.")
	case says("invalid label name"):
		return permanent("Gmail reserves this name: give the folder another one.")
	case says("invalid label: sent"), says("invalid label: draft"), says("invalid label: important"):
		return permanent("Gmail sets this label itself and refused it for this message.")
	case a.status == http.StatusConflict:
		return permanent("A label with a name that Gmail holds to be the same exists.")
	case says("from' header"), says("from header"):
		return permanent("Gmail takes mail with exactly one From field that holds one valid address. Repair the field, or keep the message as a file.")
	case says("invalid attachment"):
		return permanent("Gmail blocks this attachment's type or found a virus in it (support.google.com/mail/answer/6590). Keep the message as a file.")
	case a.status == http.StatusRequestEntityTooLarge:
		return permanent("The message is larger than Gmail takes. Keep it as a file.")
	case a.status == http.StatusNotFound:
		e.Err = &notThere{e.Err.Error()}
		return permanent("It is not at Gmail any more: somebody deleted it.")
	default:
		return permanent("Gmail finds the message malformed and does not say why: often odd or doubled header fields, or a virus. Keep it as a file.")
	}
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

// tokenRefusal says why there is no token. Only what comes back with a code
// is final; the network may recover.
func tokenRefusal(op string, err error) *migrate.Error {
	e := &migrate.Error{Op: op, Class: migrate.Transient, Refused: true, Err: fmt.Errorf("token: %w", hideURL(err))}
	status, code, description := 0, "", ""
	if r, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		var reply struct {
			Error       string
			Description string `json:"error_description"`
		}
		if r.Response != nil {
			status = r.Response.StatusCode
		}
		code, description = r.ErrorCode, r.ErrorDescription
		if code == "" && json.Unmarshal(r.Body, &reply) == nil {
			code, description = reply.Error, reply.Description
		}
		text := oneLine(description)
		if code == "" {
			text = oneLine(pageText(string(r.Body)))
		}
		e.Err = fmt.Errorf("token: HTTP %d: %s", status, strings.Trim(oneLine(code)+": "+text, ": "))
	} else if text := err.Error(); strings.HasPrefix(text, "impersonate: status code ") {
		// The keyless source gives its answer as text only.
		fmt.Sscanf(text, "impersonate: status code %d", &status)
		for _, known := range []string{"invalid_grant", "unauthorized_client", "admin_policy_enforced", "PERMISSION_DENIED"} {
			if strings.Contains(text, known) {
				code = known
			}
		}
		e.Err = fmt.Errorf("token: %s", oneLine(text))
	}

	if status >= 400 && status < 500 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout {
		e.Class = migrate.Fatal
	}
	switch code {
	case "invalid_grant":
		e.Hint = "Google knows no such user, or the service account's key is no longer valid, or this machine's clock is wrong: check the address in the Admin console under Users."
	case "unauthorized_client":
		e.Hint = "Domain-wide delegation is missing: Admin console, Security, Access and data control, API controls, Manage domain-wide delegation: add the service account's client ID with exactly the scope " + Scope + ". It can take a day to work."
	case "admin_policy_enforced":
		e.Hint = "The domain's policy forbids this application: Admin console, Security, API controls, App access control."
	case "PERMISSION_DENIED":
		e.Hint = "The account that runs mailhaul needs the role Service Account Token Creator on the service account."
	default:
		if e.Class == migrate.Fatal {
			e.Hint = "Google gives no token: check the service account and its key."
		}
	}
	return e
}

func hideURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

var retryTime = regexp.MustCompile(`(?i)retry after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))`)

// maxDelay bounds what a server can make us wait.
const maxDelay = 24 * time.Hour

// retryAfter returns how long the server asks to wait: the longer of the
// Retry-After field (RFC 9110 section 10.2.3) and of the time in the text, as
// in "User-rate limit exceeded.  Retry after 2023-03-07T18:03:15.961Z".
func retryAfter(a answer, now time.Time) time.Duration {
	var delay time.Duration
	field := a.header.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(field, 64); err == nil && seconds > 0 {
		delay = time.Duration(min(seconds, maxDelay.Seconds()) * float64(time.Second))
	} else if until, err := http.ParseTime(field); err == nil {
		delay = until.Sub(now)
	}
	if m := retryTime.FindStringSubmatch(a.message); m != nil {
		if until, err := time.Parse(time.RFC3339Nano, m[1]); err == nil {
			delay = max(delay, until.Sub(now))
		}
	}
	return min(max(delay, 0), maxDelay)
}

var tags = regexp.MustCompile(`(?s)<(?:style|script)\b.*?</(?:style|script)>|<[^>]*>`)

// pageText returns the text of a web page.
func pageText(body string) string {
	return tags.ReplaceAllString(body[:min(len(body), maxRefuse)], " ")
}

// oneLine returns s as one line of at most 300 characters.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool {
		return r <= ' ' || r == 0x7f
	}), " ")
	if r := []rune(s); len(r) > 300 {
		return string(r[:299]) + "…"
	}
	return s
}
