package gmailsim

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// granule is what the size of a chunk is a multiple of, unless it is the last.
const granule = 256 << 10

// maxSessions bounds the open uploads; the oldest gives way.
const maxSessions = 200

// A session is one resumable upload. Its mutex guards all but the first three.
type session struct {
	user   string
	route  *route
	opened time.Time

	mu     sync.Mutex
	query  url.Values
	meta   []byte
	octets []byte
	done   bool
	answer any
}

// interim is the answer to a request of a resumable upload that is not its last.
type interim struct {
	location string // of the opening request
	stored   int
}

func (i interim) write(w http.ResponseWriter, r *http.Request) {
	if i.location != "" {
		w.Header().Set("Location", i.location)
		w.WriteHeader(http.StatusOK)
		return
	}
	if i.stored > 0 {
		w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", i.stored-1))
	}
	if r.Header.Get("X-GUploader-No-308") == "yes" {
		w.Header().Set("X-HTTP-Status-Code-Override", "308")
		w.WriteHeader(http.StatusOK)
		return
	}
	w.WriteHeader(http.StatusPermanentRedirect)
}

// stores says whether the call makes a message, if all goes well.
func (c *call) stores() bool {
	if !c.route.stores || !c.upload || c.query.Get("uploadType") != "resumable" {
		return c.route.stores
	}
	r, err := parseRange(c.r.Header.Get("Content-Range"))
	return err == nil && c.query.Has("upload_id") && r.total >= 0 && (r.first < 0 || r.last+1 == r.total)
}

func (c *call) receiveResumable(limit int64, store storer) (any, error) {
	if id := c.query.Get("upload_id"); id != "" {
		return c.receiveChunk(id, limit, store)
	}
	if err := messageType(c.r.Header.Get("X-Upload-Content-Type")); err != nil {
		return nil, err
	}
	if n, err := strconv.ParseInt(c.r.Header.Get("X-Upload-Content-Length"), 10, 64); err == nil && n > limit {
		return nil, tooLarge()
	}
	meta, err := io.ReadAll(io.LimitReader(c.r.Body, maxMeta))
	if err != nil {
		return nil, badRequest()
	}
	if len(meta) > 0 {
		if err := jsonType(c.r.Header.Get("Content-Type")); err != nil {
			return nil, err
		}
	}
	id := rand.Text()
	c.s.openSession(id, &session{user: c.box.user, route: c.route, opened: c.now, query: c.query, meta: meta})
	scheme := "http"
	if c.r.TLS != nil {
		scheme = "https"
	}
	return interim{location: scheme + "://" + c.r.Host + c.r.URL.EscapedPath() + "?uploadType=resumable&upload_id=" + id}, nil
}

func (s *Server) openSession(id string, u *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.uploads) >= maxSessions {
		oldest := ""
		for id, u := range s.uploads {
			if oldest == "" || u.opened.Before(s.uploads[oldest].opened) {
				oldest = id
			}
		}
		delete(s.uploads, oldest)
	}
	s.uploads[id] = u
}

func (c *call) session(id string) *session {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	u := c.s.uploads[id]
	if u == nil || u.user != c.box.user || u.route != c.route || c.now.Sub(u.opened) >= c.s.o.UploadLife {
		return nil
	}
	return u
}

func (c *call) receiveChunk(id string, limit int64, store storer) (any, error) {
	u := c.session(id)
	if u == nil {
		return nil, notFound()
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	r, err := parseRange(c.r.Header.Get("Content-Range"))
	if err != nil {
		return nil, err
	}
	if u.done {
		return c.repeated(u, store)
	}
	data, err := io.ReadAll(io.LimitReader(c.r.Body, limit-int64(len(u.octets))+granule))
	if err != nil {
		if keep := min(r.first+int64(len(data)), r.last); c.s.o.KeepPart && r.first >= 0 {
			part := contentRange{r.first, keep/granule*granule - 1, -1}
			_ = u.take(part, data[:max(0, part.last+1-part.first)], limit, false) // a part that does not fit is dropped too
		}
		return nil, badRequest() // nobody is there to read it
	}
	if err := u.take(r, data, limit, c.s.o.ShortRange); err != nil {
		return nil, err
	}
	if r.total < 0 || int64(len(u.octets)) < r.total {
		return interim{stored: len(u.octets)}, nil
	}
	return c.complete(u, store)
}

// take appends what is new of a chunk.
func (u *session) take(r contentRange, data []byte, limit int64, short bool) error {
	have := int64(len(u.octets))
	switch {
	case max(r.last+1, r.total) > limit:
		return tooLarge()
	case r.first < 0 && len(data) > 0, r.first >= 0 && int64(len(data)) != r.last-r.first+1:
		return badContent("Invalid request. The Content-Range header does not agree with the body.")
	case r.first > have:
		return badContent("Invalid request. According to the Content-Range header, the upload offset is %d byte(s), which exceeds already uploaded size of %d byte(s).", r.first, have)
	case r.total >= 0 && have > r.total:
		return badContent("Invalid request. More was uploaded than the Content-Range header says.")
	case r.first < 0 || r.last < have:
		return nil // asks how far it got, or sends again what is there
	case r.total < 0 && len(data)%granule != 0:
		return badContent("Invalid request. The number of bytes uploaded is required to be equal or greater than %d, except for the final request.", granule)
	}
	data = data[have-r.first:]
	if short && have == 0 && r.total < 0 {
		data = data[:len(data)/2]
	}
	u.octets = append(u.octets, data...)
	return nil
}

func (c *call) complete(u *session, store storer) (any, error) {
	c.query = u.query // its fields mask counts
	answer, err := store(incoming{meta: u.meta, octets: u.octets, query: u.query})
	if err != nil {
		return nil, err
	}
	u.done, u.answer = true, answer
	if c.s.o.RepeatLast != RepeatStore {
		u.octets = nil
	}
	return answer, nil
}

func (c *call) repeated(u *session, store storer) (any, error) {
	switch c.s.o.RepeatLast {
	case RepeatGone:
		return nil, notFound()
	case RepeatStore:
		return c.complete(u, store)
	}
	c.query = u.query
	return u.answer, nil
}

// A contentRange is a Content-Range header; -1 stands for "*".
type contentRange struct{ first, last, total int64 }

func parseRange(s string) (contentRange, error) {
	bad := badContent("Failed to parse Content-Range header.")
	span, total, ok := strings.Cut(strings.TrimPrefix(s, "bytes "), "/")
	if !ok || !strings.HasPrefix(s, "bytes ") {
		return contentRange{}, bad
	}
	r := contentRange{-1, -1, -1}
	number := func(s string, to *int64) {
		n, err := strconv.ParseUint(s, 10, 62)
		ok, *to = ok && err == nil, int64(n)
	}
	if total != "*" {
		number(total, &r.total)
	}
	if span != "*" {
		first, last, _ := strings.Cut(span, "-")
		number(first, &r.first)
		number(last, &r.last)
		ok = ok && r.first <= r.last && (r.total < 0 || r.last < r.total)
	}
	if !ok {
		return contentRange{}, bad
	}
	return r, nil
}
