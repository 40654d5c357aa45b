package main

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate/plan"
	"github.com/mailhaul/mailhaul/migrate/plan/proposal"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// ofCalls are times that so many calls took.
func ofCalls(n int64, median time.Duration) times { return times{Calls: n, Median: median, Sigma: 0.3} }

func TestWhatWasMeasuredIsKeptByTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "assessments")
		c := defaults()
		c.Target.Kind = "gmail"
		if got := readMeasured(dir, &c); got != (measured{}) {
			t.Errorf("without a file: %+v", got)
		}
		if err := (measured{}).save(dir, &c, byRun); err != nil {
			t.Error(err)
		}
		if absent(dir) != nil {
			t.Error("nothing was measured, and a folder was made for it")
		}
		m := measured{Answers: ofCalls(30, time.Second), Imports: ofCalls(40, 2*time.Second), Large: ofCalls(20, 500*time.Millisecond), Opens: ofCalls(2, time.Minute)}
		if err := m.save(dir, &c, byCheck); err != nil {
			t.Fatal(err)
		}
		got := readMeasured(dir, &c)
		if got.Answers != (times{30, time.Second, 0.3, time.Now().UTC(), byCheck}) || got.Imports.Median != 2*time.Second || got.rate() != 2_000_000 || got.Opens.Median != time.Minute {
			t.Errorf("%+v", got)
		}
		for _, name := range []string{"times-gmail.json", "."} {
			if info, err := os.Stat(filepath.Join(dir, name)); err != nil || private(info) != 0 {
				t.Errorf("%s: %v, %v", name, info, err)
			}
		}
		c.Gmail.Endpoint = "https://elsewhere.example/"
		if got := readMeasured(dir, &c); got != (measured{}) {
			t.Errorf("of another endpoint: %+v", got)
		}
		c.Gmail.Endpoint, c.Target.Kind = "", "graph"
		if got := readMeasured(dir, &c); got != (measured{}) {
			t.Errorf("of another target: %+v", got)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Errorf("%v", entries)
		}
	})
}

func TestManyCallsCountForMoreThanFewAndARunForMoreThanACheck(t *testing.T) {
	for _, c := range []struct {
		before   int64
		by       string
		now      int64
		who      string
		replaces bool
	}{
		{0, byCheck, 1, byCheck, true}, {1, byCheck, 1, byCheck, true}, {5, byCheck, 4, byRun, false}, {1000, byCheck, 19, byRun, false},
		{1000, byCheck, 20, byRun, true}, {1000, byCheck, 20, byCheck, true}, {1000, byRun, 20, byRun, true}, {20, byRun, 5000, byCheck, false},
		{19, byRun, 20, byCheck, true}, {3, byRun, 0, byRun, false},
	} {
		dir, config := t.TempDir(), defaults()
		config.Target.Kind = "gmail"
		earlier, later := measured{Answers: ofCalls(c.before, time.Second)}, measured{Answers: ofCalls(c.now, time.Minute)}
		if err := earlier.save(dir, &config, c.by); err != nil {
			t.Fatal(err)
		}
		if err := later.save(dir, &config, c.who); err != nil {
			t.Fatal(err)
		}
		if got := readMeasured(dir, &config).Answers; (got.Median == time.Minute) != c.replaces {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}

func TestAFileOfTimesThatMakesNoSenseCountsAsNone(t *testing.T) {
	dir, c := t.TempDir(), defaults()
	c.Target.Kind = "gmail"
	good := measured{Answers: ofCalls(30, time.Second), Imports: ofCalls(30, time.Second), Large: ofCalls(30, time.Second), Opens: ofCalls(30, time.Second)}
	if err := good.save(dir, &c, byRun); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "times-gmail.json")
	text := string(read(t, path))
	for _, change := range [][2]string{{"{", ""}, {`"mailhaul-times"`, `"mailhaul-users"`}, {`"version": 1`, `"version": 2`}, {`"target": "gmail"`, `"target": "graph"`},
		{"https://gmail", "https://mail"}, {`"calls": 30`, `"calls": -30`}, {`"calls": 30`, `"calls": 0`}, {`1000000000`, `0`}, {`1000000000`, `-5`}, {`1000000000`, `9999999999999999`},
		{`1000000000`, `1e999`}, {`"sigma": 0.3`, `"sigma": -1`}, {`"sigma": 0.3`, `"sigma": 1e300`}, {`"by": "run"`, `"by": "<script>"`}, {text, ""}} {
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, change[0], change[1])), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := readMeasured(dir, &c); got != (measured{}) {
			t.Errorf("%q instead of %q: %+v", change[1], change[0], got)
		}
	}
	if err := good.save(dir, &c, byRun); err != nil || readMeasured(dir, &c).Answers.Calls != 30 {
		t.Errorf("what makes no sense is not replaced: %v", err)
	}
}

