//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
)

// TestMainOnAFullDisk is this program on a disk where files cannot grow beyond
// so many octets; other tests start it as a process.
func TestMainOnAFullDisk(t *testing.T) {
	limit, err := strconv.ParseUint(os.Getenv("MAILHAUL_TEST_FILE_LIMIT"), 10, 64)
	if err != nil {
		t.Skip("started by other tests")
	}
	signal.Ignore(syscall.SIGXFSZ) // so that a write fails instead
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &r); err != nil {
		t.Fatal(err)
	}
	r.Cur = limit
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &r); err != nil {
		t.Fatal(err)
	}
	os.Exit(execute(t.Context(), strings.Split(os.Getenv("MAILHAUL_TEST_ARGS"), "\n"), os.Stdout, os.Stderr))
}

// onFullDisk runs a command line where files cannot grow beyond limit octets.
func onFullDisk(t *testing.T, limit, code int, args []string, texts ...string) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestMainOnAFullDisk$")
	c.Env = append(os.Environ(), "MAILHAUL_TEST_ARGS="+strings.Join(args, "\n"), fmt.Sprint("MAILHAUL_TEST_FILE_LIMIT=", limit))
	output, err := c.CombinedOutput()
	if _, exit := err.(*exec.ExitError); err != nil && !exit {
		t.Fatal(err)
	}
	ended(t, strings.Join(args, " "), c.ProcessState.ExitCode(), code, string(output), texts...)
}

func TestAFullDiskUnderTheSpoolStopsTheRunAndLosesNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	bob := o.person(t, "bob")
	put(t, bob, "INBOX", letter("bob", 1, ""))
	put(t, bob, "INBOX", letter("bob", 2, strings.Repeat("A long line of a long letter.\r\n", 50_000))) // too long for memory
	put(t, bob, "INBOX", letter("bob", 3, ""))
	sim, url := gmailFor(t, gmailsim.Options{}, nil)
	spool := t.TempDir()
	config := o.migration(t, "gmail", url, "", fmt.Sprintf("spool_dir = %q", spool), "ann", "bob")
	onFullDisk(t, 1<<20, exitError, []string{"run", "--config", config}, "spool: ", spool, "file too large", "Make room for them", "spool_dir in [run]")
	sumsOf(t, config, exitPerson)
	left, err := os.ReadDir(spool)
	if err != nil || len(left) > 0 {
		t.Errorf("mail is left behind: %v, %v", left, err)
	}

	ends(t, exitDone, []string{"run", "--config", config})
	if s := sumsOf(t, config, exitDone); s.Total.Outcomes["copied"] != officeMail+3 {
		t.Errorf("in the end: %v", s.Total.Outcomes)
	}
	arrived(t, func(p string) int { return len(sim.Messages(p)) }, map[string]int{"ann": officeMail, "bob": 3})
}

func TestAFullDiskUnderTheCheckpointsStopsTheRunAndLosesNothing(t *testing.T) {
	t.Parallel()
	const messages = 400
	o := crowded(t, messages)
	sim, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", "", "bob")
	onFullDisk(t, 128<<10, exitError, []string{"run", "--config", config}, "checkpoints: ", "mailhaul.db", "See whether the disk is full or broken, then start the run again")
	if n := len(sim.Messages("bob@example.org")); n == messages {
		t.Error("the disk was not full")
	}
	code, _, _ := mailhaul(t.Context(), "status", "--config", config)
	if code != exitPerson && code != exitStopped { // the reason was saved if that fitted
		t.Errorf("status ends with %d", code)
	}
	sumsOf(t, config, code)

	ends(t, exitDone, []string{"run", "--config", config})
	if s := sumsOf(t, config, exitDone); s.Total.Outcomes["copied"]+s.Total.Outcomes["adopted"] != messages {
		t.Errorf("in the end: %v", s.Total.Outcomes)
	}
	onceEach(t, sim, messages)
}

func TestAFullDiskBeforeTheFirstRunLeavesNoCheckpoints(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	_, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", "", "ann")
	onFullDisk(t, 1000, exitError, []string{"run", "--config", config}, "open checkpoints: mailhaul.db: ", "See whether the disk is full or broken")
	if _, err := os.Stat(filepath.Join(o.dir, "mailhaul.db")); err == nil {
		t.Error("there is a checkpoint file")
	}
	ends(t, exitDone, []string{"run", "--config", config})
	sumsOf(t, config, exitDone)
}
