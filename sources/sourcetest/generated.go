package sourcetest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// GeneratedOptions says what a [Generated] server holds.
type GeneratedOptions struct {
	Messages int      // in the INBOX, the only folder
	Step     int      // from one UID to the next; 0 means 1
	Size     int      // octets of each message, or as few as its header takes
	Caps     []string // what it announces; nil means CONDSTORE, ESEARCH, LIST-STATUS and what these build upon
}

// Generated is an IMAP server (RFC 3501) on loopback, without TLS, whose
// messages are made up when they are asked for: it holds a million in no
// memory. Any user may log in, and sees the same mailbox. It keeps
// modification sequences (RFC 7162) for what a test changes. It knows the
// commands that a reader of mail sends, and of SEARCH the keys UID and MODSEQ.
type Generated struct {
	Host string
	Port int

	options  GeneratedOptions
	mu       sync.Mutex // held by who changes what is below
	now      atomic.Pointer[state]
	commands atomic.Int64
}

// A state of the mailbox never changes, so that no answer that is being sent
// holds up anything.
type state struct {
	*GeneratedOptions
	next     uint32 // UIDNEXT
	modSeq   uint64
	changed  map[uint32]change
	arrived  []arrival // in ascending order of both
	expunged []uint32  // ascending
}

// A change is what became of the flags of a message.
type change struct {
	flags  []migrate.Flag
	modSeq uint64
}

// An arrival says from which UID on messages arrived no earlier than modSeq.
type arrival struct {
	uid    uint32
	modSeq uint64
}

// NewGenerated starts a server and stops it when the test ends.
func NewGenerated(tb testing.TB, options GeneratedOptions) *Generated {
	tb.Helper()
	options.Step = max(options.Step, 1)
	if options.Caps == nil {
		options.Caps = []string{"CONDSTORE", "ESEARCH", "LIST-EXTENDED", "LIST-STATUS", "SPECIAL-USE"}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(tb, err)
	g := &Generated{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, options: options}
	g.now.Store(&state{GeneratedOptions: &g.options, next: 1, changed: map[uint32]change{}})
	g.Add(options.Messages)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(tb.Context(), func() { c.Close() })
			wg.Go(func() { defer c.Close(); g.serve(c) })
		}
	})
	tb.Cleanup(func() { l.Close(); wg.Wait() })
	return g
}

// change makes the next state of the one that is.
func (g *Generated) change(fn func(*state)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	next := *g.now.Load()
	next.modSeq++
	fn(&next)
	g.now.Store(&next)
}

// Add lets n messages arrive.
func (g *Generated) Add(n int) {
	g.change(func(s *state) {
		s.arrived = append(slices.Clip(s.arrived), arrival{s.next, s.modSeq})
		s.next += uint32(n * s.Step)
	})
}

// SetFlags gives messages these flags and no others. At first each has \Seen.
func (g *Generated) SetFlags(flags []migrate.Flag, uids ...migrate.UID) {
	g.change(func(s *state) {
		s.changed = maps.Clone(s.changed)
		for _, u := range uids {
			s.changed[uint32(u)] = change{flags, s.modSeq}
		}
	})
}

// Expunge removes messages.
func (g *Generated) Expunge(uids ...migrate.UID) {
	g.change(func(s *state) {
		s.expunged = slices.Clone(s.expunged)
		for _, u := range uids {
			if s.exists(uint32(u)) {
				i, _ := slices.BinarySearch(s.expunged, uint32(u))
				s.expunged = slices.Insert(s.expunged, i, uint32(u))
			}
		}
	})
}

// Commands counts the commands that came so far.
func (g *Generated) Commands() int { return int(g.commands.Load()) }

func (s *state) messages() int { return int(s.next-1)/s.Step - len(s.expunged) }

func (s *state) exists(uid uint32) bool {
	_, gone := slices.BinarySearch(s.expunged, uid)
	return !gone && uid < s.next && int(uid-1)%s.Step == 0
}

// number is the message sequence number of a UID that exists.
func (s *state) number(uid uint32) int {
	before, _ := slices.BinarySearch(s.expunged, uid)
	return int(uid-1)/s.Step + 1 - before
}