func TestAPlanGoesByWhatWasMeasured(t *testing.T) {
	few, many := int64(fewCalls-1), int64(fewCalls)
	for name, c := range map[string]struct {
		measured                   measured
		answers, imports, oneMebi  time.Duration // of Gmail
		connect                    time.Duration
		basisOfAnswers, ofImports  string
		basisOfLarge, basisConnect string
	}{
		"nothing": {measured{}, gmailAnswers, gmailImports, 250 * time.Millisecond, time.Second, "assumed", "assumed", "assumed", "assumed"},
		"too few": {measured{Answers: ofCalls(few, time.Second), Imports: ofCalls(few, time.Second), Large: ofCalls(few, time.Second)},
			gmailAnswers, gmailImports, 250 * time.Millisecond, time.Second, "assumed", "assumed", "assumed", "assumed"},
		"answers": {measured{Answers: ofCalls(many, 85*time.Millisecond)}, 85 * time.Millisecond, 400 * time.Millisecond, 250 * time.Millisecond, time.Second, "run", "ratio", "assumed", "assumed"},
		"imports": {measured{Answers: ofCalls(many, time.Second), Imports: ofCalls(many, time.Minute)}, time.Second, time.Minute, 250 * time.Millisecond, time.Second, "run", "run", "assumed", "assumed"},
		"all": {measured{Answers: ofCalls(many, time.Second), Imports: ofCalls(many, time.Minute), Large: ofCalls(many, time.Second), Opens: ofCalls(1, 3*time.Second)},
			time.Second, time.Minute, time.Second, 3 * time.Second, "run", "run", "run", "run"},
	} {
		config := defaults()
		config.Target.Kind = "gmail"
		dir := t.TempDir()
		if err := c.measured.save(dir, &config, byRun); err != nil {
			t.Fatal(err)
		}
		m := readMeasured(dir, &config)
		model := planModel(&config, m)
		write, small := model.Write[0].Calls[0], model.Read.Look[0]
		if !near(small.Median.Seconds(), c.answers.Seconds(), 0.001) || !near(write.Median.Seconds(), c.imports.Seconds(), 0.001) || !near(1e6/float64(write.Rate), c.oneMebi.Seconds(), 0.001) {
			t.Errorf("%s: answers take %v, imports %v at %d octets a second", name, small.Median, write.Median, write.Rate)
		}
		told := m.told("gmail")
		for i, want := range []proposal.CallTime{{Kind: "answers", Takes: c.answers, Basis: c.basisOfAnswers}, {Kind: "imports", Takes: c.imports, Basis: c.ofImports},
			{Kind: "large", Takes: c.oneMebi, Basis: c.basisOfLarge}, {Kind: "connect", Takes: c.connect, Basis: c.basisConnect}} {
			got := told[i]
			if got.Kind != want.Kind || got.Basis != want.Basis || !near(got.Takes.Seconds(), want.Takes.Seconds(), 0.001) || (got.Calls > 0) != (want.Basis == "run") || got.At.IsZero() == (want.Basis == "run") {
				t.Errorf("%s: it tells %+v, want %+v", name, got, want)
			}
		}
	}
	c := defaults()
	c.Target.Kind = "graph"
	model := planModel(&c, measured{Answers: ofCalls(many, 30*time.Millisecond)})
	if call := model.Write[0].Calls[1]; call.Median != 50*time.Millisecond || call.Sigma != callsSigma || model.Read.Page[0].Sigma != 0.3 {
		t.Errorf("%+v", call)
	}
}

func TestAPilotTakesDoubtAway(t *testing.T) {
	for n, want := range map[int64]float64{0: 0.25, manyImports - 1: 0.25, manyImports: 0.1} {
		if got := (measured{Imports: ofCalls(n, time.Second)}).doubt(); got != (plan.Doubt{Latency: want, Pace: 0.05}) {
			t.Errorf("after %d imports: %+v", n, got)
		}
	}
}

func TestCheckAndRunMeasureForThePlan(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"gmail", "graph"} {
		o := newOffice(t, "ann", "bob", "joe", "eve")
		url := ""
		if kind == "gmail" {
			_, url = gmailFor(t, gmailsim.Options{}, nil)
		} else {
			_, url = graphFor(t, graphsim.Options{}, nil)
		}
		config := o.migration(t, kind, url, "", "", "ann", "bob", "joe", "eve")
		file := filepath.Join(o.dir, "assessments", "times-"+kind+".json")
		measurer := ""
		bases := func() (answers, imports string) {
			out := filepath.Join(t.TempDir(), "plan")
			ends(t, exitDone, []string{"plan", "--config", config, "--out", out})
			var plan struct {
				Calls []struct{ Basis string } `json:"call_times"`
			}
			if err := json.Unmarshal(read(t, out, planJSON), &plan); err != nil {
				t.Fatal(err)
			}
			if connect := plan.Calls[3].Basis; connect != cmp.Or(measurer, "assumed") {
				t.Errorf("%s: the time to connect is known by %s, want %q", kind, connect, measurer)
			}
			return plan.Calls[0].Basis, plan.Calls[1].Basis
		}
		if answers, imports := bases(); answers != "assumed" || imports != "assumed" {
			t.Errorf("%s: at first answers are %s, imports %s", kind, answers, imports)
		}
		ends(t, exitDone, []string{"check", "--config", config})
		measurer = byCheck
		if answers, imports := bases(); answers != "check" || imports != "ratio" {
			t.Errorf("%s: after check answers are %s, imports %s:\n%s", kind, answers, imports, read(t, file))
		}
		ends(t, exitDone, []string{"run", "--config", config})
		measurer = byRun
		if answers, imports := bases(); answers != "run" && kind == "graph" || imports != "run" {
			t.Errorf("%s: after a run answers are %s, imports %s:\n%s", kind, answers, imports, read(t, file))
		}
		if text := string(read(t, file)); strings.Contains(text, "@") {
			t.Errorf("%s: there is an address:\n%s", kind, text)
		}
	}
}
