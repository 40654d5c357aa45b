package canon

import (
	"fmt"
	"io"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
)

// A flood is a message that is made while it is read.
type flood struct {
	head, tail string
	unit       func(i int) string
	units      int

	next   string
	at     int // units; -1 before head
	read   int64
	sample func() // called every few megabytes

	allocated, burst uint64 // before the last call, and the most between two
}

func (f *flood) Read(p []byte) (int, error) {
	now := allocated()
	f.burst = max(f.burst, now-f.allocated)
	f.allocated = now
	defer func() { f.allocated = allocated() }()
	for f.next == "" {
		switch {
		case f.at == -1:
			f.next = f.head
		case f.at < f.units:
			f.next = f.unit(f.at)
		case f.at == f.units:
			f.next = f.tail
		default:
			return 0, io.EOF
		}
		f.at++
	}
	n := copy(p, f.next)
	f.next = f.next[n:]
	if f.read>>22 != (f.read+int64(n))>>22 {
		f.sample()
	}
	f.read += int64(n)
	return n, nil
}

// alive returns how many octets of memory can be reached.
func alive() int64 {
	runtime.GC()
	runtime.GC() // what had a finalizer
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// allocated returns how many octets of memory were ever asked for.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

func always(s string, times int) func(int) string {
	s = strings.Repeat(s, times)
	return func(int) string { return s }
}

// TestMemoryIsBoundedWhateverTheMessageIs would not end if time were not.
func TestMemoryIsBoundedWhateverTheMessageIs(t *testing.T) {
	const limit = 32 << 20 // what was thrown away meanwhile included
	base64 := strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 1000)
	dashes := strings.Repeat("-", 900)
	for name, f := range map[string]*flood{
		"an attachment of 140 MB": {head: "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n",
			unit: func(int) string { return base64 }, units: 1795, tail: "\r\n--b--\r\n"},
		"100,000 parts": {head: "Content-Type: multipart/mixed; boundary=b\r\n\r\n", units: 100_000,
			unit: func(i int) string {
				return fmt.Sprintf("--b\r\nContent-Type: image/png; name=\"%0200d.png\"\r\n\r\n%d\r\n", i, i)
			}},
		"100,000 multiparts in each other": {head: "Content-Type: multipart/mixed; boundary=0\r\n\r\n", units: 100_000,
			unit: func(i int) string {
				return fmt.Sprintf("--%d\r\nContent-Type: multipart/mixed; boundary=%d\r\n\r\n", i, i+1)
			}},
		"100,000 messages in each other": {units: 100_000,
			unit: func(i int) string {
				return fmt.Sprintf("Subject: %d\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", i)
			}},
		"messages in each other with large headers": {units: 40,
			unit: func(i int) string {
				return "X-A: a\r\nContent-Type: message/rfc822; " + strings.Repeat("a=b; ", 60_000) + "\r\nTo: " + strings.Repeat("a@example.com, ", 20_000) + "\r\n\r\n"
			}},
		"a header with all fields that count": {units: 12,
			unit: func(i int) string {
				return string(append(messageFields[:], contentType)[i]) + ": " + strings.Repeat("=?utf-8?q?a?= <a@b.example>, ", 15_000) + "\r\n"
			}},
		"a header of 64 MB in one field":    {head: "Subject: ", unit: always("subject ", 1<<13), units: 1024},
		"a header of 8 MB of recipients":    {head: "To: ", unit: always("a@b.example,\r\n ", 1<<12), units: 128},
		"a header of 8 MB without a field":  {unit: always("no field\r\n", 1<<12), units: 200},
		"a million empty fields":            {unit: always("X:\r\n", 1000), units: 1000, tail: "\r\n"},
		"a million empty fields of To":      {unit: always("To:\r\n", 1000), units: 1000, tail: "\r\n"},
		"a million Content-Types":           {unit: always("Content-Type: a/b\r\n", 1000), units: 1000, tail: "\r\n"},
		"a name of 4 MB":                    {head: "Content-Disposition: attachment; filename=\"", unit: always("name", 1<<12), units: 256, tail: "\"\r\n\r\n"},
		"a line of 100 MB":                  {head: "Content-Type: text/html\r\n\r\n", unit: always("a line ", 10_000), units: 1500},
		"a line of 10 MB after two hyphens": {head: "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n--", unit: always("b", 100_000), units: 100},
		"a line of 4 MB of blanks":          {head: "\r\n", unit: always("    ", 1<<12), units: 256, tail: "x"},
		"the same in quoted-printable":      {head: "Content-Transfer-Encoding: quoted-printable\r\n\r\n", unit: always("    ", 1<<12), units: 256, tail: "x"},
		"4 MB of empty lines":               {head: "\r\n", unit: always("\r\n", 1<<13), units: 256, tail: "x"},
		"4 MB of empty lines of a file":     {head: "Content-Type: text/csv; name=a\r\n\r\n", unit: always("\r\n", 1<<13), units: 256, tail: "x"},
		"4 MB of equals signs":              {head: "Content-Transfer-Encoding: quoted-printable\r\n\r\n", unit: always("==", 1<<13), units: 256},
		"4 MB of half characters":           {head: "Content-Type: text/plain; charset=utf-8\r\n\r\n", unit: always("\xf0\x9f", 1<<13), units: 256},
		"4 MB of escapes":                   {head: "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n", unit: always("\x1b$", 1<<13), units: 256},
		"delimiters that are nearly some": {head: "Content-Type: multipart/mixed; boundary=\"" + dashes + "\"\r\n\r\n--" + dashes + "\r\n\r\n",
			unit: always("--"+dashes+" \tx\r\n", 10), units: 3000},
		"blanks after a delimiter": {head: "Content-Type: multipart/mixed; boundary=b\r\n\r\n", unit: always("--b"+strings.Repeat(" ", 5000)+"\r\n", 1), units: 1000},
		"starts of encoded words":  {head: "Subject: ", unit: always("=?a?q?", 1<<12), units: 1000},
		"encoded words":            {head: "Subject: ", unit: always("=?a?q?=?= ", 1<<12), units: 1000},
		"starts of comments":       {head: "To: ", unit: always("(", 1<<12), units: 1000},
		"starts of quotes":         {head: "To: ", unit: always("a\",", 1<<12), units: 1000},
		"starts of numbers":        {head: "To: ", unit: always("[", 1<<12), units: 1000},
		"starts of addresses":      {head: "To: ", unit: always("<@", 1<<12), units: 1000},
		"groups":                   {head: "To: ", unit: always("a:", 1<<12), units: 1000},
		"parameters":               {head: "Content-Type: a/b", unit: always(";a*1=\"", 1<<12), units: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() {
				f.units = (f.units + 9) / 10
			}
			before := alive()
			most, form := before, (*Form)(nil)
			f.at, f.allocated = -1, allocated()
			f.sample = func() { most = max(most, alive()) }
			var err error
			if form, err = Sum(f); err != nil {
				t.Fatal(err)
			}
			f.burst = max(f.burst, allocated()-f.allocated)
			if used := most - before + int64(f.burst); used > limit {
				t.Errorf("up to %d octets of memory were used, more than %d", used, limit)
			}
			kept := alive() - before
			if kept > 512<<10 {
				t.Errorf("the form takes %d octets", kept)
			}
			t.Logf("%d octets read, at most %d alive and %d more between two reads, %d for the form", f.read, most-before, f.burst, kept)
			runtime.KeepAlive(form)
		})
	}
}
