// Package discovery checks what crosses the line between a client of Gmail and
// a server against Google's own description of the API: the discovery document
// that the module google.golang.org/api carries. It is for tests, and asks the
// go command where that module is.
//
// It knows members and their types, not when a member is due: what is absent
// is never an error.
package discovery

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
)

// A Reporter is what Checked wants of a testing.TB.
type Reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Checked returns a handler that serves as h does and reports every path,
// parameter, member of a body and type that the discovery document does not
// have, in requests and in answers, and error answers that are neither Google's
// envelope nor a front end's page. The chunks of a resumable upload, the path
// /token and the IAM Credentials API are not looked at.
func Checked(t Reporter, h http.Handler) http.Handler {
	t.Helper()
	doc, err := load()
	if err != nil {
		t.Fatalf("discovery document: %v", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" || strings.HasPrefix(r.URL.Path, "/v1/projects/") || r.URL.Query().Has("upload_id") {
			h.ServeHTTP(w, r)
			return
		}
		report := func(format string, args ...any) {
			t.Errorf(r.Method+" "+strings.ReplaceAll(r.URL.Path, "%", "%%")+": "+format, args...)
		}
		m, upload := doc.method(r.Method, r.URL.EscapedPath())
		if m == nil {
			report("no such method")
			h.ServeHTTP(w, r)
			return
		}
		doc.checkQuery(report, m, r.URL.RawQuery)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			report("body: %v", err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if metadata := metadataOf(report, r, body, upload); len(bytes.TrimSpace(metadata)) > 0 {
			doc.checkJSON(report, "request", m.Request, metadata)
		}
		seen := &recorder{ResponseWriter: w, status: http.StatusOK}
		h.ServeHTTP(seen, r)
		isJSON := strings.HasPrefix(w.Header().Get("Content-Type"), "application/json")
		switch {
		case seen.status >= 300 && isJSON:
			checkEnvelope(report, seen.status, seen.body.Bytes())
		case seen.status >= 300 && !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html"):
			report("an error that is neither JSON nor HTML")
		case seen.status < 300 && seen.body.Len() > 0 && !isJSON:
			report("an answer of type %q", w.Header().Get("Content-Type"))
		case seen.status < 300 && seen.body.Len() > 0:
			doc.checkJSON(report, "answer", m.Response, seen.body.Bytes())
		}
	})
}

type reporter func(format string, args ...any)

// recorder keeps a copy of an answer.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	r.body.Write(b)
	return r.ResponseWriter.Write(b)
}

// metadataOf returns the JSON of a request.
func metadataOf(report reporter, r *http.Request, body []byte, upload bool) []byte {
	if !upload || r.URL.Query().Get("uploadType") == "resumable" {
		return body
	}
	if r.URL.Query().Get("uploadType") == "media" {
		return nil
	}
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		report("content type: %v", err)
		return nil
	}
	part, err := multipart.NewReader(bytes.NewReader(body), params["boundary"]).NextRawPart()
	if err != nil {
		report("body: %v", err)
		return nil
	}
	metadata, err := io.ReadAll(part)
	if err != nil {
		report("body: %v", err)
	}
	return metadata
}

func (d *document) checkQuery(report reporter, m *method, raw string) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		report("query: %v", err)
		return
	}
	for name, values := range query {
		p := m.Parameters[name]
		if p == nil || p.Location != "query" {
			p = d.Parameters[name]
		}
		if p == nil {
			report("no such parameter: %s", name)
			continue
		}
		if len(values) > 1 && !p.Repeated {
			report("parameter %s is given %d times", name, len(values))
		}
		for _, v := range values {
			p.checkText(report, "parameter "+name, v)
		}
	}
}

func checkEnvelope(report reporter, status int, body []byte) {
	var envelope struct {
		Error struct {
			Code    int
			Message string
			Status  string
			Errors  []struct{ Domain, Reason, Message string }
		}
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		report("error answer: %v", err)
		return
	}
	if e := envelope.Error; e.Code != status || e.Message == "" || e.Status == "" || len(e.Errors) != 1 || e.Errors[0].Domain == "" || e.Errors[0].Reason == "" {
		report("error answer is no envelope of %d: %s", status, body)
	}
}
