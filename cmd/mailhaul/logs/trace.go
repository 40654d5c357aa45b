package logs

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
)

// A Trace is a file with all that goes over connections, a line for each line
// of IMAP and for each HTTP request and answer: when, on which connection, and
// what, without credentials and without anything of a message. It holds names
// of folders and addresses. Its memory does not depend on what is sent.
// Several goroutines may use it.
type Trace struct {
	secrets *Secrets

	mu     sync.Mutex
	w      io.WriteCloser
	number int   // of the latest connection or call
	err    error // why the trace ends before its end
}

// maxLine is how many octets of a line of a protocol are looked at.
const maxLine = 4 << 10

// Create makes a trace in a file that must not exist, readable by its owner
// alone.
func Create(path string, secrets *Secrets) (*Trace, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &Trace{secrets: secrets, w: f}, nil
}

// Close ends the trace. The error says why it is incomplete, if it is.
func (t *Trace) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.w.Close(); t.err == nil {
		t.err = err
	}
	return t.err
}

// begin returns the name of a new connection or call: "imap 7 ann@example.com".
func (t *Trace) begin(protocol, label string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.number++
	return fmt.Sprintf("%s %d %s", protocol, t.number, label)
}

// line writes a line. After one that cannot be written there is none, so that
// what is there is without a gap.
func (t *Trace) line(name, text string) {
	text = strings.Map(func(r rune) rune {
		if r == ' ' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, t.secrets.Redact(name+" "+text))
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, "%s %s\n", time.Now().Format("2006-01-02T15:04:05.000Z07:00"), text)
	}
}
