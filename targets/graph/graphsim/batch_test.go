package graphsim

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

func step(id, method, url string, body any, after ...string) map[string]any {
	p := map[string]any{"id": id, "method": method, "url": url}
	if body != nil {
		p["body"], p["headers"] = body, map[string]string{"Content-Type": "application/json"}
	}
	if after != nil {
		p["dependsOn"] = after
	}
	return p
}

func requests(parts ...map[string]any) map[string]any { return map[string]any{"requests": parts} }

// batch returns the answers to a batch by id.
func (c *client) batch(parts ...map[string]any) map[string]map[string]any {
	c.t.Helper()
	out := map[string]map[string]any{}
	for _, r := range listMembers(c.want(200, "POST", "/v1.0/$batch", requests(parts...)).json["responses"]) {
		out[str(r["id"])] = r
	}
	return out
}

func TestABatchAnswersEachPart(t *testing.T) {
	c := newClient(t, Options{})
	id := c.importMIME("inbox", sample).str("id")
	u := "/users/" + c.user
	got := c.batch(
		step("1", "PATCH", u+"/messages/"+id, map[string]any{"isRead": true}),
		step("2", "GET", u[1:]+"/mailFolders/inbox?$select=totalItemCount", nil),
		step("3", "DELETE", u+"/messages/x", nil),
		step("4", "POST", u+"/mailFolders", map[string]any{"displayName": "a"}),
		step("5", "GET", u+"/messages/"+id+"/$value", nil),
	)
	for id, status := range map[string]float64{"1": 200, "2": 200, "3": 400, "4": 201, "5": 200} {
		if got[id]["status"] != status {
			t.Errorf("part %s is %v", id, got[id])
		}
	}
	if got["2"]["body"].(map[string]any)["totalItemCount"] != 1.0 {
		t.Errorf("part 2 is %v", got["2"])
	}
}

func TestAMalformedBatchIsRefusedAsAWhole(t *testing.T) {
	c := newClient(t, Options{})
	get := func(id string, after ...string) map[string]any {
		return step(id, "GET", "/users/a@b.c/mailFolders", nil, after...)
	}
	var many []map[string]any
	for i := range 21 {
		many = append(many, get(strconv.Itoa(i)))
	}
	for name, body := range map[string]map[string]any{
		"too many": requests(many...), "none": requests(), "id twice": requests(get("a"), get("A")), "unknown parent": requests(get("1", "0")),
		"mixed": requests(get("1"), get("2", "1"), get("3")), "member": requests(with(get("1"), "x", 1)), "method": requests(with(get("1"), "method", "get")),
	} {
		if a := c.want(400, "POST", "/v1.0/$batch", body); str(a.json["error"].(map[string]any)["code"]) != "BadRequest" {
			t.Errorf("%s: %s", name, a.octets)
		}
	}
	c.want(200, "POST", "/v1.0/$batch", requests(many[:20]...))
	c.refused(405, "Request_BadRequest", "GET", "/v1.0/$batch", nil)
	c.refused(401, "InvalidAuthenticationToken", "POST", "/v1.0/$batch", requests(get("1")), "Authorization")
}

func TestPartsThatDependOnAFailedOneFail(t *testing.T) {
	c := newClient(t, Options{})
	u := "/users/" + c.user
	got := c.batch(
		step("1", "POST", u+"/mailFolders", map[string]any{"displayName": "inbox"}),
		step("2", "GET", u+"/mailFolders", nil, "1"),
		step("3", "GET", u+"/mailFolders", nil, "2"),
	)
	if got["1"]["status"] != 409.0 || got["2"]["status"] != 424.0 || got["3"]["status"] != 424.0 {
		t.Errorf("got %v", got)
	}
}

func TestPartsNeedBodiesAndContentTypes(t *testing.T) {
	u := "/users/adele@contoso.com"
	mime := step("3", "POST", u+"/messages", b64(sample))
	mime["headers"] = map[string]string{"Content-Type": "text/plain"}
	parts := []map[string]any{
		step("1", "POST", u+"/messages", nil),
		{"id": "2", "method": "POST", "url": u + "/messages", "body": map[string]any{}},
		mime,
	}
	for accept, status := range map[bool]float64{false: 400, true: 201} {
		got := newClient(t, Options{MIMEInBatch: accept}).batch(parts...)
		if got["1"]["status"] != 400.0 || got["2"]["status"] != 400.0 || got["3"]["status"] != status {
			t.Errorf("with %v: %v", accept, got)
		}
	}
}

func TestPartsAreThrottledOneByOne(t *testing.T) {
	c := newClient(t, Options{Quota: Quota{Requests: 2, Per: time.Minute}})
	var parts []map[string]any
	for i := range 3 {
		parts = append(parts, step(strconv.Itoa(i), "GET", "/users/a@b.c/mailFolders", nil))
	}
	count := map[any]int{}
	for _, r := range c.batch(parts...) {
		count[r["status"]]++
		if r["status"] == 429.0 && r["headers"].(map[string]any)["Retry-After"] == nil {
			t.Error("no Retry-After in the part")
		}
	}
	if count[200.0] != 2 || count[429.0] != 1 {
		t.Errorf("answers: %v", count)
	}
}

func TestTwoParallelBatchesExceedTheConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := New(Options{Quota: DocumentedQuota(), Latency: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		var parts []map[string]any
		for i := range 4 {
			parts = append(parts, step(strconv.Itoa(i), "GET", "/users/a@b.c/mailFolders", nil))
		}
		body, _ := json.Marshal(requests(parts...))
		throttled := make(chan int, 2)
		for range 2 {
			go func() {
				r := httptest.NewRequest("POST", "/v1.0/$batch", bytes.NewReader(body))
				r.Header.Set("Authorization", "Bearer test")
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				sim.ServeHTTP(w, r)
				throttled <- bytes.Count(w.Body.Bytes(), []byte("MailboxConcurrency"))
			}()
		}
		if n := <-throttled + <-throttled; n != 4 {
			t.Errorf("%d parts were throttled, want 4", n)
		}
	})
}

func TestALostReplyInsideABatchLosesTheWhole(t *testing.T) {
	c := newClient(t, Options{Faults: faults(t, "lost-reply@1")})
	_, err := c.try("POST", "/v1.0/$batch", requests(step("1", "POST", "/users/"+c.user+"/mailFolders", map[string]any{"displayName": "a"})))
	if !aborted(err) {
		t.Errorf("got %v", err)
	}
	c.refused(409, "ErrorFolderExists", "POST", "/mailFolders", map[string]any{"displayName": "a"})
}
