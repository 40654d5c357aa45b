package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// planTook is how long a plan said that a migration takes, and how long it took.
type planTook struct {
	target            string
	low, likely, high time.Duration // low and high are those between which eight of ten runs end
	took              time.Duration // by the run and the verification
}

// plannedTime reads what the plan in a folder says, and lets its files go by the
// name of the folder instead, which it removes.
func plannedTime(folder string) (t planTook, err error) {
	data, err := os.ReadFile(filepath.Join(folder, planJSON))
	if err != nil {
		return t, err
	}
	var plan struct {
		Schedule struct {
			Early time.Time `json:"end_early"`
			End   time.Time `json:"end"`
			Late  time.Time `json:"end_late"`
			Lasts float64   `json:"lasts"` // seconds
		}
	}
	if err := json.Unmarshal(data, &plan); err != nil {
		return t, err
	}
	s := plan.Schedule
	t.likely = time.Duration(s.Lasts * float64(time.Second))
	t.low, t.high = t.likely-s.End.Sub(s.Early), t.likely+s.Late.Sub(s.End)
	for _, name := range []string{planHTML, planXLSX, planJSON} {
		err = cmp.Or(err, os.Rename(filepath.Join(folder, name), folder+filepath.Ext(name)))
	}
	return t, cmp.Or(err, os.Remove(folder))
}

// planStep is how exactly plan.json tells when something ends.
const planStep = time.Second

// printTook compares plans with what came of them.
func printTook(w io.Writer, times []planTook) {
	table := table{left: 1}
	table.add("target", "planned", "eight of ten end in", "taken")
	for _, t := range times {
		table.add(t.target, span(t.likely), span(t.low)+" to "+span(t.high), span(t.took))
	}
	fmt.Fprintln(w)
	table.write(w)
	for _, t := range times {
		switch {
		case t.took < t.low-planStep:
			fmt.Fprintf(w, "%s was done sooner than the range of the plan.\n", t.target)
		case t.took > t.high+planStep:
			fmt.Fprintf(w, "%s took longer than the range of the plan.\n", t.target)
		}
	}
}
