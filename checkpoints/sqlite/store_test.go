package sqlite

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/mailhaul/mailhaul/checkpoints/checkpointtest"
	"github.com/mailhaul/mailhaul/migrate"
)

// open opens the file at path for a run until the test ends.
func open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestTheStoreConforms(t *testing.T) {
	checkpointtest.Test(t, func(t *testing.T) (checkpointtest.Checkpoints, func() checkpointtest.Checkpoints) {
		path := filepath.Join(t.TempDir(), "mailhaul.db")
		s := open(t, path)
		return s, func() checkpointtest.Checkpoints {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, path)
			return s
		}
	})
}

// inbox returns the memory of a mailbox and the id of a folder of it.
func inbox(t testing.TB, s *Store) (migrate.Ledger, int64) {
	t.Helper()
	l, err := s.Mailbox(context.Background(), "a@old.example", "a@new.example")
	if err != nil {
		t.Fatal(err)
	}
	f := migrate.FolderState{Folder: migrate.Folder{Path: []string{"INBOX"}, UIDValidity: 1}}
	if err := l.SaveFolder(context.Background(), &f); err != nil {
		t.Fatal(err)
	}
	return l, f.ID
}
