package graphsim

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// An apiError is a refusal: an HTTP status and the error envelope (section 2).
type apiError struct {
	status     int
	code       string // empty: no envelope, the message as plain text
	message    string
	retryAfter string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func refuse(status int, code, format string, args ...any) *apiError {
	return &apiError{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

func errItemNotFound() *apiError {
	return refuse(404, "ErrorItemNotFound", "The specified object was not found in the store.")
}

func errMalformedID() *apiError { return refuse(400, "ErrorInvalidIdMalformed", "Id is malformed.") }

func errBody(format string, args ...any) *apiError {
	return refuse(400, "UnableToDeserializePostBody", format, args...)
}

func errSegment(name string) *apiError {
	return refuse(400, "BadRequest", "Resource not found for the segment '%s'.", name)
}

func errQuery(format string, args ...any) *apiError {
	return refuse(400, "BadRequest", format, args...)
}

func errMethod() *apiError {
	return refuse(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
}

func errTooLarge() *apiError {
	return &apiError{status: 413, message: "The maximum request length supported is 4MB."}
}

func errDenied() *apiError {
	return refuse(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
}

func errNotSimulated(what string) *apiError {
	return refuse(501, "NotImplemented", "The simulator does not %s.", what)
}

// reply renders e with the request's identifiers, in the casing and nesting
// that the vendor's samples show for it.
func (e *apiError) reply(s *Server, id requestID) reply {
	status := e.status
	if n, ok := s.opt.Status[e.code]; ok {
		status = n
	}
	rep := reply{status: status, header: http.Header{}}
	if e.retryAfter != "" {
		rep.header.Set("Retry-After", e.retryAfter)
	}
	if e.code == "" {
		rep.contentType, rep.octets = "text/plain", []byte(e.message)
		return rep
	}
	inner := map[string]any{"date": s.now().UTC().Format("2006-01-02T15:04:05"), "request-id": id.server}
	if id.client != "" {
		inner["client-request-id"] = id.client
	}
	if e.code == "TooManyRequests" { // as in the sample of section 8
		inner["code"], inner["status"], inner["message"] = "429", "429", "Please retry after"
	}
	name := "innerError"
	if strings.HasPrefix(e.code, "Request_") {
		name = "innererror"
	}
	rep.body = map[string]any{"error": map[string]any{"code": e.code, "message": e.message, name: inner}}
	return rep
}

// stamp is how Graph writes a date: RFC 3339, UTC, whole seconds.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
