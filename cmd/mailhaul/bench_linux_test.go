package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

// BenchmarkDovecot times whole processes: mailhaul from a real Dovecot to a
// simulator in another process without quotas, and mbsync, if it is installed,
// from the same Dovecot into a Maildir. docs/benchmarks.md has the command.
func BenchmarkDovecot(b *testing.B) {
	s := newSite(b, sourcetest.Options{Separator: "/"}, 20_000)
	delete(s.mail, corpusUser)
	n := float64(len(s.mail[largeUser]))
	var size int64
	for _, d := range s.mail[largeUser] {
		size += d.size
	}
	timed := func(b *testing.B, c *exec.Cmd) error {
		var output bytes.Buffer
		c.Stdout, c.Stderr = &output, &output
		b.StartTimer()
		begun := time.Now()
		if err := c.Start(); err != nil {
			b.Fatal(err)
		}
		peak := highWater(c.Process.Pid)
		err := c.Wait()
		took := time.Since(begun).Seconds()
		b.StopTimer()
		b.ReportMetric(n/took, "messages/s")
		b.ReportMetric(float64(size)/1e6/took, "MB/s")
		b.ReportMetric(peak(), "peak-MiB")
		b.ReportMetric((c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds(), "cpu-s")
		if err != nil {
			return fmt.Errorf("%w: %s", err, output.String())
		}
		return nil
	}
	for _, kind := range []string{"gmail", "graph"} {
		b.Run(kind, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				config := s.migration(b, kind, simulatorProcess(b, kind))
				c := program("run", "--config", config)
				if err := timed(b, c); err != nil && c.ProcessState.ExitCode() != exitPerson {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
	b.Run("mbsync", func(b *testing.B) {
		mbsync, err := exec.LookPath("mbsync")
		if err != nil {
			b.Skip("mbsync (package isync) is not installed")
		}
		for b.Loop() {
			b.StopTimer()
			dir := b.TempDir()
			config := filepath.Join(dir, "mbsyncrc")
			text := fmt.Sprintf(`IMAPAccount source
Host localhost
Port %d
User %s
Pass %s
SSLType IMAPS
CertificateFile %s
Timeout 300

IMAPStore source
Account source

MaildirStore copy
SubFolders Verbatim
Path %s/mail/
Inbox %s/mail/INBOX

Channel all
Far :source:
Near :copy:
Patterns *
Create Near
SyncState *
Sync Pull
`, s.dovecot.TLSPort, largeUser, sourcetest.Password, s.dovecot.CAFile, dir, dir)
			if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
				b.Fatal(err)
			}
			os.Mkdir(filepath.Join(dir, "mail"), 0o700)
			c := exec.Command(mbsync, "-q", "-c", config, "all")
			if err := timed(b, c); err != nil {
				b.Log("mbsync: ", err)
			}
			files := 0
			filepath.WalkDir(filepath.Join(dir, "mail"), func(p string, e os.DirEntry, _ error) error {
				if d := filepath.Base(filepath.Dir(p)); !e.IsDir() && (d == "cur" || d == "new") {
					files++
				}
				return nil
			})
			if files != int(n) {
				b.Logf("mbsync pulled %d of %.0f messages", files, n)
			}
			b.StartTimer()
		}
	})
}

// simulatorProcess serves a simulator in a process of its own until the
// benchmark ends.
func simulatorProcess(tb testing.TB, kind string) (url string) {
	c := program("simulate", kind)
	out, err := c.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := c.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Process.Signal(syscall.SIGTERM); c.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// highWater watches the largest memory of a process and returns it, in MiB,
// when asked after the process has ended. What wait reports does not do: it
// begins with the memory of the process that forked.
func highWater(pid int) func() float64 {
	var kib float64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range time.Tick(20 * time.Millisecond) {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			_, rest, ok := bytes.Cut(status, []byte("VmHWM:"))
			if err != nil || !ok {
				return
			}
			fmt.Sscan(string(rest), &kib)
		}
	}()
	return func() float64 {
		<-done
		return kib / 1024
	}
}

// metered runs a process to its end and reports what it took.
func metered(b *testing.B, name string, c *exec.Cmd) {
	b.Helper()
	var output bytes.Buffer
	c.Stdout, c.Stderr = &output, &output
	begun := time.Now()
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	peak := highWater(c.Process.Pid)
	if err := c.Wait(); err != nil {
		b.Fatal(err, output.String())
	}
	b.ReportMetric(time.Since(begun).Seconds(), name+"-s")
	b.ReportMetric((c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds(), name+"-cpu-s")
	b.ReportMetric(peak(), name+"-peak-MiB")
}
