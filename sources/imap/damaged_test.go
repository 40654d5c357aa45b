package imap

import (
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

// Dovecot 2.3 hangs up over a file that it cannot read, whatever else was
// asked for.
func TestAMessageThatDovecotCannotReadIsListedAndFailsAlone(t *testing.T) {
	srv := sourcetest.Dovecot(t, sourcetest.Options{})
	inbox := []string{"INBOX"}
	for i := range 5 {
		srv.Deliver("joe", inbox, fmt.Appendf(nil, "Subject: %d\n\nbody\n", i), nil, time.Unix(1e9, 0))
	}
	if err := os.Chmod(srv.Files("joe", inbox)[2], 0); err != nil {
		t.Fatal(err)
	}
	s := opener(dovecotConfig(srv, "joe"))(t).(*Source)
	defer s.Close()
	folders, err := s.Folders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var ms []migrate.Message
	next := migrate.UID(1)
	for attempt := 0; len(ms) < 5 && attempt < 2; attempt++ {
		for batch, err := range s.List(t.Context(), folders[0], next) {
			if err != nil {
				t.Log(err)
				if class(t, err) != migrate.Transient {
					t.Error("not transient")
				}
				break
			}
			ms = append(ms, batch...)
			next = batch[len(batch)-1].UID + 1
		}
	}
	if len(ms) != 5 {
		t.Fatalf("%d of 5 messages after two attempts", len(ms))
	}
	for i := range ms {
		m := &ms[i]
		if !m.InternalDate.Equal(time.Unix(1e9, 0)) {
			t.Errorf("UID %d has date %v", m.UID, m.InternalDate)
		}
		err := s.Read(t.Context(), folders[0], []*migrate.Message{m}, func(_ *migrate.Message, r io.Reader) error {
			_, err := io.Copy(io.Discard, r)
			return err
		})
		if (err != nil) != (m.UID == 3) {
			t.Errorf("UID %d: %v", m.UID, err)
		}
	}
}
