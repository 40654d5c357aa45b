package main

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
)

// brittle leads to the server at port and cuts the n-th connection once lasts[n]
// octets of its answers came; later ones last. It says how many there were.
func brittle(t *testing.T, port int, lasts []int64) (through int, connections func() int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var open []net.Conn
	n := 0
	var group sync.WaitGroup
	group.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				client.Close()
				continue
			}
			mu.Lock()
			limit := int64(1) << 40
			if n < len(lasts) {
				limit = lasts[n]
			}
			n++
			open = append(open, client, server)
			mu.Unlock()
			group.Go(func() { io.Copy(server, client); server.Close() })
			group.Go(func() { io.CopyN(client, server, limit); client.Close(); server.Close() })
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		group.Wait()
	})
	return l.Addr().(*net.TCPAddr).Port, func() int { mu.Lock(); defer mu.Unlock(); return n }
}

func TestALineThatBreaksAnywhereLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	const messages = 200
	var lasts []int64
	for n := int64(200); n < 9000; n += 367 {
		lasts = append(lasts, n)
	}
	o := newOffice(t)
	bob := o.person(t, "bob")
	want := map[string]int{}
	for i := range messages { // most cuts fall into a body
		text := letter("bob", i, strings.Repeat("A line of a letter.\r\n", 60))
		put(t, bob, "INBOX", text)
		want[text]++
	}
	through, connections := brittle(t, o.port, lasts)
	o.port = through
	sim, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", "", "bob")
	ends(t, exitDone, []string{"run", "--config", config})
	if s := sumsOf(t, config, exitDone); s.Total.Listed != messages || s.Total.Outcomes["copied"] != messages {
		t.Errorf("%d listed, outcomes %v", s.Total.Listed, s.Total.Outcomes)
	}
	for _, m := range sim.Messages("bob@example.org") {
		want[string(readAll(t, m.Received()))]--
	}
	for text, n := range want {
		if n != 0 {
			t.Errorf("%d copies too few of %.200q", n, text)
		}
	}
	if n := connections(); n <= len(lasts) {
		t.Errorf("only %d connections of %d were cut", n, len(lasts))
	}
}
