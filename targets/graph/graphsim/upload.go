package graphsim

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// An upload is an upload session of one large attachment (section 7).
type upload struct {
	app     string
	mb      *mailbox
	item    uint64 // of the message
	file    *attachment
	size    int64
	expires time.Time
	base    string // scheme and host

	mu   sync.Mutex // one range at a time
	next int64
	done bool
}

const uploadLife = 24 * time.Hour

var attachmentItemShape = object("createUploadSession", map[string]check{
	"AttachmentItem": need(object("attachmentItem", map[string]check{
		"attachmentType": enum("file"), "name": text, "size": number, "contentType": null(text), "contentId": null(text), "isInline": null(boolean),
	}), "attachmentType", "name", "size"),
})

func (c *call) createUploadSession(id string) (reply, error) {
	if c.s.opt.NoUploadSessions {
		return reply{}, errSegment("createUploadSession")
	}
	if c.r.Method != http.MethodPost {
		return reply{}, errMethod()
	}
	o, _, err := c.json(need(attachmentItemShape, "AttachmentItem"))
	if err != nil {
		return reply{}, err
	}
	item := o["AttachmentItem"].(map[string]any)
	size, _ := item["size"].(json.Number).Int64()
	switch {
	case size < minUpload:
		return reply{}, refuse(400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize", "The size of the attachment is less than 3 MB.")
	case size > maxAttachment:
		return reply{}, refuse(400, "ErrorAttachmentSizeLimitExceeded", "The size of the attachment is over 150 MB.")
	}
	c.mb.mu.Lock()
	defer c.mb.mu.Unlock()
	m, err := c.findMessage(id)
	if err != nil {
		return reply{}, err
	}
	if err := c.mayAttach(m, size); err != nil {
		return reply{}, err
	}
	a := &attachment{n: c.mb.nextAttachment(), name: str(item["name"]), contentType: str(item["contentType"]), contentID: str(item["contentId"])}
	a.inline, _ = item["isInline"].(bool)
	if a.contentType == "" {
		a.contentType = "application/octet-stream"
	}
	a.written = c.s.octets.reserve(size)
	scheme := "http://"
	if c.r.TLS != nil {
		scheme = "https://"
	}
	u := &upload{app: c.app, mb: c.mb, item: m.item, file: a, size: size, expires: c.now.Add(uploadLife), base: scheme + c.r.Host}
	key := rand.Text()
	c.s.mu.Lock()
	c.s.uploads[key] = u
	c.s.mu.Unlock()
	return reply{status: 201, body: map[string]any{
		"@odata.context": c.context("microsoft.graph.uploadSession"), "uploadUrl": u.base + "/uploads/sessions?authtoken=" + key,
		"expirationDateTime": expiry(u.expires), "nextExpectedRanges": []string{"0-"},
	}}, nil
}

func expiry(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

// serveUpload serves an upload URL, which carries its own authorization.
func (s *Server) serveUpload(r *http.Request, segs []string) (reply, error) {
	if r.Header.Get("Authorization") != "" && !s.opt.UploadAuthIgnored {
		return reply{}, refuse(401, "InvalidAuthenticationToken", "An upload URL takes no Authorization header.")
	}
	key := r.URL.Query().Get("authtoken")
	s.mu.Lock()
	u := s.uploads[key]
	s.mu.Unlock()
	if u == nil || segs[1] != "sessions" {
		return reply{}, errItemNotFound()
	}
	finish, err := s.admit(quotaKey{app: u.app, user: u.mb.user, uploads: true}, r)
	if err != nil {
		return reply{}, err
	}
	defer finish()
	if err := s.delay(r); err != nil {
		return reply{}, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.done || !s.now().Before(u.expires) {
		return reply{}, errItemNotFound()
	}
	switch r.Method {
	case http.MethodDelete:
		u.done = true
		s.forget(key)
		return reply{status: 204}, nil
	case http.MethodGet:
		return u.progress(), nil
	case http.MethodPut:
		rep, err := s.putRange(u, r)
		if u.done {
			s.forget(key)
		}
		return rep, err
	}
	return reply{}, errMethod()
}

func (s *Server) forget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.uploads, key)
}

// progress is the answer between ranges, with the vendor's casing and without a dash.
func (u *upload) progress() reply {
	return reply{status: 200, body: map[string]any{
		"ExpirationDateTime": expiry(u.expires), "nextExpectedRanges": []string{strconv.FormatInt(u.next, 10)},
	}}
}

var contentRange = regexp.MustCompile(`^bytes (\d{1,18})-(\d{1,18})/(\d{1,18})$`)

// putRange stores the next range, and the attachment with the last one.
func (s *Server) putRange(u *upload, r *http.Request) (reply, error) {
	m := contentRange.FindStringSubmatch(r.Header.Get("Content-Range"))
	if m == nil {
		return reply{}, refuse(400, "ErrorInvalidRequest", "Content-Range is missing or malformed.")
	}
	first, _ := strconv.ParseInt(m[1], 10, 64)
	last, _ := strconv.ParseInt(m[2], 10, 64)
	total, _ := strconv.ParseInt(m[3], 10, 64)
	length := last - first + 1
	switch {
	case r.Header.Get("Content-Type") != "application/octet-stream":
		return reply{}, refuse(400, "ErrorInvalidRequest", "Content-Type must be application/octet-stream.")
	case total != u.size, first != u.next, length <= 0, last >= total, r.ContentLength >= 0 && r.ContentLength != length:
		return reply{}, refuse(416, "ErrorInvalidRange", "The range is not the next one: expected %d of %d.", u.next, u.size)
	case length > s.opt.MaxRequest:
		return reply{}, errTooLarge()
	}
	b := make([]byte, length)
	if _, err := io.ReadFull(r.Body, b); err != nil {
		return reply{}, errPayloadRead()
	}
	if err := s.octets.writeAt(u.file.written, b, first); err != nil {
		return reply{}, err
	}
	u.next = last + 1
	if u.next < u.size {
		return u.progress(), nil
	}
	return s.finish(u, r)
}

func (s *Server) finish(u *upload, r *http.Request) (reply, error) {
	u.done = true
	c := &call{s: s, r: r, mb: u.mb, now: s.now()}
	u.mb.mu.Lock()
	defer u.mb.mu.Unlock()
	m := u.mb.items[u.item]
	if m == nil {
		return reply{}, errItemNotFound()
	}
	if err := c.mayAttach(m, u.size); err != nil {
		return reply{}, err
	}
	u.file.modified = c.now
	c.attach(m, u.file)
	place := fmt.Sprintf("%s/api/v2.0/Users('%s')/Messages('%s')/Attachments('%s')", u.base, u.mb.user,
		messageID.format(u.mb.tag, m.placement), attachmentID.format(u.mb.tag, u.file.n))
	return reply{status: 201, header: http.Header{"Location": {place}}}, nil
}
