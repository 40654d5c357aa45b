package imap

import (
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/mailhaul/mailhaul/migrate"
)

// Every user has an INBOX (RFC 3501 section 5.1), so that a mailbox without
// folders is not empty but out of sight.
func TestAMailboxWithoutFoldersIsAnErrorAndNotEmpty(t *testing.T) {
	for name, answer := range map[string]reply{
		"nothing at all":       ok,
		"only other people's":  "* LIST () \"/\" \"user/ann\"\r\n" + ok,
		"only what holds none": "* LIST (\\Noselect) \"/\" \"Above\"\r\n" + ok,
	} {
		t.Run(name, func(t *testing.T) {
			s := opener(scripted(t, func(command string) reply {
				switch {
				case strings.HasPrefix(command, "CAPABILITY"):
					return "* CAPABILITY IMAP4rev1 NAMESPACE\r\n" + ok
				case strings.HasPrefix(command, "NAMESPACE"):
					return "* NAMESPACE ((\"\" \"/\")) ((\"user/\" \"/\")) NIL\r\n" + ok
				case strings.HasPrefix(command, "LIST"):
					return answer
				}
				return ""
			}))(t).(*Source)
			defer s.Close()
			fs, err := s.Folders(t.Context())
			if err == nil || class(t, err) != migrate.Fatal || !strings.Contains(err.Error(), "no folder") {
				t.Errorf("%d folders, %v", len(fs), err)
			}
		})
	}
}

func TestTheInboxIsOneHoweverItIsSpelt(t *testing.T) {
	data := []*imap.ListData{}
	for _, name := range []string{"INBOX", "Inbox/Status", "inbox/Status/Old", "Inboxes"} {
		data = append(data, &imap.ListData{Mailbox: name, Delim: '/'})
	}
	var got []string
	for _, l := range tree(data, imap.NamespaceData{}) {
		got = append(got, strings.Join(l.folder.Path, "|"))
	}
	if want := []string{"INBOX", "INBOX|Status", "INBOX|Status|Old", "Inboxes"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
