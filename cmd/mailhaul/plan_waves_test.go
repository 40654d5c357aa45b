package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

func TestAListWithWavesIsOtherwiseAsItWas(t *testing.T) {
	waves := map[string]string{"anna": "01", "bruno@example.com": "02", "d;e": "10"}
	for name, list := range map[string]struct{ before, after string }{
		"waves": {"source,target,wave\nanna,anna@example.org,pilot\nbruno@example.com,b@example.org,\nchiyo,c@example.org,pilot\n",
			"source,target,wave\nanna,anna@example.org,01\nbruno@example.com,b@example.org,02\nchiyo,c@example.org,\n"},
		"no column": {"source,target\nanna,anna@example.org\n", "source,target,wave\nanna,anna@example.org,01\n"},
		"no end":    {"source,target\nanna,anna@example.org", "source,target,wave\nanna,anna@example.org,01"},
		"short rows": {"source,target,wave,group\nanna,anna@example.org\nbruno@example.com,b@example.org,x\n",
			"source,target,wave,group\nanna,anna@example.org,01\nbruno@example.com,b@example.org,02\n"},
		"missing columns": {"source,target,group,password_env\nanna,anna@example.org\n", "source,target,group,password_env,wave\nanna,anna@example.org,,,01\n"},
		"a separator at the end of lines": {"source,target,\nanna,anna@example.org,\nbruno@example.com,b@example.org,,,\n",
			"source,target,wave\nanna,anna@example.org,01\nbruno@example.com,b@example.org,02,,\n"},
		"a spreadsheet's": {"\xef\xbb\xbfWave;Target;Source\r\n\"pilot \"; anna@example.org ;anna\r\n;;\r\n ;d@example.org;\"d;e\"\r\n",
			"\xef\xbb\xbfWave;Target;Source\r\n01; anna@example.org ;anna\r\n;;\r\n 10;d@example.org;\"d;e\"\r\n"},
		"remarks": {"# a; b\n\nsource,target,wave , group\n\n# anna, who goes first\n\n anna , anna@example.org, \"pilot\",\n\n# bruno\n",
			"# a; b\n\nsource,target,wave , group\n\n# anna, who goes first\n\n anna , anna@example.org, 01,\n\n# bruno\n"},
		"several lines": {"source,target,password_command,wave\nanna,anna@example.org,\"a\nb\",pilot\nbruno@example.com,b@example.org,,\n",
			"source,target,password_command,wave\nanna,anna@example.org,\"a\nb\",01\nbruno@example.com,b@example.org,,02\n"},
	} {
		got, err := withWaves([]byte(list.before), waves)
		if err != nil || string(got) != list.after {
			t.Errorf("%s:\n%q, want\n%q (%v)", name, got, list.after, err)
		}
		if _, err := loadMailboxes(written(t, "mailboxes.csv", string(got))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzListWithWaves(f *testing.F) {
	f.Add(mailboxesTemplate)
	f.Add("source;target;wave\n\"a\"\"b\";x@example.org;1\n'';\n")
	f.Add("wave,target,source,group\n,x@example.org,x,\"a\nb\"\n")
	f.Fuzz(func(t *testing.T, list string) {
		before, err := loadMailboxes(written(t, "mailboxes.csv", list))
		if err != nil {
			return
		}
		waves := map[string]string{}
		for i := range before {
			before[i].Wave = fmt.Sprintf("%03d", i)
			waves[before[i].Source] = before[i].Wave
		}
		text, err := withWaves([]byte(list), waves)
		if err != nil {
			t.Fatal(err)
		}
		after, err := loadMailboxes(written(t, "mailboxes.csv", string(text)))
		if err != nil {
			t.Fatalf("%v\n%q", err, text)
		}
		for i := range before { // their folders differ
			before[i].Password, after[i].Password = SecretRef{}, SecretRef{}
		}
		if fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("%v, want %v\n%q", after, before, text)
		}
	})
}

func TestThePlanPacksTheListIntoWaves(t *testing.T) {
	server := sourcetest.NewGenerated(t, sourcetest.GeneratedOptions{Messages: 1500})
	config := madeUp(t, "gmail", server, "ann")
	list := "# of the client\nsource,target,wave,group\n"
	for i := range 6 {
		list += fmt.Sprintf("u%d@example.com,u%[1]d@example.org,old,%s\n", i, []string{"Heads", ""}[min(i%5, 1)])
	}
	list += "u6@example.com,u6@example.org,old,heads\n"
	path := filepath.Join(filepath.Dir(config), "mailboxes.csv")
	if err := os.WriteFile(path, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "plan")
	args := []string{"--config", config, "--window", "20:00-20:20", "--start", "2026-12-01T12:00", "--jobs", "2", "--privacy", "full", "--verify", "none"}
	code, stdout, stderr := planned(t.Context(), append(args, "--waves", "auto", "--out", out)...)
	if code != exitDone || !strings.Contains(stdout, filepath.Join(out, planList)) {
		t.Fatalf("exit status %d: %s\n%s", code, stdout, stderr)
	}
	text, err := os.ReadFile(filepath.Join(out, planList))
	if info, statErr := os.Stat(filepath.Join(out, planList)); err != nil || statErr != nil || info.Mode().Perm() != 0o600 || !strings.HasPrefix(string(text), "# of the client\n") {
		t.Fatalf("%v, %v: %q", err, statErr, text)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, mailboxes, err := loadMigration(config)
	if err != nil || len(mailboxes) != 7 {
		t.Fatal(mailboxes, err)
	}
	p := readPlan(t, out)
	var waves []string
	for i, m := range mailboxes {
		b := p.Times[i]
		if b.Wave != m.Wave || b.Mailbox != m.Source {
			t.Errorf("%s is of wave %q in the list, and %s of %q in the plan", m.Source, m.Wave, b.Mailbox, b.Wave)
		}
		begins, late := pointInTime(t, b.Begins), pointInTime(t, b.Late)
		if begins.Before(time.Date(2026, 12, 1, 19, 0, 0, 0, time.UTC)) || late.Sub(begins.Truncate(time.Hour)) > 20*time.Minute {
			t.Errorf("%s begins at %v and ends at %v", b.Mailbox, begins, late)
		}
		waves = append(waves, m.Wave)
	}
	if waves[0] != waves[5] || waves[0] != waves[6] {
		t.Errorf("u0, u5 and u6 are of the waves %v", waves)
	}
	slices.Sort(waves)
	if n := len(slices.Compact(waves)); n < 2 || waves[0] != "1" {
		t.Errorf("the waves are %v", waves)
	}
}

// pointInTime reads a time of plan.json.
func pointInTime(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestAPlanSaysWhatWouldBe(t *testing.T) {
	server := sourcetest.NewGenerated(t, sourcetest.GeneratedOptions{Messages: 2000})
	lasts := func(config string, args ...string) float64 {
		t.Helper()
		out := filepath.Join(t.TempDir(), "plan")
		if code, _, stderr := planned(t.Context(), append(args, "--config", config, "--out", out, "--start", "2026-12-01T12:00")...); code != exitDone {
			t.Fatalf("%q: exit status %d: %s", args, code, stderr)
		}
		return readPlan(t, out).Totals.Lasts
	}
	gmail := madeUp(t, "gmail", server, "ann", "bob")
	usual := lasts(gmail)
	if legacy := lasts(gmail, "--profile", "legacy"); legacy > 0.6*usual {
		t.Errorf("it takes %v s, and as a legacy project %v s", usual, legacy)
	}
	if at := lasts(gmail, "--window", "20:00-24:00"); at < 8*3600 {
		t.Errorf("it takes %v s from noon, though work begins at eight", at)
	}
	text, err := os.ReadFile(gmail)
	if err == nil {
		err = os.WriteFile(gmail, append(text, `window = "20:00-24:00"`...), 0o600)
	}
	if at, always := lasts(gmail), lasts(gmail, "--window", "always"); err != nil || at < 8*3600 || always != usual {
		t.Errorf("it takes %v s within hours, %v s always, want %v s (%v)", at, always, usual, err)
	}
	graph := madeUp(t, "graph", server, "ann")
	if usual, unlimited := lasts(graph), lasts(graph, "--profile", "none"); unlimited > usual {
		t.Errorf("it takes %v s, and without limits %v s", usual, unlimited)
	}
}

func TestADryRunIsAPlan(t *testing.T) {
	server := sourcetest.NewGenerated(t, sourcetest.GeneratedOptions{Messages: 50})
	config := madeUp(t, "gmail", server, "ann", "bob", "joe")
	code, stdout, stderr := mailhaul(t.Context(), "run", "--dry-run", "--config", config, "--mailbox", "bob@example.com,joe@example.com", "--wave", "rest", "--jobs", "1", "--plain")
	plans, _ := filepath.Glob(filepath.Join(filepath.Dir(config), "plan-*"))
	if code != exitDone || len(plans) != 1 || !strings.Contains(stdout, "The plan is in "+plans[0]) {
		t.Fatalf("exit status %d, %v: %s%s", code, plans, stdout, stderr)
	}
	p := readPlan(t, plans[0])
	if len(p.Mailboxes) != 2 || p.Mailboxes[0].Source != "b***@example.com" || p.Times[1].Begins == p.Times[0].Begins {
		t.Errorf("%+v", p)
	}
	if err := absent(filepath.Join(filepath.Dir(config), "mailhaul.db")); err != nil {
		t.Error(err)
	}
	for _, args := range [][]string{{"--until", "done"}, {"--every", "24h"}, {"--from-verify"}, {"--confirm-deletions"}, {"--jobs", "0"}} {
		code, _, stderr := mailhaul(t.Context(), append([]string{"run", "--dry-run", "--config", config}, args...)...)
		if code != exitUsage || !strings.Contains(stderr, args[0]) {
			t.Errorf("%q: exit status %d, %s", args, code, stderr)
		}
	}
}
