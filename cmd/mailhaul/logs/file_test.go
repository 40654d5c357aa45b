package logs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func opened(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path, 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// lines returns the lines of all files of the log, and checks their modes and
// sizes.
func lines(t *testing.T, path string) (all []string, files int) {
	t.Helper()
	names, err := filepath.Glob(strings.TrimSuffix(path, ".log") + "*.log")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
		if info.Size() > 1<<20 {
			t.Errorf("%s has %d octets", name, info.Size())
		}
		all = append(all, strings.SplitAfter(string(text), "\n")...)
	}
	return all, len(names)
}

func TestAFullLogIsKeptAndANewOneBegun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.log")
	f := opened(t, path)
	line := append(bytes.Repeat([]byte("x"), 300_000), '\n')
	for range 4 { // the fourth does not fit any more
		if n, err := f.Write(line); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	all, files := lines(t, path)
	if whole := strings.Count(strings.Join(all, ""), "\n"); whole != 4 || files != 2 {
		t.Errorf("%d lines in %d files", whole, files)
	}
}

func TestALogThatOthersMayReadIsClosedToThem(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such mode")
	}
	path := filepath.Join(t.TempDir(), "run.log")
	if err := os.WriteFile(path, []byte("before\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := opened(t, path).Write([]byte("after\n")); err != nil {
		t.Fatal(err)
	}
	if all, _ := lines(t, path); strings.Join(all, "") != "before\nafter\n" {
		t.Errorf("%q", all)
	}
}

// Several Files on one path stand for several processes: each has locks and a
// position of its own.
func TestSeveralProcessesMayWriteToOneLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.log")
	const processes, each = 4, 60
	var group sync.WaitGroup
	for p := range processes {
		f := opened(t, path)
		for half := range 2 { // goroutines of one process
			group.Go(func() {
				for i := range each / 2 {
					line := fmt.Sprintf("%d %d %d %s\n", p, half, i, strings.Repeat("x", 10_000))
					if _, err := f.Write([]byte(line)); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	group.Wait()
	all, files := lines(t, path)
	seen := map[string]bool{}
	for _, line := range all {
		if line != "" {
			seen[line[:min(len(line), 12)]] = strings.HasSuffix(line, "x\n") && len(line) > 10_000
		}
	}
	for line, whole := range seen {
		if !whole {
			t.Errorf("a line is torn: %q", line)
		}
	}
	if len(seen) != processes*each || files < 3 {
		t.Errorf("%d lines in %d files, want %d in 3 at least", len(seen), files, processes*each)
	}
}

// A cramped disk takes a part of a line when it gets full.
type cramped struct {
	bytes.Buffer
	room int
}

func (c *cramped) Write(p []byte) (int, error) {
	n := min(len(p), c.room)
	c.room -= n
	c.Buffer.Write(p[:n])
	if n < len(p) {
		return n, errors.New("no space left on device")
	}
	return n, nil
}

func (*cramped) Close() error { return nil }

func TestALineThatWasCutOffDoesNotSpoilTheNext(t *testing.T) {
	f := opened(t, filepath.Join(t.TempDir(), "run.log"))
	disk := new(cramped)
	f.roller = disk
	for i, c := range []struct {
		room int // that there is more
		n    int // octets of the line that are written
	}{{6, 6}, {0, 0}, {1, 1}, {0, 0}, {3, 2}, {100, 6}} {
		disk.room += c.room
		if n, err := f.Write(fmt.Appendf(nil, "line%d\n", i)); n != c.n || (err == nil) != (n == 6) {
			t.Errorf("line %d: %d octets, %v", i, n, err)
		}
	}
	if want := "line0\nl\nli\nline5\n"; disk.String() != want {
		t.Errorf("%q, want %q", disk.String(), want)
	}
}

func TestALogThatIsClosedTakesNothing(t *testing.T) {
	f := opened(t, filepath.Join(t.TempDir(), "run.log"))
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.Write([]byte("x\n")); err == nil {
		t.Error("it takes a line")
	}
}

func TestALogThatCannotBeMadeIsAnError(t *testing.T) {
	for _, path := range []string{t.TempDir(), filepath.Join(t.TempDir(), "missing", "run.log")} {
		if f, err := Open(path, 1, 1); err == nil {
			f.Close()
			t.Errorf("%s was opened", path)
		}
	}
}
