package canon

import (
	"bytes"
	"testing"

	"github.com/mailhaul/mailhaul/migrate/migratetest"
)

// BenchmarkSum has b.N times 1,000 messages of a generated mailbox, and a message
// with one large attachment.
func BenchmarkSum(b *testing.B) {
	b.Run("mailbox", func(b *testing.B) {
		var mail [][]byte
		total := 0
		for seed := range uint64(1000) {
			m := migratetest.Make(seed)
			mail = append(mail, m.Octets)
			total += len(m.Octets)
		}
		b.SetBytes(int64(total))
		b.ReportAllocs()
		for b.Loop() {
			for _, octets := range mail {
				if _, err := Sum(bytes.NewReader(octets)); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("attachment", func(b *testing.B) {
		octets := migratetest.MakeKind(migratetest.Huge, 1).Octets
		b.SetBytes(int64(len(octets)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Sum(bytes.NewReader(octets)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
