package sourcetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/mailhaul/mailhaul/migrate"
)

// subjects describes the messages of a folder.
func subjects(t *testing.T, s *Server, user string, path ...string) (told []string) {
	t.Helper()
	c := s.Dial(user)
	defer c.Close()
	data, err := c.Select(s.Name(path), &imap.SelectOptions{ReadOnly: true}).Wait()
	check(t, err)
	if data.NumMessages == 0 {
		return nil
	}
	ms, err := c.Fetch(imap.SeqSet{{Start: 1, Stop: data.NumMessages}}, &imap.FetchOptions{UID: true, Flags: true, Envelope: true}).Collect()
	check(t, err)
	for _, m := range ms {
		flags := slices.DeleteFunc(m.Flags, func(f imap.Flag) bool { return f == `\Recent` })
		slices.Sort(flags)
		told = append(told, fmt.Sprintf("%d %s %s", m.UID, m.Envelope.Subject, flags))
	}
	return told
}

func status(t *testing.T, s *Server, user string, path ...string) *imap.StatusData {
	t.Helper()
	c := s.Dial(user)
	defer c.Close()
	data, err := c.Status(s.Name(path), &imap.StatusOptions{UIDValidity: true, UIDNext: true, HighestModSeq: true}).Wait()
	check(t, err)
	return data
}

func letter(subject string, flags ...migrate.Flag) Letter {
	return Letter{Content: "Subject: " + subject + "\r\n\r\nbody\r\n", Flags: flags, Date: time.Unix(1e9, 0)}
}

func TestAUserDoesWithMailWhatUsersDo(t *testing.T) {
	for name, options := range map[string]Options{"slash": {}, "dot": {Separator: ".", Prefix: "INBOX."}} {
		t.Run(name, func(t *testing.T) {
			s := Dovecot(t, options)
			inbox, work := []string{"INBOX"}, []string{"Büro & so", "2019"}
			expect := func(path []string, want ...string) {
				t.Helper()
				if got := subjects(t, s, "joe", path...); !slices.Equal(got, want) {
					t.Errorf("%q: %q, want %q", path, got, want)
				}
			}
			if a, b := s.Append("joe", inbox, letter("a", migrate.Seen)), s.Append("joe", inbox, letter("b")); a != 1 || b != 2 {
				t.Errorf("appended as %d and %d", a, b)
			}
			s.Deliver("joe", inbox, []byte("Subject: c\n\n"), []migrate.Flag{"$Work"}, time.Unix(1e9, 0))
			s.AddFlags("joe", inbox, []migrate.Flag{migrate.Flagged, "$Home"}, 1, 2)
			s.RemoveFlags("joe", inbox, []migrate.Flag{migrate.Flagged}, 2)
			s.Deliver("joe", inbox, []byte("Subject: d\n\n"), []migrate.Flag{"$Home", "$Work"}, time.Unix(1e9, 0))
			expect(inbox, `1 a [$Home \Flagged \Seen]`, `2 b [$Home]`, `3 c [$Work]`, `4 d [$Home $Work]`)

			s.Create("joe", work)
			s.Move("joe", inbox, work, 2, 3)
			s.Expunge("joe", inbox, 1)
			expect(inbox, `4 d [$Home $Work]`)
			expect(work, `1 b [$Home]`, `2 c [$Work]`)
			if got := s.UIDs("joe", work); !slices.Equal(got, []migrate.UID{1, 2}) {
				t.Errorf("UIDs %v", got)
			}

			later := []string{"Archiv", "alt"}
			s.Rename("joe", work, later)
			s.Deliver("joe", later, []byte("Subject: e\n\n"), nil, time.Unix(1e9, 0))
			expect(later, `1 b [$Home]`, `2 c [$Work]`, `3 e []`)
			s.Delete("joe", later)
			s.Deliver("joe", later, []byte("Subject: f\n\n"), []migrate.Flag{"$New"}, time.Unix(1e9, 0))
			expect(later, `1 f [$New]`)
		})
	}
}

