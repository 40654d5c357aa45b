package gmail

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/mailhaul/mailhaul/migrate"
)

const (
	transient = migrate.Transient
	permanent = migrate.Permanent
	fatal     = migrate.Fatal
)

// now is when the refusals below arrive.
var now = time.Date(2023, time.March, 7, 17, 48, 15, 961e6, time.UTC)

// envelope is Gmail's error body.
func envelope(code int, reason, message string) string {
	return fmt.Sprintf(`{"error":{"code":%d,"message":%q,"errors":[{"domain":"global","reason":%q,"message":%q}]}}`, code, message, reason, message)
}

// received is what the client library makes of an error response.
func received(code int, header http.Header, body string) error {
	err := googleapi.CheckResponse(&http.Response{StatusCode: code, Header: header, Body: io.NopCloser(strings.NewReader(body))})
	return fmt.Errorf("wrapped: %w", err)
}

func TestEveryKnownRefusalHasItsClassDelayAndHint(t *testing.T) {
	const (
		malformed = "Gmail finds the message malformed"
		oneFrom   = "exactly one From field that holds one valid address"
		ours      = "a mistake of mailhaul's"
		metric    = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service 'gmail.googleapis.com' for consumer 'project_number:1'."
		quarter   = 15 * time.Minute
	)
	for _, test := range []struct {
		op              string // "import" if empty
		code            int
		reason, message string
		class           migrate.Class
		kind            kind
		delay           time.Duration
		hint            string // a part of it; none if empty
	}{
		// The message.
		{"", 400, "badRequest", "Bad Request", permanent, other, 0, malformed},
		{"", 400, "invalidArgument", "Bad Request", permanent, other, 0, malformed},
		{"", 400, "invalidArgument", "Expected a single 'From' header", permanent, other, 0, oneFrom},
		{"", 400, "invalidArgument", "Invalid From header", permanent, other, 0, oneFrom},
		{"", 400, "invalidArgument", "Request contains an invalid argument.", permanent, other, 0, malformed},
		{"insert", 400, "invalidArgument", "Request contains an invalid argument.", permanent, other, 0, malformed},
		{"drafts.create", 400, "invalidArgument", "Request contains an invalid argument.", permanent, other, 0, malformed},
		{"", 400, "invalidArgument", "Invalid attachment. Please check https://support.google.com/mail/answer/6590.", permanent, other, 0, "found a virus"},
		{"", 413, "", "", permanent, other, 0, "larger than Gmail takes"},
		{"", 400, "invalidArgument", "An answer of tomorrow.", permanent, other, 0, "a reason that mailhaul does not know"},

		// The request.
		{"", 400, "invalidArgument", "'raw' RFC822 payload message string or uploading message via /upload/* URL required", permanent, other, 0, "If the message is not empty"},
		{"", 400, "invalidArgument", "threadId not allowed", permanent, other, 0, ours},
		{"messages.modify", 400, "", "Can only add one of: INBOX, SPAM, TRASH", permanent, other, 0, ours},
		{"messages.get", 400, "invalidArgument", "Invalid id value", permanent, other, 0, ours},
		{"messages.list", 400, "invalidArgument", "Invalid pageToken", transient, other, 0, "begins again"},
		{"history.list", 400, "invalidArgument", "Request contains an invalid argument.", permanent, other, 0, ours},

		// Labels.
		{"", 400, "invalidArgument", "Invalid label: SENT", permanent, other, 0, "sets this label itself"},
		{"", 400, "invalidArgument", "Invalid label: IMPORTANT", permanent, other, 0, "sets this label itself"},
		{"", 400, "invalidArgument", "Invalid label: DRAFT", permanent, other, 0, "sets this label itself"},
		{"messages.modify", 400, "invalidArgument", "Invalid label: CHAT", permanent, other, 0, "Leave the folder out"},
		{"", 400, "invalidArgument", "labelId not found", fatal, other, 0, "run again"},
		{"labels.create", 400, "invalidArgument", "Invalid label name", permanent, other, 0, "give the folder another one"},
		{"labels.create", 400, "invalidArgument", "Too many labels", permanent, other, 0, "10,000 labels"}, // a guess
		{"labels.create", 409, "aborted", "Label name exists or conflicts", permanent, other, 0, "give the folder another name"},
		{"messages.get", 404, "notFound", "Requested entity was not found.", permanent, other, 0, "somebody deleted it"},

		// The mailbox and the domain.
		{"", 400, "failedPrecondition", "Mail service not enabled", fatal, other, 0, "Gmail is switched off for this user"},
		{"", 400, "failedPrecondition", "Precondition check failed.", transient, other, 0, "passes within a minute"},
		{"", 403, "quotaExceeded", "The user has exceeded their storage quota.", fatal, other, 0, "free or buy storage"}, // a guess
		{"", 403, "domainPolicy", "The domain administrators have disabled Gmail apps.", fatal, other, 0, "switched off for this domain"},
		{"", 403, "forbidden", "Delegation denied for ann@example.org", fatal, other, 0, "its own address"},
		{"", 403, "insufficientPermissions", "Request had insufficient authentication scopes.", fatal, other, 0, Scope},
		{"", 403, "accessNotConfigured", "Gmail API has not been used in project 1 before or it is disabled.", fatal, other, 0, "not enabled in the Google Cloud project"},
		{"", 403, "forbidden", "Forbidden", fatal, other, 0, "check the user in the Admin console"},

		// Quotas.
		{"", 403, "rateLimitExceeded", strings.ReplaceAll(metric, "Queries", "Units"), transient, tooFast, 0, ""},
		{"", 403, "rateLimitExceeded", metric, transient, tooFast, 0, ""},
		{"", 429, "rateLimitExceeded", metric, transient, tooFast, 0, ""},
		{"", 403, "rateLimitExceeded", "Quota exceeded for quota metric 'Total Query Cost' and limit 'Units per minute' of service 'gmail.googleapis.com' for consumer 'project_number:1'.", transient, allTooFast, 0, ""},
		{"", 403, "userRateLimitExceeded", "User Rate Limit Exceeded", transient, tooFast, 0, ""},
		{"", 429, "userRateLimitExceeded", "User Rate Limit Exceeded", transient, tooFast, 0, ""},
		{"", 403, "rateLimitExceeded", "Rate Limit Exceeded", transient, tooFast, 0, ""},
		{"", 429, "rateLimitExceeded", "Too many concurrent requests for user.", transient, tooMany, 0, ""},
		{"", 429, "rateLimitExceeded", "User-rate limit exceeded.  Retry after 2023-03-07T18:03:15.961Z", transient, tooFast, quarter, "Gmail has paused this mailbox"},
		{"", 403, "rateLimitExceeded", "User-rate limit exceeded.  Retry after 2023-03-07T18:03:15.961Z", transient, tooFast, quarter, "Gmail has paused this mailbox"},
		{"", 429, "rateLimitExceeded", "Resource has been exhausted (e.g. check quota).", transient, tooFast, 0, ""},
		{"", 403, "dailyLimitExceeded", "Daily Limit Exceeded", fatal, other, 0, "continue tomorrow"},

		// Google.
		{"", 500, "backendError", "Backend Error", transient, ended, 0, "whether the user is suspended"},
		{"", 502, "backendError", "Backend Error", transient, other, 0, "whether the user is suspended"},
		{"", 503, "backendError", "Backend Error", transient, ended, 0, "whether the user is suspended"},
		{"", 503, "backendError", "Temporary System Problem. Try again later (WA)", transient, ended, 0, "whether the user is suspended"},
		{"", 504, "backendError", "Backend Error", transient, other, 0, "whether the user is suspended"},
	} {
		op := cmp.Or(test.op, "import")
		e, kind := classify(op, received(test.code, nil, envelope(test.code, test.reason, test.message)), now)
		if e.Class != test.class || kind != test.kind || e.Delay != test.delay || !strings.Contains(e.Hint, test.hint) || (e.Hint == "") != (test.hint == "") {
			t.Errorf("%s %d %s %q: class %v, kind %v, delay %v, hint %q", op, test.code, test.reason, test.message, e.Class, kind, e.Delay, e.Hint)
		}
		if e.Throttled != (kind == tooFast || kind == allTooFast || kind == tooMany) {
			t.Errorf("%d %q: throttled is %v", test.code, test.message, e.Throttled)
		}
		about := []string{malformed, oneFrom, "a reason that mailhaul does not know"}
		if e.Content != (test.hint != "" && slices.ContainsFunc(about, func(hint string) bool { return strings.Contains(e.Hint, hint) })) {
			t.Errorf("%s %d %q: about the content is %v", op, test.code, test.message, e.Content)
		}
		if e.Refused != (test.code < 500) {
			t.Errorf("%d %q: refused is %v", test.code, test.message, e.Refused)
		}
		if !strings.Contains(e.Error(), oneLine(test.message)) || !strings.HasPrefix(e.Error(), op+": ") {
			t.Errorf("%d %q: the error reads %q", test.code, test.message, e)
		}
	}
}

