package main

import (
	"path/filepath"
	"testing"

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
			metered(b, name, program(append([]string{"plan", "--config", config, "--out", filepath.Join(b.TempDir(), "plan")}, args...)...))
		}
		plan("first")
		plan("unchanged")
		plan("fast", "--fast")
	}
}
