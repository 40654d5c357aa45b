package logs

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// timing is what differs from run to run.
var timing = regexp.MustCompile(`after [0-9.]+[mµn]?s|from 127\.0\.0\.1:[0-9]+|127\.0\.0\.1:[0-9]+|Date: "[^"]*"`)

// shown returns what a trace says, without what differs from run to run.
func (n *note) shown() string { return timing.ReplaceAllString(strings.Join(n.told(), "\n"), "~") }

func TestAnHTTPCallIsShownWithoutSecretsAndContent(t *testing.T) {
	const leak = "LeAkLeAk"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Set-Cookie", leak)
		w.Header().Set("Location", "https://example.com/upload?upload_id="+leak)
		w.Header().Set("Retry-After", "7")
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/error":
			w.WriteHeader(http.StatusTooManyRequests)
			io.WriteString(w, `{"error":{"code":"TooManyRequests","message":"try later, not with Bearer `+leak+leak+`","innerError":{"date":"today","`+leak+`":"x"},`+
				`"details":[{"reason":"quota","raw":"`+leak+`"}],"raw":"`+leak+`"},"id":"`+leak+`"}`)
		case "/page":
			w.WriteHeader(http.StatusBadGateway)
			io.WriteString(w, "<html>"+leak+"</html>")
		case "/upload/" + leak:
			w.WriteHeader(http.StatusNoContent)
		default:
			io.WriteString(w, `{"raw":"`+leak+`","error":{"message":"`+leak+`"}}`)
		}
	}))
	defer server.Close()
	trace, n := newNote()
	client := &http.Client{Transport: trace.HTTP("ann@example.org", server.Client().Transport)}
	call := func(method, path, body string, authorized bool) {
		t.Helper()
		req, err := http.NewRequest(method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"User-Agent": {"test"}, "Cookie": {leak}, "X-Unknown": {leak}, "Content-Type": {"message/rfc822"}}
		if authorized {
			req.Header.Set("Authorization", "Bearer "+leak)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(res.Body); err != nil {
			t.Error(err)
		}
		res.Body.Close()
	}
	call("POST", "/gmail/v1/users/ann@example.org/messages/import?uploadType=multipart&upload_id="+leak+"&$top=3&pageToken="+leak+"&"+leak, leak+leak, true)
	call("GET", "/error", "", true)
	call("GET", "/page", "", true)
	call("PUT", "/upload/"+leak+"?token="+leak, leak, false)
	if strings.Contains(n.String(), "LeAk") {
		// The name of a parameter may be one of the server's choice.
		if rest := strings.ReplaceAll(n.String(), "&"+leak+"="+Hidden, ""); strings.Contains(rest, "LeAk") {
			t.Errorf("a secret is shown:\n%s", n.String())
		}
	}
	want := `> POST http://~/gmail/v1/users/ann@example.org/messages/import?uploadType=multipart&upload_id=[redacted]&$top=3&pageToken=[redacted]&LeAkLeAk=[redacted] [16 octets] Content-Type: "message/rfc822"; User-Agent: "test"; not shown Authorization Cookie X-Unknown
< 200 OK ~ on new connection ~ Content-Length: "49"; Content-Type: "application/json"; ~; Retry-After: "7"; not shown Location Set-Cookie
< body [49 octets] ended ~
> GET http://~/error [0 octets] Content-Type: "message/rfc822"; User-Agent: "test"; not shown Authorization Cookie X-Unknown
< 429 Too Many Requests ~ on reused connection ~ Content-Length: "218"; Content-Type: "application/json"; ~; Retry-After: "7"; not shown Location Set-Cookie
< body [218 octets] ended ~ {"error":{"code":"TooManyRequests","details":[{"reason":"quota"}],"innerError":{"date":"today"},"message":"try later, not with Bearer [redacted]"}}
> GET http://~/page [0 octets] Content-Type: "message/rfc822"; User-Agent: "test"; not shown Authorization Cookie X-Unknown
< 502 Bad Gateway ~ on reused connection ~ Content-Length: "21"; Content-Type: "application/json"; ~; Retry-After: "7"; not shown Location Set-Cookie
< body [21 octets] ended ~
> PUT http://~/[redacted] [8 octets] Content-Type: "message/rfc822"; User-Agent: "test"; not shown Cookie X-Unknown
< 204 No Content ~ on reused connection ~ Content-Type: "application/json"; ~; Retry-After: "7"; not shown Location Set-Cookie
< body [0 octets] ended ~`
	if got := n.shown(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Halves says what it was given, and answers in two parts.
type halves struct {
	got  *http.Request
	gate chan struct{}
	err  error
}

func (p *halves) RoundTrip(req *http.Request) (*http.Response, error) {
	p.got = req
	if p.err != nil {
		return nil, p.err
	}
	r, w := io.Pipe()
	go func() {
		io.WriteString(w, "first")
		<-p.gate
		w.CloseWithError(errors.New("cut off"))
	}()
	return &http.Response{StatusCode: 200, Status: "200 OK", Header: http.Header{}, Body: r}, nil
}

func TestATracedCallStreamsBothWays(t *testing.T) {
	trace, n := newNote()
	base := &halves{gate: make(chan struct{})}
	body := io.NopCloser(strings.NewReader("x"))
	req, err := http.NewRequest("POST", "https://example.com/", body)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = 1
	req.GetBody = func() (io.ReadCloser, error) { return body, nil }
	res, err := trace.HTTP("ann", base).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if base.got.Body != body || base.got.ContentLength != 1 || base.got.GetBody == nil {
		t.Error("the transport gets another body than the client sent")
	}
	p := make([]byte, 100)
	if k, err := res.Body.Read(p); string(p[:k]) != "first" || err != nil { // though more is to come
		t.Errorf("%q, %v", p[:k], err)
	}
	close(base.gate)
	if _, err := res.Body.Read(p); err == nil || err.Error() != "cut off" {
		t.Error(err)
	}
	res.Body.Close()
	if got := n.shown(); !strings.HasSuffix(got, "< 200 OK ~ \n< body [5 octets] broke off: cut off ~") {
		t.Error(got)
	}
}

func TestACallWithoutAnswerIsShown(t *testing.T) {
	trace, n := newNote()
	trace.secrets.Add("secret of a proxy")
	cause := errors.New("proxyconnect tcp: secret of a proxy")
	req, _ := http.NewRequest("GET", "https://example.com/", nil)
	if _, err := trace.HTTP("ann", &halves{err: cause}).RoundTrip(req); err != cause {
		t.Errorf("the client gets %v", err)
	}
	if got := n.shown(); !strings.HasSuffix(got, "< error ~: proxyconnect tcp: [redacted]") {
		t.Error(got)
	}
}

func TestAnErrorWithoutEndIsNotHeld(t *testing.T) {
	trace, _ := newNote()
	b := &tracedBody{ReadCloser: io.NopCloser(bytes.NewReader(make([]byte, 10*maxEnvelope))), trace: trace, refused: true}
	p := make([]byte, 1000)
	for range 100 {
		if _, err := b.Read(p); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.text) != maxEnvelope {
		t.Errorf("%d octets are held", len(b.text))
	}
}

func TestATraceIsForItsOwnerAndOverwritesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace")
	trace, err := Create(path, new(Secrets))
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := Create(path, new(Secrets)); !errors.Is(err, os.ErrExist) {
		t.Errorf("made again: %v", err)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 100 {
				say(trace, []piece{{true, "T1 NOOP\r\n"}}, func() int { return 3 })
			}
		})
	}
	group.Wait()
	if err := trace.Close(); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\dT\S+ imap \d+ ann@example\.com > T1 NOOP$`).FindAll(text, -1)); n != 400 {
		t.Errorf("%d lines are whole:\n%.500s", n, text)
	}
}

func TestATraceEndsWithTheFirstLineThatCannotBeWritten(t *testing.T) {
	disk := &fullDisk{}
	trace := &Trace{secrets: new(Secrets), w: struct {
		io.Writer
		io.Closer
	}{disk, io.NopCloser(nil)}}
	trace.line("imap", "one")
	disk.full = true
	trace.line("imap", "two")
	disk.full = false
	trace.line("imap", "three")
	if err := trace.Close(); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("it ends with %v", err)
	}
	if text := disk.String(); strings.Contains(text, "two") || strings.Contains(text, "three") || !strings.Contains(text, "one") {
		t.Error(text)
	}
}

func TestOfAnErrorOnlyWhatIsKnownIsShown(t *testing.T) {
	for text, want := range map[string]string{
		`{"error":"invalid_grant","error_description":"Not a valid email.","subject":"x"}`:            ` {"error":"invalid_grant","error_description":"Not a valid email."}`,
		`{"error":{"code":400,"errors":[{"reason":"failed","raw":"x"},7,"x"],"raw":{"message":"x"}}}`: ` {"error":{"code":400,"errors":[{"reason":"failed"}]}}`,
		`{"error":{"message":["x"],"code":{"message":"x"}}}`:                                          ` {"error":{}}`,
		`{"message":"x","code":7}`: "",
		`["error"]`:                "",
		`{"error":`:                "",
		"":                         "",
	} {
		if got := envelope([]byte(text)); got != want {
			t.Errorf("%s becomes %q, want %q", text, got, want)
		}
	}
}

func TestATracedCallMayBeHTTP2(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	trace, n := newNote()
	client := &http.Client{Transport: trace.HTTP("ann", server.Client().Transport)}
	body := strings.Repeat("x", 1<<20)
	res, err := client.Post(server.URL, "text/plain", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got, err := io.ReadAll(res.Body); string(got) != body || err != nil || res.ProtoMajor != 2 {
		t.Errorf("%d octets by %s, %v", len(got), res.Proto, err)
	}
	if got := n.shown(); !strings.Contains(got, "< body [1048576 octets] ended ~") {
		t.Error(got)
	}
}
