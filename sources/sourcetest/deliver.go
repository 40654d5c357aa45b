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

// maildir is the directory of one folder.
type maildir struct {
	dir       string
	delivered int
	keywords  []migrate.Flag
}

// Deliver puts a message into a folder as a delivery agent does, without IMAP:
// its lines end as msg has them, and Dovecot shows each as ended by CRLF. The
// folder is created at first. Messages get ascending UIDs in the order of
// delivery if Dovecot looks at the folder once they are all there.
func (s *Server) Deliver(user string, path []string, msg []byte, flags []migrate.Flag, date time.Time) {
	s.tb.Helper()
	m := s.maildir(user, path)
	m.delivered++
	where, info := "new", ""
	if letters := m.letters(s, flags); letters != "" {
		where, info = "cur", ":2,"+letters
	}
	// Dovecot numbers new messages in the order of the time in their names.
	name := filepath.Join(m.dir, where, fmt.Sprintf("%d.M%dP1.mailhaul%s", 1_000_000_000+m.delivered, m.delivered, info))
	check(s.tb, os.WriteFile(name, msg, 0o600))
	check(s.tb, os.Chtimes(name, date, date)) // INTERNALDATE
	s.own(name)
}

// Files returns the message files of a folder, in order of their names.
func (s *Server) Files(user string, path []string) []string {
	s.tb.Helper()
	files, err := filepath.Glob(filepath.Join(s.maildir(user, path).dir, "[cn][ue][rw]", "*"))
	check(s.tb, err)
	slices.SortFunc(files, func(a, b string) int { return cmp.Compare(filepath.Base(a), filepath.Base(b)) })
	return files
}

// letters returns the flags as Maildir spells them. Keywords have a file.
func (m *maildir) letters(s *Server, flags []migrate.Flag) string {
	system := map[migrate.Flag]byte{migrate.Draft: 'D', migrate.Flagged: 'F', migrate.Answered: 'R', migrate.Seen: 'S', migrate.Deleted: 'T'}
	var letters []byte
	for _, f := range flags {
		if l, ok := system[f]; ok {
			letters = append(letters, l)
			continue
		}
		i := slices.Index(m.keywords, f)
		if i < 0 {
			i = len(m.keywords)
			m.keywords = append(m.keywords, f)
			var lines strings.Builder
			for n, k := range m.keywords {
				fmt.Fprintf(&lines, "%d %s\n", n, k)
			}
			file := filepath.Join(m.dir, "dovecot-keywords")
			check(s.tb, os.WriteFile(file, []byte(lines.String()), 0o600))
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

// maildir returns the directory of a folder. How Dovecot names it on disk is
// seen when IMAP creates it.
func (s *Server) maildir(user string, path []string) *maildir {
	s.tb.Helper()
	key := user + "\x00" + strings.Join(path, "\x00")
	if m := s.maildirs[key]; m != nil {
		return m
	}
	root := s.path("home/" + user + "/Maildir")
	c := s.Dial(user)
	defer c.Close()
	m := &maildir{dir: root}
	if len(path) > 1 || path[0] != "INBOX" {
		before, err := os.ReadDir(root)
		check(s.tb, err)
		check(s.tb, c.Create(s.Name(path), nil).Wait())
		after, err := os.ReadDir(root)
		check(s.tb, err)
		after = slices.DeleteFunc(after, func(e os.DirEntry) bool {
			return !strings.HasPrefix(e.Name(), ".") ||
				slices.ContainsFunc(before, func(b os.DirEntry) bool { return b.Name() == e.Name() })
		})
		if len(after) != 1 {
			s.tb.Fatalf("creating %q made %d directories", path, len(after))
		}
		m.dir = filepath.Join(root, after[0].Name())
	}
	s.maildirs[key] = m
	return m
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
