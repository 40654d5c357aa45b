package report

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"runtime/debug"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// multitude is the ledger of a mailbox of 20 folders with 25 messages each. In
// every fourth folder the first failed and two have notes, in others one. It
// makes records as they are asked for.
type multitude struct {
	memory
	first int64 // folder
}

const folders, messages = 20, 25

func (m *multitude) Notable(context.Context) iter.Seq2[migrate.Record, error] {
	return func(yield func(migrate.Record, error) bool) {
		for f := m.first; f < m.first+folders; f++ {
			failed := migrate.Record{Folder: f, UID: 1, Outcome: migrate.Failed, Size: 40_000_000, MessageID: fmt.Sprintf("<%d.1@mx.example.com>", f),
				Reason: "import: the message has 40000000 octets", Hint: "Gmail takes messages of 35 MiB and drafts of 25 MiB at most. Keep it as a file.",
				Head: migrate.Head{From: "anna.berg@client.example", Date: at(float64(f)), Subject: fmt.Sprintf("Re: offer %d for the roof", f)}}
			noted := failed
			noted.Outcome, noted.Size, noted.Reason, noted.Hint, noted.Notes = migrate.Copied, 75_000, "", "", []string{"flags-dropped"}
			records := []migrate.Record{noted}
			if (f-m.first)%4 == 0 {
				records = []migrate.Record{failed, noted, noted}
			}
			for i, rec := range records {
				rec.UID = migrate.UID(i + 1)
				if !yield(rec, nil) {
					return
				}
			}
		}
	}
}

// million is a migration of 1,000,000 messages in 2,000 mailboxes, of which 1 %
// failed and 5 % have notes.
func million(b *testing.B) Migration {
	m := sample(b, "en")
	m.Mailboxes = nil
	passes := []migrate.Pass{{Started: at(0), Ended: at(5)}, {Started: at(20), Ended: at(21), Complete: true}}
	for i := range 2000 {
		name := fmt.Sprintf("person.number%d@example.com", i)
		l := &multitude{first: int64(i*folders + 1)}
		l.state, l.passes = migrate.MailboxState{Started: at(20), Ended: at(21), Complete: true}, passes
		for h := range 24 {
			l.hours = append(l.hours, Hour{at(float64(h)), 20, 1_500_000})
		}
		var tallies []migrate.Tally
		for f := range int64(folders) {
			failed := 0
			if f%4 == 0 {
				failed = 1
			}
			tallies = append(tallies, tally(l.first+f, fmt.Sprintf("Projects/%d", f), migrate.RoleNone, migrate.Copied, messages-failed, migrate.Failed, failed))
		}
		l.verification, l.findings = verified("content", 22, tallies)
		m.Mailboxes = append(m.Mailboxes, Mailbox{name, name, l, tallies})
	}
	return m
}

// BenchmarkAReportOverAMillionMessages tells, besides the time, the most memory
// that the process had, with what the ledgers themselves hold, where Linux says
// it.
func BenchmarkAReportOverAMillionMessages(b *testing.B) {
	m := million(b)
	debug.FreeOSMemory()
	os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // begins to measure anew
	var built time.Duration
	var took [3]time.Duration
	var sizes [3]int64
	names := [3]string{"html", "xlsx", "json"}
	for b.Loop() {
		begun := time.Now()
		d := made(b, m)
		built += time.Since(begun)
		for i, write := range [3]func(io.Writer) error{d.WriteHTML, d.WriteXLSX, func(w io.Writer) error { return d.WriteJSON(w, nil, nil) }} {
			begun := time.Now()
			var w counter
			if err := write(&w); err != nil {
				b.Fatal(err)
			}
			took[i], sizes[i] = took[i]+time.Since(begun), int64(w)
		}
	}
	n := float64(b.N)
	_, rows := table(b, made(b, m), "exceptions")
	b.ReportMetric(float64(len(rows)), "exceptions")
	b.ReportMetric(built.Seconds()/n, "s/built")
	for i, name := range names {
		b.ReportMetric(took[i].Seconds()/n, "s/"+name)
		b.ReportMetric(float64(sizes[i])/1e6, "MB/"+name)
	}
	b.ReportMetric(peak(), "MiB")
}

type counter int64

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

// peak is the most memory that the process had at a time, in MiB.
func peak() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range bytes.Lines(status) {
		var kib float64
		if n, _ := fmt.Sscanf(string(line), "VmHWM: %f kB", &kib); n == 1 {
			return kib / 1024
		}
	}
	return 0
}
