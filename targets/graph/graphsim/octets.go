package graphsim

import (
	"io"
	"os"
	"sync"
	"sync/atomic"
)

// octets is an append-only temporary file that holds what was written to the
// server. Several goroutines use it.
type octets struct {
	file *os.File
	end  atomic.Int64
}

// A span is a piece of the file.
type span struct{ at, size int64 }

func newOctets() (*octets, error) {
	f, err := os.CreateTemp("", "graphsim-*.octets") // mode 0600
	if err != nil {
		return nil, err
	}
	return &octets{file: f}, nil
}

func (o *octets) add(b []byte) (span, error) {
	s := o.reserve(int64(len(b)))
	_, err := o.file.WriteAt(b, s.at)
	return s, err
}

// reserve makes room that the caller fills with writeAt.
func (o *octets) reserve(size int64) span { return span{o.end.Add(size) - size, size} }

func (o *octets) writeAt(s span, b []byte, off int64) error {
	_, err := o.file.WriteAt(b, s.at+off)
	return err
}

func (o *octets) open(s span) *io.SectionReader { return io.NewSectionReader(o.file, s.at, s.size) }

func (o *octets) read(s span) ([]byte, error) {
	b := make([]byte, s.size)
	_, err := io.ReadFull(o.open(s), b)
	return b, err
}

func (o *octets) close() error {
	err := o.file.Close()
	if rm := os.Remove(o.file.Name()); err == nil {
		err = rm
	}
	return err
}

// buffers are reused between requests; what is kept goes to the file.
var buffers = sync.Pool{New: func() any { return new(buffer) }}

// A buffer collects a request body.
type buffer struct{ b []byte }

func (b *buffer) Write(p []byte) (int, error) {
	b.b = append(b.b, p...)
	return len(p), nil
}

func getBuffer() *buffer {
	b := buffers.Get().(*buffer)
	b.b = b.b[:0]
	return b
}
