package main

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAReportWhoseProcessIsKilledIsThereOrNot(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	h.report(t, "report-0")
	rng := rand.New(rand.NewPCG(2026, 8))
	begun := time.Now()
	if out, err := program("report", "--config", h.config, "--out", filepath.Join(h.dir, "report-1")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	took := time.Since(begun)
	for i := range 30 {
		c := program("report", "--config", h.config, "--out", filepath.Join(h.dir, "report-x"+string(rune('a'+i))))
		var output bytes.Buffer
		c.Stdout, c.Stderr = &output, &output
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		killed := time.AfterFunc(time.Duration(rng.Int64N(int64(took))), func() { c.Process.Kill() })
		c.Wait()
		killed.Stop()
	}
	last := h.report(t, "report-z")
	args := []string{"report", "check", filepath.Join(last, reportJSON)}
	whole := 0
	for _, name := range files(t, h.dir) {
		if !strings.HasPrefix(name, "report-") || name == filepath.Base(last) {
			continue
		}
		if got := files(t, filepath.Join(h.dir, name)); !slices.Contains(got, reportJSON) || !slices.Contains(got, reportHTML) {
			t.Errorf("%s has the files %q", name, got)
		}
		args = append(args, "--earlier", filepath.Join(h.dir, name, reportJSON))
		whole++
	}
	t.Logf("%d reports are there, %d heads", whole, heads(t, filepath.Join(h.dir, "mailhaul.db")))
	ends(t, exitDone, args, "report.json is good")
}
