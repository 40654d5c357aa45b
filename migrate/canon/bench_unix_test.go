//go:build unix

package canon

import (
	"bytes"
	"syscall"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate/migratetest"
)

// BenchmarkSum also reports megabytes for each second of a processor: a machine
// may be busy with other things.
func BenchmarkSum(b *testing.B) {
	var mailbox [][]byte
	for seed := range uint64(1000) {
		mailbox = append(mailbox, migratetest.Make(seed).Octets)
	}
	for _, c := range []struct {
		name string
		mail [][]byte
	}{
		{"mailbox", mailbox}, // 1,000 messages
		{"attachment", [][]byte{migratetest.MakeKind(migratetest.Huge, 1).Octets}},
		{"text", [][]byte{append([]byte("Content-Type: text/html; charset=utf-8\r\n\r\n"), bytes.Repeat([]byte("<p>Grüße aus dem Büro, wie immer.</p>\r\n"), 100_000)...)}},
	} {
		b.Run(c.name, func(b *testing.B) {
			total := 0
			for _, octets := range c.mail {
				total += len(octets)
			}
			b.SetBytes(int64(total))
			b.ReportAllocs()
			start := processor(b)
			for b.Loop() {
				for _, octets := range c.mail {
					if _, err := Sum(bytes.NewReader(octets)); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(total)*float64(b.N)/1e6/(processor(b)-start).Seconds(), "MB/cpu-s")
		})
	}
}

// processor returns the time that the process has had of processors.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
