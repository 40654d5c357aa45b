package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/sources/sourcetest"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

func TestAWrongCommandLineIsAUsageError(t *testing.T) {
	t.Parallel()
	for args, text := range map[string]string{
		"move":             `unknown command "move" for "mailhaul"; see mailhaul --help`,
		"stauts":           "status", // did you mean
		"run --fast":       "unknown flag: --fast; see mailhaul run --help",
		"--fast":           "unknown flag: --fast; see mailhaul --help",
		"run now":          "see mailhaul run --help",
		"run --jobs many":  "see mailhaul run --help",
		"simulate pigeons": `no simulator of "pigeons": use gmail or graph`,
	} {
		ends(t, exitUsage, strings.Fields(args), text)
	}
}

func TestAMissingConfigurationIsNamedByEveryCommand(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "mailhaul.toml")
	for _, command := range []string{"check", "run", "status"} {
		ends(t, exitError, []string{command, "--config", config}, config+": no such file", `or write one with "mailhaul init"`)
	}
}

func TestEveryMistakeInTheConfigurationIsNamedAndNothingStarts(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	config := o.migration(t, "gmail", "http://127.0.0.1:1", "colour = 3\ntls = \"maybe\"", "jobs = \"four\"\nspool = 1", "ann")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i, line := range strings.Split(string(text), "\n") {
		if key, _, _ := strings.Cut(line, " "); key == "colour" || key == "jobs" || key == "spool" {
			want = append(want, fmt.Sprintf("mailhaul.toml:%d:", i+1))
		}
	}
	if len(want) != 3 {
		t.Fatal(want)
	}
	for _, command := range []string{"check", "run"} {
		ends(t, exitError, []string{command, "--config", config}, append(want, "colour", "jobs", "spool")...)
	}
	o.untouched(t)
}

func TestEveryMistakeInTheListIsNamedAndNothingStarts(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	sim, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", "", "ann")
	o.write(t, "mailboxes.csv", "source,target\nann@example.com,ann@example.org\nANN@example.com,other@example.org\n,\nbob@example.com,\n\"cleo\"x@example.com,cleo@example.org\ndan@example.com,dan\n,eve@example.org\n")
	for _, command := range []string{"check", "run", "status"} {
		ends(t, exitError, []string{command, "--config", config},
			`mailboxes.csv:3: source "ANN@example.com" is on line 2 already`,
			"mailboxes.csv:5: no target",
			"mailboxes.csv:6: quotes are wrong",
			`mailboxes.csv:7: target "dan" is not an address`,
			"mailboxes.csv:8: no source")
	}
	o.untouched(t)
	if n := len(sim.Messages("ann@example.org")); n != 0 {
		t.Errorf("%d messages were written", n)
	}
}

func TestAWrongPasswordStopsOneMailboxAlone(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann", "bob", "cleo")
	sim, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", "")
	o.write(t, "mailboxes.csv", "source,target,password_file\nann@example.com,ann@example.org,\nbob@example.com,bob@example.org,wrong\ncleo@example.com,cleo@example.org,\n")
	const wrong = "ent1rely-wrong"
	o.write(t, "wrong", wrong+"\n")
	texts := []string{"bob@example.com", "[AUTHENTICATIONFAILED]", "Check user name and password of bob@example.com."}
	for _, c := range []struct {
		command string
		code    int
	}{{"check", exitPerson}, {"run", exitStopped}, {"status", exitPerson}} {
		if out := ends(t, c.code, []string{c.command, "--config", config}, texts...); strings.Contains(out, wrong) {
			t.Errorf("%s prints the password", c.command)
		}
	}
	sumsOf(t, config, exitPerson)
	arrived(t, func(p string) int { return len(sim.Messages(p)) }, map[string]int{"ann": officeMail, "bob": 0, "cleo": officeMail})

	o.write(t, "wrong", officePassword+"\n")
	ends(t, exitDone, []string{"run", "--config", config})
	sumsOf(t, config, exitDone)
	arrived(t, func(p string) int { return len(sim.Messages(p)) }, map[string]int{"ann": officeMail, "bob": officeMail, "cleo": officeMail})
}

