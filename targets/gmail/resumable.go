package gmail

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/api/googleapi"

	"github.com/mailhaul/mailhaul/migrate"
)

const (
	// ChunkSize is how many octets one request of a resumable upload has, of which
	// Google keeps whole granules: no more than these are sent again after a lost
	// connection. The memory that an upload takes does not depend on it.
	ChunkSize = 32 * granule
	granule   = 256 << 10
	// Uploads that are remembered after they were interrupted.
	maxInterrupted = 64
)

// resumable sends m by the resumable protocol of
// developers.google.com/workspace/gmail/api/guides/uploads. An upload that was
// interrupted goes on where Gmail says that it stands when the same message is
// sent with the same metadata again; only this process remembers it.
//
// QUIRK: the client library holds each chunk in memory, repeats it for 32
// seconds whatever Retry-After says, and ignores how much of it was kept.
func (t *Target) resumable(ctx context.Context, c cost, m *migrate.Message, method string, metadata any) (migrate.MessageID, error) {
	form, err := json.Marshal(metadata)
	if err != nil {
		return "", unsent(c.op, err)
	}
	key := fmt.Sprintf("%s\n%s\n%x", method, form, m.Digest)
	u := t.interrupted.take(key)
	u.t, u.op, u.m = t, c.op, m
	var id string
	err = t.call(ctx, c.carrying(m.Size), func(ctx context.Context) (err error) {
		id, err = u.run(ctx, method, form)
		return err
	})
	if e, ok := errors.AsType[*migrate.Error](err); ok && e.Class == migrate.Transient && u.address != "" {
		u.m = nil // not to be held
		t.interrupted.put(key, u)
	}
	return migrate.MessageID(id), err
}

// An upload is one resumable upload.
type upload struct {
	t       *Target
	op      string
	m       *migrate.Message
	address string // where it goes, which Gmail chose; a secret. Empty until it is opened
	at      int64  // octets that Gmail is known to have
	last    bool   // the last octets were sent: the message may be stored
}

// run sends what Gmail does not have yet, and returns the id of the message.
func (u *upload) run(ctx context.Context, method string, form []byte) (id string, err error) {
	before := u.at
	if u.address != "" {
		// "bytes */n" asks how far it got.
		id, err = u.post(ctx, fmt.Sprintf("bytes */%d", u.m.Size), 0, nil)
		if err != nil && !isGone(err) || id != "" {
			return id, u.interrupted(err, before)
		}
		if err != nil {
			u.address, u.at, u.last, before = "", 0, false, 0 // it expired
		}
	}
	if u.address == "" {
		if err := u.open(ctx, method, form); err != nil {
			return "", u.interrupted(err, before)
		}
	}
	for {
		id, err := u.send(ctx)
		if isGone(err) {
			u.address, err = "", errors.New("the upload is forgotten at Gmail")
		}
		if id != "" || err != nil {
			return id, u.interrupted(err, before)
		}
	}
}

