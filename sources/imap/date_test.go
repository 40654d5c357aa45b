package imap

import (
	"errors"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

// A date that is none makes go-imap give up the connection.
func TestAMessageWithADateThatIsNoneIsListedWithoutIt(t *testing.T) {
	for _, date := range []string{"00-Jan-0000 00:00:00 +0000", "01-Jan-0001 00:00:00 +0000", "2009-02-01T08:15:00Z", "yesterday", ""} {
		s := opener(scripted(t, func(command string) reply {
			if strings.HasPrefix(command, "UID FETCH") && strings.Contains(command, "INTERNALDATE") {
				return reply("* 1 FETCH (UID 1 FLAGS (\\Seen) INTERNALDATE \""+date+"\" RFC822.SIZE 5)\r\n") + ok
			}
			if strings.HasPrefix(command, "UID FETCH") && !strings.Contains(command, "BODY.PEEK[]") {
				return "* 1 FETCH (UID 1 FLAGS (\\Seen) RFC822.SIZE 5)\r\n" + ok
			}
			return ""
		}))(t).(*Source)
		defer s.Close()
		var ms []migrate.Message
		var failed error
		for range 2 { // the first attempt finds out
			ms, failed = nil, nil
			for batch, err := range s.List(t.Context(), oneInbox, 1) {
				ms, failed = append(ms, batch...), errors.Join(failed, err)
			}
		}
		if failed != nil || len(ms) != 1 || !ms[0].InternalDate.IsZero() || ms[0].Size != 5 || !ms[0].HasFlag(migrate.Seen) {
			t.Errorf("%q: listed %+v, %v", date, ms, failed)
		}
		if content, _, err := readOne(s, one); content != "hello" || err != nil {
			t.Errorf("%q: read %q, %v", date, content, err)
		}
	}
}
