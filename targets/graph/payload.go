package graph

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/http"

	"github.com/mailhaul/mailhaul/migrate"
)

// A payload is the body of a request, made of pieces. Its length is known
// before it is sent, it can be sent again, and base64 is made on the way.
// The SDK would hold a message or attachment in memory three times.
type payload []piece

type piece struct {
	size int64
	open func() (io.ReadCloser, error)
}

func literal(b []byte) piece {
	return piece{int64(len(b)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
}

// encoded is the base64 of b.
func encoded(b []byte) piece {
	return piece{int64(base64.StdEncoding.EncodedLen(len(b))), func() (io.ReadCloser, error) {
		return io.NopCloser(&encoder{src: bytes.NewReader(b)}), nil
	}}
}

func (p payload) size() (n int64) {
	for _, q := range p {
		n += q.size
	}
	return n
}

// request returns the request that sends p.
func (p payload) request(ctx context.Context, method, url, contentType string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if len(p) > 0 {
		req.ContentLength, req.GetBody = p.size(), p.open
	}
	return req, nil
}

// open returns a reader of the whole.
func (p payload) open() (io.ReadCloser, error) {
	var all pieces
	for _, q := range p {
		r, err := q.open()
		if err != nil {
			all.Close()
			return nil, err
		}
		all.readers, all.closers = append(all.readers, r), append(all.closers, r)
	}
	all.Reader = io.MultiReader(all.readers...)
	return &all, nil
}

type pieces struct {
	io.Reader
	readers []io.Reader
	closers []io.Closer
}

func (p *pieces) Close() (err error) {
	for _, c := range p.closers {
		if e := c.Close(); err == nil {
			err = e
		}
	}
	return err
}

// encoder reads the base64 of src, without line breaks.
type encoder struct {
	src  io.Reader
	raw  [3 << 10]byte
	text [4 << 10]byte
	rest []byte // of text
	err  error
}

func (e *encoder) Read(p []byte) (int, error) {
	for len(e.rest) == 0 {
		if e.err != nil {
			return 0, e.err
		}
		var n int
		if n, e.err = io.ReadFull(e.src, e.raw[:]); e.err == io.ErrUnexpectedEOF {
			e.err = io.EOF
		}
		base64.StdEncoding.Encode(e.text[:], e.raw[:n])
		e.rest = e.text[:base64.StdEncoding.EncodedLen(n)]
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// sizeOf returns the octets of a body.
func sizeOf(b migrate.Body) (int64, error) {
	r, err := b.Open()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return r.Seek(0, io.SeekEnd)
}
