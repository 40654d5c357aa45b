package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

// planned runs "mailhaul plan".
func planned(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	return mailhaul(ctx, append([]string{"plan"}, args...)...)
}

// madeUp writes a migration of users of a server that makes up its mail. The
// target does not exist.
func madeUp(t testing.TB, kind string, server *sourcetest.Generated, users ...string) (config string) {
	t.Helper()
	dir := t.TempDir()
	list := "source,target,wave\n"
	for i, u := range users {
		list += fmt.Sprintf("%s@example.com,%[1]s@example.org,%s\n", u, []string{"pilot", "rest"}[min(i, 1)])
	}
	for name, text := range map[string]string{
		"mailhaul.toml": fmt.Sprintf(`[source]
host = %q
port = %d
tls = "none"
password_file = "password"
[target]
kind = %q
[gmail]
endpoint = "http://127.0.0.1:1"
token_file = "token"
[graph]
endpoint = "http://127.0.0.1:1"
token_file = "token"
[run]
time_zone = "Europe/Berlin"
`, server.Host, server.Port, kind),
		"mailboxes.csv": list,
		"password":      sourcetest.Password + "\n",
		"token":         "test\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "mailhaul.toml")
}

// readPlan returns plan.json.
func readPlan(t *testing.T, dir string) (plan struct {
	Format string
	Totals struct {
		Mailboxes, Messages, Bytes int64
		Lasts                      float64
	}
	Mailboxes []struct {
		Source   string
		Messages int64
	}
	Times []struct{ Mailbox, Wave, Begins, Late string }
	Risks []struct{ Risk string }
}) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, planJSON))
	if err == nil {
		err = json.Unmarshal(data, &plan)
	}
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestAPlanIsMadeOfTheSourceAlone(t *testing.T) {
	for _, kind := range []string{"gmail", "graph"} {
		server := sourcetest.NewGenerated(t, sourcetest.GeneratedOptions{Messages: 700, Size: 2000})
		server.SetFlags([]migrate.Flag{migrate.Deleted}, 5, 6, 7)
		config := madeUp(t, kind, server, "ann", "bob", "joe")
		out := filepath.Join(t.TempDir(), "made", "plan")
		code, stdout, stderr := planned(t.Context(), "--config", config, "--out", out, "--start", "2026-12-01T20:00")
		if code != exitDone {
			t.Fatalf("exit status %d: %s", code, stderr)
		}
		if !strings.Contains(stdout, "The plan is in "+out) || !strings.Contains(stdout, "3 mailboxes") || !strings.Contains(stdout, "1 Dec 2026") {
			t.Errorf("it says\n%s", stdout)
		}
		p := readPlan(t, out)
		if p.Format != "mailhaul-plan" || p.Totals.Mailboxes != 3 || p.Totals.Messages != 3*697 || p.Totals.Bytes != 3*697*2000 || len(p.Mailboxes) != 3 || len(p.Times) != 3 {
			t.Errorf("%+v", p)
		}
		if m := p.Mailboxes[0]; m.Source != "a***@example.com" || m.Messages != 697 {
			t.Errorf("%+v", m)
		}
		if b := p.Times[0]; !strings.HasPrefix(b.Begins, "2026-12-01T19:00") || b.Wave != "pilot" || p.Times[1].Begins < b.Begins {
			t.Errorf("%+v", p.Times)
		}
		for _, name := range []string{planHTML, planXLSX, planJSON} {
			info, err := os.Stat(filepath.Join(out, name))
			if err != nil || info.Mode().Perm() != 0o600 || info.Size() < 1000 {
				t.Errorf("%s: %v, %v", name, info, err)
			}
		}
		if files, _ := os.ReadDir(filepath.Dir(config)); len(files) != 5 { // the four, and assessments
			t.Errorf("beside the configuration is %v", files)
		}
	}
}

