package proof

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// BenchmarkMillion takes the time and the memory of a report on a million
// messages in 1,000 folders, of which one in a hundred failed, and whose
// report.json has a hundred megabytes.
func BenchmarkMillion(b *testing.B) {
	const folders, each = 1000, 1000
	w := newWorld(b)
	w.mailboxes = nil
	random := rand.New(rand.NewPCG(1, 1))
	log := &memory{}
	var exceptions, rows strings.Builder
	for id := int64(1); id <= folders; id++ {
		f := Folder{ID: id, UIDValidity: 1, Source: digestOf("a"), Target: digestOf("b"), Path: digestOf(fmt.Sprint(id))}
		log.entries = append(log.entries, Entry{ID: id, Text: f.String()})
		for uid := migrate.UID(1); uid <= each; uid++ {
			m := Message{Folder: id, UID: uid, Outcome: migrate.Copied, Settled: w.now, Size: random.Int64N(1 << 20), Target: migrate.MessageID(fmt.Sprintf("AAMk%0120d=", random.Int64()))}
			if uid%100 == 0 {
				m.Outcome = migrate.Failed
				fmt.Fprintf(&exceptions, ",\n{\"folder\":%d,\"uid\":%d,\"reason\":\"%s\"}", id, uid, strings.Repeat("x", 200))
			}
			for i := range m.Source {
				m.Source[i], m.Replica[i] = byte(random.Uint32()), byte(random.Uint32())
			}
			log.entries = append(log.entries, Entry{Folder: id, ID: int64(uid), Text: m.String()})
		}
		fmt.Fprintf(&rows, ",\n{\"folder\":%d,\"mailbox\":1,\"listed\":1000,\"pending\":0,\"copied\":990,\"adopted\":0,\"merged\":0,\"excluded\":0,\"failed\":10,\"gone\":0,\"moved\":0,\"removed\":0}", id)
	}
	dir := b.TempDir()
	packed, err := os.Create(filepath.Join(dir, "report.log.gz"))
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.New()
	began := time.Now()
	tree, err := WriteLog(b.Context(), log, io.MultiWriter(packed, digest))
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("WriteLog: %v", time.Since(began).Round(10*time.Millisecond))
	packed.Close()

	report, err := os.Create(filepath.Join(dir, "report.json"))
	if err != nil {
		b.Fatal(err)
	}
	seal := sha256.New()
	out := bufio.NewWriter(io.MultiWriter(report, seal))
	fmt.Fprintf(out, "{\"format\":\"mailhaul-report\",\n\"version\":1,\n\"mailboxes\":[\n{\"mailbox\":1,\"listed\":1000000,\"pending\":0,\"copied\":990000,\"adopted\":0,\"merged\":0,\"excluded\":0,\"failed\":10000,\"gone\":0,\"moved\":0,\"removed\":0}],\n")
	fmt.Fprintf(out, "\"folders\":[%s],\n\"exceptions\":[%s],\n\"changes\":[0", rows.String()[1:], exceptions.String()[1:])
	for n := range 500_000 {
		fmt.Fprintf(out, ",\n{\"mailbox\":1,\"path\":\"Clients / 2019\",\"uid\":%d,\"date\":\"2019-03-01T12:00:00Z\",\"change\":\"line-ends\",\"subject\":\"%s\",\"size\":%d}", n, strings.Repeat("s", 80), 7*n)
	}
	fmt.Fprintf(out, "],\n\"log\":{\"file\":\"report.log.gz\",\"entries\":%d,\"sha256\":\"%x\"},\n\"files\":[],\n\"heads\":[],\n", tree.N, digest.Sum(nil))
	out.Flush()
	head, err := Sign(b.Context(), log, w.private, tree, Digest(seal.Sum(nil)), w.now)
	if err != nil {
		b.Fatal(err)
	}
	fmt.Fprintln(report, LastLine(head))
	size, _ := report.Seek(0, io.SeekCurrent)
	report.Close()
	log.heads = []string{head}

	began = time.Now()
	proof, err := Prove(b.Context(), log, 500, 500, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("Prove: %v, %d octets", time.Since(began).Round(10*time.Millisecond), len(proof))
	log.entries, rows, exceptions = nil, strings.Builder{}, strings.Builder{}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)

	most := before.HeapAlloc
	for b.Loop() {
		done := make(chan struct{})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for tick := time.NewTicker(5 * time.Millisecond); ; {
				select {
				case <-tick.C:
					runtime.ReadMemStats(&after)
					most = max(most, after.HeapAlloc)
				case <-done:
					tick.Stop()
					return
				}
			}
		}()
		r, err := Check(b.Context(), os.DirFS(dir), "report.json", w.keys)
		close(done)
		<-ended
		if err != nil || r.Messages != folders*each {
			b.Fatalf("%+v: %v", r, err)
		}
	}
	b.ReportMetric(float64(size)/1e6, "MB/report.json")
	b.ReportMetric(float64(most-before.HeapAlloc)/(1<<20), "MiB")
}
