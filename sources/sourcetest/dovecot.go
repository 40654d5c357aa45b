package sourcetest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template"
	"time"
)

// Options says how a Dovecot is set up. The zero value is a Maildir server
// with separator "/" and no prefix.
type Options struct {
	Separator    string // between the parts of folder names: "/" (also "") or "."
	Prefix       string // before the names of all folders but INBOX, e.g. "INBOX."
	MasterUser   string // may log in as "user*master" with Password
	MailLocation string // Dovecot's mail_location; "" means Maildir, the only one that Deliver knows
	Config       string // more lines for dovecot.conf
}

// Password is every user's. Any user name is one of a mailbox.
const Password = "open-sesame"

// Server is a Dovecot on loopback that belongs to one test.
type Server struct {
	Host    string // 127.0.0.1
	Port    int    // without TLS, and with STARTTLS
	TLSPort int    // with implicit TLS
	CAFile  string // signed the certificate, which is for localhost and 127.0.0.1
	Options Options

	tb        testing.TB
	dir       string
	program   string
	uid, gid  int // who owns the mail
	process   *exec.Cmd
	output    *bytes.Buffer
	exited    chan struct{}
	maildirs  map[string]string // the directories of folders
	delivered int               // by Deliver
}

// Quota is the Config of a server that limits each mailbox: "storage=20K".
func Quota(rule string) string {
	return `
mail_plugins = $mail_plugins quota
protocol imap {
  mail_plugins = $mail_plugins quota imap_quota
}
plugin {
  quota = maildir:User quota
  quota_rule = *:` + rule + `
}
`
}

// Dovecot starts a real Dovecot 2.3 and stops it when the test ends. Without
// an installed Dovecot the test is skipped, or fails if MAILHAUL_REQUIRE names
// dovecot. It runs as root or as an ordinary user.
func Dovecot(tb testing.TB, options Options) *Server {
	tb.Helper()
	program, err := exec.LookPath("dovecot")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/dovecot")
	}
	if err != nil {
		Missing(tb, "dovecot", "dovecot is not installed")
	}
	// Not TempDir: its path is too long for sockets, and closed to the users
	// that Dovecot runs its processes as.
	dir, err := os.MkdirTemp("", "dovecot-")
	check(tb, err)
	tb.Cleanup(func() { os.RemoveAll(dir) })
	check(tb, os.Chmod(dir, 0o755))

	if options.Separator == "" {
		options.Separator = "/"
	}
	if options.MailLocation == "" {
		options.MailLocation = "maildir:~/Maildir"
	}
	s := &Server{
		Host: "127.0.0.1", Port: freePort(tb), TLSPort: freePort(tb), Options: options,
		tb: tb, dir: dir, program: program, uid: os.Getuid(), gid: os.Getgid(), maildirs: map[string]string{},
	}
	s.configure()
	s.Start()
	tb.Cleanup(s.Kill)
	return s
}

// Missing skips a test for want of what, or fails it if the comma-separated
// list in MAILHAUL_REQUIRE says that what must be there.
func Missing(tb testing.TB, what, reason string) {
	tb.Helper()
	if slices.Contains(strings.Split(os.Getenv("MAILHAUL_REQUIRE"), ","), what) {
		tb.Fatal(reason)
	}
	tb.Skip(reason)
}

