//go:build !race

// The race detector has nothing to find in this test and makes it take minutes.

package sqlite

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

func TestAMessageTakesAtMost200OctetsOnDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("records 200,000 messages")
	}
	for name, id := range map[string]func(mailbox, folder, n int) migrate.MessageID{"gmail": gmailID, "graph": graphID} {
		t.Run(name, func(t *testing.T) {
			const messages = 100_000
			path := filepath.Join(t.TempDir(), "mailhaul.db")
			s := open(t, path)
			fill(t, s, messages, id)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(path + "-wal"); err == nil {
				t.Error("the log is still there after Close")
			}
			each := float64(info.Size()) / messages
			t.Logf("%.1f octets a message, ids like %s", each, id(0, 0, 0))
			if each > 200 {
				t.Errorf("a message takes %.1f octets, want at most 200", each)
			}
		})
	}
}
