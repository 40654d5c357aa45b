package sqlite

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// A Holder is a process that has a migration's checkpoints open for a run.
type Holder struct {
	PID  int
	Host string
}

func (h Holder) String() string { return fmt.Sprintf("process %d on host %s", h.PID, h.Host) }

// errLocked is returned by the operating system's tryLock when another has it.
var errLocked = errors.New("locked by another process")

// holdLock takes the lock at path and writes into it who has it. The operating
// system frees the lock when the process dies; the file stays. While another
// process has it, holdLock returns that one and errLocked.
func holdLock(path string) (*os.File, Holder, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, Holder{}, err
	}
	err = tryLock(f, true)
	if errors.Is(err, errLocked) {
		// It may be a reader that looks whether the lock is held: see readLock.
		time.Sleep(50 * time.Millisecond)
		err = tryLock(f, true)
	}
	if err != nil {
		h := readHolder(f)
		f.Close()
		return nil, h, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	if _, err := f.WriteAt(fmt.Appendf(nil, "%d %s\n", os.Getpid(), host), 0); err != nil {
		f.Close()
		return nil, Holder{}, err
	}
	return f, Holder{}, nil
}

// freeLock gives the lock back.
func freeLock(f *os.File) error { return errors.Join(f.Truncate(0), f.Close()) }

// readLock says who has the lock at path. It changes nothing.
func readLock(path string) (h Holder, held bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Holder{}, false, nil
	}
	if err != nil {
		return Holder{}, false, err
	}
	defer f.Close()
	h = readHolder(f)
	if h == (Holder{}) {
		return h, false, nil
	}
	// Who is named may have died. A lock that is shared for a moment tells.
	switch err := tryLock(f, false); {
	case errors.Is(err, errLocked):
		return h, true, nil
	default:
		return Holder{}, false, err
	}
}

// readHolder returns who the lock file names, nobody if it names none.
func readHolder(f *os.File) (h Holder) {
	if _, err := fmt.Fscan(io.NewSectionReader(f, 0, 1024), &h.PID, &h.Host); err != nil {
		return Holder{}
	}
	return h
}
