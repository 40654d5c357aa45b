package sqlite

import (
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
	checkpointtest.Test(t, func(t *testing.T) (migrate.Checkpoints, func() migrate.Checkpoints) {
		path := filepath.Join(t.TempDir(), "mailhaul.db")
		s := open(t, path)
		return s, func() migrate.Checkpoints {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, path)
			return s
		}
	})
}
