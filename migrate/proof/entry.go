package proof

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// maxEntry is how many octets the text of an entry has at most.
const maxEntry = 4096

// A Folder is the entry of one folder of the source. The names are commitments:
// see [Nonce].
type Folder struct {
	ID          int64 // FolderState.ID
	UIDValidity uint32
	Epoch       int
	Source      Digest // address of the mailbox
	Target      Digest // and of the one that it moves to
	Path        Digest
}

// A Message is the entry of what became of one message.
type Message struct {
	Folder  int64 // FolderState.ID
	UID     migrate.UID
	Outcome migrate.Outcome
	Settled time.Time         // to the second; zero if that is not known
	Size    int64             // octets
	Source  Digest            // of the octets at the source; zero if they were not read
	Replica Digest            // migrate.Replica.Content; zero if it was not read back since it settled
	Target  migrate.MessageID // empty for none
}

// String returns the text of the entry.
func (f Folder) String() string {
	return fmt.Sprintf("folder %d %d %d %x %x %x", f.ID, f.UIDValidity, f.Epoch, f.Source, f.Target, f.Path)
}

// String returns the text of the entry.
func (m Message) String() string {
	var settled int64
	if !m.Settled.IsZero() {
		settled = m.Settled.Unix()
	}
	b := make([]byte, 0, 256)
	b = append(b, "message "...)
	b = append(strconv.AppendInt(b, m.Folder, 10), ' ')
	b = append(strconv.AppendUint(b, uint64(m.UID), 10), ' ')
	b = append(append(b, m.Outcome.String()...), ' ')
	b = append(strconv.AppendInt(b, settled, 10), ' ')
	b = append(strconv.AppendInt(b, m.Size, 10), ' ')
	b = append(appendDigest(b, m.Source), ' ')
	b = append(appendDigest(b, m.Replica), ' ')
	return string(appendTarget(b, string(m.Target)))
}

func appendDigest(b []byte, d Digest) []byte {
	if d == (Digest{}) {
		return append(b, '-')
	}
	return hex.AppendEncode(b, d[:])
}

func appendTarget(b []byte, id string) []byte {
	switch id {
	case "":
		return append(b, '-')
	case "-":
		return append(b, "%2D"...)
	}
	for i := range len(id) {
		if c := id[i]; c <= ' ' || c > '~' || c == '%' {
			b = fmt.Appendf(b, "%%%02X", c)
		} else {
			b = append(b, c)
		}
	}
	return b
}

// names returns what stands for the names, in the order of kinds.
func (f Folder) names() [len(kinds)]Digest { return [...]Digest{f.Source, f.Target, f.Path} }

var (
	errMalformed = errors.New("is no entry of a log")
	errFolder    = errors.New("is about a message of a folder that no entry before it is about")
)

// ParseFolder reads what [Folder.String] writes, and nothing else.
func ParseFolder(text string) (f Folder, err error) {
	p := parser{rest: text}
	p.next()
	f.ID = p.number(1, 1<<63-1)
	f.UIDValidity = uint32(p.number(0, 1<<32-1))
	f.Epoch = int(p.number(0, 1<<31-1))
	f.Source, f.Target, f.Path = p.digest(), p.digest(), p.digest()
	return f, p.end(text, f)
}

// ParseMessage reads what [Message.String] writes, and nothing else.
func ParseMessage(text string) (m Message, err error) {
	p := parser{rest: text}
	p.next()
	m.Folder = p.number(1, 1<<63-1)
	m.UID = migrate.UID(p.number(1, 1<<32-1))
	m.Outcome = p.outcome()
	if settled := p.number(0, 1<<40); settled != 0 {
		m.Settled = time.Unix(settled, 0).UTC()
	}
	m.Size = p.number(0, 1<<63-1)
	m.Source, m.Replica = p.digest(), p.digest()
	m.Target = p.target()
	return m, p.end(text, m)
}

// A parser takes a text apart that has one space between its fields. It makes
// something of any text: what has another spelling, or is none at all, is found
// when the entry is written again and differs.
type parser struct {
	rest    string
	outside bool // a number is out of its range
}

func (p *parser) next() string {
	field, rest, _ := strings.Cut(p.rest, " ")
	p.rest = rest
	return field
}

func (p *parser) number(least, most int64) int64 {
	n, _ := strconv.ParseInt(p.next(), 10, 64)
	p.outside = p.outside || n < least || n > most
	return n
}

// outcome returns migrate.Outcomes, which has no name of one word, for what is
// none.
func (p *parser) outcome() (o migrate.Outcome) {
	for name := p.next(); o < migrate.Outcomes && o.String() != name; {
		o++
	}
	return o
}

func (p *parser) digest() (d Digest) {
	s := p.next()
	hex.Decode(d[:], []byte(s)[:min(len(s), 2*len(d))])
	return d
}

func (p *parser) target() migrate.MessageID {
	s := p.next()
	if s == "-" {
		return ""
	}
	var b []byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			n, _ := strconv.ParseUint(s[min(i+1, len(s)):min(i+3, len(s))], 16, 8)
			c, i = byte(n), i+2
		}
		b = append(b, c)
	}
	return migrate.MessageID(b)
}

func (p *parser) end(text string, entry fmt.Stringer) error {
	if p.outside || len(text) > maxEntry || entry.String() != text {
		return errMalformed
	}
	return nil
}
