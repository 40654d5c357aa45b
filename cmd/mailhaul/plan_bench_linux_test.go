package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/plan/assess"
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

// BenchmarkPlanOfKeptAssessments times whole processes that plan the move of 2,000
// mailboxes with 100,000,000 messages, all of which an earlier plan has assessed:
// each is only asked whether it changed.
func BenchmarkPlanOfKeptAssessments(b *testing.B) {
	const mailboxes, messages = 2000, 50_000
	for _, kind := range []string{"gmail", "graph"} {
		b.Run(kind, func(b *testing.B) {
			server := sourcetest.NewGenerated(b, sourcetest.GeneratedOptions{Messages: messages})
			config := madeUp(b, kind, server, "ann")
			var sources []string
			list := "source,target,wave\n"
			for i := range mailboxes {
				sources = append(sources, fmt.Sprintf("user%d@example.com", i))
				list += fmt.Sprintf("%s,user%d@example.org,wave %d\n", sources[i], i, i*10/mailboxes)
			}
			text, err := os.ReadFile(config)
			if err != nil {
				b.Fatal(err)
			}
			for name, text := range map[string]string{"mailhaul.toml": strings.Replace(string(text), "[run]", "[run]\njobs = 200", 1), "mailboxes.csv": list} {
				if err := os.WriteFile(filepath.Join(filepath.Dir(config), name), []byte(text), 0o600); err != nil {
					b.Fatal(err)
				}
			}
			keepAssessments(b, config, sources, varied)
			before := server.Commands()
			for b.Loop() {
				metered(b, "plan", program("plan", "--config", config, "--out", filepath.Join(b.TempDir(), "plan")))
			}
			if n := (server.Commands() - before) / b.N / mailboxes; n > 6 {
				b.Errorf("%d commands for each mailbox: it was read again", n)
			}
		})
	}
}

// varied gives an assessment mail of fifteen years, as much as it had and of
// another size in each mailbox.
func varied(i int, a *assess.Assessment) {
	n := a.Total().Messages
	a.Sizes, a.Months, a.Flags = nil, nil, nil
	for left, most := n, int64(8192); left > 0; most *= 2 { // half of what is left in each class
		here := (left + 1) / 2
		left -= here
		a.Sizes = append(a.Sizes, assess.Class{Most: most, Tally: assess.Tally{Messages: here, Bytes: here * most / 20 * int64(i%10+10)}})
	}
	for month := range 180 {
		a.Months = append(a.Months, assess.Period{Start: time.Date(2011, time.Month(month+1), 1, 0, 0, 0, 0, time.UTC), Tally: assess.Tally{Messages: n / 180, Bytes: n / 180 * 40_000}})
	}
	for flag := range 30 {
		a.Flags = append(a.Flags, assess.FlagCount{Flag: migrate.Flag(fmt.Sprintf("Keyword%d", flag*(i%7+1))), Messages: 10})
	}
	a.Content.Found = map[string]int64{"from": int64(i % 3), assess.FoundSealed: 9, assess.FoundMalformed: 2}
}