// open begins the upload.
func (u *upload) open(ctx context.Context, method string, form []byte) error {
	at := *u.t.endpoint
	at.Path = "/upload/gmail/v1/users/" + u.t.user + "/"
	at.RawPath = "/upload/gmail/v1/users/" + url.PathEscape(u.t.user) + "/"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at.String()+method+"&uploadType=resumable", strings.NewReader(string(form)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Upload-Content-Type", "message/rfc822")
	req.Header.Set("X-Upload-Content-Length", strconv.FormatInt(u.m.Size, 10))
	res, err := u.t.raw.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := googleapi.CheckResponse(res); err != nil {
		return err
	}
	to, err := res.Location()
	if err != nil || to.Scheme != "https" && to.Scheme != u.t.endpoint.Scheme {
		return errors.New("the answer does not say where the upload goes")
	}
	u.address, u.at, u.last = to.String(), 0, false
	return nil
}

// send sends the next octets.
func (u *upload) send(ctx context.Context) (id string, err error) {
	body, err := u.m.Body.Open()
	if err != nil {
		return "", unsent(u.op, err)
	}
	content := &content{body: body}
	defer content.Close()
	from := u.at
	if _, err := body.Seek(from, io.SeekStart); err != nil {
		return "", unsent(u.op, err)
	}
	n, total := min(ChunkSize, u.m.Size-from), "*"
	if from+n == u.m.Size {
		u.last, total = true, strconv.FormatInt(u.m.Size, 10)
	}
	id, err = u.post(ctx, fmt.Sprintf("bytes %d-%d/%s", from, from+n-1, total), n, io.LimitReader(content, n))
	if err == nil && id == "" && u.at <= from {
		u.address, err = "", errors.New("the upload does not get on") // this one will not
	}
	return id, err
}

// post makes one request of the upload. If it is not complete after that, id
// is empty and at says how much of it Gmail has.
func (u *upload) post(ctx context.Context, contentRange string, n int64, body io.Reader) (id string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.address, body)
	if err != nil {
		return "", err
	}
	req.ContentLength = n
	req.Header.Set("Content-Type", "message/rfc822")
	req.Header.Set("Content-Range", contentRange)
	// Otherwise the answer is 308, which means another thing today (RFC 9110 section 15.4.9).
	req.Header.Set("X-GUploader-No-308", "yes")
	res, err := u.t.raw.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusPermanentRedirect || res.Header.Get("X-HTTP-Status-Code-Override") == "308" {
		kept, err := keptOf(res.Header.Get("Range"))
		if err != nil || n > 0 && kept > u.at+n || kept >= u.m.Size {
			u.address = "" // nothing can be built upon it
			return "", fmt.Errorf("the answer says that %q was kept", oneLine(res.Header.Get("Range")))
		}
		u.at, u.last = kept, false
		return "", nil
	}
	if err := googleapi.CheckResponse(res); err != nil {
		return "", err
	}
	var stored struct {
		ID      string
		Message struct{ ID string } // of a draft, whose own id is another
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&stored); err != nil {
		return "", err
	}
	if id = cmp.Or(stored.Message.ID, stored.ID); id == "" {
		return "", errNoID
	}
	return id, nil
}

// keptOf returns how many octets a Range field like "bytes=0-99" speaks of.
// There is none while nothing was kept.
func keptOf(field string) (int64, error) {
	if field == "" {
		return 0, nil
	}
	last, ok := strings.CutPrefix(field, "bytes=0-")
	n, err := strconv.ParseInt(last, 10, 62)
	if !ok || err != nil || n < 0 {
		return 0, errors.New("odd Range")
	}
	return n + 1, nil
}

// isGone says whether Gmail answered that it does not know an upload.
func isGone(err error) bool {
	g, ok := errors.AsType[*googleapi.Error](err)
	return ok && (g.Code == http.StatusNotFound || g.Code == http.StatusGone)
}

// An interruption is what kept an upload from being completed.
type interruption struct {
	err  error
	last bool // the last octets were on their way: the message may be stored
	on   bool // the upload got on before, by a granule at least: there is an end to that
}

func (i *interruption) Error() string { return i.err.Error() }
func (i *interruption) Unwrap() error { return i.err }

func (u *upload) interrupted(err error, before int64) error {
	if err == nil {
		return nil
	}
	on := u.address != "" && u.at-before >= granule // and that is not lost
	return &interruption{err, u.last, on}
}

// judge says what the interruption means, given what its cause e means alone.
func (i *interruption) judge(e *migrate.Error) *migrate.Error {
	if e.Class != migrate.Transient {
		return e
	}
	judged := *e
	judged.Refused, judged.Advanced = !i.last || e.Refused, i.on
	return &judged
}

// interruptions are uploads that can be continued, by what they carry.
type interruptions struct {
	mu      sync.Mutex
	uploads map[string]upload
}

// take returns what put kept under key, and forgets it: an upload goes on once.
func (s *interruptions) take(key string) upload {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.uploads[key]
	delete(s.uploads, key)
	return u
}

func (s *interruptions) put(key string, u upload) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.uploads == nil {
		s.uploads = make(map[string]upload)
	}
	for other := range s.uploads {
		if len(s.uploads) < maxInterrupted {
			break
		}
		delete(s.uploads, other) // whichever: it starts from zero
	}
	s.uploads[key] = u
}
