package logs

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// HTTP returns base with a trace of its calls: method, URL, status, header
// fields, how long it took and how many octets came. Of a body nothing is shown
// but the codes and the texts of an error of JSON. A call without Authorization
// goes to a URL that is a secret itself, as that of an upload session is: of it
// the host alone is shown.
func (t *Trace) HTTP(label string, base http.RoundTripper) http.RoundTripper {
	return &tracedTransport{t, label, base}
}

type tracedTransport struct {
	trace *Trace
	label string
	base  http.RoundTripper
}

func (t *tracedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	name, begun := t.trace.begin("http", t.label), time.Now()
	size := octets(int(req.ContentLength))
	if req.ContentLength < 0 {
		size = "[octets in chunks]"
	}
	t.trace.line(name, fmt.Sprintf("> %s %s %s %s", req.Method, shownURL(req.URL, req.Header.Get("Authorization") != ""), size, shownHeader(req.Header)))
	var conn atomic.Value
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) {
		state := "new"
		if c.Reused {
			state = "reused"
		}
		conn.Store(fmt.Sprintf(" on %s connection from %s", state, c.Conn.LocalAddr()))
	}})
	res, err := t.base.RoundTrip(req.WithContext(ctx))
	took := time.Since(begun).Round(time.Microsecond)
	on, _ := conn.Load().(string)
	if err != nil {
		t.trace.line(name, fmt.Sprintf("< error after %v%s: %v", took, on, err))
		return nil, err
	}
	t.trace.line(name, fmt.Sprintf("< %s after %v%s %s", res.Status, took, on, shownHeader(res.Header)))
	res.Body = &tracedBody{ReadCloser: res.Body, trace: t.trace, name: name, begun: begun, refused: res.StatusCode >= 400}
	return res, nil
}

// tracedBody counts the octets of an answer and, if it is an error, keeps what
// may be shown.
type tracedBody struct {
	io.ReadCloser
	trace   *Trace
	name    string
	begun   time.Time
	refused bool

	mu    sync.Mutex
	n     int64
	text  []byte // of an error, up to maxEnvelope
	ended bool
}

// maxEnvelope is how many octets of an error are looked at.
const maxEnvelope = 16 << 10

func (b *tracedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	b.n += int64(n)
	if b.refused {
		b.text = append(b.text, p[:min(n, maxEnvelope-len(b.text))]...)
	}
	b.mu.Unlock()
	if err != nil {
		b.end(err)
	}
	return n, err
}

func (b *tracedBody) Close() error {
	b.end(nil)
	return b.ReadCloser.Close()
}

// end writes the line about the body, once.
func (b *tracedBody) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return
	}
	b.ended = true
	how := "closed"
	switch {
	case err == io.EOF:
		how = "ended"
	case err != nil:
		how = "broke off: " + err.Error()
	}
	b.trace.line(b.name, fmt.Sprintf("< body [%d octets] %s after %v%s", b.n, how, time.Since(b.begun).Round(time.Microsecond), envelope(b.text)))
	b.text = nil
}

// What is shown of errors, those of Graph, of the Gmail API and of RFC 6749
// section 5.2.
var (
	errorTexts   = []string{"code", "message", "status", "reason", "domain", "error", "error_description", "date", "request-id", "client-request-id"}
	errorMembers = []string{"error", "errors", "innerError", "innererror", "details"}
)

// envelope shows what is known in an error of JSON.
func envelope(text []byte) string {
	var v map[string]any
	if json.Unmarshal(text, &v) != nil || v["error"] == nil {
		return ""
	}
	shown, _ := json.Marshal(known(v))
	return " " + string(shown)
}

func known(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, m := range v {
			_, object := m.(map[string]any)
			_, list := m.([]any)
			if nested := object || list; nested && slices.Contains(errorMembers, k) || !nested && slices.Contains(errorTexts, k) {
				out[k] = known(m)
			}
		}
		return out
	case []any:
		out := []any{}
		for _, m := range v[:min(len(v), 10)] {
			if _, ok := m.(map[string]any); ok {
				out = append(out, known(m))
			}
		}
		return out
	case string:
		return strings.ToValidUTF8(v[:min(len(v), 500)], "")
	}
	return v
}

// Parameters of queries that are shown. Others may be secret, as upload_id is,
// or tokens of pages, which are long.
var openParameters = []string{"$select", "$filter", "$top", "$expand", "$orderby", "$count", "$search", "alt", "fields", "format", "prettyPrint", "q",
	"labelIds", "maxResults", "includeSpamTrash", "uploadType", "internalDateSource", "neverMarkSpam", "processForCalendar", "deleted",
	"startHistoryId", "historyTypes", "metadataHeaders"}

// shownURL returns u without user, and without path if it is a secret.
func shownURL(u *url.URL, open bool) string {
	base := u.Scheme + "://" + u.Host
	if !open {
		return base + "/" + Hidden
	}
	base += u.EscapedPath()
	var query []string
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if key, err := url.QueryUnescape(name); err != nil || !slices.Contains(openParameters, key) {
			value = Hidden
		}
		if name != "" {
			query = append(query, name+"="+value)
		}
	}
	if query == nil {
		return base
	}
	return base + "?" + strings.Join(query, "&")
}

// Header fields of requests and answers that are shown.
var openFields = []string{"Accept", "Accept-Encoding", "Client-Request-Id", "Content-Encoding", "Content-Length", "Content-Range", "Content-Type",
	"Date", "Odata-Version", "Prefer", "Preference-Applied", "Range", "Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset", "Request-Id",
	"Retry-After", "Server", "Transfer-Encoding", "User-Agent", "Vary", "Via", "Www-Authenticate", "X-Goog-Api-Client",
	"X-Http-Status-Code-Override", "X-Guploader-No-308", "X-Ms-Ags-Diagnostic", "X-Ms-Throttle-Information", "X-Ms-Throttle-Limit-Percentage",
	"X-Ms-Throttle-Scope", "X-Upload-Content-Length", "X-Upload-Content-Type"}

// shownHeader returns header fields, and the names alone of those that may be
// secret.
func shownHeader(h http.Header) string {
	var shown, hidden []string
	for name, values := range h {
		if slices.Contains(openFields, name) {
			shown = append(shown, fmt.Sprintf("%s: %q", name, strings.Join(values, ", ")))
		} else {
			hidden = append(hidden, name)
		}
	}
	slices.Sort(shown)
	slices.Sort(hidden)
	if hidden != nil {
		shown = append(shown, "not shown "+strings.Join(hidden, " "))
	}
	return strings.Join(shown, "; ")
}
