package notify

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	stdmail "net/mail"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// A postOffice is an SMTP server for one test, strict about what it is sent.
type postOffice struct {
	*pipes
	certificate tls.Certificate
	implicit    bool              // TLS from the start
	offers      []string          // extensions
	answers     map[string]string // instead of its own, by the first word of the command; "." is the end of a message
	hangs       string            // the command that it never answers

	lines    []string // commands
	messages []string
}

var trusted = func() tls.Certificate {
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	return s.TLS.Certificates[0]
}()

func (o *postOffice) serve() {
	for {
		c, err := o.Accept()
		if err != nil {
			return
		}
		o.talk(c)
		c.Close()
	}
}

func (o *postOffice) talk(c net.Conn) {
	secure := &tls.Config{Certificates: []tls.Certificate{o.certificate}}
	if o.implicit {
		c = tls.Server(c, secure)
	}
	r := bufio.NewReader(c)
	say := func(s string) { io.WriteString(c, s+"\r\n") }
	say("220 example.com ESMTP")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSuffix(line, "\r\n")
		o.lines = append(o.lines, line)
		word, argument, _ := strings.Cut(line, " ")
		if word == o.hangs {
			io.Copy(io.Discard, r)
			return
		}
		if answer, ok := o.answers[word]; ok {
			say(strings.ReplaceAll(answer, "%s", line))
			continue
		}
		switch word {
		case "EHLO":
			say("250-example.com")
			for _, e := range o.offers {
				say("250-" + e)
			}
			say("250 SIZE 10000")
		case "STARTTLS":
			say("220 go")
			c = tls.Server(c, secure)
			r = bufio.NewReader(c)
		case "AUTH":
			if _, tls := c.(*tls.Conn); argument == "LOGIN" && tls {
				for _, prompt := range []string{"334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"} {
					say(prompt)
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					o.lines = append(o.lines, strings.TrimSpace(line))
				}
			}
			say("235 welcome")
		case "DATA":
			say("354 go")
			var m strings.Builder
			for line := ""; line != ".\r\n"; {
				if line, err = r.ReadString('\n'); err != nil {
					return
				}
				if line != ".\r\n" {
					m.WriteString(strings.TrimPrefix(line, "."))
				}
			}
			if answer, ok := o.answers["."]; ok {
				say(answer)
				continue
			}
			o.messages = append(o.messages, m.String())
			say("250 stored")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// post sends an event to the office, in a bubble of its own.
func post(t *testing.T, o *postOffice, change func(*Mail), e Event) (took time.Duration, err error) {
	t.Helper()
	if o.certificate.Leaf == nil && o.certificate.Certificate == nil {
		o.certificate = trusted
	}
	leaf, parseErr := x509.ParseCertificate(trusted.Certificate[0])
	if parseErr != nil {
		t.Fatal(parseErr)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	synctest.Test(t, func(t *testing.T) {
		o.pipes = newPipes()
		go o.serve()
		defer o.Close()
		m := &Mail{Host: "example.com", Port: 587, TLS: "starttls", CAs: pool, From: "mailhaul@example.com",
			To: []string{"me@example.org", "you@example.org"}, Dial: o.Dial}
		if change != nil {
			change(m)
		}
		begun := time.Now()
		err = m.Send(t.Context(), e)
		took = time.Since(begun)
	})
	return took, err
}

func letter() Event {
	e := event(1)
	e.Migration, e.Text, e.Hint, e.Mailbox = "Büro Süd", "1 mailbox needs a person", "Renew the token.", "a***@example.com"
	e.Tally = &Tally{Mailboxes: 12, Complete: 11, Trouble: 1, Messages: 1234567, Bytes: 98e9, New: 4321, Failed: 2, Pending: 10}
	return e
}

func TestAMailIsWhatAConsultantCanReadAndNoProgramAnswers(t *testing.T) {
	o := &postOffice{offers: []string{"STARTTLS", "8BITMIME"}}
	if _, err := post(t, o, nil, letter()); err != nil {
		t.Fatal(err)
	}
	if len(o.messages) != 1 {
		t.Fatalf("%d messages after %q", len(o.messages), o.lines)
	}
	for _, want := range []string{"STARTTLS", "MAIL FROM:<mailhaul@example.com> BODY=8BITMIME", "RCPT TO:<me@example.org>", "RCPT TO:<you@example.org>", "QUIT"} {
		if !slices.Contains(o.lines, want) {
			t.Errorf("no %s in %q", want, o.lines)
		}
	}
	m, err := stdmail.ReadMessage(strings.NewReader(o.messages[0]))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"From": "<mailhaul@example.com>", "To": "<me@example.org>, <you@example.org>", "Message-Id": "<id-1@example.com>",
		"Date": "Sun, 22 Nov 2026 03:00:00 +0000", "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All",
		"Subject": "=?UTF-8?q?mailhaul,_B=C3=BCro_S=C3=BCd:_1_mailbox_needs_a_person?=", "Mime-Version": "1.0",
		"Content-Type": "text/plain; charset=UTF-8", "Content-Transfer-Encoding": "quoted-printable",
	} {
		if got := m.Header[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if len(m.Header) != 10 {
		t.Errorf("header %v", m.Header)
	}
	const want = `1 mailbox needs a person

Mailbox: a***@example.com

What to do: Renew the token.

Mailboxes                     12
  complete                    11
  in trouble                   1
Messages copied        1,234,567  (98,000 MB)
  of them new              4,321
Messages to come              10
Need a person                  2

"mailhaul status" says more.

--=20
Sun 22 Nov 2026 03:00 UTC, event id-1
`
	body, err := io.ReadAll(m.Body)
	if got := strings.TrimSpace(strings.ReplaceAll(string(body), "\r\n", "\n")); err != nil || got != strings.TrimSpace(want) {
		t.Errorf("the body is\n%s\nwant\n%s", got, want)
	}
}

func TestNothingInAnEventMakesAHeaderFieldOrEndsTheMail(t *testing.T) {
	e := letter()
	for _, text := range []string{"x\r\nBcc: all@example.com\r\n\r\nhello", "x\nBcc: y", "x\rBcc: y", "x\r\n.\r\nMAIL FROM:<>", "\x00\u2028Bcc: y", strings.Repeat("ä\r\nBcc: y\r\n", 1<<12)} {
		e.Text, e.Hint, e.Mailbox, e.Migration, e.Reason = text, text, text, text, text
		e.ID = "id-1"
		o := &postOffice{offers: []string{"STARTTLS"}}
		if _, err := post(t, o, nil, e.under(full)); err != nil {
			t.Fatal(err)
		}
		if len(o.messages) != 1 || len(o.messages[0]) > 64<<10 {
			t.Fatalf("%.80q: %d messages, %.2000s", text, len(o.messages), o.messages)
		}
		if m, err := stdmail.ReadMessage(strings.NewReader(o.messages[0])); err != nil || len(m.Header) != 10 {
			t.Errorf("%.80q: %v, %v", text, m, err)
		}
		for line := range strings.Lines(strings.Join(o.messages, "")) {
			if len(line) > 1000 {
				t.Errorf("a line of %d octets", len(line))
			}
		}
	}
}

func TestALoginIsMadeUnderTLSOnly(t *testing.T) {
	login := func(m *Mail) { m.User, m.Password = "me", is(marker) }
	encoded := base64.StdEncoding.EncodeToString([]byte("\x00me\x00" + marker))
	for name, c := range map[string]struct {
		office *postOffice
		change func(*Mail)
		want   string // command that must be there; "" if there must be an error and no password
	}{
		"PLAIN after STARTTLS":  {&postOffice{offers: []string{"STARTTLS", "AUTH PLAIN LOGIN"}}, login, "AUTH PLAIN " + encoded},
		"LOGIN after STARTTLS":  {&postOffice{offers: []string{"STARTTLS", "AUTH LOGIN XOAUTH2"}}, login, base64.StdEncoding.EncodeToString([]byte(marker))},
		"implicit TLS":          {&postOffice{implicit: true, offers: []string{"AUTH PLAIN"}}, func(m *Mail) { login(m); m.TLS = "implicit" }, "AUTH PLAIN " + encoded},
		"this machine":          {&postOffice{offers: []string{"AUTH PLAIN"}}, func(m *Mail) { login(m); m.TLS, m.Host = "none", "127.0.0.1" }, "AUTH PLAIN " + encoded},
		"no STARTTLS":           {&postOffice{offers: []string{"AUTH PLAIN"}}, login, ""},
		"no TLS at all":         {&postOffice{offers: []string{"AUTH PLAIN"}}, func(m *Mail) { login(m); m.TLS = "none" }, ""},
		"no STARTTLS, no login": {&postOffice{}, nil, ""},
		"no TLS, no login":      {&postOffice{}, func(m *Mail) { m.TLS = "none" }, ""},
		"nobody vouches":        {&postOffice{offers: []string{"STARTTLS", "AUTH PLAIN"}}, func(m *Mail) { login(m); m.CAs = x509.NewCertPool() }, ""},
		"nobody vouches, 465":   {&postOffice{implicit: true, offers: []string{"AUTH PLAIN"}}, func(m *Mail) { login(m); m.TLS, m.CAs = "implicit", x509.NewCertPool() }, ""},
		"another host's":        {&postOffice{offers: []string{"STARTTLS", "AUTH PLAIN"}}, func(m *Mail) { login(m); m.Host = "example.net" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := post(t, c.office, c.change, letter())
			all := strings.Join(c.office.lines, "\n")
			switch {
			case c.want != "" && (err != nil || len(c.office.messages) != 1 || !slices.Contains(c.office.lines, c.want)):
				t.Errorf("%v after %q", err, all)
			case c.want == "" && (strings.Contains(all, "AUTH") || len(c.office.messages) > 0):
				t.Errorf("%v after %q", err, all)
			case c.want == "":
				silent(t, err)
			}
		})
	}
}

func TestARefusalNamesTheStepAndTheCodeAndNothingThatTheServerSaid(t *testing.T) {
	for word, c := range map[string]struct {
		answer, want string
		class        migrate.Class
	}{
		"AUTH": {"535 5.7.8 no: %s " + marker, "mail: the server refuses the login of me (535)", migrate.Permanent},
		"MAIL": {"550 5.1.8 %s " + marker, "mail: the server refuses the sender (550)", migrate.Permanent},
		"RCPT": {"450 4.2.0 later " + marker, "mail: the server refuses a recipient (450)", migrate.Transient},
		"DATA": {"554 5.7.1 " + marker, "mail: the server refuses the message (554)", migrate.Permanent},
		".":    {"452 4.3.1 full " + marker, "mail: the server refuses the message (452)", migrate.Transient},
		"EHLO": {"421 " + marker, "mail: the server refuses the greeting (421)", migrate.Transient},
	} {
		o := &postOffice{offers: []string{"STARTTLS", "AUTH PLAIN"}, answers: map[string]string{word: c.answer}}
		if word == "EHLO" {
			o.answers["HELO"] = c.answer
		}
		_, err := post(t, o, func(m *Mail) { m.User, m.Password = "me", is(marker) }, letter())
		e, ok := errors.AsType[*migrate.Error](err)
		if !ok || err.Error() != c.want || e.Class != c.class {
			t.Errorf("%s: %v, want %s", word, err, c.want)
		}
		silent(t, err)
	}
}

func TestAServerThatStoresTheMailAndThenFailsHasStoredIt(t *testing.T) {
	for _, word := range []string{"RSET", "QUIT"} {
		o := &postOffice{offers: []string{"STARTTLS"}, answers: map[string]string{word: "500 what?"}}
		if _, err := post(t, o, nil, letter()); err != nil || len(o.messages) != 1 {
			t.Errorf("%s: %v", word, err)
		}
	}
}

func TestAMailServerThatHangsOrTalksForEverIsLeft(t *testing.T) {
	for _, word := range []string{"EHLO", "STARTTLS", "MAIL", "RSET", "QUIT"} {
		took, err := post(t, &postOffice{offers: []string{"STARTTLS"}, hangs: word}, nil, letter())
		if took > mailTimeout || (err == nil) != (word == "RSET" || word == "QUIT") {
			t.Errorf("%s: %v after %v", word, err, took)
		}
	}
	for _, endless := range []string{"250-", "x"} {
		took, err := post(t, &postOffice{}, func(m *Mail) {
			m.Dial = func(context.Context, string, string) (net.Conn, error) {
				near, far := net.Pipe()
				go func() {
					io.WriteString(far, "220 hello\r\n")
					go io.Copy(io.Discard, far)
					for {
						if _, err := io.WriteString(far, strings.Repeat(endless, 1000)); err != nil {
							return
						}
					}
				}()
				return near, nil
			}
		}, letter())
		if err == nil || took > mailTimeout {
			t.Errorf("%v after %v", err, took)
		}
	}
}

func TestTheEndOfTheRunEndsAMailOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		defer p.Close()
		go func() {
			if c, err := p.Accept(); err == nil {
				io.Copy(io.Discard, c) // never a greeting
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		m := &Mail{Host: "127.0.0.1", Port: 25, TLS: "none", From: "a@example.com", To: []string{"b@example.com"}, Dial: p.Dial}
		if err := m.Send(ctx, letter()); err == nil || time.Since(begun) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}
