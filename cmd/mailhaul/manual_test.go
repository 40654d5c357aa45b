package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const manualPage = "../../docs/cli.md"

func TestTheManualSaysWhatTheHelpSays(t *testing.T) {
	page := filepath.Join(t.TempDir(), "cli.md")
	if code, _, stderr := mailhaul(t.Context(), "manual", "--markdown", page); code != exitDone {
		t.Fatal(stderr)
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(manualPage)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/cli.md is out of date: go run ./cmd/mailhaul manual --markdown docs/cli.md")
	}
}

func TestEveryCommandStatesItsExitCodes(t *testing.T) {
	for _, c := range newRoot().Commands() {
		if !strings.Contains(c.Long, "Exit codes:\n  0 ") || !strings.Contains(c.Long, "\n  2    the command line is wrong") {
			t.Errorf("the help of %s does not state its exit codes", c.Name())
		}
	}
}

func TestManPagesAreWritten(t *testing.T) {
	dir := t.TempDir()
	if code, _, stderr := mailhaul(t.Context(), "manual", "--man", dir); code != exitDone {
		t.Fatal(stderr)
	}
	for _, page := range []string{"mailhaul.1", "mailhaul-run.1", "mailhaul-completion-bash.1"} {
		if _, err := os.Stat(filepath.Join(dir, page)); err != nil {
			t.Error(err)
		}
	}
}
