package gmailsim

import (
	"bytes"
	"io"
	"mime"
	"net/url"
	"strings"
	"sync"
)

const (
	maxUpload = 157_286_400 // octets of an imported or inserted message
	maxDraft  = 36_700_160
	maxMeta   = 64 << 10 // what a request may have around the message
)

// incoming is a message as a request brought it. The octets are only valid
// until the request is answered, and nil if they came inside the metadata.
type incoming struct {
	meta   []byte // JSON
	octets []byte
	query  url.Values // of the request that opened the upload
}

// A storer takes a message whose upload is complete.
type storer func(in incoming) (any, error)

// buffers keeps the buffers of small uploads for the next ones.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// receive takes a message in any of the four ways and passes it on.
func (c *call) receive(limit int64, store storer) (any, error) {
	if c.upload && c.query.Get("uploadType") == "resumable" {
		return c.receiveResumable(limit, store)
	}
	buffer := buffers.Get().(*bytes.Buffer)
	defer func() {
		if buffer.Cap() <= 1<<20 {
			buffer.Reset()
			buffers.Put(buffer)
		}
	}()
	if !c.upload {
		limit = maxJSON - maxMeta
	}
	n, err := buffer.ReadFrom(io.LimitReader(c.r.Body, limit+maxMeta+1))
	switch {
	case err != nil:
		return nil, badRequest()
	case n > limit+maxMeta:
		return nil, tooLarge()
	}
	in := incoming{query: c.query}
	contentType := c.r.Header.Get("Content-Type")
	switch kind := c.query.Get("uploadType"); {
	case !c.upload:
		err, in.meta = jsonType(contentType), buffer.Bytes()
	case kind == "multipart":
		in.meta, in.octets, err = related(contentType, buffer.Bytes())
	case kind == "media":
		err, in.octets = messageType(contentType), buffer.Bytes()
	default:
		err = badContent("Invalid upload type: '%s'", kind)
	}
	switch {
	case err != nil:
		return nil, err
	case int64(len(in.octets)) > limit:
		return nil, tooLarge()
	}
	return store(in)
}

// messageType checks the media type of a message.
func messageType(contentType string) error {
	if t, _, err := mime.ParseMediaType(contentType); err != nil || !strings.HasPrefix(t, "message/") {
		return badContent("Media type '%s' is not supported. Valid media types: [message/*]", contentType)
	}
	return nil
}

// related splits a body of type multipart/related into its two parts: JSON
// metadata and a message (RFC 2387, RFC 2046 section 5.1).
func related(contentType string, body []byte) (meta, octets []byte, err error) {
	t, params, err := mime.ParseMediaType(contentType)
	if err != nil || t != "multipart/related" || params["boundary"] == "" || len(params["boundary"]) > 70 {
		return nil, nil, badContent("Media type '%s' is not supported. Want multipart/related with a boundary.", contentType)
	}
	delimiter := []byte("\r\n--" + params["boundary"])
	rest, ok := bytes.CutPrefix(body, delimiter[2:])
	if !ok {
		return nil, nil, badContent("Malformed multipart body.")
	}
	var parts [2][]byte
	var heads [2]head
	for i := range parts {
		if rest, ok = bytes.CutPrefix(rest, []byte("\r\n")); !ok {
			return nil, nil, badContent("Malformed multipart body.")
		}
		headEnd := bytes.Index(rest, []byte("\r\n\r\n"))
		if headEnd < 0 || headEnd > maxMeta {
			return nil, nil, badContent("Malformed multipart body.")
		}
		heads[i], rest = parseHead(rest[:headEnd+2]), rest[headEnd+4:]
		end := bytes.Index(rest, delimiter)
		if end < 0 {
			return nil, nil, badContent("Missing end boundary in multipart body.")
		}
		parts[i], rest = rest[:end], rest[end+len(delimiter):]
	}
	if !bytes.Equal(bytes.TrimRight(rest, " \t\r\n"), []byte("--")) {
		return nil, nil, badContent("Malformed multipart body.")
	}
	if e := heads[1].encoding; e != "" && e != "binary" && e != "8bit" && e != "7bit" {
		return nil, nil, badContent("Content-Transfer-Encoding '%s' is not supported", e)
	}
	if err := jsonType(heads[0].contentType); err != nil {
		return nil, nil, err
	}
	return parts[0], parts[1], messageType(heads[1].contentType)
}
