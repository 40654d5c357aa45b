package graph

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// A long message is made as it is read.
type long struct {
	head, line, tail string
	lines            int64
}

func (l long) size() int64 {
	return int64(len(l.head)) + l.lines*int64(len(l.line)) + int64(len(l.tail))
}

func (l long) Open() (io.ReadSeekCloser, error) { return &longReader{long: l}, nil }

type longReader struct {
	long
	at int64
}

func (r *longReader) Read(p []byte) (int, error) {
	head, middle := int64(len(r.head)), int64(len(r.line))*r.lines
	var rest string
	switch at := r.at; {
	case at < head:
		rest = r.head[at:]
	case at < head+middle:
		rest = r.line[(at-head)%int64(len(r.line)):]
	default:
		rest = r.tail[at-head-middle:]
	}
	if rest == "" {
		return 0, io.EOF
	}
	n := copy(p, rest)
	r.at += int64(n)
	return n, nil
}

func (r *longReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
		r.at = offset
	case io.SeekCurrent:
		r.at += offset
	case io.SeekEnd:
		r.at = r.size() + offset
	}
	return r.at, nil
}

func (r *longReader) Close() error { return nil }

// TestAMessageOf140MBNeedsLittleMemory measures what is alive while each call
// is under way, against a server that keeps nothing.
func TestAMessageOf140MBNeedsLittleMemory(t *testing.T) {
	var most, received atomic.Uint64
	server := httptest.NewUnstartedServer(nil)
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		received.Add(uint64(n))
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		most.Store(max(most.Load(), stats.HeapAlloc))
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id":"x","uploadUrl":%q}`, server.URL+"/upload")
	})
	server.Start()
	defer server.Close()
	const mb = 1 << 20
	line := strings.Repeat("QUJD", 19) + "\r\n"
	body := long{"Subject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n", line, "--b--\r\n", 140 * mb / int64(len(line))}
	for name, m := range map[string]*migrate.Message{
		"attachment": {Key: "k", Body: body, Size: body.size()},
		"text":       {Key: "k", Body: long{"Subject: s\r\n\r\n", "0123456789\r\n", "", 140 * mb / 12}},
		"headless":   {Key: "k", Body: long{"", "0123456789", "", 140 * mb / 10}},
	} {
		target, err := Open(t.Context(), Config{User: user, Endpoint: server.URL, Token: StaticToken("test"), Route: RouteJSON})
		if err != nil {
			t.Fatal(err)
		}
		var before runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		most.Store(0)
		received.Store(0)
		if _, err := target.Append(t.Context(), "inbox", m); err != nil {
			t.Fatal(name, err)
		}
		// One range of an upload session, and the text.
		if grown := int64(most.Load()) - int64(before.HeapAlloc); grown > 12*mb {
			t.Errorf("%s: %d MB are alive", name, grown/mb)
		} else {
			t.Logf("%s: %.1f MB are alive", name, float64(grown)/mb)
		}
		if n := received.Load(); n < 100*mb {
			t.Errorf("%s: only %d octets were sent", name, n)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"id":"x"}`)
	}))
	defer server.Close()
	m := targettest.Letter("bench", migrate.Seen)
	for _, route := range []Route{RouteImport, RouteJSON} {
		b.Run(string(route), func(b *testing.B) {
			target, err := Open(b.Context(), Config{User: user, Endpoint: server.URL, Token: StaticToken("test"), Route: route})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			start := time.Now()
			for b.Loop() {
				if _, err := target.Append(b.Context(), "inbox", m); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "messages/s")
		})
	}
}
