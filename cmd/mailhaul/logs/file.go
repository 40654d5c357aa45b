package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"
)

// errLocked is returned by the operating system's tryLock when another has it.
var errLocked = errors.New("locked by another process")

// A File is a log that is readable by its owner alone and bounded in size: when
// it is full it gets a name with the time, and a new one is begun. Several
// goroutines may write to it and, where the file system knows locks, several
// processes. Between writes it is closed, so that each may rename it.
type File struct {
	mu     sync.Mutex
	roller io.WriteCloser // opens itself at a write
	lock   *os.File
	torn   bool // the last line lacks its end
}

// Open opens the log at path, in a folder that must exist. A file has up to
// size MiB, at least 1; of full ones so many are kept. None is compressed:
// several processes would do that at once, and the library then removes both
// the file and what became of it.
func Open(path string, size, kept int) (*File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	// The mode of a full file is that of the new one too.
	if err := errors.Join(os.Chmod(path, 0o600), f.Close()); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &File{lock: lock, roller: &lumberjack.Logger{Filename: path, MaxSize: size, MaxBackups: kept}}, nil
}

// patience is how often, and how long each time, a write waits for another
// process. It does not wait for ever, since that process may be stopped.
const (
	patience = 400
	pause    = 5 * time.Millisecond
)

// Write appends one line, which ends in a newline.
func (f *File) Write(line []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lock == nil {
		return 0, os.ErrClosed
	}
	err := tryLock(f.lock)
	for range patience {
		if !errors.Is(err, errLocked) {
			break
		}
		time.Sleep(pause)
		err = tryLock(f.lock)
	}
	if err != nil {
		return 0, fmt.Errorf("lock %s: %w", f.lock.Name(), err)
	}
	whole := line
	if f.torn {
		whole = bytes.Join([][]byte{{'\n'}, line}, nil)
	}
	n, err := f.roller.Write(whole)
	err = errors.Join(err, f.roller.Close(), unlock(f.lock))
	if n > 0 {
		f.torn = n < len(whole)
	}
	if err != nil {
		return max(0, n-len(whole)+len(line)), err
	}
	return len(line), nil
}

// Close lets go of the log.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lock == nil {
		return nil
	}
	err := f.lock.Close()
	f.lock = nil
	return err
}
