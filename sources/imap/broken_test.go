package imap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

// one is the message of a scripted server, in its folder.
var (
	one      = &migrate.Message{UID: 1, Size: 5}
	oneInbox = migrate.Folder{Path: []string{"INBOX"}, UIDValidity: 7, UIDNext: 2}
)

// readOne reads it. Its content is empty if the reader did not get to the end.
func readOne(s *Source, m *migrate.Message) (content string, calls int, err error) {
	err = s.Read(context.Background(), oneInbox, []*migrate.Message{m}, func(_ *migrate.Message, r io.Reader) error {
		calls++
		b, err := io.ReadAll(r)
		if err == nil {
			content = string(b)
		}
		return err
	})
	return content, calls, err
}

func class(t *testing.T, err error) migrate.Class {
	t.Helper()
	e, ok := errors.AsType[*migrate.Error](err)
	if !ok {
		t.Fatalf("not classified: %v", err)
	}
	return e.Class
}

func TestEveryBrokenServerGetsASentenceOfItsOwn(t *testing.T) {
	ca := sourcetest.NewAuthority(t)
	good := ca.Issue(t, time.Now().Add(time.Hour))
	expired := ca.Issue(t, time.Now().Add(-time.Hour))
	other := ca.Issue(t, time.Now().Add(time.Hour), "mx.example.org")
	say := func(text string) func(net.Conn) {
		return func(c net.Conn) { io.WriteString(c, text) }
	}
	secure := func(c tls.Certificate) Config {
		return Config{Port: listen(t, &tls.Config{Certificates: []tls.Certificate{c}}, say("* OK\r\n")), CAFile: ca.CAFile}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := l.Addr().(*net.TCPAddr).Port
	l.Close()
	login := func(answer reply) Config {
		return scripted(t, func(command string) reply {
			if strings.HasPrefix(command, "AUTHENTICATE") {
				return answer
			}
			return ""
		})
	}
	untrusted := secure(good)
	untrusted.CAFile = ""
	patient := func(c Config) Config { c.Patience = 50 * time.Millisecond; return c }

	seen := map[string]string{}
	for _, test := range []struct {
		name   string
		config Config
		class  migrate.Class
		says   []string // in the error or its hint
	}{
		{"nothing listens", Config{Port: refusing}, migrate.Transient, []string{"connect", "refused", "whether the server runs"}},
		{"no TLS on a TLS port", Config{Port: listen(t, nil, say("* OK IMAP4 ready\r\n"))}, migrate.Fatal, []string{"tls", "starttls"}},
		{"expired certificate", secure(expired), migrate.Fatal, []string{"tls", "expired", "CN=mail server", "CN=mailhaul test authority", time.Now().Add(-time.Hour).Format(time.DateOnly), "Renew"}},
		{"certificate for other names", secure(other), migrate.Fatal, []string{"tls", "mx.example.org", "127.0.0.1"}},
		{"unknown authority", untrusted, migrate.Fatal, []string{"tls", "CN=mailhaul test authority", "ca_file"}},
		{"silent server", patient(Config{TLS: None, Port: listen(t, nil, func(c net.Conn) { io.Copy(io.Discard, c) })}), migrate.Transient, []string{"greeting", "silent", "implicit TLS"}},
		{"silent TLS server", patient(Config{Port: listen(t, nil, func(c net.Conn) { io.Copy(io.Discard, c) })}), migrate.Transient, []string{"tls", "timeout"}},
		{"hangs up", Config{TLS: None, Port: listen(t, nil, say(""))}, migrate.Transient, []string{"greeting", "EOF"}},
		{"not IMAP", Config{TLS: None, Port: listen(t, nil, say("220 mx ESMTP\r\n"))}, migrate.Fatal, []string{"greeting", "220 mx ESMTP", "Check host and port"}},
		{"turned away", Config{TLS: None, Port: listen(t, nil, say("* BYE [UNAVAILABLE] too many connections\r\n"))}, migrate.Transient, []string{"greeting", "too many connections"}},
		{"no login needed", Config{TLS: None, Port: listen(t, nil, say("* PREAUTH welcome\r\n"))}, migrate.Fatal, []string{"greeting", "PREAUTH"}},
		{"endless greeting", Config{TLS: None, Port: listen(t, nil, say(strings.Repeat("* OK", 1<<20)))}, migrate.Transient, []string{"greeting", "without end"}},
		{"starttls refused", Config{TLS: StartTLS, Port: listen(t, nil, func(c net.Conn) {
			io.WriteString(c, "* OK ready\r\n")
			io.ReadFull(c, make([]byte, len("S STARTTLS\r\n")))
			io.WriteString(c, "S BAD no such command\r\n")
		})}, migrate.Fatal, []string{"starttls", "no such command"}},
		{"starttls with data smuggled in", Config{TLS: StartTLS, Port: listen(t, nil, func(c net.Conn) {
			io.WriteString(c, "* OK ready\r\n")
			io.ReadFull(c, make([]byte, len("S STARTTLS\r\n")))
			io.WriteString(c, "S OK go\r\n* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] evil\r\n")
		})}, migrate.Transient, []string{"tls", "before TLS"}},
		{"wrong password", login("TAG NO [AUTHENTICATIONFAILED] sorry\r\n"), migrate.Fatal, []string{"login", "[AUTHENTICATIONFAILED] sorry", "password of joe"}},
		{"login out of order", login("TAG NO [UNAVAILABLE] directory down\r\n"), migrate.Transient, []string{"login", "directory down"}},
		{"hangs up at login", login("* BYE going down\r\n" + hangUp), migrate.Transient, []string{"login", "going down"}},
		{"plaintext beyond loopback", Config{Host: "192.0.2.1", TLS: None}, migrate.Fatal, []string{"connect", "without TLS"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := test.config
			if c.Host == "" {
				c.Host = "127.0.0.1"
			}
			c.User, c.Secret = "joe", password
			s, err := Open(t.Context(), c)
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			e, _ := errors.AsType[*migrate.Error](err)
			t.Logf("%v\n%s", err, e.Hint)
			if class(t, err) != test.class || !errors.Is(err, migrate.ErrUnreachable) {
				t.Errorf("class %d, unreachable %v", class(t, err), errors.Is(err, migrate.ErrUnreachable))
			}
			for _, s := range test.says {
				if !strings.Contains(err.Error()+e.Hint, s) {
					t.Errorf("does not say %q", s)
				}
			}
			if other := seen[err.Error()]; other != "" {
				t.Errorf("says the same as %q", other)
			}
			seen[err.Error()] = test.name
			if strings.Contains(fmt.Sprintf("%+v %s", err, e.Hint), sourcetest.Password) {
				t.Error("the password is in the error")
			}
		})
	}
}

func TestAnUnknownHostIsFatalAndASilentNameServerIsNot(t *testing.T) {
	unknown := dialError("mail.example.org", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}})
	if class(t, unknown) != migrate.Fatal || !strings.Contains(unknown.Error(), "mail.example.org") {
		t.Error(unknown)
	}
	timeout := dialError("mail.example.org", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "i/o timeout", IsTimeout: true}})
	if class(t, timeout) != migrate.Transient {
		t.Error(timeout)
	}
}

