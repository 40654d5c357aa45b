package gmail

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/mailhaul/mailhaul/migrate"
)

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
	malformed := func(hint string) (*migrate.Error, kind) {
		e.Content = true
		return permanent(hint)
	}

	switch {
	case reason == "dailylimitexceeded":
		return fatal("The project's daily quota is used up: continue tomorrow, or ask Google for more in the Cloud console under Quotas.")
	case says("storage quota"):
		return fatal("The mailbox, or the storage of the organisation, is full: free or buy storage, then run again.")
	case says("concurrent requests"):
		e.Class, e.Delay, e.Throttled = migrate.Transient, retryAfter(a, now), true
		return e, tooMany
	case reason == "ratelimitexceeded", reason == "userratelimitexceeded", reason == "quotaexceeded",
		reason == "rate_limit_exceeded", reason == "resource_exhausted", a.status == http.StatusTooManyRequests:
		e.Class, e.Delay, e.Throttled = migrate.Transient, retryAfter(a, now), true
		if says("per minute'") { // and not 'Units per minute per user'
			return e, allTooFast
		}
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
		e.Err = &unserved{e.Err, ErrNoMailbox}
		return fatal("Gmail is switched off for this user: give the user a licence with Gmail and turn the service on in the Admin console.")
	case reason == "failedprecondition", reason == "failed_precondition":
		e.Class, e.Err = migrate.Transient, &unserved{e.Err, ErrNoMailbox}
		e.Hint = "There is no such user or no mailbox (compare the address with the Admin console, Directory > Users), or the token is for nobody. Or it is trouble at Google that passes within a minute: try again."
		return e, other
	case says("labelid not found"):
		return fatal("A label was deleted during the run: run again, and it is made anew.")
	case says("invalid label name"):
		return permanent("Gmail reserves this name: give the folder another one.")
	case says("invalid label: sent"), says("invalid label: draft"), says("invalid label: important"):
		return permanent("Gmail sets this label itself and refused it for this message.")
	case says("invalid label: "):
		return permanent("Gmail does not give this label to messages that are brought in. Leave the folder out, or let it become an ordinary label by renaming it at the source.")
	case a.status == http.StatusConflict:
		return permanent("A label with a name that Gmail holds to be the same exists: give the folder another name.")
	case op == costLabelsCreate.op:
		return permanent("Gmail does not take this label and does not say why. A mailbox has room for 10,000 labels, and Gmail dislikes some names: delete labels, leave folders out, or give the folder another name.")
	case says("from' header"), says("from header"):
		return malformed("Gmail takes mail with exactly one From field that holds one valid address. Keep the message as a file.")
	case says("invalid attachment"):
		return permanent("Gmail blocks this attachment's type or found a virus in it (support.google.com/mail/answer/6590). Keep the message as a file.")
	case a.status == http.StatusRequestEntityTooLarge:
		return permanent("The message is larger than Gmail takes. Keep it as a file.")
	case a.status == http.StatusNotFound:
		e.Err = &notThere{e.Err.Error()}
		return permanent("It is not at Gmail any more: somebody deleted it.")
	case says("'raw' rfc822 payload"):
		return permanent("Gmail found no message in the request. If the message is not empty, this is a mistake of mailhaul's: please report it with this text.")
	case says("invalid pagetoken"):
		e.Class, e.Hint = migrate.Transient, "Gmail has forgotten how far a listing got: it begins again."
		return e, other
	case says("threadid not allowed"), says("can only add one of"), says("invalid id value"), !carriesMail(op):
		return permanent("Gmail refuses a request that is no message's fault. This is a mistake of mailhaul's: please report it with this text.")
	case !says("bad request") && !says("request contains an invalid argument"):
		e.Err = &unexplained{e.Err.Error()}
		return malformed("Gmail does not take this message, for a reason that mailhaul does not know. Keep it as a file, and please report this text.")
	default:
		return malformed("Gmail finds the message malformed and does not say why: often odd or doubled header fields, or a virus. Keep it as a file.")
	}
}

// carriesMail says whether the method op was given a message.
func carriesMail(op string) bool {
	return op == costImport.op || op == costInsert.op || op == costDraft.op
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
