package imap

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// listen accepts connections on loopback, with TLS if config is set, and
// hands each to serve. The server is gone when the test ends.
func listen(t *testing.T, config *tls.Config, serve func(net.Conn)) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port = l.Addr().(*net.TCPAddr).Port
	if config != nil {
		l = tls.NewListener(l, config)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			wg.Go(func() { defer conn.Close(); serve(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return port
}

// A reply is what a scripted server does about a command.
type reply string

const (
	hangUp = "\x00" // at the end of a reply: close the connection after it
	ok     = "TAG OK done\r\n"
)

// scripted is a server with one message, UID 1 of INBOX, that lets everybody
// in. script may answer a command, without its tag, in another way; "" leaves
// it to the server. TAG in a reply stands for the tag,
// but for the first in (TAG "TAG"), as an ESEARCH has it.
func scripted(t *testing.T, script func(command string) reply) Config {
	t.Helper()
	port := listen(t, nil, func(c net.Conn) {
		fmt.Fprint(c, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n")
		r := bufio.NewReader(c)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			tag, command, _ := strings.Cut(strings.TrimSpace(line), " ")
			answer := script(command)
			if answer == "" {
				answer = usual(command)
			}
			tagged := strings.NewReplacer(`(TAG "TAG")`, `(TAG "`+tag+`")`, "(TAG", "(TAG", "TAG", tag)
			text, end := strings.CutSuffix(tagged.Replace(string(answer)), hangUp)
			if _, err := io.WriteString(c, text); err != nil || end {
				return
			}
		}
	})
	return Config{Host: "127.0.0.1", Port: port, TLS: None, User: "joe", Secret: password, Patience: 10 * time.Second}
}

func usual(command string) reply {
	verb, _, _ := strings.Cut(strings.TrimPrefix(command, "UID "), " ")
	switch verb {
	case "CAPABILITY":
		return "* CAPABILITY IMAP4rev1\r\n" + ok
	case "LIST":
		return "* LIST () \"/\" INBOX\r\n" + ok
	case "STATUS":
		return "* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7)\r\n" + ok
	case "EXAMINE":
		return "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\nTAG OK [READ-ONLY] open\r\n"
	case "SEARCH":
		return "* SEARCH 1\r\n" + ok
	case "FETCH":
		if strings.Contains(command, "BODY.PEEK[]") {
			return "* 1 FETCH (UID 1 BODY[] {5}\r\nhello)\r\n" + ok
		}
		return "* 1 FETCH (UID 1 FLAGS () RFC822.SIZE 5)\r\n" + ok
	}
	return ok
}
