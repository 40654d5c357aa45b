package gmail

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/oauth2"

	"github.com/mailhaul/mailhaul/migrate"
)

// A login is a service account that asks for a token to act for a user.
type login struct {
	account  string // its address; empty for a token that something else provides
	clientID string // its unique ID, the only name by which the Admin console knows it; may be unknown
	user     string
}

// loginError is why a service account gets no token.
type loginError struct {
	login
	err error
}

func (e *loginError) Error() string { return e.err.Error() }
func (e *loginError) Unwrap() error { return e.err }

// localError is a login that this machine lacks.
type localError struct{ err error }

func (e *localError) Error() string { return e.err.Error() }

// A tokenAnswer is what the token endpoint, or the one that signs for a
// keyless login, says to a request that it refuses (RFC 6749 section 5.2).
type tokenAnswer struct {
	status      int    // 0 if there was no answer
	code        string // "invalid_grant"
	description string
}

// tokenRefusal says why there is no token. Only what comes back with a code
// is final; the network may recover.
func tokenRefusal(op string, err error) *migrate.Error {
	e := &migrate.Error{Op: op, Class: migrate.Transient, Refused: true, Err: fmt.Errorf("token: %w", hideURL(err))}
	who := login{}
	if l, ok := errors.AsType[*loginError](err); ok {
		who = l.login
	}
	if _, ok := errors.AsType[*localError](err); ok {
		e.Class = migrate.Fatal
		e.Hint = "This machine has no login of its own, with which to use the service account: run \"gcloud auth application-default login\"."
		return e
	}
	a, ok := answerTo(err)
	if !ok {
		return e
	}
	e.Err = fmt.Errorf("token: %s", a)
	if a.unknownUser() {
		e.Err = &unserved{e.Err, ErrNoUser}
	}
	if a.status >= 400 && a.status < 500 && a.status != http.StatusTooManyRequests && a.status != http.StatusRequestTimeout {
		e.Class = migrate.Fatal
		e.Hint = who.hint(a)
	}
	return e
}

func (a tokenAnswer) String() string {
	return fmt.Sprintf("HTTP %d: %s", a.status, strings.Trim(oneLine(a.code)+": "+oneLine(a.description), ": "))
}

// answerTo returns what err says that a server answered.
func answerTo(err error) (a tokenAnswer, ok bool) {
	if r, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		if r.Response != nil {
			a.status = r.Response.StatusCode
		}
		a.code, a.description = r.ErrorCode, r.ErrorDescription
		if a.code == "" {
			a.read(string(r.Body))
		}
		return a, true
	}
	// The keyless source gives what it was answered as text only.
	_, text, found := strings.Cut(err.Error(), "impersonate: status code ")
	if found {
		fmt.Sscanf(text, "%d", &a.status)
		_, body, _ := strings.Cut(text, ": ")
		a.read(body)
		return a, true
	}
	// So it does with the login of this machine, once that has ended.
	if text := err.Error(); strings.Contains(text, "unable to sign JWT") && strings.Contains(text, "invalid_grant") {
		return tokenAnswer{http.StatusBadRequest, "invalid_grant", "the login of this machine has ended"}, true
	}
	return a, false
}

// unknownUser says whether the user is what the endpoint objects to.
func (a tokenAnswer) unknownUser() bool {
	description := strings.ToLower(a.description)
	return strings.EqualFold(a.code, "invalid_grant") && (strings.Contains(description, "not a valid email") || strings.Contains(description, "invalid email"))
}

// read reads the body of an answer: that of the token endpoint, that of a
// Google API, or a page.
func (a *tokenAnswer) read(body string) {
	var reply struct {
		Error       string
		Description string `json:"error_description"`
	}
	var api struct {
		Error struct{ Message string }
	}
	switch {
	case json.Unmarshal([]byte(body), &reply) == nil && reply.Error != "":
		a.code, a.description = reply.Error, reply.Description
	case json.Unmarshal([]byte(body), &api) == nil:
		a.code, a.description = reasonIn(body), api.Error.Message
	default:
		a.description = pageText(body)
	}
}

// hint says what the operator can do about a, in the words of the Admin
// console and of the Cloud console. Codes and texts are those that
// developers.google.com/identity/protocols/oauth2/service-account lists, and
// those of the IAM Service Account Credentials API.
func (l login) hint(a tokenAnswer) string {
	says := func(text string) bool { return strings.Contains(strings.ToLower(a.description), text) }
	switch strings.ToLower(a.code) {
	case "unauthorized_client", "access_denied":
		return l.delegation() + " If the entry is there, compare every character: the client ID is a number, not an address, and the scope must be the same."
	case "admin_policy_enforced":
		return "A policy of the organisation forbids this application: Admin console, Security > Access and data control > API controls > Manage app access."
	case "invalid_grant":
		switch {
		case a.unknownUser():
			return "Google knows no such user" + l.named() + ": look in the Admin console under Directory > Users, and correct the mailbox list."
		case says("short-lived"):
			return "The clock of this machine is wrong: set it right."
		case says("signature"):
			return "The key of the service account was deleted or disabled: make a new one in the Cloud console, IAM and admin > Service accounts > Keys."
		case says("account not found"):
			return "The service account was deleted, or its address is misspelt: Cloud console, IAM and admin > Service accounts."
		case says("of this machine"):
			return "Run \"gcloud auth application-default login\" again."
		}
		return "Google knows no such user" + l.named() + ", or the service account's key is no longer valid, or this machine's clock is wrong: check the address in the Admin console under Directory > Users."
	case "iam_permission_denied", "permission_denied":
		return "The account that runs mailhaul needs the role Service Account Token Creator on the service account " + l.account + ": Cloud console, IAM and admin > Service accounts > Principals with access > Grant access. It can take a few minutes to work."
	case "service_disabled":
		return "The IAM Service Account Credentials API is not enabled: Cloud console, APIs and services > Library, in the project that the answer names."
	case "not_found":
		return "There is no service account " + l.account + ": look for its address in the Cloud console, IAM and admin > Service accounts."
	case "disabled_client", "deleted_client", "invalid_client":
		return "The service account was disabled or deleted: Cloud console, IAM and admin > Service accounts."
	}
	return "Google gives no token: check the service account and its key."
}

// delegation tells an administrator where to allow what, and to whom.
func (l login) delegation() string {
	id := l.clientID
	if id == "" {
		id = "the unique ID of " + l.account + " (Cloud console, IAM and admin > Service accounts)"
		if l.account == "" {
			id = "that of the application that provides the token"
		}
	}
	return "In the Admin console (admin.google.com), as a super administrator: Security > Access and data control > API controls > Manage Domain Wide Delegation > Add new. Client ID: " +
		id + ". OAuth scopes: " + Scope + ". It takes minutes to work, and can take a day."
}

func (l login) named() string {
	if l.user == "" {
		return ""
	}
	return " as " + l.user
}