func TestAFolderThatTheServerCannotOpenStopsAlone(t *testing.T) {
	for code, want := range map[string]migrate.Class{
		"SERVERBUG": migrate.Permanent, "CONTACTADMIN": migrate.Permanent, "NOPERM": migrate.Permanent,
		"UNAVAILABLE": migrate.Transient, "INUSE": migrate.Transient,
	} {
		s := opener(scripted(t, func(command string) reply {
			if strings.HasPrefix(command, "EXAMINE") {
				return reply("TAG NO [" + code + "] Internal error occurred\r\n")
			}
			return ""
		}))(t).(*Source)
		defer s.Close()
		var err error
		for _, e := range s.List(t.Context(), oneInbox, 1) {
			err = e
		}
		if err == nil || class(t, err) != want || !errors.Is(err, migrate.ErrUnreachable) {
			t.Errorf("%s: %v, want class %d", code, err, want)
		}
	}
}

func TestABodyIsNeverCutShortInSilence(t *testing.T) {
	for name, test := range map[string]struct {
		answer reply
		is     error
		says   string
	}{
		"the connection ends":       {"* 1 FETCH (UID 1 BODY[] {9}\r\nhello" + hangUp, io.ErrUnexpectedEOF, ""},
		"the server goes silent":    {"* 1 FETCH (UID 1 BODY[] {9}\r\nhello", os.ErrDeadlineExceeded, "silent"},
		"no octet of it comes":      {"* 1 FETCH (UID 1 BODY[] {9}\r\n" + hangUp, io.ErrUnexpectedEOF, ""},
		"the server says goodbye":   {"* BYE shutting down\r\n" + hangUp, io.ErrUnexpectedEOF, "shutting down"},
		"the answer is gibberish":   {"* 1 FETCH (UID 1 BODY[] bread)\r\n" + ok, nil, "cannot understand"},
		"the server refuses, later": {"TAG NO [INUSE] locked\r\n", nil, "locked"},
	} {
		for kind, size := range map[string]int64{"whole": 5, "in ranges": 1 << 30} {
			t.Run(name+", "+kind, func(t *testing.T) {
				broken := true
				config := scripted(t, func(command string) reply {
					if broken && strings.Contains(command, "BODY.PEEK[]") {
						broken = false
						return test.answer
					}
					if strings.Contains(command, "BODY.PEEK[]<5.") {
						return "* 1 FETCH (UID 1 BODY[]<5> \"\")\r\n" + ok
					}
					if strings.Contains(command, "BODY.PEEK[]<") {
						return "* 1 FETCH (UID 1 BODY[]<0> {5}\r\nhello)\r\n" + ok
					}
					return ""
				})
				config.Patience = 100 * time.Millisecond
				s := opener(config)(t).(*Source)
				defer s.Close()
				m := &migrate.Message{UID: 1, Size: size}
				content, _, err := readOne(s, m)
				if err == nil || content != "" {
					t.Fatalf("read %q, %v", content, err)
				}
				if class(t, err) != migrate.Transient || test.is != nil && !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.says) {
					t.Errorf("class %d: %v", class(t, err), err)
				}
				if content, _, err := readOne(s, m); content != "hello" || err != nil {
					t.Errorf("then: %q, %v", content, err)
				}
			})
		}
	}
}

