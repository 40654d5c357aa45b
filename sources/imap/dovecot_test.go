package imap

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

func TestSmoke(t *testing.T) {
	srv := sourcetest.Dovecot(t, sourcetest.Options{})
	for _, p := range [][]string{{"INBOX"}, {"a.b"}, {"Clients", "2019"}, {`q"x`}, {"trail "}, {"Ümläut", "日本 😀"}} {
		srv.Deliver("joe@example.org", p, []byte("Message-ID: <x@y>\nSubject: hi\n\nbody\n"), []migrate.Flag{migrate.Seen, "$Forwarded"}, time.Unix(1e9, 0))
		srv.Deliver("joe@example.org", p, []byte("Subject: hi\n\nbody\n"), nil, time.Unix(1e9, 0))
	}
	s, err := Open(t.Context(), Config{Host: srv.Host, Port: srv.TLSPort, CAFile: srv.CAFile, User: "joe@example.org",
		Secret: func(context.Context) (string, error) { return sourcetest.Password, nil }})
	if err != nil {
		t.Fatal(err, srv.Log())
	}
	defer s.Close()
	t.Log(s.Server())
	fs, err := s.Folders(t.Context())
	if err != nil {
		t.Fatal(err, srv.Log())
	}
	for _, f := range fs {
		t.Logf("%+q %+v", f.Path, f)
		if f.NoSelect {
			continue
		}
		for b, err := range s.List(t.Context(), f, 1) {
			if err != nil {
				t.Fatal(err, srv.Log())
			}
			for i := range b {
				t.Logf("%+v", b[i])
				err := s.Read(t.Context(), f, []*migrate.Message{&b[i]}, func(m *migrate.Message, r io.Reader) error {
					b, err := io.ReadAll(r)
					t.Logf("%q %v", b, err)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
