package imap

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// allowance is how many octets a server may send in answer to one command,
// bodies that are being read not counted. The library keeps answers in memory.
const allowance = 64 << 20

var errTooMuch = errors.New("the server sends an answer without end")

// conn is a connection that cannot hang. While a command is under way the
// server has a bounded time to send, or take, the next octets; between
// commands it may be silent. It remembers what broke it, which go-imap hides
// in text.
type conn struct {
	net.Conn // the raw connection, or TLS over it
	raw      net.Conn
	br       *bufio.Reader

	sent, received io.Writer // are told what goes over it

	left atomic.Int64 // of the allowance

	mu       sync.Mutex
	patience time.Duration // 0 between commands
	err      error         // the first error of Read or Write
	tail     []byte        // what came last
}

func newConn(raw net.Conn) *conn {
	c := &conn{Conn: raw, raw: raw, sent: io.Discard, received: io.Discard}
	c.br = bufio.NewReaderSize(input{c}, 64<<10)
	return c
}

// begin starts the time of a command, end stops it.
func (c *conn) begin(patience time.Duration) {
	c.grant()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.patience = patience
	c.push()
}

func (c *conn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.patience = 0
	c.push()
}

// grant renews the allowance.
func (c *conn) grant() { c.left.Store(allowance) }

// push moves the deadlines. c.mu is held.
func (c *conn) push() {
	var t time.Time
	if c.patience > 0 {
		t = time.Now().Add(c.patience)
	}
	c.Conn.SetDeadline(t)
}

func (c *conn) Read(p []byte) (int, error) { return c.br.Read(p) }

// input is what a conn reads from.
type input struct{ c *conn }

const tailSize = 512

func (in input) Read(p []byte) (int, error) {
	c := in.c
	if c.left.Load() < 0 {
		c.note(errTooMuch)
		return 0, errTooMuch
	}
	c.mu.Lock()
	c.push()
	c.mu.Unlock()
	n, err := c.Conn.Read(p)
	c.received.Write(p[:n])
	c.left.Add(int64(-n))
	c.mu.Lock()
	if n >= tailSize {
		c.tail = append(c.tail[:0], p[n-tailSize:n]...)
	} else {
		c.tail = append(c.tail, p[:n]...)
		c.tail = c.tail[max(0, len(c.tail)-tailSize):]
	}
	c.mu.Unlock()
	c.note(err)
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.push()
	c.mu.Unlock()
	c.sent.Write(p)
	n, err := c.Conn.Write(p)
	c.note(err)
	return n, err
}

func (c *conn) note(err error) {
	if err == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil && !errors.Is(err, net.ErrClosed) {
		c.err = err
	}
}

// go-imap's deadlines would end a command that is making progress.
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// kill closes the connection without the farewell of TLS, which may block.
func (c *conn) kill()        { c.raw.Close() }
func (c *conn) Close() error { return c.raw.Close() }

// cause returns what lies behind an error of a command: the server's answer,
// the error that broke the connection and the server's farewell, or err.
func (c *conn) cause(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil || c.err == nil || own(err) {
		return err
	}
	err = c.err
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if text, ok := bye(c.tail); ok {
		return fmt.Errorf("the server said goodbye: %s: %w", text, err)
	}
	return err
}

// bye returns the text of the BYE that ends tail (RFC 3501 section 7.1.5).
func bye(tail []byte) (string, bool) {
	line, ok := strings.CutSuffix(string(tail), "\r\n")
	if !ok {
		return "", false
	}
	return strings.CutPrefix(line[strings.LastIndexByte(line, '\n')+1:], "* BYE ")
}

// secure starts TLS on the connection.
func (c *conn) secure(ctx context.Context, config *tls.Config) error {
	if c.br.Buffered() > 0 {
		return errors.New("the server sent data before TLS began")
	}
	t := tls.Client(c.raw, config)
	if err := t.HandshakeContext(ctx); err != nil {
		return err
	}
	c.Conn = t
	return nil
}

// line reads one line of the server without its end.
func (c *conn) line() (string, error) {
	const longest = 8 << 10
	var line []byte
	for {
		part, err := c.br.ReadSlice('\n')
		line = append(line, part...)
		if err == nil {
			return strings.TrimRight(string(line), "\r\n"), nil
		}
		if err != bufio.ErrBufferFull {
			return string(line), err
		}
		if len(line) > longest {
			return "", errTooMuch
		}
	}
}

// unread puts a line back in front of what is to be read.
func (c *conn) unread(line string) {
	c.br = bufio.NewReaderSize(io.MultiReader(strings.NewReader(line+"\r\n"), c.br), 64<<10)
}
