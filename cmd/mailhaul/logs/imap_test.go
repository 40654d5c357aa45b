package logs

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// A note is a trace in memory.
type note struct{ bytes.Buffer }

func (*note) Close() error { return nil }

func newNote() (*Trace, *note) {
	n := new(note)
	return &Trace{secrets: new(Secrets), w: n}, n
}

// told returns the lines of a trace without times and names.
func (n *note) told() (out []string) {
	for line := range strings.Lines(n.String()) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 5)
		out = append(out, fields[len(fields)-1])
	}
	return out
}

// A piece is what one side sent.
type piece struct {
	sent bool
	text string
}

// say tells both ways of a connection, in parts of at most step octets.
func say(t *Trace, pieces []piece, step func() int) {
	sent, received := t.IMAP("ann@example.com")
	for _, p := range pieces {
		to := received
		if p.sent {
			to = sent
		}
		for text := p.text; text != ""; {
			n := min(len(text), step())
			io.WriteString(to, text[:n])
			text = text[n:]
		}
	}
}

func TestAnIMAPSessionIsShownWithoutCredentialsAndMail(t *testing.T) {
	const c, s = true, false
	trace, n := newNote()
	say(trace, []piece{
		{s, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] Dovecot ready.\r\n"},
		{c, "T1 LOGIN \"ann\" \"pa{5}\\\"ss\"\r\n"},
		{s, "T1 NO [AUTHENTICATIONFAILED] LOGIN ann pass failed\r\n"},
		{c, "T2 LOGIN {3}\r\n"},
		{s, "+ OK\r\n"},
		{c, "ann {8+}\r\npass\r\nw2\r\n"},
		{s, "T2 BAD you said {8}pass\r\n"},
		{c, "T3 AUTHENTICATE PLAIN AGFubgBwYXNz\r\n"},
		{s, "* BYE you said AGFubgBwYXNz\r\n"},
		{s, "T3 NO no\r\n"},
		{c, "T4 AUTHENTICATE OAUTHBEARER\r\n"},
		{s, "+ \r\n"},
		{c, "T4\r\n"},
		{s, "+ eyJzdGF0dXMiOiI0MDAifQ==\r\n"},
		{c, "*\r\n"},
		{s, "* CAPABILITY IMAP4rev1 CONDSTORE\r\n"},
		{s, "T4 OK logged in, token T4\r\n"},
		{s, "* OK [ALERT] all is well {3}\r\n"},
		{c, "T5 LIST \"\" {7}\r\n"},
		{s, "+ go on\r\n"},
		{c, "Entw&AP\r\n"},
		{s, "* LIST (\\HasNoChildren \\Drafts) \"/\" \"Clients/2019\"\r\n"},
		{s, "* LIST () \"/\" {3}\r\nab\n x\r\n"},
		{c, "T6 UID FETCH 1:3 (UID FLAGS BODY.PEEK[])\r\n"},
		{s, "* 1 FETCH (UID 1 FLAGS (\\Seen $Forwarded keyword) INTERNALDATE \"14-Nov-2023 22:13:20 +0000\" RFC822.SIZE 18 BODY[] {18}\r\nSubject: x\r\n\r\nbody)\r\n"},
		{s, "* 2 FETCH (UID 2 BODY[HEADER.FIELDS (MESSAGE-ID)] \"Message-ID: <x@y>\" FLAGS ())\r\n"},
		{s, "* 3 FETCH (UID 3 BODY[]<0> ~{4}\r\n\x00\x01\r\n INTERNALDATE \"tomorrow\" ENVELOPE (NIL \"a \\\" b\" ((NIL NIL \"ann\" \"example.com\"))))\r\n"},
		{s, "* 4 FETCH (BODY[] {4}\r\nDear sir, FLAGS (now) I am \"yours\" truly.\r\n* 7 EXISTS in my letter\r\n* 8 friends came\r\nT6 said no\r\n\r\n"},
		{s, "* 9 EXISTS\r\n* 2 EXPUNGE\r\n* SEARCH 1 2 3\r\n* STATUS \"INBOX\" (MESSAGES 3 UIDNEXT 4)\r\n"},
		{s, "T6 OK Fetch completed.\r\n"},
		{c, "T7 APPEND \"INBOX\" {5}\r\nletter\r\n"},
		{c, "T8 X-UNKNOWN something\r\n"},
	}, func() int { return 1 << 20 })
	want := []string{
		"< * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] Dovecot ready.",
		"> T1 LOGIN [redacted]",
		"< T1 NO [AUTHENTICATIONFAILED] [44 octets]",
		"> T2 LOGIN [redacted]",
		"< + [2 octets]",
		"> [3 octets] [5 octets]",
		"> [8 octets] [0 octets]",
		"< T2 BAD [16 octets]",
		"> T3 AUTHENTICATE [redacted]",
		"< * BYE [21 octets]",
		"< T3 NO [2 octets]",
		"> T4 AUTHENTICATE [redacted]",
		"< + [0 octets]",
		"> [2 octets]",
		"< + [24 octets]",
		"> [1 octets]",
		"< * CAPABILITY IMAP4rev1 CONDSTORE",
		"< T4 OK [19 octets]",
		"< * OK [ALERT] all is well {3}",
		"> T5 LIST \"\" {7}",
		"< + [5 octets]",
		"> [7 octets] [0 octets]",
		"< * LIST (\\HasNoChildren \\Drafts) \"/\" \"Clients/2019\"",
		"< * LIST () \"/\" {3}",
		"< [3 octets] [2 octets]",
		"> T6 UID FETCH 1:3 (UID FLAGS BODY.PEEK[])",
		"< * 1 FETCH (UID 1 FLAGS (\\Seen $Forwarded keyword) INTERNALDATE \"14-Nov-2023 22:13:20 +0000\" RFC822.SIZE 18 BODY[] {18}",
		"< [18 octets] )",
		"< * 2 FETCH (UID 2 BODY[HEADER.FIELDS (MESSAGE-ID)] \"17 octets\" FLAGS ())",
		"< * 3 FETCH (UID 3 BODY[]<0> ~{4}",
		"< [4 octets]  INTERNALDATE \"8 octets\" ENVELOPE (NIL \"6 octets\" ((NIL NIL \"3 octets\" \"11 octets\"))))",
		"< * 4 FETCH (BODY[] {4}",
		"< [4 octets]  ? FLAGS (now) ? ? \"5 octets\" ?",
		"< * 7 EXISTS",
		"< [16 octets]",
		"< [10 octets]",
		"< [0 octets]",
		"< * 9 EXISTS",
		"< * 2 EXPUNGE",
		"< * SEARCH 1 2 3",
		"< * STATUS \"INBOX\" (MESSAGES 3 UIDNEXT 4)",
		"< T6 OK Fetch completed.",
		"> [21 octets]",
		"> [5 octets] [1 octets]",
		"> [22 octets]",
	}
	got := n.told()
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("line %d is\n%s\nwant\n%s", i+1, g, w)
		}
	}
}

