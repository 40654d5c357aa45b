package imap

import (
	"fmt"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

// restored is a Dovecot mailbox with messages 1 to 3, a source that reads it,
// and a count of changes from which it went back by means of spoil.
func restored(t *testing.T, spoil func(*sourcetest.Server, *sourcetest.Backup)) (s *Source, was, is migrate.Folder) {
	t.Helper()
	srv := sourcetest.Dovecot(t, sourcetest.Options{})
	inbox := []string{"INBOX"}
	for i := range 3 {
		srv.Deliver("joe", inbox, fmt.Appendf(nil, "Subject: %d\n\n", i), nil, time.Unix(1e9, 0))
	}
	s = opener(dovecotConfig(srv, "joe"))(t).(*Source)
	t.Cleanup(func() { s.Close() })
	folder := func() migrate.Folder {
		t.Helper()
		fs, err := s.Folders(t.Context())
		if err != nil { // the server was restarted
			fs, err = s.Folders(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		return fs[0]
	}
	folder()
	b := srv.Backup("joe", nil)
	for range 5 {
		srv.AddFlags("joe", inbox, []migrate.Flag{migrate.Seen}, 1)
		srv.RemoveFlags("joe", inbox, []migrate.Flag{migrate.Seen}, 1)
	}
	was = folder()
	spoil(srv, b)
	srv.AddFlags("joe", inbox, []migrate.Flag{migrate.Flagged}, 2)
	return s, was, folder()
}

func TestChangesAreToldThoughDovecotCountsThemAnew(t *testing.T) {
	for name, spoil := range map[string]func(*sourcetest.Server, *sourcetest.Backup){
		"indexes deleted": func(srv *sourcetest.Server, _ *sourcetest.Backup) { srv.ForgetIndexes("joe", []string{"INBOX"}) },
		"restored":        func(_ *sourcetest.Server, b *sourcetest.Backup) { b.Restore() },
	} {
		t.Run(name, func(t *testing.T) {
			s, was, is := restored(t, spoil)
			if is.ModSeq >= was.ModSeq || is.UIDValidity != was.UIDValidity {
				t.Fatalf("it was %+v, is %+v", was, is)
			}
			if got := fmt.Sprint(changes(t, s, is, is.UIDNext, was.ModSeq)); got != fmt.Sprint([]migrate.Message{{UID: 1}, {UID: 2, Flags: []migrate.Flag{migrate.Flagged}}, {UID: 3}}) {
				t.Error(got)
			}
		})
	}
}

func TestAFolderThatDovecotInvalidatesIsGone(t *testing.T) {
	s, was, is := restored(t, func(srv *sourcetest.Server, _ *sourcetest.Backup) { srv.Invalidate("joe", []string{"INBOX"}) })
	if is.UIDValidity == was.UIDValidity {
		t.Fatalf("it was %+v, is %+v", was, is)
	}
	for _, err := range s.UIDs(t.Context(), was, was.UIDNext) {
		if err == nil {
			t.Error("UIDs of another folder")
		}
	}
	for _, err := range s.Flags(t.Context(), was, was.UIDNext, 0) {
		if err == nil {
			t.Error("flags of another folder")
		}
	}
	if got := fmt.Sprint(runs(t, s, is, is.UIDNext)); got != "[{1 3}]" {
		t.Error(got)
	}
}
