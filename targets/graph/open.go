package graph

import (
	"context"
	"io"
	"sync"

	"github.com/mailhaul/mailhaul/migrate"
)

// Open implements [verify.Target]. The content is MIME as Exchange builds it
// for each reader, and nothing comes along with it. It is one of the mailbox's
// concurrent calls until it is closed.
func (t *Target) Open(ctx context.Context, id migrate.MessageID) (migrate.Held, io.ReadCloser, error) {
	req, err := t.client.asking(ctx, t.messageURL(id)+"/$value")
	if err != nil {
		return migrate.Held{}, nil, named("read a message back", err)
	}
	resp, leave, err := t.client.enter(req, true)
	if err != nil {
		return migrate.Held{}, nil, sought("read a message back", err)
	}
	return migrate.Held{ID: id}, &content{resp.Body, sync.OnceFunc(leave)}, nil
}

// content is a message that is read back. Its errors are classified.
type content struct {
	io.ReadCloser
	leave func()
}

func (c *content) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = named("read a message back", unanswered(err))
	}
	return n, err
}

func (c *content) Close() error {
	defer c.leave()
	return c.ReadCloser.Close()
}
