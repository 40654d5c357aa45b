package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

func TestTheDemoLeavesACompleteMigration(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "demo")
	ctx, cancel := context.WithCancelCause(t.Context())
	r, w := io.Pipe()
	var stdout strings.Builder
	code := make(chan int, 1)
	go func() {
		code <- execute(ctx, []string{"demo", "--out", dir, "--keep-serving"}, &stdout, w)
		w.Close()
	}()
	serving := false
	var stderr strings.Builder
	lines := bufio.NewScanner(r)
	for !serving && lines.Scan() {
		stderr.WriteString(lines.Text() + "\n")
		serving = strings.Contains(lines.Text(), "The servers stay up until Ctrl-C.")
	}
	if !serving {
		t.Fatalf("exit code %d:\n%s", <-code, stderr.String())
	}
	go io.Copy(io.Discard, r)

	for _, c := range []struct{ kind, config string }{{"gmail", "mailhaul.toml"}, {"graph", "mailhaul-graph.toml"}} {
		config := filepath.Join(dir, c.config)
		text, err := os.ReadFile(filepath.Join(dir, "status-"+c.kind+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var written status
		if err := json.Unmarshal(text, &written); err != nil {
			t.Fatal(err)
		}
		var messages int64 // by mailbox and outcome: all of them
		for _, m := range written.Mailboxes {
			for _, n := range m.Sums.Outcomes {
				messages += n
			}
		}
		for _, m := range written.Mailboxes {
			v := m.Verification
			if v == nil || v.Depth != "content" || v.Ended.IsZero() || v.Outdated || v.Counts.different() != 0 || v.Counts.Found[migrate.KindExtra] != 0 ||
				v.Counts.Present != v.Counts.Arrived || v.Counts.Compared+v.Counts.Merged != v.Counts.Arrived || v.Counts.Compared == 0 {
				t.Errorf("%s, %s: %+v", c.kind, m.Source, v)
			}
		}
		if len(written.Mailboxes) != 3 || messages < 300 || messages != written.Total.Listed || written.Total.Outcomes["pending"] != 0 {
			t.Errorf("%s: %d mailboxes, %d messages, total %+v", c.kind, len(written.Mailboxes), messages, written.Total)
		}
		after := exitDone
		if written.Total.Outcomes["failed"] > 0 {
			after = exitPerson
		}
		ends(t, exitDone, []string{"check", "--config", config}, "3 mailboxes are ready.")
		ends(t, after, []string{"run", "--config", config})
		if s := sumsOf(t, config, after); s.Total.Outcomes["copied"] != written.Total.Outcomes["copied"] || s.Total.Listed != written.Total.Listed {
			t.Errorf("%s: a second run made %+v of %+v", c.kind, s.Total, written.Total)
		}
		ends(t, after, []string{"status", "--config", config}, "total", "complete")
	}
	for name, target := range map[string]string{"plan": "Gmail", "plan-graph": "Microsoft 365"} {
		var plan struct {
			Format string
			Totals struct{ Mailboxes, Lasts float64 }
			Calls  []struct{ Call, Basis string } `json:"call_times"`
		}
		if err := json.Unmarshal(read(t, dir, name+".json"), &plan); err != nil {
			t.Fatal(err)
		}
		if plan.Format != "mailhaul-plan" || plan.Totals.Mailboxes != 3 || len(plan.Calls) == 0 || plan.Calls[0].Basis != "check" {
			t.Errorf("%s.json: %+v", name, plan)
		}
		if absent(filepath.Join(dir, name)) != nil {
			t.Errorf("the folder %s is left", name)
		}
		row := regexp.MustCompile(`(?m)^` + target + ` +(\d+) s +(\d+) s to (\d+) s +\d+ s$`).FindStringSubmatch(stderr.String())
		if row == nil || row[1] != fmt.Sprintf("%.0f", plan.Totals.Lasts) {
			t.Errorf("%s: planned are %v s, and it says %q:\n%s", target, plan.Totals.Lasts, row, stderr.String())
		}
	}
	for report, db := range map[string]string{"report": "gmail.db", "report-graph": "graph.db"} {
		for _, name := range []string{reportHTML, reportXLSX, reportJSON, reportPub} {
			if len(read(t, dir, report, name)) == 0 {
				t.Errorf("%s is empty", name)
			}
		}
		if n := heads(t, filepath.Join(dir, db)); n != 1 {
			t.Errorf("%s has %d heads", db, n)
		}
	}
	for _, name := range []string{"password", "token", "report.key", "report-graph.key", "report/report.json", "gmail.db", "graph.db", "status-gmail.json", "mailhaul.toml", "mailboxes.csv",
		"plan.html", "plan.xlsx", "plan.json", "plan-graph.html", "plan-graph.xlsx", "plan-graph.json"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		} else if private(info) != 0 {
			t.Errorf("%s may be read by others: %v", name, info.Mode())
		}
	}
	ends(t, exitError, []string{"demo", "--out", dir}, dir+" is not empty: name another folder with --out, or remove it")

	cancel(errInterrupted)
	if c := <-code; c != exitDone {
		t.Errorf("exit code %d", c)
	}
	if n := strings.Count(stdout.String(), "No difference was found."); n != 2 {
		t.Errorf("%d verifications found no difference:\n%s", n, stdout.String())
	}
	if n := strings.Count(stdout.String(), "report.json is good"); n != 2 {
		t.Errorf("%d reports were found good:\n%s", n, stdout.String())
	}
	if n := strings.Count(stdout.String(), "The new system was reached at http://127.0.0.1:"); n != 2 {
		t.Errorf("%d reports say where the new system was reached:\n%s", n, stdout.String())
	}
	if all := stdout.String() + stderr.String(); strings.Contains(all, demoPassword) {
		t.Errorf("the password is printed:\n%s", all)
	}
}

// private returns the bits of a file's mode that let others in.
func private(info os.FileInfo) os.FileMode {
	if os.PathSeparator == '\\' {
		return 0 // Windows has none
	}
	return info.Mode().Perm() & 0o077
}

func TestADemoThatIsInterruptedSaysSo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	code, _, stderr := mailhaul(ctx, "demo", "--out", filepath.Join(t.TempDir(), "demo"))
	ended(t, "demo", code, exitInterrupted, stderr, "mailhaul: interrupted")
}