// freePort returns a port that was free a moment ago.
func freePort(tb testing.TB) int {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(tb, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Addr is where the server listens without TLS.
func (s *Server) Addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// configure writes what Dovecot reads when it starts.
func (s *Server) configure() {
	s.tb.Helper()
	ca := NewAuthority(s.tb)
	s.CAFile = ca.CAFile
	writePEM(s.tb, ca.Issue(s.tb, time.Now().Add(24*time.Hour)), s.path("cert.pem"), s.path("key.pem"))
	check(s.tb, os.WriteFile(s.path("masters"), []byte(s.Options.MasterUser+":{PLAIN}"+Password+"\n"), 0o644))
	check(s.tb, os.Mkdir(s.path("home"), 0o700))

	me, err := user.Current()
	check(s.tb, err)
	primary, err := user.LookupGroupId(me.Gid)
	check(s.tb, err)
	internal, login := me.Username, me.Username
	if s.uid == 0 { // Dovecot serves no mail as root
		nobody, err := user.Lookup("nobody")
		check(s.tb, err)
		s.uid, _ = strconv.Atoi(nobody.Uid)
		s.gid, _ = strconv.Atoi(nobody.Gid)
		internal, login = "dovecot", "dovenull"
		primary, err = user.LookupGroup("dovecot")
		check(s.tb, err)
		check(s.tb, os.Chown(s.path("home"), s.uid, s.gid))
	}
	var conf bytes.Buffer
	check(s.tb, template.Must(template.New("").Parse(configuration)).Execute(&conf, map[string]any{
		"S": s, "Dir": s.dir, "UID": s.uid, "GID": s.gid,
		"Internal": internal, "Login": login, "Group": primary.Name, "Password": Password,
	}))
	check(s.tb, os.WriteFile(s.path("dovecot.conf"), conf.Bytes(), 0o644))
}

func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

// configuration lets folder names hold what separates them on disk
// (listescape), and keeps no promise about a power failure (mail_fsync).
const configuration = `
base_dir = {{.Dir}}/run
state_dir = {{.Dir}}/state
log_path = {{.Dir}}/log
protocols = imap
listen = {{.S.Host}}
default_internal_user = {{.Internal}}
default_internal_group = {{.Group}}
default_login_user = {{.Login}}
first_valid_uid = 1
default_process_limit = 100
default_vsz_limit = 0
mail_max_userip_connections = 100
auth_failure_delay = 0
auth_cache_size = 0
shutdown_clients = yes

ssl = yes
ssl_cert = <{{.Dir}}/cert.pem
ssl_key = <{{.Dir}}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_chars =

passdb {
  driver = passwd-file
  args = {{.Dir}}/masters
  master = yes
  result_success = continue
}
auth_master_user_separator = *
passdb {
  driver = static
  args = password={{.Password}}
}
userdb {
  driver = static
  args = uid={{.UID}} gid={{.GID}} home={{.Dir}}/home/%u
}

mail_location = {{.S.Options.MailLocation}}
mail_fsync = never
maildir_very_dirty_syncs = no
mail_plugins = listescape
namespace inbox {
  inbox = yes
  separator = {{.S.Options.Separator}}
  prefix = {{.S.Options.Prefix}}
  mailbox Sent {
    special_use = \Sent
  }
  mailbox Drafts {
    special_use = \Drafts
  }
  mailbox Spam {
    special_use = \Junk
  }
  mailbox Trash {
    special_use = \Trash
  }
}

service anvil {
  chroot =
}
service imap-login {
  chroot =
  inet_listener imap {
    port = {{.S.Port}}
  }
  inet_listener imaps {
    port = {{.S.TLSPort}}
    ssl = yes
  }
}
service stats {
  chroot =
}
{{.S.Options.Config}}
`

// Start starts the process, again after Kill, and waits until it answers.
func (s *Server) Start() {
	s.tb.Helper()
	s.output = &bytes.Buffer{}
	s.process = exec.Command(s.program, "-F", "-c", s.path("dovecot.conf"))
	s.process.Stdout, s.process.Stderr = s.output, s.output
	group(s.process)
	check(s.tb, s.process.Start())
	s.exited = make(chan struct{})
	go func(p *exec.Cmd, exited chan struct{}) { p.Wait(); close(exited) }(s.process, s.exited)

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := answers(ctx, s.Addr(), s.exited); err != nil {
		s.Kill()
		s.tb.Fatalf("dovecot does not answer: %v\n%s%s", err, s.output, s.Log())
	}
}

// answers waits until a server greets at addr.
func answers(ctx context.Context, addr string, exited <-chan struct{}) error {
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err == nil {
			deadline, _ := ctx.Deadline()
			conn.SetDeadline(deadline)
			_, err = conn.Read(make([]byte, 1))
			conn.Close()
			if err == nil {
				return nil
			}
		}
		select {
		case <-exited:
			return fmt.Errorf("the process ended: %w", err)
		case <-ctx.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Kill ends the server and all its processes as a power failure would.
func (s *Server) Kill() {
	if s.process == nil {
		return
	}
	kill(s.process)
	<-s.exited
	s.process = nil
}

// Restart kills the server and starts it again on the same ports.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Kill()
	s.Start()
}

// Log is what Dovecot logged.
func (s *Server) Log() string {
	b, _ := os.ReadFile(s.path("log"))
	return string(b)
}