func TestALongLineIsCutAndItsLiteralSeen(t *testing.T) {
	trace, n := newNote()
	say(trace, []piece{{false, "* SEARCH " + strings.Repeat("123456789 ", 100_000) + "\r\n* 1 FETCH (BODYSTRUCTURE (\"" + strings.Repeat("x", 100_000) + "\") BODY[] {9}\r\nsecret\r\n!)\r\n"}},
		func() int { return 1000 })
	out := n.String()
	if len(out) > 3*maxLine || strings.Contains(out, "secret") || !strings.Contains(out, "[9 octets] )") || !strings.Contains(out, "... [995913 octets]") {
		t.Errorf("%d octets: %.200q", len(out), out)
	}
}

// mark is an octet that stands in every secret and in all mail of the tests
// below, and nowhere else.
const mark = 0xb5

// marked makes fuzz octets into content: what means something in IMAP stays,
// all else becomes the mark, and there is one in every line of it.
func marked(b []byte) string {
	out := []byte{}
	for _, c := range b {
		if strings.IndexByte("\r\n\"\\{}()[]<>+*~ T1269", c) < 0 {
			c = mark
		}
		out = append(out, c)
	}
	return string(out)
}

// quoted is content in a quoted string.
func quoted(s string) string {
	s = strings.NewReplacer("\r", "", "\n", "", `\`, `\\`, `"`, `\"`).Replace(s)
	return `"` + s + `"`
}

// oneLine is content where no line may end.
func oneLine(s string) string { return strings.NewReplacer("\r", "", "\n", "", " ", "").Replace(s) }

// session makes a conversation around content, which must not be seen.
func session(content []byte, choose *rand.Rand) (pieces []piece) {
	take := func() string {
		n := 0
		if len(content) > 0 {
			n = 1 + choose.IntN(min(len(content), 40))
		}
		part := content[:n]
		content = content[n:]
		return marked(part)
	}
	literal := func(s, plus string) string { return fmt.Sprintf("{%d%s}\r\n%s", len(s), plus, s) }
	client := func(format string, a ...any) { pieces = append(pieces, piece{true, fmt.Sprintf(format, a...)}) }
	server := func(format string, a ...any) { pieces = append(pieces, piece{false, fmt.Sprintf(format, a...)}) }
	for tag := 1; len(content) > 0; tag++ {
		switch choose.IntN(13) {
		case 0:
			client("T%d LOGIN %s %s\r\n", tag, quoted(take()), quoted(take()))
			server("T%d NO %s\r\n", tag, oneLine(take()))
		case 1:
			client("T%d LOGIN %s %s\r\n", tag, literal(take(), ""), literal(take(), "+"))
			server("T%d OK [CAPABILITY] %s\r\n", tag, oneLine(take()))
		case 2:
			client("T%d login %s %s\r\n", tag, quoted(take()), literal(take(), ""))
			server("* CAPABILITY X\r\n* BYE %s\r\n", oneLine(take()))
			return pieces
		case 3:
			client("T%d AUTHENTICATE PLAIN %s\r\n", tag, oneLine(take()))
			server("* NO %s\r\nT%d BAD %[1]s\r\n", oneLine(take()), tag)
		case 4:
			client("T%d AUTHENTICATE XOAUTH2\r\n", tag)
			server("+ %s\r\n", oneLine(take()))
			client("%s\r\n", oneLine(take()))
			server("+ %s\r\n", oneLine(take()))
			client("%s\r\n", oneLine(take()))
			server("T%d NO %s\r\n", tag, oneLine(take()))
		case 5:
			client("T%d APPEND INBOX (\\Seen) %s\r\n", tag, literal(take(), "+"))
			client("T%d LIST \"\" %s\r\n", tag, literal(take(), ""))
		case 6:
			server("* %d FETCH (UID %[1]d FLAGS (\\Seen) BODY[] %s)\r\n", tag, literal(take(), ""))
		case 7:
			server("* %d FETCH (BODY[HEADER.FIELDS (MESSAGE-ID)] ~%s BODY[]<0> %s INTERNALDATE %s)\r\n", tag, literal(take(), ""), literal(take(), ""), quoted(take()))
		case 8:
			server("* %d FETCH (ENVELOPE (%s NIL %s) BODY[TEXT] %s)\r\n", tag, quoted(take()), quoted(take()), quoted(take()))
		case 9: // a literal that is longer than announced, in a line of its own
			server("* %d FETCH (BODY[] {1}\r\nx%c%s\r\n", tag, mark, strings.ReplaceAll(oneLine(take()), `"`, ""))
		case 10: // a body that comes without being announced
			server("%c%s\r\n", mark, oneLine(take()))
		case 11: // it does not want the literal, which is not sent
			client("T%d LOGIN {%d}\r\n", tag, 1+choose.IntN(60))
			server("* 3 EXISTS\r\nT%d NO %s\r\n", tag, oneLine(take()))
		case 12:
			server("* LIST () \"/\" %s\r\n* 3 EXISTS\r\nT%d OK done\r\n", literal(take(), ""), tag)
		}
	}
	return pieces
}

// No octet of a credential or of mail is shown, however the octets are cut.
func FuzzNothingSecretOfAnIMAPSessionIsShown(f *testing.F) {
	f.Add([]byte("secret\r\nT1 LIST \"\" \"x\"\r\n* 1 EXISTS {12}\r\n"), uint64(1))
	f.Add([]byte(strings.Repeat("a\"b\\c{9}\r\n* OK (T2 ", 40)), uint64(2))
	f.Add(bytes.Repeat([]byte("T1 * 2 FETCH (FLAGS (x) {3}\r\n"), 60), uint64(3))
	f.Add(bytes.Repeat([]byte{'\r', '\n', 'x', '"', ' '}, 200), uint64(4))
	f.Fuzz(func(t *testing.T, content []byte, seed uint64) {
		choose := rand.New(rand.NewPCG(seed, 1))
		pieces := session(content[:min(len(content), 4000)], choose)
		trace, n := newNote()
		say(trace, pieces, func() int { return 1 + choose.IntN(1+choose.IntN(100)) })
		if i := strings.IndexFunc(n.String(), func(r rune) bool { return r == mark || r == '�' }); i >= 0 {
			t.Errorf("it shows %q of %+q", n.String()[max(0, i-60):min(n.Len(), i+20)], fmt.Sprint(pieces))
		}
	})
}

// What is shown does not depend on how the octets are cut, whatever they are,
// and takes bounded room.
func FuzzATraceDoesNotDependOnHowOctetsAreCut(f *testing.F) {
	f.Add([]byte("* 1 FETCH (BODY[] {3}\r\nabc FLAGS (\\Seen))\r\n* OK x\r\n"), []byte("T1 LOGIN a {1+}\r\nb\r\nT2 NOOP\r\n"), uint8(1))
	f.Add([]byte("* 1 FETCH (\"\\\r\n{99999999999999999999999}\r\nx"), []byte("S STARTTLS\r\n\r\n{3}\r\n"), uint8(3))
	f.Fuzz(func(t *testing.T, received, sent []byte, step uint8) {
		pieces := []piece{{true, string(sent)}, {false, string(received)}, {true, string(sent)}}
		whole, a := newNote()
		say(whole, pieces, func() int { return 1 << 20 })
		cut, b := newNote()
		say(cut, pieces, func() int { return 1 + int(step) })
		if x, y := a.told(), b.told(); strings.Join(x, "\n") != strings.Join(y, "\n") {
			t.Errorf("%q, and cut %q", x, y)
		}
		for _, line := range a.told() {
			if len(line) > 12*maxLine { // each item may become a count
				t.Errorf("a line of %d octets", len(line))
			}
		}
	})
}

func TestAnOctetStringOfSASLIsNotShownInParts(t *testing.T) {
	secret := base64.StdEncoding.EncodeToString([]byte("\x00ann\x00pass word"))
	for step := 1; step < 60; step++ {
		trace, n := newNote()
		say(trace, []piece{{true, "T1 AUTHENTICATE PLAIN\r\n"}, {false, "+ \r\n"}, {true, secret + "\r\n"}, {false, "T1 NO " + secret + "\r\n"}}, func() int { return step })
		for i := range len(secret) - 4 {
			if strings.Contains(n.String(), secret[i:i+4]) {
				t.Fatalf("cut into %d: %s", step, n.String())
			}
		}
	}
}
