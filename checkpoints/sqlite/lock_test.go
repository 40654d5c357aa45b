package sqlite

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

// A child is this test binary, run again as another process that does what
// MAILHAUL_CHILD says on the file that MAILHAUL_PATH names.
type child struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser // the child ends when it is closed
	lines *bufio.Scanner
}

func TestMain(m *testing.M) {
	role, path := os.Getenv("MAILHAUL_CHILD"), os.Getenv("MAILHAUL_PATH")
	var err error
	switch role {
	case "":
		os.Exit(m.Run())
	case "hold":
		err = holdOpen(path)
	case "save":
		err = saveUntilKilled(path)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func startChild(t *testing.T, role, path string) *child {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "MAILHAUL_CHILD="+role, "MAILHAUL_PATH="+path)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return &child{cmd, stdin, bufio.NewScanner(stdout)}
}

// line returns the next line that the child prints.
func (c *child) line(t *testing.T) string {
	t.Helper()
	if !c.lines.Scan() {
		t.Fatalf("the child ended early: %v", c.lines.Err())
	}
	return c.lines.Text()
}

// holdOpen is a child that has the file open until its input ends.
func holdOpen(path string) error {
	s, err := Open(path)
	if err != nil {
		return err
	}
	fmt.Println("open")
	io.Copy(io.Discard, os.Stdin)
	return s.Close()
}

func TestASecondProcessIsToldWhoHasTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mailhaul.db")
	c := startChild(t, "hold", path)
	c.line(t)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	holder := Holder{c.cmd.Process.Pid, host}

	_, err = Open(path)
	if want := fmt.Sprintf("mailhaul.db is in use by process %d on host %s", holder.PID, host); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
	wantHint(t, err, "one run at a time")

	r, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, running, err := r.InUse(); got != holder || !running || err != nil {
		t.Errorf("in use by %v, %v, error %v, want %v", got, running, err, holder)
	}

	// An orderly end and a sudden one both give the file free.
	c.stdin.Close()
	if err := c.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	wantFree(t, r, path)
	c = startChild(t, "hold", path)
	c.line(t)
	c.cmd.Process.Kill()
	c.cmd.Wait()
	wantFree(t, r, path)
}

// wantFree says that nobody has the file and that it can be opened.
func wantFree(t *testing.T, r *Store, path string) {
	t.Helper()
	if got, running, err := r.InUse(); running || err != nil {
		t.Errorf("in use by %v, %v, error %v, want nobody", got, running, err)
	}
	if err := open(t, path).Close(); err != nil {
		t.Error(err)
	}
}

func TestASecondStoreInOneProcessIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mailhaul.db")
	s := open(t, path)
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("in use by process %d on", os.Getpid())) {
		t.Errorf("error %v, want one that names this process", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path)
}

func TestAReaderSeesARunAndDoesNotHoldItUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mailhaul.db")
	s := open(t, path)
	l, folder := inbox(t, s)

	r, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	rl, err := r.Mailbox(t.Context(), "a@old.example", "a@new.example")
	if err != nil {
		t.Fatal(err)
	}
	for uid := migrate.UID(1); uid <= 3; uid++ {
		if err := l.AddListed(t.Context(), migrate.Record{Folder: folder, UID: uid}); err != nil {
			t.Fatal(err)
		}
		ts, err := r.Tally(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if ts[0].Listed != int64(uid) || ts[0].Check() != nil {
			t.Errorf("%d messages listed, want %d; %v", ts[0].Listed, uid, ts[0].Check())
		}
	}

	if err := rl.Save(t.Context(), migrate.Record{Folder: folder, UID: 1}); err == nil {
		t.Error("a reader saved a record")
	}
	if _, err := r.Mailbox(t.Context(), "other", "pair"); err == nil {
		t.Error("a reader made a mailbox")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.AddListed(t.Context(), migrate.Record{Folder: folder, UID: 4}); err != nil {
		t.Errorf("after the reader closed: %v", err)
	}
}

func TestAReaderMakesNoFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenReadOnly(filepath.Join(dir, "mailhaul.db")); err == nil {
		t.Error("a reader opened a file that is not there")
	}
	if es, _ := os.ReadDir(dir); len(es) > 0 {
		t.Errorf("a reader made %v", es)
	}
}

func TestAReaderSeesWhatAKilledRunLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mailhaul.db")
	c := startChild(t, "save", path)
	c.line(t)
	c.cmd.Process.Kill()
	c.cmd.Wait()
	r, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ts, err := r.Tally(t.Context())
	if err != nil || len(ts) != 1 || ts[0].Count[migrate.Copied] < 1 {
		t.Errorf("tallies %+v, error %v, want a message at least", ts, err)
	}
}
