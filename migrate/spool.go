package migrate

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"

	"golang.org/x/sync/semaphore"
)

// inMemory is the largest message that a Spool may hold in memory, in octets.
const inMemory = 1 << 20

// A Spool holds the content of messages between the source and the target, so
// that neither waits for the other: small ones in memory while there is room,
// the others in temporary files that nobody else can read.
type Spool struct {
	dir    string
	memory *semaphore.Weighted // octets held in memory
	total  *semaphore.Weighted // octets held at all
	spare  *semaphore.Weighted // room for one changed message beyond total
	max    int64
}

// NewSpool returns a spool that holds at most total octets, and one changed
// message more, at most memory of them in memory and the others in files in dir
// ("" is the system's place for temporary files).
func NewSpool(dir string, memory, total int64) *Spool {
	total = max(total, groupBytes)
	return &Spool{dir, semaphore.NewWeighted(memory), semaphore.NewWeighted(total), semaphore.NewWeighted(1), total}
}

// room is how much of total a message of that size takes. One that is larger
// than the whole spool waits for all of it, and fill may still refuse it.
func (s *Spool) room(size int64) int64 { return min(max(size, 0), s.max) }

// errTooLarge is permanent for a message.
var errTooLarge = errors.New("message is larger than the whole spool")

// fill reads a message to its end. Errors of reading are those of r; errors of
// keeping what was read are a *localError.
func (s *Spool) fill(r io.Reader, announced int64) (*spooled, error) {
	sp := &spooled{spool: s}
	hash := sha256.New()
	r = io.TeeReader(r, hash)
	if want := min(max(announced, 512), inMemory); announced <= inMemory && s.memory.TryAcquire(want) {
		// One octet more than announced, so that reading the end needs no growth.
		sp.held = want
		buf := bytes.NewBuffer(make([]byte, 0, want+1))
		n, err := io.CopyN(buf, r, want)
		if err != nil && err != io.EOF {
			sp.Close()
			return nil, err
		}
		sp.mem, sp.size = buf.Bytes(), n
		if err == nil { // it may be longer than announced
			err = sp.spill(r)
		}
		if err != nil && err != io.EOF {
			sp.Close()
			return nil, err
		}
	} else if err := sp.spill(r); err != nil {
		sp.Close()
		return nil, err
	}
	hash.Sum(sp.digest[:0])
	return sp, nil
}

// spooled is a message in the spool. It is a Body.
type spooled struct {
	spool  *Spool
	mem    []byte   // the content, if file is nil
	file   *os.File // the content, else
	held   int64    // octets of spool.memory
	size   int64
	digest Digest
}

// spill moves what is in memory and the rest of r to a file, unless r is at
// its end.
func (sp *spooled) spill(r io.Reader) error {
	var first [1]byte
	if sp.mem != nil {
		if _, err := io.ReadFull(r, first[:]); err != nil {
			return err
		}
		sp.mem = append(sp.mem, first[0])
	}
	f, err := os.CreateTemp(sp.spool.dir, "mailhaul-*.eml") // mode 0600
	if err != nil {
		return spoolError(err)
	}
	// Where the system allows, the file loses its name at once, so that a
	// killed process leaves no mail behind.
	os.Remove(f.Name())
	sp.file = f
	w := &keeper{f: f}
	if _, err := w.Write(sp.mem); err != nil {
		return err
	}
	n, err := io.Copy(w, io.LimitReader(r, sp.spool.max-int64(len(sp.mem))+1))
	if err != nil {
		return err
	}
	sp.size = int64(len(sp.mem)) + n
	sp.mem = nil
	sp.spool.memory.Release(sp.held)
	sp.held = 0
	if sp.size > sp.spool.max {
		return &Error{Op: "spool", Class: Permanent, Err: errTooLarge, Hint: "Raise spool_max in the configuration above the size of the message."}
	}
	return nil
}

func spoolError(err error) error {
	return &localError{&Error{Op: "spool", Class: Fatal, Err: err,
		Hint: "Mail on its way is kept in temporary files. Make room for them and see that you may write there, or name another folder with spool_dir in [run]."}}
}

// keeper marks errors of the spool's own disk.
type keeper struct{ f *os.File }

func (k *keeper) Write(p []byte) (int, error) {
	n, err := k.f.Write(p)
	if err != nil {
		return n, spoolError(err)
	}
	return n, nil
}

// Open implements Body.
func (sp *spooled) Open() (io.ReadSeekCloser, error) {
	if sp.file == nil {
		return content{bytes.NewReader(sp.mem)}, nil
	}
	return content{io.NewSectionReader(sp.file, 0, sp.size)}, nil
}

type content struct{ io.ReadSeeker }

func (content) Close() error { return nil }

// Close forgets the content.
func (sp *spooled) Close() {
	sp.spool.memory.Release(sp.held)
	sp.held, sp.mem = 0, nil
	if sp.file != nil {
		sp.file.Close()
		os.Remove(sp.file.Name())
	}
}
