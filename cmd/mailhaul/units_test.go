package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// commandLines are those of run that a page shows: in units, in a crontab and in
// its text.
var commandLines = regexp.MustCompile("(?m)(?:^ExecStart=/usr/local/bin/|&& /usr/local/bin/|`)mailhaul (run[^`>\n]*)")

func TestTheCommandLinesOfTheDocumentationWork(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "unattended.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := commandLines.FindAllStringSubmatch(string(page), -1)
	if len(found) < 9 {
		t.Errorf("only %d command lines: %q", len(found), found)
	}
	for _, line := range found {
		args := strings.Fields(line[1])
		c, rest, err := newRoot().Find(args)
		if err == nil {
			err = c.ParseFlags(rest)
		}
		if err == nil {
			err = c.ValidateArgs(c.Flags().Args())
		}
		if err != nil {
			t.Errorf("%s: %v", line[1], err)
			continue
		}
		until, _ := c.Flags().GetString("until")
		every, _ := c.Flags().GetDuration("every")
		if _, err := newSchedule(until, every, time.UTC, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)); err != nil {
			t.Errorf("%s: %v", line[1], err)
		}
	}
}

// A unit that is never started again would be noticed too late.
func TestTheUnitsOfTheDocumentationGoByTheExitCodes(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "unattended.md"))
	if err != nil {
		t.Fatal(err)
	}
	units := regexp.MustCompile("(?s)```ini\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(units) != 3 {
		t.Fatalf("%d units", len(units))
	}
	for i, lines := range [][]string{
		{"SuccessExitStatus=3 130", "Restart=on-failure", "RestartPreventExitStatus=1 4", "TimeoutStopSec=60"},
		{"Type=oneshot", "SuccessExitStatus=3 4", "TimeoutStartSec=infinity"},
		{"[Timer]", "Persistent=true"},
	} {
		for _, line := range lines {
			if !strings.Contains(units[i][1], "\n"+line+"\n") {
				t.Errorf("unit %d lacks %s", i+1, line)
			}
		}
	}
	if grace >= time.Minute {
		t.Errorf("writes in flight may take %v, and systemd waits for a minute", grace)
	}
}