func TestALaterPlanAsksForWhatChangedAlone(t *testing.T) {
	server := sourcetest.NewGenerated(t, sourcetest.GeneratedOptions{Messages: 3000})
	config := madeUp(t, "graph", server, "ann")
	plan := func(args ...string) (commands int) {
		t.Helper()
		before := server.Commands()
		code, _, stderr := planned(t.Context(), append(args, "--config", config, "--out", filepath.Join(t.TempDir(), "plan"))...)
		if code != exitDone {
			t.Fatalf("exit status %d: %s", code, stderr)
		}
		return server.Commands() - before
	}
	first, again := plan(), plan()
	if again >= first-5 {
		t.Errorf("it asks %d times, and later %d", first, again)
	}
	server.Add(1)
	if fast := plan("--fast"); fast > again {
		t.Errorf("fast it asks %d times", fast)
	}
	if changed := plan(); changed < first-5 {
		t.Errorf("after a change it asks %d times", changed)
	}
}

func TestAMailboxThatCannotBeOpenedIsInThePlan(t *testing.T) {
	server := sourcetest.NewGenerated(t, sourcetest.GeneratedOptions{Messages: 10})
	config := madeUp(t, "gmail", server, "ann", "bob")
	dir := filepath.Dir(config)
	list := "source,target,password_file\nann@example.com,ann@example.org,\nbob@example.com,bob@example.org,missing\n"
	if err := os.WriteFile(filepath.Join(dir, "mailboxes.csv"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "plan")
	code, _, stderr := planned(t.Context(), "--config", config, "--out", out, "--privacy", "full", "--language", "de")
	if code != exitPerson || !strings.Contains(stderr, "1 mailbox could not be opened") {
		t.Fatalf("exit status %d: %s", code, stderr)
	}
	p := readPlan(t, out)
	if len(p.Mailboxes) != 2 || p.Totals.Mailboxes != 2 || p.Totals.Messages != 10 || len(p.Risks) == 0 || p.Risks[0].Risk != "mailbox-unopened" {
		t.Errorf("%+v", p)
	}
}

func TestAPlanInTheMidstIsOfWhatIsLeft(t *testing.T) {
	server := sourcetest.NewGenerated(t, sourcetest.GeneratedOptions{Messages: 60})
	config := madeUp(t, "gmail", server, "ann", "bob")
	_, endpoint := serveGmail(t, nil)
	text, err := os.ReadFile(config)
	if err == nil {
		err = os.WriteFile(config, bytes.Replace(text, []byte(`"http://127.0.0.1:1"`), fmt.Appendf(nil, "%q\nprofile = \"none\"", endpoint), 1), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	var took []float64
	for range 2 {
		out := filepath.Join(t.TempDir(), "plan")
		if code, _, stderr := planned(t.Context(), "--config", config, "--out", out, "--verify", "none"); code != exitDone {
			t.Fatalf("exit status %d: %s", code, stderr)
		}
		p := readPlan(t, out)
		if took = append(took, p.Totals.Lasts); p.Totals.Messages != 120 {
			t.Errorf("%+v", p)
		}
		if code, _, stderr := mailhaul(t.Context(), "run", "--config", config, "--mailbox", "ann@example.com"); code != exitDone {
			t.Fatalf("run: exit status %d: %s", code, stderr)
		}
	}
	if took[1] > 0.8*took[0] {
		t.Errorf("it takes %v s, and when half of it is done %v s", took[0], took[1])
	}
}

func TestThePlanRefusesWhatMakesNoSense(t *testing.T) {
	server := sourcetest.NewGenerated(t, sourcetest.GeneratedOptions{})
	config := madeUp(t, "gmail", server, "ann")
	for _, c := range []struct {
		says string
		args []string
	}{
		{"exclude each other", []string{"--fast", "--deep"}},
		{"2026-12-01T20:00", []string{"--start", "soon"}},
		{"or none", []string{"--verify", "all"}},
		{"at least 1", []string{"--jobs", "0"}},
		{"de or en", []string{"--language", "xx"}},
		{"one of new, legacy, none", []string{"--profile", "old"}},
		{"--window: at character 1", []string{"--window", "never"}},
		{"want auto", []string{"--waves", "pilot"}},
		{"leave out --mailbox and --wave", []string{"--waves", "auto", "--wave", "pilot"}},
		{"--window", []string{"--waves", "auto"}},
		{"none closes", []string{"--waves", "auto", "--window", "Mon-Sun"}},
	} {
		if code, _, stderr := planned(t.Context(), append(c.args, "--config", config)...); code != exitUsage || !strings.Contains(stderr, c.says) {
			t.Errorf("%q: exit status %d, %s", c.args, code, stderr)
		}
	}
}