func (s *state) seq(uid uint32) uint64 {
	if c, ok := s.changed[uid]; ok {
		return c.modSeq
	}
	i, _ := slices.BinarySearchFunc(s.arrived, uid+1, func(a arrival, uid uint32) int { return int(int64(a.uid) - int64(uid)) })
	return s.arrived[i-1].modSeq
}

func (s *state) flags(uid uint32) string {
	flags := []migrate.Flag{migrate.Seen}
	if c, ok := s.changed[uid]; ok {
		flags = c.flags
	}
	var b strings.Builder
	for i, f := range flags {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(f))
	}
	return b.String()
}

func (s *state) header(uid uint32) string {
	return fmt.Sprintf("Message-ID: <%d@example.org>\r\nDate: %s\r\nFrom: ann@example.org\r\nTo: joe@example.org\r\nSubject: message %d\r\n\r\n",
		uid, received(uid).Format(time.RFC1123Z), uid)
}

func (s *state) size(uid uint32) int { return max(s.Size, len(s.header(uid))) }

// body repeats the number of the message, so that no two are alike.
func (s *state) body(uid uint32) string {
	size, b := s.size(uid), strings.Builder{}
	b.WriteString(s.header(uid))
	for b.Len() < size {
		fmt.Fprintf(&b, "This is line %d of message %d of many.\r\n", b.Len(), uid)
	}
	return b.String()[:size]
}

func received(uid uint32) time.Time { return time.Unix(1e9+int64(uid), 0).UTC() }

// each calls fn for the messages of a UID set, ascending.
func (s *state) each(set string, fn func(uid uint32)) {
	for part := range strings.SplitSeq(set, ",") {
		from, to, ranged := strings.Cut(part, ":")
		lo := s.uid(from)
		hi := lo
		if ranged {
			hi = s.uid(to)
		}
		lo, hi = min(lo, hi), min(max(lo, hi), s.next-1)
		step := uint32(s.Step)
		for uid := (lo+step-2)/step*step + 1; uid <= hi; uid += step {
			if s.exists(uid) {
				fn(uid)
			}
		}
	}
}

// uid reads one number of a set; "*" is the last there is.
func (s *state) uid(text string) uint32 {
	if text == "*" {
		return max(s.next, 2) - 1
	}
	n, _ := strconv.ParseUint(text, 10, 32)
	return max(uint32(n), 1)
}

// status answers with those items that are asked for (RFC 3501 section 6.3.10).
func (s *state) status(items string) string {
	var told []string
	for _, item := range []struct {
		name  string
		value uint64
	}{{"MESSAGES", uint64(s.messages())}, {"UIDNEXT", uint64(s.next)}, {"UIDVALIDITY", 1}, {"HIGHESTMODSEQ", s.modSeq}} {
		if strings.Contains(items, item.name) {
			told = append(told, fmt.Sprint(item.name, " ", item.value))
		}
	}
	return "* STATUS INBOX (" + strings.Join(told, " ") + ")\r\n"
}

// longestLine is what a client should not send more octets than in a command,
// and what a server should accept at least (RFC 7162 section 4).
const longestLine = 8192

