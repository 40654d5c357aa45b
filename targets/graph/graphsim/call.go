package graphsim

import (
	"bytes"
	"io"
	"net/http"
	"time"
)

// A call is one request that passed the checks.
type call struct {
	s       *Server
	r       *http.Request
	mb      *mailbox
	app     string
	version string
	limit   int64 // octets of the body
	query   query
	prefer  prefer
	now     time.Time
}

// context is the value of @odata.context.
func (c *call) context(of string) string { return c.base() + "/$metadata#" + of }

func (c *call) base() string {
	scheme := "http"
	if c.r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + c.r.Host + "/" + c.version
}

// octets reads the request body into a buffer that the caller gives back.
func (c *call) octets() (*buffer, error) {
	b := getBuffer()
	if n := c.r.ContentLength; n > 0 && int64(cap(b.b)) < n {
		b.b = make([]byte, 0, n)
	}
	n, err := io.Copy(b, io.LimitReader(c.r.Body, c.limit+1))
	if n > c.limit {
		err = errTooLarge()
	} else if err != nil {
		err = errPayloadRead()
	}
	if err != nil {
		buffers.Put(b)
		return nil, err
	}
	return b, nil
}

func errPayloadRead() error {
	return refuse(400, "BadRequest", "IO error during request payload read.")
}

// json reads the request body as one JSON object that c.check accepts. It
// returns the octets too, as they were.
func (c *call) json(want check) (map[string]any, []byte, error) {
	if !isJSON(c.r.Header.Get("Content-Type")) {
		return nil, nil, errBody("Unable to deserialize the post body: a JSON Content-Type is missing.")
	}
	b, err := c.octets()
	if err != nil {
		return nil, nil, err
	}
	defer buffers.Put(b)
	raw := bytes.Clone(b.b)
	object, err := parseObject(raw)
	if err != nil {
		return nil, nil, err
	}
	if err := want(object); err != nil {
		return nil, nil, err
	}
	return object, raw, nil
}
