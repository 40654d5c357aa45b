package gmailsim

import (
	"fmt"
	"os"
	"sync/atomic"
)

// octets is the append-only file that holds every message as it was received.
type octets struct {
	file *os.File
	end  atomic.Int64
}

func newOctets() (*octets, error) {
	f, err := os.CreateTemp("", "gmailsim-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("message file: %w", err)
	}
	return &octets{file: f}, nil
}

// append returns where it wrote b. A failed write leaves a hole, which nothing
// refers to.
func (o *octets) append(b []byte) (offset int64, err error) {
	offset = o.end.Add(int64(len(b))) - int64(len(b))
	if _, err := o.file.WriteAt(b, offset); err != nil {
		return 0, fmt.Errorf("message file: %w", err)
	}
	return offset, nil
}

func (o *octets) close() error {
	err := o.file.Close()
	if removed := os.Remove(o.file.Name()); err == nil {
		err = removed
	}
	return err
}
