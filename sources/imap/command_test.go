package imap

import (
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

// Servers bound a command line: 8,000 octets are usual (RFC 7162 section 4).
func TestNoCommandIsLongerThanServersTake(t *testing.T) {
	var longest atomic.Int64
	s := opener(scripted(t, func(command string) reply {
		longest.Store(max(longest.Load(), int64(len(command))))
		if strings.HasPrefix(command, "UID FETCH") {
			return ok
		}
		return ""
	}))(t).(*Source)
	defer s.Close()
	var ms []*migrate.Message
	for i := range 2000 { // no two of them are neighbours
		ms = append(ms, &migrate.Message{UID: migrate.UID(4_000_000_000 + 2*i), Size: 1})
	}
	if err := s.Read(t.Context(), oneInbox, ms, func(*migrate.Message, io.Reader) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if n := longest.Load(); n > 8000 || n < 1000 {
		t.Errorf("the longest command has %d octets", n)
	}
}