func TestAnInvalidatedFolderHasItsMailUnderAnotherUIDVALIDITY(t *testing.T) {
	s := Dovecot(t, Options{})
	for _, path := range [][]string{{"INBOX"}, {"Ü", "a.b"}} {
		s.Deliver("joe", path, []byte("Subject: a\n\n"), nil, time.Unix(1e9, 0))
		for range 2 {
			before := status(t, s, "joe", path...)
			s.Invalidate("joe", path)
			if after := status(t, s, "joe", path...); after.UIDValidity <= before.UIDValidity {
				t.Errorf("%q: UIDVALIDITY was %d, is %d", path, before.UIDValidity, after.UIDValidity)
			}
			if got := subjects(t, s, "joe", path...); !slices.Equal(got, []string{"1 a []"}) {
				t.Errorf("%q: %q", path, got)
			}
		}
	}
}

func TestARestoredMailboxGivesUIDsAgain(t *testing.T) {
	inbox, other := []string{"INBOX"}, []string{"Other"}
	for name, test := range map[string]struct {
		path     []string // what is restored; nil for all
		restored [][]string
		kept     [][]string
	}{
		"all of it":  {nil, [][]string{inbox, other}, nil},
		"one folder": {other, [][]string{other}, [][]string{inbox}},
		"the inbox":  {inbox, [][]string{inbox}, [][]string{other}},
	} {
		t.Run(name, func(t *testing.T) {
			s := Dovecot(t, Options{})
			for _, path := range [][]string{inbox, other} {
				s.Deliver("joe", path, []byte("Subject: a\n\n"), nil, time.Unix(1e9, 0))
				s.UIDs("joe", path)
			}
			b := s.Backup("joe", test.path)
			before := status(t, s, "joe", test.restored[0]...)
			for round := range 2 {
				for _, path := range [][]string{inbox, other} {
					s.Append("joe", path, letter("later"))
					s.AddFlags("joe", path, []migrate.Flag{migrate.Seen}, 1)
				}
				if round == 1 && test.kept == nil {
					s.Delete("joe", other)
				}
				b.Restore()
				for _, path := range test.restored {
					if got := subjects(t, s, "joe", path...); !slices.Equal(got, []string{"1 a []"}) {
						t.Errorf("%q has %q", path, got)
					}
				}
				for _, path := range test.kept {
					if got := subjects(t, s, "joe", path...); len(got) != 2+round || got[0] != `1 a [\Seen]` {
						t.Errorf("%q has %q", path, got)
					}
				}
				after := status(t, s, "joe", test.restored[0]...)
				if after.UIDValidity != before.UIDValidity || after.UIDNext != 2 || after.HighestModSeq != before.HighestModSeq {
					t.Errorf("it was %+v, is %+v", before, after)
				}
				if got := s.Append("joe", test.restored[0], letter("new")); got != 2 {
					t.Errorf("the next message is UID %d", got)
				}
			}
		})
	}
}

func TestIndexesThatAreForgottenCountChangesAnew(t *testing.T) {
	s := Dovecot(t, Options{})
	inbox := []string{"INBOX"}
	for i := range 3 {
		s.Append("joe", inbox, letter(fmt.Sprint(i)))
		s.AddFlags("joe", inbox, []migrate.Flag{migrate.Seen}, migrate.UID(i+1))
	}
	before, mail := status(t, s, "joe", "INBOX"), subjects(t, s, "joe", "INBOX")
	s.ForgetIndexes("joe", inbox)
	after := status(t, s, "joe", "INBOX")
	if after.HighestModSeq >= before.HighestModSeq || after.UIDNext != before.UIDNext || after.UIDValidity != before.UIDValidity {
		t.Errorf("it was %+v, is %+v", before, after)
	}
	if got := subjects(t, s, "joe", "INBOX"); !slices.Equal(got, mail) {
		t.Errorf("%q, want %q", got, mail)
	}
}
