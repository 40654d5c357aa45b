package logs

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// IMAP begins the trace of a connection, of which sent and received must be
// told every octet in the clear, however it is cut into pieces. What they hold
// is shown only where it is known what it is: of commands, those that carry no
// secret; of answers, names, numbers and status. Literals and what comes in
// FETCH answers as text are replaced by their length.
func (t *Trace) IMAP(label string) (sent, received io.Writer) {
	c := &imapConn{trace: t, name: t.begin("imap", label)}
	c.sent = &imapLines{show: c.asked, conn: c}
	return c.sent, &imapLines{show: c.answered, conn: c}
}

// imapConn is what both directions of a connection know.
type imapConn struct {
	trace *Trace
	name  string
	sent  *imapLines

	mu      sync.Mutex
	command string // tag of the latest one
	waiting string // the same while its literal is not sent until the server says so
	login   string // tag of a login that is under way; what the server says meanwhile may repeat it
}

// imapLines cuts one direction into lines and literals.
type imapLines struct {
	show func(l *imapLines, line []byte, more int) (text string, literals bool)
	conn *imapConn

	line    []byte // so far, up to maxLine octets
	tail    []byte // the last octets of a line that is longer
	more    int    // octets of the line beyond maxLine
	literal uint64 // octets of a literal that are still to come
	skipped string // the literal before this part of a line, in words; empty at its begin

	fetched bool // the rest of the answer is that of a FETCH
}

// The end of a line that announces a literal (RFC 3501 section 4.3, RFC 7888,
// RFC 3516).
var literalEnd = regexp.MustCompile(`~?\{([0-9]+)(\+?)\}\r?\n$`)

// maxAnnounced is longer than any announcement of a literal.
const maxAnnounced = 32

func (l *imapLines) Write(p []byte) (int, error) {
	l.conn.mu.Lock()
	defer l.conn.mu.Unlock()
	for rest := p; len(rest) > 0; {
		if l.literal > 0 {
			n := min(l.literal, uint64(len(rest)))
			l.literal, rest = l.literal-n, rest[n:]
			if l == l.conn.sent {
				l.conn.waiting = ""
			}
			continue
		}
		n := bytes.IndexByte(rest, '\n') + 1
		ends := n > 0
		if !ends {
			n = len(rest)
		}
		l.add(rest[:n])
		if rest = rest[n:]; ends {
			l.end()
		}
	}
	return len(p), nil
}

func (l *imapLines) add(part []byte) {
	room := min(len(part), maxLine-len(l.line))
	l.line = append(l.line, part[:room]...)
	l.more += len(part) - room
	l.tail = append(l.tail, part[max(0, len(part)-maxAnnounced):]...)
	l.tail = l.tail[max(0, len(l.tail)-maxAnnounced):]
}

// end shows a line that is complete.
func (l *imapLines) end() {
	text, literals := l.show(l, bytes.TrimRight(l.line, "\r\n"), max(0, l.more-len("\r\n")))
	l.conn.trace.line(l.conn.name, text)
	l.line, l.more, l.skipped = l.line[:0], 0, ""
	if announced := literalEnd.FindSubmatch(l.tail); announced != nil && literals {
		if l == l.conn.sent && len(announced[2]) == 0 {
			l.conn.waiting = l.conn.command
		}
		size, err := strconv.ParseUint(string(announced[1]), 10, 64)
		if err != nil {
			size = math.MaxUint64 // nobody sends that much: nothing is shown any more
		}
		l.literal, l.skipped = size, fmt.Sprintf("[%s octets] ", announced[1])
	} else {
		l.fetched = false
	}
}

// octets stands for what is not shown.
func octets(n int) string { return fmt.Sprintf("[%d octets]", n) }

// beyond says that a line was longer than what is shown of it.
func beyond(more int) string {
	if more == 0 {
		return ""
	}
	return "... " + octets(more)
}

// Commands that are shown. All others may carry a secret.
var openCommands = []string{"CAPABILITY", "NOOP", "LOGOUT", "STARTTLS", "ID", "ENABLE", "NAMESPACE", "LIST", "LSUB", "STATUS",
	"EXAMINE", "SELECT", "CLOSE", "UNSELECT", "SEARCH", "FETCH", "UID"}

// Tags as our client makes them: another word is no tag but part of a secret
// that came in several lines.
var commandTag = regexp.MustCompile(`^(S|T[0-9]{1,18})$`)

// asked shows a line that the client sent.
func (c *imapConn) asked(l *imapLines, line []byte, more int) (text string, literals bool) {
	if l.skipped != "" { // if the server refused the literal, the client is somewhere else by now
		return "> " + l.skipped + octets(len(line)+more), true
	}
	tag, rest, _ := bytes.Cut(line, []byte(" "))
	verb, _, _ := bytes.Cut(rest, []byte(" "))
	name := strings.ToUpper(string(verb))
	c.command = string(tag)
	switch {
	case c.login != "": // an answer of SASL (RFC 3501 section 6.2.2)
		return "> " + octets(len(line)+more), false
	case !commandTag.Match(tag):
	case slices.Contains(openCommands, name):
		return "> " + string(line) + beyond(more), true
	case name == "LOGIN" || name == "AUTHENTICATE":
		c.login = string(tag)
		return fmt.Sprintf("> %s %s %s", tag, name, Hidden), true
	}
	return "> " + octets(len(line)+more), true
}