func TestARefusedTokenIsTriedAgainOnce(t *testing.T) {
	refused := received(401, nil, envelope(401, "authError", "Invalid Credentials"))
	for final, want := range map[bool]migrate.Class{false: transient, true: fatal} {
		e, kind := classify("import", &url.Error{Op: "Post", URL: "x", Err: &refusedToken{refused, final}}, now)
		if e.Class != want || kind != other || !e.Refused || e.Delay != 0 || strings.Contains(e.Hint, "a new one as well") != final || !strings.Contains(e.Error(), "Invalid Credentials") {
			t.Errorf("final %v: %#v", final, e)
		}
	}
}

func TestRefusalsWithoutTheOldEnvelopeAreUnderstood(t *testing.T) {
	for _, test := range []struct {
		code  int
		body  string
		class migrate.Class
		kind  kind
		text  string
	}{
		{429, ``, transient, tooFast, "import: HTTP 429: Too Many Requests"},
		{503, "<html><head><style>p{}</style><title>Error 503</title></head><body><p>Try again.</p></body></html>", transient, ended, "import: HTTP 503: Error 503 Try again."},
		{400, "<!DOCTYPE html><title>Bad &amp;</title>", permanent, other, "import: HTTP 400: Bad &amp;"},
		{413, "<html>", permanent, other, "import: HTTP 413: Request Entity Too Large"},
		{403, `{"error":{"code":403,"message":"No.","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}}`, fatal, other, "import: HTTP 403, ACCESS_TOKEN_SCOPE_INSUFFICIENT: No."},
		{403, `{"error":{"code":403,"message":"Slow.","status":"RESOURCE_EXHAUSTED"}}`, transient, tooFast, "import: HTTP 403, RESOURCE_EXHAUSTED: Slow."},
		{400, `[{"error":{"code":400,"message":"In a list."}}]`, permanent, other, "import: HTTP 400: In a list."},
		{400, `{"error":`, permanent, other, `import: HTTP 400: {"error":`},
		{408, ``, transient, other, "import: HTTP 408: Request Timeout"},
		{302, ``, transient, other, "import: HTTP 302: Found"},
	} {
		e, kind := classify("import", received(test.code, nil, test.body), now)
		if e.Class != test.class || kind != test.kind || e.Error() != test.text {
			t.Errorf("%d %q: class %v, kind %v, text %q", test.code, test.body, e.Class, kind, e)
		}
		if refused := test.code >= 400 && test.code < 500 && test.code != 408; e.Refused != refused {
			t.Errorf("%d %q: refused is %v", test.code, test.body, e.Refused)
		}
	}
}

