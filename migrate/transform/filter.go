package transform

import (
	"bytes"
	"io"
)

// A filter changes octets without regard to what they are.
type filter struct {
	in     io.Reader
	buffer []byte
	change func(out *bytes.Buffer, p []byte, last bool)
	out    bytes.Buffer
	err    error
}

// Read implements io.Reader.
func (f *filter) Read(p []byte) (int, error) {
	for f.out.Len() == 0 && f.err == nil {
		var n int
		n, f.err = f.in.Read(f.buffer)
		f.change(&f.out, f.buffer[:n], f.err == io.EOF)
	}
	if f.out.Len() == 0 {
		return 0, f.err
	}
	return f.out.Read(p)
}
