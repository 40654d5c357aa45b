package imap

import (
	"fmt"
	"io"
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
