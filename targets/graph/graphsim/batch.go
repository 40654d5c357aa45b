package graphsim

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/google/uuid"
)

const (
	maxBatch      = 20
	batchParallel = 4 // parts of one batch that run at once
)

var (
	batchPartShape = object("batchRequest", map[string]check{
		"id": text, "method": enum("GET", "POST", "PATCH", "PUT", "DELETE"), "url": text, "dependsOn": listOf(text),
		"headers": func(v any) error {
			if _, ok := v.(map[string]any); !ok {
				return errBody("An object was expected.")
			}
			return nil
		},
		"body": func(any) error { return nil },
	})
	batchShape = need(object("batch", map[string]check{"requests": listOf(need(batchPartShape, "id", "method", "url"))}), "requests")
)

// batchPart is one request of a batch.
type batchPart struct {
	id      string
	after   []string
	request *http.Request
	invalid *apiError
	status  int
	answer  map[string]any
}

// batch serves POST /$batch (section 9). Each part is a call of its own for
// quotas and faults; a malformed batch is refused as a whole.
func (s *Server) batch(r *http.Request, version string) (reply, error) {
	if _, err := s.authenticate(r); err != nil {
		return reply{}, err
	}
	if r.Method != http.MethodPost {
		return reply{}, errMethod()
	}
	c := &call{s: s, r: r, version: version, limit: s.opt.MaxRequest}
	o, _, err := c.json(batchShape)
	if err != nil {
		err.(*apiError).code = "BadRequest"
		return reply{}, err
	}
	parts, err := s.batchParts(r, version, listMembers(o["requests"]))
	if err != nil {
		return reply{}, err
	}
	if !s.runBatch(parts, len(parts) > 1 && len(parts[1].after) > 0) {
		return reply{}, errAbort
	}
	answers := make([]any, 0, len(parts))
	for i := len(parts) - 1; i >= 0; i-- { // any order is legal
		answers = append(answers, parts[i].answer)
	}
	return reply{status: http.StatusOK, body: map[string]any{"responses": answers}}, nil
}

func (s *Server) batchParts(r *http.Request, version string, list []map[string]any) ([]*batchPart, error) {
	if len(list) == 0 || len(list) > maxBatch {
		return nil, refuse(400, "BadRequest", "Number of batch request steps must be between 1 and %d.", maxBatch)
	}
	seen := map[string]bool{}
	var parts []*batchPart
	for i, o := range list {
		p := &batchPart{id: str(o["id"])}
		after, _ := o["dependsOn"].([]any)
		for _, id := range after {
			if !seen[strings.ToLower(id.(string))] {
				return nil, refuse(400, "BadRequest", "dependsOn of request '%s' names '%s', which does not come before it.", p.id, id)
			}
			p.after = append(p.after, strings.ToLower(id.(string)))
		}
		if key := strings.ToLower(p.id); p.id == "" || seen[key] {
			return nil, refuse(400, "BadRequest", "Request id '%s' is empty or not unique.", p.id)
		} else {
			seen[key] = true
		}
		if i > 1 && (len(after) > 0) != (len(parts[1].after) > 0) || i == 0 && len(after) > 0 {
			return nil, refuse(400, "BadRequest", "A batch must be wholly parallel or wholly sequential.")
		}
		p.request, p.invalid = s.partRequest(r, version, o)
		parts = append(parts, p)
	}
	return parts, nil
}

// partRequest makes the HTTP request that a part stands for.
func (s *Server) partRequest(outer *http.Request, version string, o map[string]any) (*http.Request, *apiError) {
	path := str(o["url"])
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	u, err := url.Parse("/" + version + path)
	if err != nil || strings.Contains(path, "$batch") {
		return nil, refuse(400, "BadRequest", "The url of a batch part is not valid.")
	}
	header := http.Header{"Authorization": outer.Header["Authorization"]}
	headers, _ := o["headers"].(map[string]any)
	for k, v := range headers {
		header.Set(k, str(v))
	}
	var body []byte
	method := str(o["method"])
	switch b := o["body"].(type) {
	case nil:
		if _, ok := o["body"]; !ok && method == http.MethodPost {
			return nil, refuse(400, "BadRequest", "A POST in a batch needs a body and a Content-Type.")
		}
	case string:
		if media, _, _ := mime.ParseMediaType(header.Get("Content-Type")); media != "text/plain" || !s.opt.MIMEInBatch {
			return nil, refuse(400, "BadRequest", "The body of a batch part must be a JSON object.")
		}
		body = []byte(b)
	default:
		body, _ = json.Marshal(b)
	}
	if body != nil && header.Get("Content-Type") == "" {
		return nil, refuse(400, "BadRequest", "A body in a batch part needs a Content-Type.")
	}
	r := &http.Request{
		Method: method, URL: u, Header: header, Host: outer.Host, TLS: outer.TLS, Body: http.NoBody, ContentLength: int64(len(body)),
	}
	if body != nil {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return r.WithContext(outer.Context()), nil
}

// runBatch runs the parts, one by one or four at a time. It returns false if
// the connection is to be closed unanswered.
func (s *Server) runBatch(parts []*batchPart, sequential bool) bool {
	ok := true
	if sequential {
		failed := map[string]bool{}
		for _, p := range parts {
			for _, id := range p.after {
				if failed[id] && p.invalid == nil {
					p.invalid = refuse(424, "FailedDependency", "A request that this one depends on failed.")
				}
			}
			ok = s.runPart(p) && ok
			failed[strings.ToLower(p.id)] = p.status >= 400
		}
		return ok
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	slots := make(chan struct{}, batchParallel)
	for _, p := range parts {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			done := s.runPart(p)
			mu.Lock()
			defer mu.Unlock()
			ok = ok && done
		})
	}
	wg.Wait()
	return ok
}

func (s *Server) runPart(p *batchPart) bool {
	id := requestID{server: uuid.NewString()}
	var err error
	var segs []string
	if p.invalid != nil {
		err = p.invalid
	} else {
		segs, err = segments(p.request.URL)
	}
	rep, err := s.answer(p.request, segs, id, err)
	if err != nil {
		return false
	}
	headers := map[string]string{"request-id": id.server}
	for k := range rep.header {
		headers[k] = rep.header.Get(k)
	}
	p.status = rep.status
	p.answer = map[string]any{"id": p.id, "status": rep.status, "headers": headers}
	switch {
	case rep.body != nil:
		headers["Content-Type"] = "application/json"
		p.answer["body"] = rep.body
	case rep.octets != nil:
		headers["Content-Type"] = rep.contentType
		p.answer["body"] = base64.StdEncoding.EncodeToString(rep.octets)
	}
	return true
}
