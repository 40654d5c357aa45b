package imap

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

func TestAFolderWithFewMessagesAndHugeUIDsEndsSoon(t *testing.T) {
	uids := []uint32{1, 2_000_000_000, 4_294_967_290}
	searches := 0
	s := opener(scripted(t, func(command string) reply {
		var lo, hi uint32
		if n, _ := fmt.Sscanf(command, "UID SEARCH UID %d:%d", &lo, &hi); n > 0 {
			if n == 1 {
				hi = lo
			}
			searches++
			found := "* SEARCH"
			for _, u := range uids {
				if lo <= u && u <= hi {
					found += fmt.Sprintf(" %d", u)
				}
			}
			return reply(found + "\r\n" + ok)
		}
		if n, _ := fmt.Sscanf(command, "UID FETCH %d", &lo); n == 1 {
			return reply(fmt.Sprintf("* 1 FETCH (UID %d FLAGS () RFC822.SIZE 1)\r\n", lo) + ok)
		}
		return ""
	}))(t).(*Source)
	defer s.Close()
	f := oneInbox
	f.UIDNext = 4_294_967_295
	var got []uint32
	for batch, err := range s.List(t.Context(), f, 1) {
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range batch {
			got = append(got, uint32(m.UID))
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(uids) || searches > 64 {
		t.Errorf("%v after %d searches", got, searches)
	}
}

func TestStrangeMetadataIsTakenAsItIs(t *testing.T) {
	header := func(s string) string {
		return fmt.Sprintf("BODY[HEADER.FIELDS (\"Message-ID\")] {%d}\r\n%s", len(s), s)
	}
	id := strings.Repeat("x", 5000)
	for name, test := range map[string]struct {
		items string
		want  migrate.Message
	}{
		"no date":         {"FLAGS () RFC822.SIZE 7", migrate.Message{Size: 7}},
		"a date in 1899":  {`INTERNALDATE "31-Dec-1899 00:00:00 +0000" RFC822.SIZE 0`, migrate.Message{InternalDate: time.Date(1899, 12, 31, 0, 0, 0, 0, time.UTC)}},
		"no Message-ID":   {header("\r\n"), migrate.Message{}},
		"NIL Message-ID":  {"BODY[HEADER.FIELDS (MESSAGE-ID)] NIL", migrate.Message{}},
		"two, one folded": {header("MESSAGE-ID:\r\n  <a@b> \r\nMessage-ID: <second>\r\n\r\n"), migrate.Message{MessageID: "<a@b>"}},
		"no blank line":   {header("Message-ID: <a@b>"), migrate.Message{MessageID: "<a@b>"}},
		"a huge one":      {header("Message-ID: " + id + "\r\n\r\n"), migrate.Message{MessageID: id[:998]}},
		"flags":           {`FLAGS (\seen \Recent $Label1 Bücher)`, migrate.Message{Flags: []migrate.Flag{migrate.Seen, "$Label1", "Bücher"}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := opener(scripted(t, func(command string) reply {
				if strings.HasPrefix(command, "UID FETCH") {
					return reply("* 1 FETCH (UID 1 " + test.items + ")\r\n" + ok)
				}
				return ""
			}))(t).(*Source)
			defer s.Close()
			test.want.UID = 1
			n := 0
			for batch, err := range s.List(t.Context(), oneInbox, 1) {
				if err != nil {
					t.Fatal(err)
				}
				n += len(batch)
				m := batch[0]
				if !m.InternalDate.Equal(test.want.InternalDate) {
					t.Errorf("date %v", m.InternalDate)
				}
				m.InternalDate, test.want.InternalDate = time.Time{}, time.Time{}
				if fmt.Sprintf("%+v", m) != fmt.Sprintf("%+v", test.want) {
					t.Errorf("%+v, want %+v", m, test.want)
				}
			}
			if n != 1 {
				t.Errorf("%d messages", n)
			}
		})
	}
}

func TestAListThatBreaksOffEndsWithAnError(t *testing.T) {
	for name, answer := range map[string]reply{
		"in a header":       "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (MESSAGE-ID)] {90}\r\nMessage-ID" + hangUp,
		"after a message":   "* 1 FETCH (UID 1 FLAGS ())\r\n" + hangUp,
		"in an endless one": "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (MESSAGE-ID)] {9000000000}\r\nMessage-ID",
	} {
		t.Run(name, func(t *testing.T) {
			broken := true
			s := opener(scripted(t, func(command string) reply {
				if broken && strings.HasPrefix(command, "UID FETCH") {
					broken = false
					return answer
				}
				return ""
			}))(t).(*Source)
			defer s.Close()
			for want := range 2 {
				n := 0
				var failed error
				for batch, err := range s.List(t.Context(), oneInbox, 1) {
					n, failed = n+len(batch), err
				}
				if n != want || (failed == nil) != (want == 1) {
					t.Errorf("%d messages, %v", n, failed)
				}
				if failed != nil && class(t, failed) != migrate.Transient {
					t.Error(failed)
				}
			}
		})
	}
}

func TestAMessageOverWhichTheServerSaysNoIsListedWithLess(t *testing.T) {
	s := opener(scripted(t, func(command string) reply {
		if strings.HasPrefix(command, "UID FETCH") && strings.Contains(command, "HEADER.FIELDS") {
			return "TAG NO [SERVERBUG] cannot read it\r\n"
		}
		return ""
	}))(t).(*Source)
	defer s.Close()
	n := 0
	for batch, err := range s.List(t.Context(), oneInbox, 1) {
		if err != nil {
			t.Fatal(err)
		}
		n += len(batch)
	}
	if n != 1 {
		t.Errorf("%d messages", n)
	}
}

// Someone reads mail while it is listed: the server tells of the new flags
// before it answers.
func TestFlagsThatChangeWhileAFolderIsListedHideNothing(t *testing.T) {
	news := true
	s := opener(scripted(t, func(command string) reply {
		if !strings.Contains(command, "INTERNALDATE") {
			return ""
		}
		answer := reply(`* 1 FETCH (UID 1 FLAGS () INTERNALDATE "01-Feb-2009 08:15:00 +0000" RFC822.SIZE 7)`+"\r\n") + ok
		if news {
			news = false
			answer = `* 1 FETCH (UID 1 FLAGS (\Seen))` + "\r\n" + answer
		}
		return answer
	}))(t).(*Source)
	defer s.Close()
	n := 0
	for ms, err := range s.List(t.Context(), oneInbox, 1) {
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range ms {
			if n++; m.Size != 7 || m.InternalDate.Year() != 2009 {
				t.Errorf("%+v", m)
			}
		}
	}
	if n != 1 || news {
		t.Errorf("%d messages", n)
	}
}