func (g *Generated) serve(c net.Conn) {
	w := bufio.NewWriterSize(c, 64<<10)
	r := bufio.NewReader(c)
	fmt.Fprint(w, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n")
	for w.Flush() == nil {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		tag, command, _ := strings.Cut(strings.TrimSpace(line), " ")
		g.commands.Add(1)
		result := "BAD the line is too long"
		if len(line) <= longestLine {
			result = g.now.Load().answer(w, tag, command)
		}
		fmt.Fprintf(w, "%s %s\r\n", tag, result)
	}
}

func (s *state) capability() string { return "CAPABILITY IMAP4rev1 " + strings.Join(s.Caps, " ") }

// answer writes the untagged answers to a command and returns the tagged one.
func (s *state) answer(w io.Writer, tag, command string) string {
	name, args, _ := strings.Cut(command, " ")
	if name == "UID" {
		name, args, _ = strings.Cut(args, " ")
	}
	switch name {
	case "CAPABILITY":
		fmt.Fprintf(w, "* %s\r\n", s.capability())
	case "AUTHENTICATE", "LOGIN":
		return "OK [" + s.capability() + "] logged in" // or a client asks, sooner or later
	case "LIST":
		fmt.Fprint(w, "* LIST () \"/\" INBOX\r\n")
		if _, items, ok := strings.Cut(args, "STATUS ("); ok {
			fmt.Fprint(w, s.status(items))
		}
	case "STATUS":
		fmt.Fprint(w, s.status(args))
	case "EXAMINE", "SELECT":
		fmt.Fprintf(w, "* %d EXISTS\r\n* OK [UIDVALIDITY 1] valid\r\n* OK [UIDNEXT %d] next\r\n* OK [HIGHESTMODSEQ %d] highest\r\n", s.messages(), s.next, s.modSeq)
		return "OK [READ-ONLY] open"
	case "SEARCH":
		s.search(w, tag, args)
	case "FETCH":
		s.fetch(w, args)
	case "NOOP", "LOGOUT":
	default:
		return "BAD unknown command"
	}
	return "OK done"
}

func (s *state) search(w io.Writer, tag, args string) {
	set, since := "1:*", uint64(0)
	words := strings.Fields(args)
	for i, word := range words[:len(words)-1] {
		switch word {
		case "UID":
			set = words[i+1]
		case "MODSEQ":
			since, _ = strconv.ParseUint(words[i+1], 10, 64)
		}
	}
	if !strings.HasPrefix(args, "RETURN") {
		fmt.Fprint(w, "* SEARCH")
		s.each(set, func(uid uint32) {
			if since == 0 || s.seq(uid) >= since {
				fmt.Fprint(w, " ", uid)
			}
		})
		fmt.Fprint(w, "\r\n")
		return
	}
	fmt.Fprintf(w, "* ESEARCH (TAG %q) UID", tag)
	before, first, last := " ALL ", uint32(0), uint32(0)
	flush := func() {
		if first != 0 {
			fmt.Fprint(w, before, first)
			before = ","
		}
		if last > first {
			fmt.Fprint(w, ":", last)
		}
	}
	s.each(set, func(uid uint32) {
		switch {
		case since > 0 && s.seq(uid) < since:
		case first != 0 && uid == last+1:
			last = uid
		default:
			flush()
			first, last = uid, uid
		}
	})
	flush()
	fmt.Fprint(w, "\r\n")
}

func (s *state) fetch(w io.Writer, args string) {
	set, items, _ := strings.Cut(args, " ")
	since := uint64(0)
	if _, value, ok := strings.Cut(items, "(CHANGEDSINCE "); ok {
		since, _ = strconv.ParseUint(strings.TrimSuffix(value, ")"), 10, 64)
	}
	asked := func(item string) bool { return strings.Contains(items, item) }
	s.each(set, func(uid uint32) {
		if s.seq(uid) <= since {
			return
		}
		fmt.Fprintf(w, "* %d FETCH (UID %d", s.number(uid), uid)
		if asked("FLAGS") {
			fmt.Fprintf(w, " FLAGS (%s)", s.flags(uid))
		}
		if asked("MODSEQ") || since > 0 {
			fmt.Fprintf(w, " MODSEQ (%d)", s.seq(uid))
		}
		if asked("INTERNALDATE") {
			fmt.Fprintf(w, " INTERNALDATE \"%s\"", received(uid).Format("02-Jan-2006 15:04:05 -0700"))
		}
		if asked("RFC822.SIZE") {
			fmt.Fprintf(w, " RFC822.SIZE %d", s.size(uid))
		}
		if asked("HEADER.FIELDS") {
			field, _, _ := strings.Cut(s.header(uid), "\r\n")
			field += "\r\n\r\n"
			fmt.Fprintf(w, " BODY[HEADER.FIELDS (\"Message-ID\")] {%d}\r\n%s", len(field), field)
		}
		if _, partial, ok := strings.Cut(items, "BODY.PEEK[]"); ok {
			body, origin := s.body(uid), ""
			var offset, size int
			if n, _ := fmt.Sscanf(partial, "<%d.%d>", &offset, &size); n == 2 {
				body = body[min(offset, len(body)):min(offset+size, len(body))]
				origin = fmt.Sprintf("<%d>", offset)
			}
			fmt.Fprintf(w, " BODY[]%s {%d}\r\n%s", origin, len(body), body)
		}
		fmt.Fprint(w, ")\r\n")
	})
}
