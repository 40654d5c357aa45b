package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Path returns where a run with these checkpoints keeps its State.
func Path(checkpoints string) string { return checkpoints + ".live" }

// Every is how often a run writes its State.
const Every = time.Second

// Write puts s into the file at path, for the eyes of this user alone. A reader
// sees the old State or the new one. As a rule one process writes it, the one
// that has the checkpoints. A run that pauses may not have them, and gives way to
// a process that works with them.
func Write(path string, s State) error {
	if s.Pause != "" {
		other, err := Read(path)
		if err == nil && other.Pause == "" && other.Fresh(s.At) && (other.PID != s.PID || other.Host != s.Host) {
			return nil
		}
	}
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	// The next State comes in a second: that this one survives the end of the
	// machine is worth no wait for the disk.
	next := fmt.Sprintf("%s.%d", path, os.Getpid())
	err = os.WriteFile(next, data, 0o600)
	if err == nil {
		err = os.Rename(next, path) // fails on Windows while somebody reads the old one
	}
	if err != nil {
		return errors.Join(err, Remove(next))
	}
	return nil
}

// Remove ends what Write began.
func Remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// maxState bounds what Read takes: some thousand octets for each of ten thousand
// mailboxes.
const maxState = 32 << 20

// Read returns the State at path. There may be none (fs.ErrNotExist), and it may
// be what a run left that was killed: see [State.Fresh].
func Read(path string) (State, error) {
	info, err := os.Stat(path)
	if err != nil {
		return State{}, err
	}
	if info.Size() > maxState {
		return State{}, fmt.Errorf("%s has %d octets, which is too much", path, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return State{}, err
	}
	var s State
	if err := json.Unmarshal(data, &s); err != nil {
		return State{}, fmt.Errorf("%s: %w", path, err)
	}
	if s.Version != Version {
		return State{}, fmt.Errorf("%s has version %d, not %d", path, s.Version, Version)
	}
	return s, nil
}

// stale is the age at which a State is no news. A run on a busy machine may be
// late.
const stale = 10 * time.Second

// Fresh says that s was taken a moment ago, so that whoever took it is alive.
func (s State) Fresh(now time.Time) bool {
	age := now.Sub(s.At)
	return age < stale && age > -stale
}
