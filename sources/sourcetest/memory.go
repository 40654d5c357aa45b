package sourcetest

import (
	"io"
	"log"
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"github.com/mailhaul/mailhaul/migrate"
)

// Memory is go-imap's in-memory server on loopback, without TLS.
type Memory struct {
	Host string
	Port int

	caps   imap.CapSet
	mail   *imapmemserver.Server
	server *imapserver.Server
}

// NewMemory starts a server that announces caps, and stops it when the test
// ends.
func NewMemory(tb testing.TB, caps ...imap.Cap) *Memory {
	tb.Helper()
	m := &Memory{Host: "127.0.0.1", Port: freePort(tb), caps: imap.CapSet{}, mail: imapmemserver.New()}
	for _, c := range caps {
		m.caps[c] = struct{}{}
	}
	m.start(tb)
	tb.Cleanup(func() { m.server.Close() })
	return m
}

func (m *Memory) start(tb testing.TB) {
	tb.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.ParseIP(m.Host), Port: m.Port})
	check(tb, err)
	m.server = imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return m.mail.NewSession(), nil, nil
		},
		Caps:         m.caps,
		InsecureAuth: true,
		Logger:       log.New(io.Discard, "", 0),
	})
	go m.server.Serve(l)
}

// Mailbox returns a new, empty mailbox of user.
func (m *Memory) Mailbox(tb testing.TB, user string, open func(testing.TB) migrate.Source) Mailbox {
	tb.Helper()
	u := imapmemserver.NewUser(user, Password)
	check(tb, u.Create("INBOX", nil))
	m.mail.AddUser(u)
	return Mailbox{
		Open: open,
		Dial: func(tb testing.TB) *imapclient.Client {
			tb.Helper()
			return dial(tb, m.Host, m.Port, user)
		},
		Name:      func(path []string) string { return strings.Join(path, "/") },
		Separator: "/",
		Restart: func(tb testing.TB) {
			tb.Helper()
			m.server.Close()
			m.start(tb)
		},
	}
}
