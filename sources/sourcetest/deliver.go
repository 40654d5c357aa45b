package sourcetest

import (
	"bytes"
	"cmp"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/mailhaul/mailhaul/migrate"
)

// Deliver puts a message into a folder as a delivery agent does, without IMAP:
// its lines end as msg has them, and Dovecot shows each as ended by CRLF. The
// folder is created at first. Messages get ascending UIDs in the order of
// delivery if Dovecot looks at the folder once they are all there.
func (s *Server) Deliver(user string, path []string, msg []byte, flags []migrate.Flag, date time.Time) {
	s.tb.Helper()
	dir := s.maildir(user, path)
	s.delivered++
	where, info := "new", ""
	if letters := s.letters(dir, flags); letters != "" {
		where, info = "cur", ":2,"+letters
	}
	// Dovecot numbers new messages in the order of the time in their names.
	name := filepath.Join(dir, where, fmt.Sprintf("%d.M%dP1.mailhaul%s", 1_000_000_000+s.delivered, s.delivered, info))
	check(s.tb, os.WriteFile(name, msg, 0o600))
	check(s.tb, os.Chtimes(name, date, date)) // INTERNALDATE
	s.own(name)
}

// Files returns the message files of a folder, in order of their names.
func (s *Server) Files(user string, path []string) []string {
	s.tb.Helper()
	var files []string
	for _, where := range []string{"new", "cur"} {
		dir := filepath.Join(s.maildir(user, path), where)
		entries, err := os.ReadDir(dir)
		check(s.tb, err)
		for _, e := range entries {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	slices.SortFunc(files, func(a, b string) int { return cmp.Compare(filepath.Base(a), filepath.Base(b)) })
	return files
}

// letters returns the flags as Maildir spells them. Keywords have a file, to
// which Dovecot adds as well.
func (s *Server) letters(dir string, flags []migrate.Flag) string {
	system := map[migrate.Flag]byte{migrate.Draft: 'D', migrate.Flagged: 'F', migrate.Answered: 'R', migrate.Seen: 'S', migrate.Deleted: 'T'}
	file := filepath.Join(dir, "dovecot-keywords")
	var letters []byte
	for _, f := range flags {
		if l, ok := system[f]; ok {
			letters = append(letters, l)
			continue
		}
		lines, _ := os.ReadFile(file)
		keywords := strings.Fields(string(lines)) // number, name, number, name
		i := slices.Index(keywords, string(f)) / 2
		if !slices.Contains(keywords, string(f)) {
			i = len(keywords) / 2
			check(s.tb, os.WriteFile(file, fmt.Appendf(lines, "%d %s\n", i, f), 0o600))
			s.own(file)
		}
		letters = append(letters, 'a'+byte(i))
	}
	slices.Sort(letters)
	return string(slices.Compact(letters))
}

func (s *Server) own(file string) {
	if os.Getuid() == 0 {
		check(s.tb, os.Chown(file, s.uid, s.gid))
	}
}

// maildir returns the directory of a folder, which is created if it is not
// there.
func (s *Server) maildir(user string, path []string) string {
	s.tb.Helper()
	key := user + "\x00" + strings.Join(path, "\x00")
	dir := s.maildirs[key]
	if dir == "" {
		dir = s.doveadm("mailbox", "path", "-u", user, s.Name(path))
		s.maildirs[key] = dir
	}
	if _, err := os.Stat(filepath.Join(dir, "cur")); err == nil {
		return dir
	}
	c := s.Dial(user) // makes the INBOX
	defer c.Close()
	if name := s.Name(path); name != "INBOX" {
		check(s.tb, c.Create(name, nil).Wait())
	}
	return dir
}

// Name returns what the server calls a folder.
func (s *Server) Name(path []string) string {
	if len(path) == 1 && path[0] == "INBOX" {
		return "INBOX"
	}
	return s.Options.Prefix + strings.Join(path, s.Options.Separator)
}

// Dial logs in as user, with a plain client that may change things.
func (s *Server) Dial(user string) *imapclient.Client {
	s.tb.Helper()
	return dial(s.tb, s.Host, s.Port, user)
}

func dial(tb testing.TB, host string, port int, user string) *imapclient.Client {
	tb.Helper()
	c, err := imapclient.DialInsecure(net.JoinHostPort(host, strconv.Itoa(port)), nil)
	check(tb, err)
	check(tb, c.Login(user, Password).Wait())
	_, err = c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait() // Dovecot makes it then
	check(tb, err)
	return c
}

// Mailbox returns the mailbox of user for [Test].
func (s *Server) Mailbox(user string, open func(testing.TB) migrate.Source) Mailbox {
	return Mailbox{
		Open:      open,
		Dial:      func(testing.TB) *imapclient.Client { return s.Dial(user) },
		Name:      s.Name,
		Separator: s.Options.Separator,
		Restart:   func(testing.TB) { s.Restart() },
	}
}

// AsDovecotShows returns what IMAP shows of a message that was delivered as
// msg: every line ends in CRLF, and octet 0, which IMAP cannot carry, is 0x80.
func AsDovecotShows(msg []byte) []byte {
	msg = bytes.ReplaceAll(msg, []byte("\r\n"), []byte("\n"))
	msg = bytes.ReplaceAll(msg, []byte("\n"), []byte("\r\n"))
	return bytes.ReplaceAll(msg, []byte{0}, []byte{0x80})
}
