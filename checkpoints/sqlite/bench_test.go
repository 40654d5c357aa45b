package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/proof"
)

func list(b *testing.B, l migrate.Ledger, folder int64, n int) {
	b.Helper()
	for from := 1; from <= n; from += 500 {
		var rs []migrate.Record
		for uid := from; uid < from+500; uid++ {
			rs = append(rs, migrate.Record{Folder: folder, UID: migrate.UID(uid), Size: 12345})
		}
		if err := l.AddListed(context.Background(), rs...); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSave saves one record a call from several goroutines, or a few.
func BenchmarkSave(b *testing.B) {
	for _, bench := range []struct{ goroutines, records int }{{1, 1}, {16, 1}, {64, 1}, {4, 10}, {1, 500}} {
		b.Run(fmt.Sprintf("goroutines=%d/records=%d", bench.goroutines, bench.records), func(b *testing.B) {
			l, folder := inbox(b, open(b, filepath.Join(b.TempDir(), "mailhaul.db")))
			list(b, l, folder, 100_000)
			var calls atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			for range bench.goroutines {
				wg.Go(func() {
					for {
						call := int(calls.Add(1)) - 1
						if call >= b.N {
							return
						}
						var rs []migrate.Record
						for i := range bench.records {
							uid := (call*bench.records+i)%100_000 + 1
							rs = append(rs, migrate.Record{Folder: folder, UID: migrate.UID(uid), Size: 12345, Outcome: migrate.Copied,
								Digest: sha256.Sum256(fmt.Append(nil, uid)), Target: gmailID(0, 0, uid)})
						}
						if err := l.Save(context.Background(), rs...); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N*bench.records)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkAddListed adds batches of 500 records.
func BenchmarkAddListed(b *testing.B) {
	l, folder := inbox(b, open(b, filepath.Join(b.TempDir(), "mailhaul.db")))
	b.ResetTimer()
	list(b, l, folder, b.N*500)
	b.ReportMetric(float64(b.N*500)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkTally counts a million messages.
func BenchmarkTally(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "mailhaul.db"))
	l, folder := inbox(b, s)
	list(b, l, folder, 1_000_000)
	b.ResetTimer()
	for range b.N {
		if _, err := s.Tally(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRecords reads a million records in order.
func BenchmarkRecords(b *testing.B) {
	l, folder := inbox(b, open(b, filepath.Join(b.TempDir(), "mailhaul.db")))
	list(b, l, folder, 1_000_000)
	b.ResetTimer()
	for range b.N {
		for _, err := range l.Records(context.Background(), folder, 0, 1<<32-1) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkByDigest looks up contents of which only the asking message itself
// is in doubt, as the engine does before every write to a target that labels.
func BenchmarkByDigest(b *testing.B) {
	s, err := Open(filepath.Join(b.TempDir(), "mailhaul.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	l, err := s.Mailbox(b.Context(), "a", "b")
	if err != nil {
		b.Fatal(err)
	}
	st := migrate.FolderState{Folder: migrate.Folder{Path: []string{"INBOX"}, UIDValidity: 1}}
	if err := l.SaveFolder(b.Context(), &st); err != nil {
		b.Fatal(err)
	}
	const n = 20_000
	var rs []migrate.Record
	for uid := range migrate.UID(n) {
		rs = append(rs, migrate.Record{Folder: st.ID, UID: uid + 1, Doubt: uid < 20, Digest: sha256.Sum256(binary.BigEndian.AppendUint32(nil, uint32(uid)))})
		if uid >= 20 {
			rs[uid].Outcome, rs[uid].Target = migrate.Copied, "m"
		}
	}
	if err := l.AddListed(b.Context(), rs...); err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		if found, err := l.ByDigest(b.Context(), rs[i%20].Digest, false); err != nil || len(found) != 1 {
			b.Fatal(found, err)
		}
	}
}

// BenchmarkFindings saves a million findings, reads them, and forgets them.
func BenchmarkFindings(b *testing.B) {
	const n, batch = 1_000_000, 1000
	path := filepath.Join(b.TempDir(), "mailhaul.db")
	l, folder := inbox(b, open(b, path))
	v := l.(*ledger)
	var saved, read, forgotten time.Duration
	for range b.N {
		begin := func() {
			if err := v.BeginVerification(context.Background(), migrate.Verification{Depth: "content", Started: time.Unix(1, 0)}); err != nil {
				b.Fatal(err)
			}
		}
		begin()
		start := time.Now()
		for from := 0; from < n; from += batch {
			var ds []migrate.Finding
			for i := from; i < from+batch; i++ {
				ds = append(ds, migrate.Finding{Kind: migrate.KindMissing, Folder: folder, UID: migrate.UID(i), Target: graphID(0, 0, i), Date: time.Unix(int64(i), 0),
					MessageID: fmt.Sprintf("<%032x@old.example>", i), From: "somebody@old.example"})
			}
			if err := v.SaveVerified(context.Background(), migrate.FolderVerification{Folder: folder, Next: migrate.UID(from)}, nil, ds...); err != nil {
				b.Fatal(err)
			}
		}
		saved += time.Since(start)
		start = time.Now()
		seen := 0
		for _, err := range v.Findings(context.Background()) {
			if err != nil {
				b.Fatal(err)
			}
			seen++
		}
		if seen != n {
			b.Fatal(seen)
		}
		read += time.Since(start)
		if info, err := os.Stat(path); err == nil {
			b.ReportMetric(float64(info.Size())/n, "octets/finding")
		}
		start = time.Now()
		begin()
		forgotten += time.Since(start)
	}
	b.ReportMetric(saved.Seconds()/float64(b.N), "s/saved")
	b.ReportMetric(read.Seconds()/float64(b.N), "s/read")
	b.ReportMetric(forgotten.Seconds()/float64(b.N), "s/forgotten")
}

// BenchmarkLog appends a million entries, as a first report does, and reads
// them and the latest of each message.
func BenchmarkLog(b *testing.B) {
	const n, batch = 1_000_000, 1000
	text := "message 1 %d copied 1763800000 12345 " + strings.Repeat("0", 128) + " " + strings.Repeat("x", 80)
	var appended, read, latest time.Duration
	for range b.N {
		path := filepath.Join(b.TempDir(), "mailhaul.db")
		l := open(b, path).Log()
		start := time.Now()
		for from := 0; from < n; from += batch {
			var es []proof.Entry
			for i := from; i < from+batch; i++ {
				es = append(es, proof.Entry{Folder: 1, ID: int64(i), Text: fmt.Sprintf(text, i)})
			}
			if err := l.Append(context.Background(), es...); err != nil {
				b.Fatal(err)
			}
		}
		appended += time.Since(start)
		start = time.Now()
		for _, err := range l.Entries(context.Background(), 0, n) {
			if err != nil {
				b.Fatal(err)
			}
		}
		read += time.Since(start)
		start = time.Now()
		for _, err := range l.Latest(context.Background(), 1) {
			if err != nil {
				b.Fatal(err)
			}
		}
		latest += time.Since(start)
		if info, err := os.Stat(path); err == nil {
			b.ReportMetric(float64(info.Size())/n, "octets/entry")
		}
	}
	b.ReportMetric(appended.Seconds()/float64(b.N), "s/appended")
	b.ReportMetric(read.Seconds()/float64(b.N), "s/read")
	b.ReportMetric(latest.Seconds()/float64(b.N), "s/latest")
}
