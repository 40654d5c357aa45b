package graphsim

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// A client calls a simulator over a socket, as one user.
type client struct {
	t    *testing.T
	sim  *Server
	url  string
	user string
	auth string
	http *http.Client
}

func newClient(t *testing.T, opt Options) *client {
	t.Helper()
	sim, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(sim)
	t.Cleanup(func() {
		srv.Close()
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	return &client{t, sim, srv.URL, "adele@contoso.com", "test", srv.Client()}
}

// An answer is a response with its JSON, if it has any.
type answer struct {
	status int
	header http.Header
	octets []byte
	json   map[string]any
}

// try sends body, a string as text/plain and anything else as JSON. Options are
// header lines.
func (c *client) try(method, path string, body any, headers ...string) (answer, error) {
	c.t.Helper()
	if !strings.HasPrefix(path, "http") {
		if !strings.HasPrefix(path, "/v1.0") && !strings.HasPrefix(path, "/beta") {
			path = "/v1.0/users/" + c.user + path
		}
		path = c.url + path
	}
	var r io.Reader
	media := ""
	switch b := body.(type) {
	case nil:
	case string:
		r, media = strings.NewReader(b), "text/plain"
	case []byte:
		r, media = bytes.NewReader(b), "application/octet-stream"
	default:
		j, err := json.Marshal(b)
		if err != nil {
			c.t.Fatal(err)
		}
		r, media = bytes.NewReader(j), "application/json"
	}
	req, err := http.NewRequest(method, path, r)
	if err != nil {
		c.t.Fatal(err)
	}
	if c.auth != "" {
		req.Header.Set("Authorization", "Bearer "+c.auth)
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	for _, h := range headers {
		k, v, _ := strings.Cut(h, ": ")
		if v == "" {
			req.Header.Del(k)
		} else {
			req.Header.Set(k, v)
		}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header}
	if a.octets, err = io.ReadAll(resp.Body); err != nil {
		return a, err
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(a.octets, &a.json); err != nil {
			c.t.Fatal(err)
		}
	}
	return a, nil
}

// want fails the test unless the answer has this status.
func (c *client) want(status int, method, path string, body any, headers ...string) answer {
	c.t.Helper()
	a, err := c.try(method, path, body, headers...)
	if err != nil {
		c.t.Fatal(err)
	}
	if a.status != status {
		c.t.Fatalf("%s %s: %d, want %d: %.300s", method, path, a.status, status, a.octets)
	}
	return a
}

// refused fails the test unless the answer is this error.
func (c *client) refused(status int, code, method, path string, body any, headers ...string) answer {
	c.t.Helper()
	a := c.want(status, method, path, body, headers...)
	e, _ := a.json["error"].(map[string]any)
	if e == nil || e["code"] != code {
		c.t.Fatalf("%s %s: %.300s, want the code %s", method, path, a.octets, code)
	}
	return a
}

func (a answer) str(name string) string { return str(a.json[name]) }

func (a answer) values() []map[string]any { return listMembers(a.json["value"]) }

func (c *client) importMIME(folder, text string) answer {
	c.t.Helper()
	return c.want(201, "POST", "/beta/users/"+c.user+"/mailFolders/"+folder+"/importMime", base64.StdEncoding.EncodeToString([]byte(text)))
}

const sample = "Received: from a by b; Sun, 1 Mar 2009 08:15:00 +0000\r\nFrom: =?utf-8?q?B=C3=B6?= <bo@fabrikam.com>\r\n" +
	"To: Adele <adele@contoso.com>\r\nSubject: Quarterly figures\r\nDate: Sun, 1 Mar 2009 09:14:57 +0100\r\nMessage-ID: <1@fabrikam.com>\r\n" +
	"In-Reply-To: <0@fabrikam.com>\r\nReferences: <0@fabrikam.com>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b1\"\r\n\r\n" +
	"--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n--b1\r\nContent-Type: application/pdf; name=a.pdf\r\n" +
	"Content-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--b1--\r\n"

func escape(s string) string { return url.QueryEscape(s) }

// aborted says whether err is that of a connection closed without an answer.
func aborted(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || err != nil && strings.Contains(err.Error(), "reset")
}

func address(name, at string) map[string]any {
	return map[string]any{"emailAddress": map[string]any{"name": name, "address": at}}
}

func single(id, value string) map[string]any { return map[string]any{"id": id, "value": value} }

const keyID = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name MigrationKey"

// fullMessage is the sample of route C.
func fullMessage() map[string]any {
	bo := address("Bo", "bo@fabrikam.com")
	return map[string]any{
		"subject": "Quarterly figures", "body": map[string]any{"contentType": "html", "content": "<html><p>Hello &amp; good day</p></html>"},
		"from": bo, "sender": bo, "toRecipients": []any{address("Adele", "adele@contoso.com")}, "ccRecipients": []any{},
		"internetMessageId": "<20090301081457.1@fabrikam.com>", "isRead": true, "importance": "high",
		"flag": map[string]any{"flagStatus": "flagged"}, "categories": []string{"work"},
		"internetMessageHeaders": []any{map[string]any{"name": "x-a", "value": "1"}},
		"singleValueExtendedProperties": []any{
			single("Integer 0x0E07", "1"), single("SystemTime 0x0E06", "2009-03-01T08:15:00Z"), single("SystemTime 0x0039", "2009-03-01T08:14:57Z"),
			single("String 0x007D", "Received: from a\r\nX-Spam: no\r\nFrom: bo@fabrikam.com\r\n"),
			single("String 0x1042", "<parent@fabrikam.com>"), single("String 0x1039", "<root@fabrikam.com> <parent@fabrikam.com>"),
			single(keyID, "9f00"),
		},
	}
}

func fileAttachment(name, content string) map[string]any {
	return map[string]any{
		"@odata.type": "#microsoft.graph.fileAttachment", "name": name, "contentType": "application/pdf", "contentBytes": content,
		"isInline": false, "contentId": nil,
	}
}

func uploadItem(size int) map[string]any {
	return map[string]any{"AttachmentItem": map[string]any{"attachmentType": "file", "name": "flower", "size": size, "isInline": true, "contentId": "c1"}}
}

// with returns o with one member more, or another value of it.
func with(o map[string]any, name string, value any) map[string]any {
	o[name] = value
	return o
}

// chunked posts text without a Content-Length and returns the status.
func (c *client) chunked(path string, body io.Reader) int {
	c.t.Helper()
	r, _ := http.NewRequest("POST", c.url+path, io.NopCloser(body))
	r.Header.Set("Authorization", "Bearer test")
	r.Header.Set("Content-Type", "text/plain")
	resp, err := c.http.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// A testClock is moved by hand.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *testClock { return &testClock{now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)} }

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// broken posts half of what it announces, closes its side, and returns the
// answer as it came.
func (c *client) broken(path, body string) string {
	c.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer test\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s",
		path, len(body), body[:len(body)/2])
	conn.(*net.TCPConn).CloseWrite()
	b, _ := io.ReadAll(conn)
	return string(b)
}
