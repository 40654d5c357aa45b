package document

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"testing"
	"time"
)

// BenchmarkFaces writes a table of a million rows, and ten of 50,000. It tells
// the most memory that the process ever had, where Linux says it.
func BenchmarkFaces(b *testing.B) {
	for _, size := range []struct {
		name         string
		tables, rows int
	}{{"one", 1, 1_000_000}, {"ten", 10, 50_000}} {
		for name, write := range map[string]func(*Document, io.Writer) error{
			"xlsx": (*Document).WriteXLSX,
			"json": func(d *Document, w io.Writer) error { return d.WriteJSON(w, nil, nil) },
		} {
			b.Run(name+"/"+size.name, func(b *testing.B) {
				debug.FreeOSMemory()
				os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // begins to measure anew
				d := workings(b)
				d.Sections = []Section{{Title: "Messages"}}
				for i := range size.tables {
					d.Sections[0].Blocks = append(d.Sections[0].Blocks, messages(fmt.Sprintf("messages_%d", i), size.rows))
				}
				for b.Loop() {
					if err := write(d, io.Discard); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s")
				b.ReportMetric(peak(), "MiB")
			})
		}
	}
}

// messages is a table as long as one of all messages of a migration.
func messages(key string, rows int) *Table {
	t := &Table{Key: key, Title: "Messages"}
	for _, c := range []string{"mailbox", "folder", "uid", "date", "sender", "subject", "size", "reason", "remedy", "outcome"} {
		t.Columns = append(t.Columns, Column{Key: c, Title: c})
	}
	began := time.Date(2011, 1, 1, 0, 0, 0, 0, time.UTC)
	t.Rows = func(yield func([]Value, error) bool) {
		for i := range rows {
			if !yield([]Value{
				int64(i / 500), "INBOX/Projects/" + strconv.Itoa(i%100), int64(i), began.Add(time.Duration(i) * time.Minute),
				"Anna Berg <a…g@example.com>", "Re: offer for the new roof " + strconv.Itoa(i), Bytes(i * 7 % 5_000_000),
				"the message is larger than what the target takes", "save it as a file", Term{"failed", "not moved", Bad},
			}, nil) {
				return
			}
		}
	}
	return t
}

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
