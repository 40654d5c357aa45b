package imap

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

func TestEveryMessageOfTheCorpusArrivesAsItWasDelivered(t *testing.T) {
	shared := os.Getenv("MAILHAUL_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	index, err := os.ReadFile(filepath.Join(shared, "corpus", "INDEX.tsv"))
	if err != nil {
		sourcetest.Missing(t, "shared", "no corpus: "+err.Error())
	}
	srv := sourcetest.Dovecot(t, sourcetest.Options{})
	folder := []string{"Corpus"}
	var want [][]byte
	for _, row := range strings.Split(strings.TrimSpace(string(index)), "\n")[1:] {
		name, _, _ := strings.Cut(row, "\t")
		if !fs.ValidPath(name) {
			t.Fatalf("path %q in the index", name)
		}
		msg, err := os.ReadFile(filepath.Join(shared, "corpus", name))
		if err != nil {
			t.Fatal(err)
		}
		srv.Deliver("joe", folder, msg, nil, time.Unix(1e9, 0))
		want = append(want, sourcetest.AsDovecotShows(msg))
	}
	s := opener(dovecotConfig(srv, "joe"))(t).(*Source)
	defer s.Close()
	folders, err := s.Folders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range folders {
		if f.String() != "Corpus" {
			continue
		}
		for batch, err := range s.List(t.Context(), f, 1) {
			if err != nil {
				t.Fatal(err)
			}
			for i := range batch {
				err := s.Read(t.Context(), f, []*migrate.Message{&batch[i]}, func(m *migrate.Message, r io.Reader) error {
					got, err := io.ReadAll(r)
					if !bytes.Equal(got, want[m.UID-1]) {
						t.Errorf("message %d of the index: got %d octets, want %d", m.UID, len(got), len(want[m.UID-1]))
					}
					if m.Size != int64(len(got)) {
						t.Errorf("message %d of the index: announced %d octets, sent %d", m.UID, m.Size, len(got))
					}
					n++
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if n != len(want) || n == 0 {
		t.Errorf("read %d of %d messages", n, len(want))
	}
}