// A server may limit how much of a body it gives at once, or announce a wrong
// size: what it has is read to its end, and what it repeats is not read for ever.
func TestRangesAreReadToTheEndWhateverTheServerMakesOfThem(t *testing.T) {
	content := strings.Repeat("0123456789abcde\n", 5<<20/16)
	for name, test := range map[string]struct {
		limit, announced int
		repeats          bool
	}{
		"pieces of 1 MB":           {limit: 1 << 20, announced: len(content)},
		"announced too large":      {limit: 1 << 30, announced: len(content) + 7},
		"announced much too large": {limit: 1 << 30, announced: 1 << 30},
		"the same piece for ever":  {limit: 5, announced: 1 << 30, repeats: true},
	} {
		t.Run(name, func(t *testing.T) {
			config := scripted(t, func(command string) reply {
				_, rest, ok2 := strings.Cut(command, "BODY.PEEK[]<")
				if !ok2 {
					return ""
				}
				var offset, size int
				if _, err := fmt.Sscanf(rest, "%d.%d>", &offset, &size); err != nil {
					t.Error(err)
				}
				from := min(offset, len(content))
				if test.repeats {
					from = 0
				}
				piece := content[from:min(from+min(size, test.limit), len(content))]
				return reply(fmt.Sprintf("* 1 FETCH (UID 1 BODY[]<%d> {%d}\r\n%s)\r\n", offset, len(piece), piece)) + ok
			})
			s := opener(config)(t).(*Source)
			defer s.Close()
			got, _, err := readOne(s, &migrate.Message{UID: 1, Size: int64(test.announced)})
			switch {
			case test.repeats && err == nil:
				t.Errorf("read %d octets", len(got))
			case !test.repeats && (err != nil || got != content):
				t.Errorf("read %d octets of %d: %v", len(got), len(content), err)
			}
		})
	}
}

func TestAMessageThatIsThereNeverPassesForGone(t *testing.T) {
	for name, answer := range map[string]reply{
		"NIL body":             "* 1 FETCH (UID 1 BODY[] NIL)\r\n" + ok,
		"no body":              "* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n" + ok,
		"no answer":            ok,
		"UID after the body":   "* 1 FETCH (BODY[] {5}\r\nhello UID 1)\r\n" + ok,
		"flags before message": "* 1 FETCH (UID 1 FLAGS ())\r\n* 1 FETCH (UID 1 BODY[] {5}\r\nhello)\r\n" + ok,
		"refused":              "TAG NO it is damaged\r\n",
	} {
		for kind, size := range map[string]int64{"whole": 5, "in ranges": 1 << 30} {
			t.Run(name+", "+kind, func(t *testing.T) {
				expunged := false
				s := opener(scripted(t, func(command string) reply {
					switch {
					case strings.Contains(command, "BODY.PEEK[]"):
						return answer
					case strings.HasPrefix(command, "UID FETCH") && expunged:
						return ok
					}
					return ""
				}))(t).(*Source)
				defer s.Close()
				m := &migrate.Message{UID: 1, Size: size}
				if _, calls, err := readOne(s, m); err == nil || class(t, err) != migrate.Permanent || calls > 0 {
					t.Errorf("%d calls, %v", calls, err)
				}
				if name == "refused" {
					return
				}
				expunged = true
				if _, calls, err := readOne(s, m); err != nil || calls > 0 {
					t.Errorf("expunged: %d calls, %v", calls, err)
				}
			})
		}
	}
}

