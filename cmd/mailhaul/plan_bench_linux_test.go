package main

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

// BenchmarkPlan times whole processes that plan the move of a mailbox of a
// million messages, which an IMAP server in this process makes up: the first
// plan, one when nothing has changed, and one that lists no message.
func BenchmarkPlan(b *testing.B) {
	for b.Loop() {
		server := sourcetest.NewGenerated(b, sourcetest.GeneratedOptions{Messages: 1_000_000})
		config := madeUp(b, "graph", server, "ann")
		plan := func(name string, args ...string) {
			c := program(append([]string{"plan", "--config", config, "--out", filepath.Join(b.TempDir(), "plan")}, args...)...)
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
		plan("first")
		plan("unchanged")
		plan("fast", "--fast")
	}
}
