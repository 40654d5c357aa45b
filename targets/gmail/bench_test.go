package gmail

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/mailhaul/mailhaul/targets/targettest"
)

// BenchmarkAppend measures the client alone: its server reads and forgets, in
// the same process.
func BenchmarkAppend(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, `{"id":"18c0ffee00000000","historyId":"1"}`)
	}))
	defer server.Close()
	for _, size := range []int{4 << 10, 100 << 10, 4 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			target, err := Open(b.Context(), config(server))
			if err != nil {
				b.Fatal(err)
			}
			defer target.Close()
			message := targettest.Message(append(targettest.Letter("bench").Body.(targettest.Octets), bytes.Repeat([]byte("line\r\n"), size/6)...), "<bench@example.org>")
			b.SetBytes(message.Size)
			b.ReportAllocs()
			var failed atomic.Int64
			b.SetParallelism(2)
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if _, err := target.Append(b.Context(), inbox, message); err != nil {
						failed.Add(1)
					}
				}
			})
			if failed.Load() > 0 {
				b.Fatalf("%d appends failed", failed.Load())
			}
		})
	}
}
