package gmailsim

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// A refusal is an error answer.
type refusal struct {
	code    int
	reason  string
	message string
	domain  string // empty means "global"
	status  string // google.rpc.Code; empty means the usual one of code
	html    bool   // a page of a front end, no envelope
}

func (e *refusal) Error() string { return fmt.Sprintf("%d %s: %s", e.code, e.reason, e.message) }

func (e *refusal) rpcStatus() string {
	if e.status != "" {
		return e.status
	}
	switch e.code {
	case 400:
		return "INVALID_ARGUMENT"
	case 401:
		return "UNAUTHENTICATED"
	case 403:
		return "PERMISSION_DENIED"
	case 404:
		return "NOT_FOUND"
	case 409:
		return "ABORTED"
	case 429:
		return "RESOURCE_EXHAUSTED"
	case 501:
		return "UNIMPLEMENTED"
	case 503:
		return "UNAVAILABLE"
	default:
		return "INTERNAL"
	}
}

func (e *refusal) write(w http.ResponseWriter) {
	if e.html {
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		w.WriteHeader(e.code)
		fmt.Fprintf(w, "<!DOCTYPE html>\n<html lang=en>\n<title>Error %d (%s)!!1</title>\n<p><b>%d.</b> <ins>That’s an error.</ins>\n<p>%s\n",
			e.code, http.StatusText(e.code), e.code, e.message)
		return
	}
	domain := e.domain
	if domain == "" {
		domain = "global"
	}
	type item struct {
		Message string `json:"message"`
		Domain  string `json:"domain"`
		Reason  string `json:"reason"`
	}
	var envelope struct {
		Error struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
			Errors  []item `json:"errors"`
			Status  string `json:"status"`
		} `json:"error"`
	}
	envelope.Error.Code, envelope.Error.Message, envelope.Error.Status = e.code, e.message, e.rpcStatus()
	envelope.Error.Errors = []item{{e.message, domain, e.reason}}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	if e.code == 401 {
		w.Header().Set("WWW-Authenticate", `Bearer realm="https://accounts.google.com/", error="invalid_token"`)
	}
	w.WriteHeader(e.code)
	_ = json.NewEncoder(w).Encode(envelope) // the client is gone if this fails
}

func invalid(format string, args ...any) *refusal {
	return &refusal{code: 400, reason: "invalidArgument", message: fmt.Sprintf(format, args...)}
}

func precondition(message string) *refusal {
	return &refusal{code: 400, reason: "failedPrecondition", message: message, status: "FAILED_PRECONDITION"}
}

func badContent(format string, args ...any) *refusal {
	return &refusal{code: 400, reason: "badContent", message: fmt.Sprintf(format, args...)}
}

func badRequest() *refusal {
	return &refusal{code: 400, reason: "badRequest", message: "Bad Request"}
}

func unauthenticated() *refusal {
	return &refusal{code: 401, reason: "authError", message: "Invalid Credentials"}
}

func notFound() *refusal {
	return &refusal{code: 404, reason: "notFound", message: "Requested entity was not found."}
}

func tooLarge() *refusal {
	return &refusal{code: 413, message: "Your client issued a request that was too large.", html: true}
}

func backend(code int) *refusal {
	return &refusal{code: code, reason: "backendError", message: "Backend Error"}
}

func notSimulated(what string) *refusal {
	return &refusal{code: 501, reason: "notImplemented", message: what + " is not simulated"}
}