// arrived expects so many messages of each person at the target.
func arrived(t *testing.T, held func(address string) int, want map[string]int) {
	t.Helper()
	for p, n := range want {
		if got := held(p + "@example.org"); got != n {
			t.Errorf("%d messages of %s are at the target, want %d", got, p, n)
		}
	}
}

func TestAMissingPasswordFileIsNamed(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	_, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", "", "ann")
	if err := os.Remove(filepath.Join(o.dir, "password")); err != nil {
		t.Fatal(err)
	}
	ends(t, exitPerson, []string{"check", "--config", config}, "secret file "+filepath.Join(o.dir, "password"), "no such file")
	ends(t, exitStopped, []string{"run", "--config", config}, "secret file "+filepath.Join(o.dir, "password"))
	sumsOf(t, config, exitPerson)
}

// It is not parallel: it replaces the resolver of the process.
func TestAHostThatDoesNotExistIsNamed(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() { // a name server that knows no name
		for buf := make([]byte, 1500); ; {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			if n > 3 {
				buf[2], buf[3] = buf[2]|0x80, 0x83 // RFC 1035 section 4.1.1: a response, NXDOMAIN
				c.WriteTo(buf[:n], from)
			}
		}
	}()
	before := net.DefaultResolver
	defer func() { net.DefaultResolver = before }()
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", c.LocalAddr().String())
	}}

	o := newOffice(t, "ann")
	_, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "host = \"mail.example.invalid\"\nallow_plaintext = true", "", "ann")
	texts := []string{"look up mail.example.invalid: there is no such host", "Check the host name in the configuration."}
	ends(t, exitPerson, []string{"check", "--config", config}, texts...)
	ends(t, exitStopped, []string{"run", "--config", config}, texts...)
	ends(t, exitPerson, []string{"status", "--config", config}, texts...)
}

func TestAPortWhereNothingListensIsNamed(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := newOfficeOn(t, l, "ann")
	l.Close()
	_, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", "", "ann")
	ends(t, exitPerson, []string{"check", "--config", config}, fmt.Sprintf("127.0.0.1:%d", o.port), "Nothing listens on that port. Check host and port")
}

func TestACertificateThatIsNotGoodIsNamed(t *testing.T) {
	t.Parallel()
	authority := sourcetest.NewAuthority(t)
	for _, c := range []struct {
		name, caFile string
		expiry       time.Time
		names        []string
		texts        []string
	}{
		{"expired", authority.CAFile, time.Now().Add(-time.Hour), nil, []string{"has expired or is not valid yet", "valid ", "Renew the server's certificate"}},
		{"untrusted", "", time.Now().Add(time.Hour), nil, []string{"is not signed by an authority that this machine trusts", `issuer "CN=mailhaul test authority"`, "name it in ca_file"}},
		{"other name", authority.CAFile, time.Now().Add(time.Hour), []string{"imap.example.net"}, []string{"is for other names than 127.0.0.1", "names imap.example.net", "into the configuration as the host"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cert := authority.Issue(t, c.expiry, c.names...)
			l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
			if err != nil {
				t.Fatal(err)
			}
			o := newOfficeOn(t, l, "ann")
			_, url := gmailFor(t, gmailsim.Options{}, nil)
			config := o.migration(t, "gmail", url, fmt.Sprintf("tls = \"implicit\"\nca_file = %q", c.caFile), "", "ann")
			ends(t, exitPerson, []string{"check", "--config", config}, c.texts...)
			ends(t, exitStopped, []string{"run", "--config", config}, c.texts...)
			ends(t, exitPerson, []string{"status", "--config", config}, c.texts...)
		})
	}
}