func TestALargeMessageIsFetchedInRanges(t *testing.T) {
	first, rest := strings.Repeat("x", rangeSize), "the end"
	for name, test := range map[string]struct {
		last  reply // to the second command
		whole bool
	}{
		"to its end":              {reply("* 1 FETCH (UID 1 BODY[]<4194304> \"" + rest + "\")\r\n" + ok), true},
		"it vanishes":             {ok, false},
		"it becomes NIL":          {"* 1 FETCH (UID 1 BODY[]<4194304> NIL)\r\n" + ok, false},
		"the connection ends":     {"* 1 FETCH (UID 1 BODY[]<4194304> {9}\r\nthe" + hangUp, false},
		"more than was asked for": {reply("* 1 FETCH (UID 1 BODY[]<4194304> {4194305}\r\n" + first + "x)\r\n" + ok), false},
	} {
		t.Run(name, func(t *testing.T) {
			s := opener(scripted(t, func(command string) reply {
				switch {
				case strings.Contains(command, "BODY.PEEK[]<0.4194304>"):
					return reply("* 1 FETCH (UID 1 BODY[]<0> {4194304}\r\n" + first + ")\r\n" + ok)
				case strings.Contains(command, "BODY.PEEK[]<4194304.4194304>"):
					return test.last
				case strings.Contains(command, "BODY.PEEK[]<4194311."):
					return "* 1 FETCH (UID 1 BODY[]<4194311> \"\")\r\n" + ok
				}
				return ""
			}))(t).(*Source)
			defer s.Close()
			content, calls, err := readOne(s, &migrate.Message{UID: 1, Size: 1 << 30})
			if calls != 1 || test.whole && (content != first+rest || err != nil) {
				t.Errorf("%d octets in %d calls, %v", len(content), calls, err)
			}
			if !test.whole && (content != "" || err == nil || class(t, err) != migrate.Transient) {
				t.Errorf("%d octets, %v", len(content), err)
			}
		})
	}
}

func TestABodyIsWhatTheServerSendsWhateverItAnnounced(t *testing.T) {
	s := opener(scripted(t, func(string) reply { return "" }))(t).(*Source)
	defer s.Close()
	for _, size := range []int64{0, 1, 1000} {
		if content, calls, err := readOne(s, &migrate.Message{UID: 1, Size: size}); content != "hello" || calls != 1 || err != nil {
			t.Errorf("announced %d: %q, %d calls, %v", size, content, calls, err)
		}
	}
}

func TestAnAnswerWithoutEndIsBrokenOff(t *testing.T) {
	s := opener(scripted(t, func(command string) reply {
		if strings.HasPrefix(command, "LIST") {
			return reply("* LIST () \"/\" \"" + strings.Repeat("x", allowance+1<<20))
		}
		return ""
	}))(t).(*Source)
	defer s.Close()
	if _, err := s.Folders(t.Context()); err == nil || !strings.Contains(err.Error(), "without end") {
		t.Error(err)
	}
}

func TestASourceThatWasLeftIdleConnectsAgainByItself(t *testing.T) {
	hang := make(chan struct{})
	s := opener(scripted(t, func(command string) reply {
		if strings.HasPrefix(command, "STATUS") {
			select {
			case <-hang:
			default:
				close(hang)
				return "* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7)\r\nTAG OK done\r\n* BYE idle\r\n" + hangUp
			}
		}
		return ""
	}))(t).(*Source)
	defer s.Close()
	if _, err := s.Folders(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-s.session.client.Closed()
	if content, _, err := readOne(s, one); content != "hello" || err != nil {
		t.Errorf("%q, %v", content, err)
	}
}
