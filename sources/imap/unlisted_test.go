package imap

import (
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

// listAll returns what a scripted server lists.
func listAll(t *testing.T, script func(command string) reply) (ms []migrate.Message) {
	t.Helper()
	s, err := Open(t.Context(), scripted(t, script))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for batch, err := range s.List(t.Context(), oneInbox, 1) {
		if err != nil {
			t.Fatal(err)
		}
		ms = append(ms, batch...)
	}
	return ms
}

func TestAMessageThatExistsIsListedWhateverFormItsMetadataComesIn(t *testing.T) {
	for name, answer := range map[string]reply{
		"nothing":            ok,
		"a literal first":    "* 1 FETCH (BODY[HEADER.FIELDS (\"Message-ID\")] {2}\r\n\r\n UID 1 FLAGS () RFC822.SIZE 5)\r\n" + ok,
		"without its UID":    "* 1 FETCH (FLAGS () RFC822.SIZE 5)\r\n" + ok,
		"only its flags":     "* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n" + ok,
		"another one's data": "* 2 FETCH (UID 2 FLAGS () RFC822.SIZE 5)\r\n" + ok,
	} {
		t.Run(name, func(t *testing.T) {
			ms := listAll(t, func(command string) reply {
				if strings.HasPrefix(command, "UID FETCH") {
					return answer
				}
				return ""
			})
			if len(ms) != 1 || ms[0].UID != 1 || ms[0].Size != 0 {
				t.Errorf("listed %+v", ms)
			}
		})
	}
}

func TestAnExpungedMessageIsNotListed(t *testing.T) {
	searches := 0
	ms := listAll(t, func(command string) reply {
		switch {
		case strings.HasPrefix(command, "UID FETCH"):
			return ok
		case strings.HasPrefix(command, "UID SEARCH"):
			if searches++; searches > 1 {
				return "* SEARCH\r\n" + ok
			}
		}
		return ""
	})
	if len(ms) != 0 {
		t.Errorf("listed %+v", ms)
	}
}