func TestATargetThatDoesNotExistStopsOneMailboxAlone(t *testing.T) {
	t.Parallel()
	users := []string{"ann@example.org", "cleo@example.org"}
	t.Run("gmail", func(t *testing.T) {
		t.Parallel()
		sim, url := gmailFor(t, gmailsim.Options{Users: users}, nil)
		withoutTarget(t, "gmail", url, func(p string) int { return len(sim.Messages(p)) })
	})
	t.Run("graph", func(t *testing.T) {
		t.Parallel()
		sim, url := graphFor(t, graphsim.Options{Users: users}, nil)
		withoutTarget(t, "graph", url, func(p string) int { return len(sim.Messages(p)) })
	})
}

// withoutTarget runs a migration where only bob has no mailbox at the target.
// Google tells so at once where the login is a service account.
func withoutTarget(t *testing.T, kind, url string, held func(string) int) {
	t.Helper()
	o := newOffice(t, "ann", "bob", "cleo")
	config := o.migration(t, kind, url, "", "", "ann", "bob", "cleo")
	if kind == "gmail" {
		serviceAccount(t, config)
	}
	out := ends(t, exitPerson, []string{"check", "--config", config}, "bob@example.org")
	ends(t, exitStopped, []string{"run", "--config", config}, "bob@example.com stopped: ", "mailhaul: 1 mailbox stopped early; run again to go on")
	s := sumsOf(t, config, exitPerson)
	if m := s.Mailboxes[1]; m.Error == "" || m.Hint == "" || !strings.Contains(out, m.Hint) {
		t.Errorf("reason %q, hint %q, check says %s", m.Error, m.Hint, out)
	}
	arrived(t, held, map[string]int{"ann": officeMail, "cleo": officeMail})
}

func TestAFolderThatTheTargetRefusesIsReportedMessageByMessage(t *testing.T) {
	t.Parallel()
	t.Run("gmail", func(t *testing.T) {
		t.Parallel()
		sim, url := gmailFor(t, gmailsim.Options{Reserved: []string{"Odd", "Odd (migrated)", "_Odd"}}, nil)
		withOddFolder(t, "gmail", url, func(p string) int { return len(sim.Messages(p)) })
	})
	t.Run("graph", func(t *testing.T) {
		t.Parallel()
		sim, url := graphFor(t, graphsim.Options{}, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					return
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/mailFolders") && bytes.Contains(body, []byte(`"Odd"`)) {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(http.StatusBadRequest)
					io.WriteString(w, `{"error":{"code":"ErrorInvalidRequest","message":"The folder name is not valid."}}`)
					return
				}
				next.ServeHTTP(w, r)
			})
		})
		withOddFolder(t, "graph", url, func(p string) int { return len(sim.Messages(p)) })
	})
}

// withOddFolder runs a migration where the target refuses the folder "Odd".
func withOddFolder(t *testing.T, kind, url string, held func(string) int) {
	t.Helper()
	o := newOffice(t, "ann")
	bob := o.person(t, "bob")
	put(t, bob, "INBOX", letter("bob", 1, ""))
	for _, f := range []string{"Odd", "Odd/Below"} {
		if err := bob.Create(f, nil); err != nil {
			t.Fatal(err)
		}
	}
	put(t, bob, "Odd", letter("bob", 2, ""))
	put(t, bob, "Odd/Below", letter("bob", 3, ""))
	config := o.migration(t, kind, url, "", "", "ann", "bob")
	ends(t, exitPerson, []string{"run", "--config", config}, "bob@example.com: 2 messages need a person", "Odd, UID 1", "Odd / Below, UID 1", "<bob-2@example.com>")
	s := sumsOf(t, config, exitPerson)
	if got := s.Mailboxes[1].Sums.Outcomes; got["copied"] != 1 || got["failed"] != 2 {
		t.Errorf("outcomes %v", got)
	}
	for _, f := range s.Mailboxes[1].Failed {
		if f.Reason == "" || f.Hint == "" || f.Doubt {
			t.Errorf("failure without reason or hint: %+v", f)
		}
	}
	arrived(t, held, map[string]int{"ann": officeMail, "bob": 1})
}