func TestTheTimeToWaitIsTheLongerOfFieldAndText(t *testing.T) {
	const text = "User-rate limit exceeded.  Retry after 2023-03-07T18:03:15.961Z"
	for _, test := range []struct {
		field, message string
		want           time.Duration
	}{
		{"", "Rate Limit Exceeded", 0},
		{"", text, 15 * time.Minute},
		{"30", text, 15 * time.Minute},
		{"3600", text, time.Hour},
		{"0.5", "", time.Second / 2},
		{"Tue, 07 Mar 2023 17:49:15 GMT", "", time.Minute - 961*time.Millisecond},
		{"Tue, 07 Mar 2023 17:00:00 GMT", "", 0},
		{"", "Retry after 2023-03-07T19:48:16+02:00", 39 * time.Millisecond},
		{"", "retry after 2023-99-99T99:99:99Z", 0},
		{"-5", "", 0},
		{"NaN", "", 0},
		{"soon", "", 0},
		{"1e300", "", maxDelay},
		{"", "Retry after 9999-01-01T00:00:00Z", maxDelay},
	} {
		header := http.Header{"Retry-After": {test.field}}
		e, _ := classify("import", received(429, header, envelope(429, "rateLimitExceeded", test.message)), now)
		if e.Delay.Round(time.Millisecond) != test.want {
			t.Errorf("field %q, text %q: wait %v, want %v", test.field, test.message, e.Delay, test.want)
		}
	}
}

func TestErrorsBelowHTTPSayWhetherSomethingWasSent(t *testing.T) {
	in := func(err error) error {
		return &url.Error{Op: "Post", URL: "https://host/upload?upload_id=secret", Err: err}
	}
	for name, test := range map[string]struct {
		err     error
		class   migrate.Class
		refused bool
	}{
		"dial":        {in(&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "host", IsNotFound: true}}), transient, true},
		"reset":       {in(&net.OpError{Op: "read", Err: errors.New("connection reset by peer")}), transient, false},
		"closed":      {in(io.EOF), transient, false},
		"odd answer":  {errors.New("invalid character '<' looking for beginning of value"), transient, false},
		"token":       {in(&tokenError{in(&net.OpError{Op: "dial", Err: errors.New("refused")})}), transient, true},
		"certificate": {in(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), fatal, true},
	} {
		e, kind := classify("import", test.err, now)
		if e.Class != test.class || e.Refused != test.refused || kind != other {
			t.Errorf("%s: class %v, refused %v", name, e.Class, e.Refused)
		}
		if strings.Contains(e.Error(), "secret") {
			t.Errorf("%s: the error reads %q", name, e)
		}
	}
}

func TestTextsFromTheServerAreShortAndOnOneLine(t *testing.T) {
	e, _ := classify("import", received(400, nil, envelope(400, "invalidArgument", strings.Repeat("a\r\n\x1b[31m\x00é", 10_000))), now)
	if text := e.Error(); len([]rune(text)) > 400 || strings.ContainsAny(text, "\r\n\x00\x1b") {
		t.Errorf("the error has %d characters: %.100q", len([]rune(text)), text)
	}
}
