package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/mailhaul/mailhaul/migrate"
)

// json returns the attachment as Graph's fileAttachment.
func (a attachment) json() payload {
	head, _ := json.Marshal(struct {
		Type        string `json:"@odata.type"`
		Name        string `json:"name"`
		ContentType string `json:"contentType"`
		IsInline    bool   `json:"isInline"`
		ContentID   string `json:"contentId,omitempty"`
	}{"#microsoft.graph.fileAttachment", a.name, a.mediaType, a.inline, a.contentID})
	head = append(head[:len(head)-1], `,"contentBytes":"`...)
	return payload{literal(head), encoded(a.data), literal([]byte(`"}`))}
}

// attachAll adds attachments to a message that is there, in order, reading
// their content again from m.
func (t *Target) attachAll(ctx context.Context, id migrate.MessageID, m *migrate.Message, as []attachment) error {
	if len(as) == 0 {
		return nil
	}
	r, err := m.Body.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	next := as
	w := walk{visit: func(l leaf, body io.Reader) error {
		if len(next) == 0 || next[0].leaf != l.index {
			return nil
		}
		a := next[0]
		next = next[1:]
		return t.attach(ctx, id, a, body)
	}}
	if _, err := w.message(r); err != nil && err != errNoHeader {
		return err
	}
	for _, a := range next { // the message itself, if any
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if err := t.attach(ctx, id, a, r); err != nil {
			return err
		}
	}
	return nil
}

// attach adds one attachment: in one request if it is small, by an upload
// session if not.
func (t *Target) attach(ctx context.Context, id migrate.MessageID, a attachment, body io.Reader) error {
	path := "/v1.0" + t.root + "/messages/" + url.PathEscape(string(id)) + "/attachments"
	if a.size > maxAttachment {
		err := t.upload(ctx, path, a, body)
		// "3 MB" has two readings. Between them a session may be refused.
		if refused(err).code != "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize" {
			return err
		}
	}
	data, err := io.ReadAll(io.LimitReader(body, a.size))
	if err != nil {
		return err
	}
	a.data = data
	return t.client.post(ctx, path, "application/json", a.json(), nil)
}

// upload sends an attachment by an upload session: ranges in order, each under
// 4 MB, without a token.
func (t *Target) upload(ctx context.Context, path string, a attachment, body io.Reader) error {
	type item struct {
		AttachmentType string `json:"attachmentType"`
		Name           string `json:"name"`
		Size           int64  `json:"size"`
		ContentType    string `json:"contentType"`
		IsInline       bool   `json:"isInline"`
		ContentID      string `json:"contentId,omitempty"`
	}
	request, err := json.Marshal(map[string]item{"AttachmentItem": {"file", a.name, a.size, a.mediaType, a.inline, a.contentID}})
	if err != nil {
		return err
	}
	var session struct {
		UploadURL string `json:"uploadUrl"`
	}
	if err := t.client.post(ctx, path+"/createUploadSession", "application/json", payload{literal(request)}, &session); err != nil {
		if e, ok := errors.AsType[*migrate.Error](err); ok && e.Class == migrate.Permanent && e.Hint == "" {
			e.Hint = "This cloud takes no attachment above 3 MB in a message that is rebuilt. Keep the message as a file."
		}
		return err
	}
	// The URL holds a secret and must not show up in an error.
	u, err := url.Parse(session.UploadURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != t.client.endpoint.Scheme {
		return &migrate.Error{Op: "attach", Class: migrate.Transient, Err: fmt.Errorf("the server gave no usable upload URL")}
	}
	buf := make([]byte, min(UploadRange, a.size))
	for at := int64(0); at < a.size; {
		n, err := io.ReadFull(body, buf[:min(int64(len(buf)), a.size-at)])
		if err != nil {
			return err
		}
		if err := t.putRange(ctx, session.UploadURL, buf[:n], at, a.size); err != nil {
			return err
		}
		at += int64(n)
	}
	return nil
}

func (t *Target) putRange(ctx context.Context, to string, data []byte, at, size int64) error {
	req, err := payload{literal(data)}.request(ctx, http.MethodPut, to, "application/octet-stream")
	if err != nil {
		return fmt.Errorf("the server gave no usable upload URL")
	}
	req.Header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", at, at+int64(len(data))-1, size))
	resp, err := t.client.send(req, false)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
