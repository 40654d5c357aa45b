package discovery_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim/discovery"
)

// complaints collects what Checked reports.
type complaints struct{ list []string }

func (c *complaints) Helper() {}
func (c *complaints) Errorf(format string, args ...any) {
	c.list = append(c.list, fmt.Sprintf(format, args...))
}
func (c *complaints) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func TestCheckedReportsWhatTheDocumentDoesNotHave(t *testing.T) {
	const list = "/gmail/v1/users/me/messages"
	multipart := "--b\r\nContent-Type: application/json\r\n\r\n%s\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: a@b\r\n\r\n--b--"
	for _, test := range []struct {
		name, method, url, body, answer, want string
		status                                int
	}{
		{"a good call", "GET", list + "?maxResults=3&alt=json", "", `{"messages":[{"id":"1","internalDate":"2"}],"resultSizeEstimate":1}`, "", 200},
		{"a path", "GET", "/gmail/v1/users/me/letters", "", `{}`, "no such method", 200},
		{"a method", "PUT", list, "", `{}`, "no such method", 200},
		{"a parameter", "GET", list + "?max=3", "", `{}`, "no such parameter: max", 200},
		{"a parameter's type", "GET", list + "?maxResults=x", "", `{}`, "parameter maxResults", 200},
		{"a parameter given twice", "GET", list + "?q=a&q=b", "", `{}`, "given 2 times", 200},
		{"a member of a request", "POST", list + "/1/modify", `{"labels":[]}`, `{}`, "no such member: labels", 200},
		{"a member of metadata", "POST", "/upload" + list + "/import?uploadType=multipart", fmt.Sprintf(multipart, `{"label":1}`), `{}`, "no such member: label", 200},
		{"good metadata", "POST", "/upload" + list + "/import?uploadType=multipart", fmt.Sprintf(multipart, `{"labelIds":["A"]}`), `{"id":"1"}`, "", 200},
		{"a member of an answer", "GET", list, "", `{"messages":[{"uid":1}]}`, "no such member: uid", 200},
		{"a number that must be a string", "GET", list + "/1", "", `{"internalDate":5}`, "answer.internalDate: a number, want string", 200},
		{"a string that must be a number", "GET", list + "/1", "", `{"sizeEstimate":"5"}`, "answer.sizeEstimate: a string, want integer", 200},
		{"a string that must hold a number", "GET", list + "/1", "", `{"historyId":"x"}`, "answer.historyId", 200},
		{"an enumeration", "GET", "/gmail/v1/users/me/labels/1", "", `{"type":"own"}`, "answer.type", 200},
		{"a body where there is none", "POST", list + "/batchModify", `{"ids":["1"]}`, `{}`, "answer: has a body", 200},
		{"an error without envelope", "GET", list, "", `{"error":"no"}`, "error answer", 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			var c complaints
			h := discovery.Checked(&c, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.answer)
			}))
			r := httptest.NewRequest(test.method, test.url, strings.NewReader(test.body))
			r.Header.Set("Content-Type", "multipart/related; boundary=b")
			h.ServeHTTP(httptest.NewRecorder(), r)
			got := strings.Join(c.list, "\n")
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
