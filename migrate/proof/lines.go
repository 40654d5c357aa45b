package proof

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"unicode/utf8"
)

// maxLine bounds a line of report.json, and so what is in memory of it.
const maxLine = 16 << 20

// lines reads a report.json and takes the digest of all but its last line.
type lines struct {
	ctx    context.Context
	from   *bufio.Reader
	digest hash.Hash
	last   []byte // line, which was not digested yet
	rest   []byte // of it, which was not handed out yet
}

func newLines(ctx context.Context, r io.Reader) *lines {
	return &lines{ctx: ctx, from: bufio.NewReaderSize(r, 1<<16), digest: sha256.New()}
}

// Read returns what is left of a line, or the next one.
func (l *lines) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		if err := l.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

func (l *lines) next() error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	if _, err := l.from.Peek(1); err != nil {
		return err
	}
	l.digest.Write(l.last)
	l.last = l.last[:0]
	for {
		part, err := l.from.ReadSlice('\n')
		l.last = append(l.last, part...)
		if len(l.last) > maxLine {
			return errors.New("a line is longer than 16 MiB")
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && !errors.Is(err, io.EOF) {
			return err
		}
		if err == nil || errors.Is(err, io.EOF) {
			break
		}
	}
	if l.rest = l.last; !utf8.Valid(l.last) {
		return errors.New("a line is not UTF-8")
	}
	return nil
}
