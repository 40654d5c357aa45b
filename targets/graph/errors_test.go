package graph

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

func TestEveryDocumentedErrorHasItsClass(t *testing.T) {
	const T, P, F = migrate.Transient, migrate.Permanent, migrate.Fatal
	for _, c := range []struct {
		status  int
		code    string
		message string
		class   migrate.Class
		refused bool
		hint    string // a word of it
	}{
		{401, "InvalidAuthenticationToken", "", F, true, "secret"},
		{403, "Authorization_RequestDenied", "", F, true, "consent"},
		{403, "ErrorAccessDenied", "Access to OData is disabled.", F, true, "scope"},
		{404, "ErrorInvalidUser", "", F, true, "address"},
		{404, "Request_ResourceNotFound", "", F, true, "address"},
		{404, "ResourceNotFound", "", F, true, "address"},
		{404, "ErrorNonExistentMailbox", "", F, true, "address"},
		{404, "MailboxNotEnabledForRESTAPI", "", T, false, "licence"},
		{404, "ErrorItemNotFound", "", P, true, ""},
		{404, "ErrorSyncFolderNotFound", "", P, true, ""},
		{400, "ErrorInvalidIdMalformed", "Id is malformed.", P, true, ""},
		{400, "UnableToDeserializePostBody", "", P, true, "content"},
		{400, "ErrorMimeContentInvalidBase64String", "", P, true, "content"},
		{400, "ErrorMimeContentInvalid", "", P, true, "content"},
		{400, "ErrorInvalidRecipients", "", P, true, "content"},
		{500, "ErrorCorruptData", "", P, false, "content"},
		{400, "InvalidInternetMessageHeader", "", P, true, "content"},
		{400, "InvalidInternetMessageHeaderCollection", "", P, true, "content"},
		{409, "ErrorFolderExists", "", P, true, ""},
		{400, "ErrorFolderExists", "", P, true, ""},
		{400, "ErrorMessageSizeExceeded", "", P, true, "larger"},
		{413, "ErrorDataSizeLimitExceeded", "", P, true, "larger"},
		{400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize", "", P, true, ""},
		{413, "", "The maximum request length supported is 4MB.", P, true, "larger"},
		{507, "ErrorQuotaExceeded", "", F, false, "full"},
		{403, "quotaLimitReached", "", F, true, "full"},
		{507, "", "", F, false, "full"},
		{400, "ErrorMessagePerFolderCountReceiveQuotaExceeded", "", P, true, "folder"},
		{429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.", T, true, ""},
		{429, "TooManyRequests", "", T, true, ""},
		{429, "activityLimitReached", "", T, true, ""},
		{429, "UnknownError", "", T, true, ""},
		{429, "ErrorAccessDenied", "", T, true, ""},
		{410, "SyncStateNotFound", "", T, false, ""},
		{400, "SyncStateInvalid", "", T, false, ""},
		{410, "ResyncRequired", "", T, false, ""},
		{410, "resyncRequired", "", T, false, ""},
		{400, "InefficientFilter", "", P, true, ""},
		{400, "BadRequest", "IO error during request payload read.", T, false, ""},
		{500, "", "", T, false, ""},
		{502, "", "", T, false, ""},
		{503, "", "", T, false, ""},
		{504, "", "", T, false, ""},
		{509, "", "", T, false, ""},
		{302, "", "", P, true, ""},
	} {
		e := classify(c.status, c.code, c.message, http.Header{"Retry-After": {"7"}}, time.Time{})
		if e.Class != c.class || e.Refused != c.refused || c.hint == "" != (e.Hint == "") || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%d %s %q: class %d refused %v hint %q, want %d %v %q", c.status, c.code, c.message, e.Class, e.Refused, e.Hint, c.class, c.refused, c.hint)
		}
		if want := 7 * time.Second; (e.Delay == want) != (c.class == T) {
			t.Errorf("%d %s: delay %v", c.status, c.code, e.Delay)
		}
		if c.code != "" && refused(e).code != c.code {
			t.Errorf("%d %s: the code is lost", c.status, c.code)
		}
	}
}

func TestRetryAfterIsReadInAllItsForms(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		value, date string
		want        time.Duration
	}{
		{"10", "", 10 * time.Second},
		{"2.128", "", 2128 * time.Millisecond},
		{" 3 ", "", 3 * time.Second},
		{"Sat, 21 Nov 2026 12:15:00 GMT", "", 15 * time.Minute},
		{"Sat, 21 Nov 2026 12:15:00 GMT", "Sat, 21 Nov 2026 12:14:00 GMT", time.Minute},
		{"Sat, 21 Nov 2026 11:00:00 GMT", "", 0},
		{"", "", 0}, {"-5", "", 0}, {"NaN", "", 0}, {"soon", "", 0},
		{"1e300", "", maxDelay}, {"Inf", "", maxDelay},
	} {
		h := http.Header{}
		h.Set("Retry-After", c.value)
		if c.date != "" {
			h.Set("Date", c.date)
		}
		if got := retryAfter(h, now); got != c.want {
			t.Errorf("%q (date %q): %v, want %v", c.value, c.date, got, c.want)
		}
	}
}

func TestAWriteThatNeverLeftIsNotInDoubt(t *testing.T) {
	if e := unanswered(&net.OpError{Op: "dial", Err: errors.New("connection refused")}); !e.Refused || e.Class != migrate.Transient {
		t.Errorf("dial: %+v", e)
	}
	if e := unanswered(&net.OpError{Op: "read", Err: errors.New("connection reset")}); e.Refused {
		t.Errorf("read: %+v", e)
	}
}

func TestVendorTextFitsOnALine(t *testing.T) {
	e := classify(400, "X", "a\r\nb\x00"+strings.Repeat("ü", 500), http.Header{"Client-Request-Id": {"abc"}}, time.Time{})
	if s := e.Error(); strings.ContainsAny(s, "\r\n") || len(s) > 600 || !strings.Contains(s, "client-request-id abc") {
		t.Errorf("%q", s)
	}
}

func TestThrottlingWithoutATimeIsAWaitAndNoFailure(t *testing.T) {
	if e := classify(http.StatusTooManyRequests, "ApplicationThrottled", "", http.Header{}, time.Now()); !e.Throttled || e.Delay != throttled || e.Class != migrate.Transient || !e.Refused {
		t.Errorf("%#v", e)
	}
}