func TestASpoolThatCannotBeWrittenStopsTheRunBeforeItStarts(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	_, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", "spool_dir = \"nowhere\"", "ann")
	ends(t, exitError, []string{"run", "--config", config}, filepath.Join(o.dir, "nowhere"), "no such file or directory", "name another folder with spool_dir in [run]")
	o.untouched(t)
}

func TestADamagedCheckpointFileIsLeftAlone(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	sim, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", "", "ann")
	ends(t, exitDone, []string{"run", "--config", config})
	db := filepath.Join(o.dir, "mailhaul.db")
	whole, err := os.ReadFile(db)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 100, len(whole) / 2} {
		if err := os.WriteFile(db, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		texts := []string{db + " is damaged", "put your latest backup copy in its place", "Do not start with an empty file"}
		ends(t, exitError, []string{"run", "--config", config}, texts...)
		ends(t, exitError, []string{"status", "--config", config}, texts...)
		if after, err := os.ReadFile(db); err != nil || string(after) != string(whole[:size]) {
			t.Errorf("the file of %d octets was changed: %v", size, err)
		}
	}
	if err := os.WriteFile(db, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	ends(t, exitDone, []string{"run", "--config", config})
	sumsOf(t, config, exitDone)
	arrived(t, func(p string) int { return len(sim.Messages(p)) }, map[string]int{"ann": officeMail})
}

func TestStatusBeforeTheFirstRunSaysSo(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann")
	_, url := gmailFor(t, gmailsim.Options{}, nil)
	config := o.migration(t, "gmail", url, "", "", "ann", "bob")
	ends(t, exitError, []string{"status", "--config", config}, filepath.Join(o.dir, "mailhaul.db")+": there is no such file", "The first run makes it.")
	o.untouched(t)

	// A mailbox may be added to the list later.
	ends(t, exitDone, []string{"run", "--config", config, "--mailbox", "ann@example.com"})
	ends(t, exitStopped, []string{"status", "--config", config}, "none yet")
	sumsOf(t, config, exitStopped)
}

// A gate holds every import until it is opened.
type gate struct {
	waiting chan struct{} // gets one for each import that came
	open    chan struct{} // closed to let all pass
}

func newGate() *gate { return &gate{make(chan struct{}, 1000), make(chan struct{})} }

func (g *gate) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/messages/import") {
			g.waiting <- struct{}{}
			<-g.open
		}
		next.ServeHTTP(w, r)
	})
}

func TestWhileARunIsGoingOnStatusShowsItAndAnotherIsRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann", "bob")
	g := newGate()
	sim, url := gmailFor(t, gmailsim.Options{}, g.wrap)
	config := o.migration(t, "gmail", url, "", "", "ann", "bob")
	first := make(chan struct{})
	go func() {
		defer close(first)
		ends(t, exitDone, []string{"run", "--config", config})
	}()
	<-g.waiting

	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	who := fmt.Sprintf("process %d on host %s", os.Getpid(), host)
	ends(t, exitError, []string{"run", "--config", config}, "mailhaul.db is in use by "+who, "Only one run at a time may work on a migration.")
	ends(t, exitStopped, []string{"status", "--config", config}, "A run is going on in "+who, "running")
	if s := sumsOf(t, config, exitStopped); s.Running != who || s.Total.Outcomes["pending"] == 0 {
		t.Errorf("running %q, outcomes %v", s.Running, s.Total.Outcomes)
	}

	close(g.open)
	<-first
	if s := sumsOf(t, config, exitDone); s.Running != "" || s.Total.Outcomes["copied"] != 2*officeMail {
		t.Errorf("afterwards: running %q, outcomes %v", s.Running, s.Total.Outcomes)
	}
	arrived(t, func(p string) int { return len(sim.Messages(p)) }, map[string]int{"ann": officeMail, "bob": officeMail})
}