// Answers that are shown, and those that end in a text of the server's choice
// (RFC 9051 section 7).
var (
	openAnswers   = []string{"CAPABILITY", "LIST", "LSUB", "STATUS", "SEARCH", "ESEARCH", "FLAGS", "ENABLED", "ID", "NAMESPACE", "VANISHED"}
	statusAnswers = []string{"OK", "NO", "BAD", "BYE", "PREAUTH"}
	countAnswers  = []string{"EXISTS", "RECENT", "EXPUNGE"}
)

// answered shows a line that the server sent.
func (c *imapConn) answered(l *imapLines, line []byte, more int) (text string, literals bool) {
	if l.skipped != "" {
		if l.fetched {
			return "< " + l.skipped + fetched(line) + beyond(more), true
		}
		return "< " + l.skipped + octets(len(line)+more), true
	}
	tag, rest, _ := bytes.Cut(line, []byte(" "))
	word, data, _ := bytes.Cut(rest, []byte(" "))
	name := strings.ToUpper(string(word))
	untagged := string(tag) == "*"
	status := slices.Contains(statusAnswers, name)
	switch {
	case status && (untagged || commandTag.Match(tag)):
		if c.waiting != "" && c.waiting == string(tag) { // it does not want the literal
			c.waiting, c.sent.literal, c.sent.skipped = "", 0, ""
		}
		hide := c.login != ""
		if c.login == string(tag) {
			c.login = ""
		}
		if hide {
			return fmt.Sprintf("< %s %s %s%s", tag, name, statusCode.Find(data), octets(len(data)+more)), false
		}
		return "< " + string(line) + beyond(more), false
	case untagged && slices.Contains(openAnswers, name):
		return "< " + string(line) + beyond(more), true
	case untagged && number(word):
		kind, items, _ := bytes.Cut(data, []byte(" "))
		switch name := strings.ToUpper(string(kind)); {
		case slices.Contains(countAnswers, name):
			return fmt.Sprintf("< * %s %s", word, name), true
		case name == "FETCH":
			l.fetched = true
			return fmt.Sprintf("< * %s FETCH %s%s", word, fetched(items), beyond(more)), true
		}
	case string(tag) == "+":
		return "< + " + octets(len(rest)+more), false
	}
	return "< " + octets(len(line)+more), true
}

// A response code without arguments (RFC 3501 section 7.1), such as
// [AUTHENTICATIONFAILED] of RFC 5530.
var statusCode = regexp.MustCompile(`^\[[A-Z-]{1,40}\] `)

func number(word []byte) bool {
	return len(word) > 0 && len(word) < 20 && len(bytes.Trim(word, "0123456789")) == 0
}

// Items of FETCH answers, without what stands in brackets behind them.
var fetchItems = []string{"UID", "FLAGS", "INTERNALDATE", "RFC822", "RFC822.SIZE", "RFC822.HEADER", "RFC822.TEXT", "BODY", "BODYSTRUCTURE",
	"BINARY", "BINARY.SIZE", "ENVELOPE", "MODSEQ", "EMAILID", "THREADID", "SAVEDATE", "PREVIEW", "NIL"}

// One of what a FETCH answer is made of: a quoted string, an item with what
// stands in brackets behind it, a literal's announcement, or a character. A
// string whose end is missing goes to the end of the line.
var fetchToken = regexp.MustCompile(`"(?:[^"\\]|\\.)*(?:"|\\?$)|~?\{[0-9]+\+?\}$|[^][\s(){}"\\]+(?:\[[^]"]*\])?(?:<[0-9]+>)?|\\[A-Za-z*]+|(?s:.)`)

var (
	section      = regexp.MustCompile(`^\[[A-Z0-9. ()-]{0,200}\](<[0-9]+>)?$`)
	internalDate = regexp.MustCompile(`^"[ 0-9]?[0-9]-[A-Z][a-z]{2}-[0-9]{4} [0-9:]{8} [+-][0-9]{4}"$`)
)

// fetched shows what is known in the items of a FETCH answer, or in a part of
// them. Flags are shown whatever they are; a server that breaks its word on the
// length of a literal is not to have the rest of it shown.
func fetched(items []byte) string {
	var out strings.Builder
	announced, flags, dated := false, false, false
	for _, token := range fetchToken.FindAll(items, -1) {
		t := string(token)
		name, _, _ := strings.Cut(t, "[")
		switch {
		case t == " " || t == "(" || t == ")":
			out.WriteString(t)
		case t[0] == '"' && !(dated && internalDate.MatchString(t)):
			fmt.Fprintf(&out, `"%d octets"`, max(0, len(t)-2))
		case t[0] == '"', t[0] == '\\' && len(t) > 1, number(token), flags, literalEnd.MatchString(t + "\n"):
			out.WriteString(t)
		case slices.Contains(fetchItems, name) && (name == t || section.MatchString(t[len(name):])):
			out.WriteString(t)
		default:
			out.WriteString("?")
		}
		flags = announced && t == "(" || flags && t != ")"
		announced = t == "FLAGS" || announced && t == " "
		dated = t == "INTERNALDATE" || dated && t == " "
	}
	return out.String()
}
