package sourcetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/mailhaul/mailhaul/migrate"
)

// What a user does to a mailbox, through a mail program of the test's.

// Append stores a message in a folder that is there, and returns its UID.
func (s *Server) Append(user string, path []string, l Letter) migrate.UID {
	s.tb.Helper()
	c := s.Dial(user)
	defer c.Close()
	return store(s.tb, c, s.Name(path), l)
}

// Move moves messages to another folder that is there.
func (s *Server) Move(user string, from, to []string, uids ...migrate.UID) {
	s.tb.Helper()
	c := s.Dial(user)
	defer c.Close()
	_, err := c.Select(s.Name(from), nil).Wait()
	check(s.tb, err)
	_, err = c.Move(set(uids), s.Name(to)).Wait()
	check(s.tb, err)
}

// Expunge removes messages for good.
func (s *Server) Expunge(user string, path []string, uids ...migrate.UID) {
	s.tb.Helper()
	c := s.Dial(user)
	defer c.Close()
	expunge(s.tb, c, s.Name(path), uids)
}

// AddFlags sets flags of messages.
func (s *Server) AddFlags(user string, path []string, flags []migrate.Flag, uids ...migrate.UID) {
	s.tb.Helper()
	c := s.Dial(user)
	defer c.Close()
	flag(s.tb, c, s.Name(path), imap.StoreFlagsAdd, flags, uids)
}

// RemoveFlags clears flags of messages.
func (s *Server) RemoveFlags(user string, path []string, flags []migrate.Flag, uids ...migrate.UID) {
	s.tb.Helper()
	c := s.Dial(user)
	defer c.Close()
	flag(s.tb, c, s.Name(path), imap.StoreFlagsDel, flags, uids)
}

// UIDs returns the UIDs of the messages in a folder.
func (s *Server) UIDs(user string, path []string) (uids []migrate.UID) {
	s.tb.Helper()
	c := s.Dial(user)
	defer c.Close()
	_, err := c.Select(s.Name(path), &imap.SelectOptions{ReadOnly: true}).Wait()
	check(s.tb, err)
	data, err := c.UIDSearch(&imap.SearchCriteria{}, nil).Wait()
	check(s.tb, err)
	for _, u := range data.AllUIDs() {
		uids = append(uids, migrate.UID(u))
	}
	return uids
}

// Create makes a folder.
func (s *Server) Create(user string, path []string) {
	s.tb.Helper()
	c := s.Dial(user)
	defer c.Close()
	check(s.tb, c.Create(s.Name(path), nil).Wait())
}

// Rename gives a folder, with what is in it, another path.
func (s *Server) Rename(user string, from, to []string) {
	s.tb.Helper()
	c := s.Dial(user)
	defer c.Close()
	check(s.tb, c.Rename(s.Name(from), s.Name(to), nil).Wait())
}

// Delete deletes a folder with its messages. Folders in it stay.
func (s *Server) Delete(user string, path []string) {
	s.tb.Helper()
	c := s.Dial(user)
	defer c.Close()
	check(s.tb, c.Delete(s.Name(path)).Wait())
}

// What an administrator does.

// Invalidate gives a folder a new UIDVALIDITY, one more than it had.
// Connections that have it open are lost.
func (s *Server) Invalidate(user string, path []string) {
	s.tb.Helper()
	c := s.Dial(user)
	data, err := c.Status(s.Name(path), &imap.StatusOptions{UIDValidity: true}).Wait()
	c.Close()
	check(s.tb, err)
	s.doveadm("mailbox", "update", "-u", user, "--uid-validity", strconv.Itoa(int(data.UIDValidity)+1), s.Name(path))
}

// A Backup is a copy of the files of a mailbox or of a folder.
type Backup struct {
	server *Server
	dir    string // where they belong
	copy   string // where they are
	mine   func(name string) bool
}

// Backup copies the files of a folder, or of the whole mailbox if path is nil,
// with what Dovecot keeps of them: UIDVALIDITY, UIDNEXT and HIGHESTMODSEQ.
func (s *Server) Backup(user string, path []string) *Backup {
	s.tb.Helper()
	b := &Backup{server: s, copy: s.tb.TempDir(), mine: func(string) bool { return true }}
	if path == nil {
		b.dir = s.maildir(user, []string{"INBOX"})
	} else {
		b.dir = s.maildir(user, path)
		b.mine = func(name string) bool { // the INBOX has the others in it, and files on all
			return !strings.HasPrefix(name, ".") && !strings.HasPrefix(name, "dovecot.list.") &&
				!strings.HasPrefix(name, "dovecot-uidvalidity") && name != "subscriptions"
		}
	}
	b.transfer(b.dir, b.copy)
	return b
}

// Restore puts the files back, and what came since then is lost: UIDs are given
// again that had been given before. The server is restarted.
func (b *Backup) Restore() {
	b.server.tb.Helper()
	b.server.Kill()
	if _, err := os.Stat(b.dir); err != nil {
		check(b.server.tb, os.Mkdir(b.dir, 0o700))
		b.server.own(b.dir)
	}
	for _, name := range b.files(b.dir) {
		check(b.server.tb, os.RemoveAll(name))
	}
	b.transfer(b.copy, b.dir)
	b.server.Start()
}

func (b *Backup) transfer(from, to string) {
	b.server.tb.Helper()
	if files := b.files(from); len(files) > 0 {
		run(b.server.tb, "cp", append(append([]string{"-a"}, files...), to)...)
	}
}

func (b *Backup) files(dir string) (files []string) {
	b.server.tb.Helper()
	entries, err := os.ReadDir(dir)
	check(b.server.tb, err)
	for _, e := range entries {
		if b.mine(e.Name()) {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files
}

// ForgetIndexes deletes Dovecot's indexes of a folder, as administrators do
// where they are damaged: UIDs stay, and HIGHESTMODSEQ begins anew. The server
// is restarted.
func (s *Server) ForgetIndexes(user string, path []string) {
	s.tb.Helper()
	dir := s.maildir(user, path)
	s.Kill()
	entries, err := os.ReadDir(dir)
	check(s.tb, err)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "dovecot.index") {
			check(s.tb, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	s.Start()
}

// doveadm runs Dovecot's tool for administrators.
func (s *Server) doveadm(args ...string) string {
	s.tb.Helper()
	return run(s.tb, "doveadm", append([]string{"-c", s.path("dovecot.conf")}, args...)...)
}

func run(tb testing.TB, name string, args ...string) string {
	tb.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		tb.Fatalf("%s %q: %v: %s", name, args, err, out)
	}
	return strings.TrimSuffix(string(out), "\n")
}
