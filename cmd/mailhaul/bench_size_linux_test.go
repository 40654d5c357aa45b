package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// BenchmarkSize reports the memory of whole processes that move one message
// from a real Dovecot to a simulator in this process: a small message and one
// of 140 MB. docs/benchmarks.md has the command.
func BenchmarkSize(b *testing.B) {
	server := sourcetest.Dovecot(b, sourcetest.Options{Separator: "/"})
	head := []byte("From: ann@example.org\r\nDate: Fri, 03 Jul 2009 14:15:16 +0000\r\nMessage-ID: <size@example.org>\r\n\r\n")
	_, gmail := serveGmail(b, nil)
	endpoints := map[string]string{
		"gmail": gmail,
		"graph": serveTest(b, newGraph(b, graphsim.Options{MaxMessage: 150 << 20}), nil), // as an administrator may set it
	}
	for name, size := range map[string]int{"small": 1000, "140MB": 140_000_000} {
		s := &site{server, map[string][]delivered{}}
		text := append(bytes.Clone(head), bytes.Repeat([]byte("0123456789abcd\r\n"), size/16)...)
		s.deliver(strings.ToLower(name)+"@example.com", []string{"INBOX"}, text, []migrate.Flag{migrate.Seen}, time.Unix(1_000_000_000, 0))
		for kind, endpoint := range endpoints {
			b.Run(kind+"/"+name, func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					c := program("run", "--config", s.migration(b, kind, endpoint))
					var output bytes.Buffer
					c.Stdout, c.Stderr = &output, &output
					b.StartTimer()
					if err := c.Start(); err != nil {
						b.Fatal(err)
					}
					peak := highWater(c.Process.Pid)
					if err := c.Wait(); err != nil {
						b.Fatal(err, output.String())
					}
					b.ReportMetric(peak(), "peak-MiB")
				}
			})
		}
	}
}
