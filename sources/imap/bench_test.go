package imap

import (
	"fmt"
	"io"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

// BenchmarkRead lists a mailbox of 20,000 messages, 320 MB, and reads each
// batch while the list is under way.
func BenchmarkRead(b *testing.B) {
	const n = 20_000
	srv := sourcetest.Dovecot(b, sourcetest.Options{})
	line := strings.Repeat("mailhaul ", 8) + "\n"
	for i := range n {
		head := fmt.Sprintf("Message-ID: <%d@example.org>\nFrom: a@example.org\nTo: b@example.org\nSubject: number %d\nDate: Mon, 1 Jan 2024 00:00:00 +0000\n\n", i, i)
		srv.Deliver("big@example.org", []string{"INBOX"}, []byte(head+strings.Repeat(line, 215)), []migrate.Flag{migrate.Seen}, time.Unix(1e9+int64(i), 0))
	}
	s := opener(dovecotConfig(srv, "big@example.org"))(b).(*Source)
	defer s.Close()
	fs, err := s.Folders(b.Context())
	if err != nil || fs[0].Messages != n {
		b.Fatal(fs, err)
	}
	for b.Loop() {
		count, octets := 0, int64(0)
		for batch, err := range s.List(b.Context(), fs[0], 1) {
			if err != nil {
				b.Fatal(err)
			}
			ms := make([]*migrate.Message, len(batch))
			for i := range batch {
				ms[i] = &batch[i]
			}
			err := s.Read(b.Context(), fs[0], ms, func(_ *migrate.Message, r io.Reader) error {
				m, err := io.Copy(io.Discard, r)
				count++
				octets += m
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		if count != n {
			b.Fatalf("%d messages", count)
		}
		b.SetBytes(octets)
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkMillion lists a mailbox of 1,000,000 messages for the first time,
// and looks for changes in it. A server in this process makes up the answers;
// what it allocates counts as well.
func BenchmarkMillion(b *testing.B) {
	for _, step := range []int{1, 2} {
		s, g, f := generated(b, sourcetest.GeneratedOptions{Messages: 1_000_000, Step: step})
		for _, bench := range []struct {
			name string
			run  func(*testing.B)
		}{
			{"Folders", func(b *testing.B) {
				if _, err := s.Folders(b.Context()); err != nil {
					b.Fatal(err)
				}
			}},
			{"UIDs", func(b *testing.B) {
				n := migrate.UID(0)
				for r, err := range s.UIDs(b.Context(), f, f.UIDNext) {
					if err != nil {
						b.Fatal(err)
					}
					n += r.Last - r.First + 1
				}
				if n != 1_000_000 {
					b.Fatalf("%d messages", n)
				}
			}},
			{"Flags/unchanged", func(b *testing.B) {
				if got := changes(b, s, f, f.UIDNext, f.ModSeq); len(got) > 0 {
					b.Fatalf("%d messages", len(got))
				}
			}},
			{"Flags/all", func(b *testing.B) {
				n := 0
				for batch, err := range s.Flags(b.Context(), f, f.UIDNext, 0) {
					if err != nil {
						b.Fatal(err)
					}
					n += len(batch)
				}
				if n != 1_000_000 {
					b.Fatalf("%d messages", n)
				}
			}},
			{"List", func(b *testing.B) {
				n := 0
				for batch, err := range s.List(b.Context(), f, 1) {
					if err != nil {
						b.Fatal(err)
					}
					n += len(batch)
				}
				if n != 1_000_000 {
					b.Fatalf("%d messages", n)
				}
			}},
		} {
			b.Run(fmt.Sprintf("%s/step %d", bench.name, step), func(b *testing.B) {
				before, peak := g.Commands(), watch()
				for b.Loop() {
					bench.run(b)
				}
				b.ReportMetric(peak(), "peak-MiB")
				b.ReportMetric(float64(g.Commands()-before)/float64(b.N), "commands")
			})
		}
	}
}

// watch returns a function that stops watching and tells the largest memory of
// this process meanwhile, in MiB: all that the runtime has from the system and
// has not given back.
func watch() (peak func() float64) {
	debug.FreeOSMemory()
	done, largest := make(chan struct{}), make(chan float64)
	go func() {
		samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		most := uint64(0)
		for {
			metrics.Read(samples)
			most = max(most, samples[0].Value.Uint64()-samples[1].Value.Uint64())
			select {
			case <-done:
				largest <- float64(most) / (1 << 20)
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	return func() float64 { close(done); return <-largest }
}
