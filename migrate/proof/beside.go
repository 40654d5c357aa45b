package proof

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// log checks the log: that it is the one that was signed, begins with those of
// earlier reports, and says what the report says.
func (c *check) log() error {
	name, head := c.report.log.name, c.result.Head
	if c.report.log.entries != head.Tree.N {
		c.problems.add("the report says that its log has %d entries, and its head %d", c.report.log.entries, head.Tree.N)
	}
	if same, err := c.unchanged(c.report.log); err != nil {
		c.problems.add("the log: %v", err)
		return c.ctx.Err()
	} else if !same {
		c.problems.add("%s is not the file that the report was made with", name)
	}
	f, err := c.open(name)
	if err != nil {
		c.problems.add("the log: %v", err)
		return nil
	}
	defer f.Close()
	p, a := newPrefixes(c.result.Earlier), newAccount()
	err = readLog(c.ctx, f, head.Tree.N, func(text []byte) {
		if err := a.add(string(text)); err != nil {
			c.problems.add("entry %d of the log %v", p.size, err)
		}
		p.add(text)
	})
	if c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	if err != nil {
		c.problems.add("the log: %v", err)
		return nil
	}
	if p.tree() != head.Tree {
		c.problems.add("the log is not the one that was signed: entries were changed, left out, added or put in another order")
	}
	for _, i := range p.others() {
		c.problems.add("the log does not begin with the one of report %d", i+1)
	}
	c.compare(a)
	c.result.Files = append(c.result.Files, name)
	return nil
}

// readLog yields each entry of a log of that size.
func readLog(ctx context.Context, r io.Reader, size int64, entry func(text []byte)) error {
	zip, err := gzip.NewReader(r)
	if err != nil {
		return err
	}
	lines := bufio.NewReaderSize(zip, maxEntry+1)
	for n := int64(0); ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("entry %d is longer than %d octets", n, maxEntry)
		case err != nil:
			return fmt.Errorf("it breaks off in entry %d: %w", n, err)
		case n == size:
			return fmt.Errorf("it has more than %d entries", size)
		}
		entry(line[:len(line)-1])
	}
}

// files checks those that are beside the report. They may be missing.
func (c *check) files() {
	for _, f := range c.report.files {
		same, err := c.unchanged(f)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			c.result.Absent = append(c.result.Absent, f.name)
		case err != nil:
			c.problems.add("%v", err)
		case !same:
			c.problems.add("%s was changed after the report was signed", f.name)
		default:
			c.result.Files = append(c.result.Files, f.name)
		}
	}
}

// unchanged says whether a file has the digest that the report says.
func (c *check) unchanged(f file) (bool, error) {
	r, err := c.open(f.name)
	if err != nil {
		return false, err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, reader{c.ctx, r}); err != nil {
		return false, err
	}
	return fmt.Sprintf("%x", h.Sum(nil)) == f.digest, nil
}

func (c *check) open(name string) (fs.File, error) {
	if stat, err := fs.Stat(c.dir, name); err == nil && !stat.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", name) // to open it might wait for ever
	}
	return c.dir.Open(name)
}

// A reader ends with its context.
type reader struct {
	ctx context.Context
	io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
