package verify

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

// records are those of one folder in which all arrived.
type records struct {
	Ledger
	n int
}

func (rs records) Records(_ context.Context, folder int64, _, _ migrate.UID) iter.Seq2[migrate.Record, error] {
	return func(yield func(migrate.Record, error) bool) {
		for i := range rs.n {
			r := migrate.Record{Folder: folder, UID: migrate.UID(i + 1), Outcome: migrate.Copied, Target: migrate.MessageID(fmt.Sprintf("AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A%08x", i))}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// BenchmarkIndex reads the records of a mailbox of 1,000,000 messages, marks
// each as listed and finds it again.
func BenchmarkIndex(b *testing.B) {
	rs := records{n: 1_000_000}
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		x, err := newIndex(b.Context(), rs, []migrate.FolderState{{ID: 1, Target: "inbox"}})
		if err != nil {
			b.Fatal(err)
		}
		for r := range rs.Records(b.Context(), 1, 0, 0) {
			if !x.mark("inbox", &migrate.Held{ID: r.Target, Complete: true}) || x.of(0, r.UID).state != listed {
				b.Fatal("a message was not found again")
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(rs.n), "live-B/message")
		runtime.KeepAlive(x)
	}
}
