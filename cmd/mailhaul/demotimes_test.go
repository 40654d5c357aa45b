package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPlannedAndTakenTimesAreComparedHonestly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "plan-graph")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	const plan = `{"schedule": {"start": "2026-11-22T18:50:19Z", "end_early": "2026-11-22T18:50:56Z", "end": "2026-11-22T18:50:59Z", "end_late": "2026-11-22T18:51:02Z", "lasts": 39.5}}`
	for name, text := range map[string]string{planHTML: "page", planXLSX: "book", planJSON: plan} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	planned, err := plannedTime(dir)
	if err != nil || planned.low != 36500*time.Millisecond || planned.likely != 39500*time.Millisecond || planned.high != 42500*time.Millisecond {
		t.Errorf("%+v, %v", planned, err)
	}
	if string(read(t, dir+".json")) != plan || string(read(t, dir+".html")) != "page" || string(read(t, dir+".xlsx")) != "book" || absent(dir) != nil {
		t.Error("the files did not get the name of the folder")
	}
	planned.target = "Gmail"
	for took, says := range map[time.Duration]string{35 * time.Second: "sooner", 36 * time.Second: "", 43 * time.Second: "", 44 * time.Second: "longer"} {
		var out strings.Builder
		planned.took = took
		printTook(&out, []planTook{planned})
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if want := "Gmail      40 s         37 s to 43 s   " + span(took); len(lines) < 2 || lines[1] != want || len(lines) > 2 != (says != "") || !strings.Contains(out.String(), says) {
			t.Errorf("after %v:\n%swant\n%s", took, out.String(), want)
		}
	}
}
