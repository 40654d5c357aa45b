package graph

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/emersion/go-message/charset"
)

// A fingerprint is what of a message survives that Exchange rebuilds its MIME:
// some header fields, decoded, and the content of its leaves, decoded. Folding,
// boundaries, transfer encodings, charsets, the order of parts and white space
// in texts do not count. Of damaged MIME a part of the content may be in no
// leaf: then only the lines below the header tell.
type fingerprint struct {
	head    [sha256.Size]byte
	leaves  [][sha256.Size]byte // sorted
	lines   [sha256.Size]byte
	damaged bool
}

type likeness int

const (
	different likeness = iota
	similar            // same header, and some leaves are the same, or all of a damaged message
	same
)

func (a fingerprint) compare(b fingerprint) likeness {
	if a.head != b.head {
		return different
	}
	if a.lines == b.lines && slices.Equal(a.leaves, b.leaves) {
		return same
	}
	if slices.Equal(a.leaves, b.leaves) {
		if a.damaged || b.damaged || len(a.leaves) == 0 {
			return similar
		}
		return same
	}
	for _, l := range a.leaves {
		if slices.Contains(b.leaves, l) {
			return similar
		}
	}
	return different
}

// wellFormedID matches Message-IDs that no server has reason to change.
var wellFormedID = regexp.MustCompile(`^<[^\s<>@]+@[^\s<>@]+>$`)

// printOf reads a message once, in memory that does not grow with it.
func printOf(r io.Reader) (fingerprint, error) {
	var f fingerprint
	lines := &lines{Hash: sha256.New()}
	r = io.TeeReader(r, lines)
	err := f.read(r, 0)
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	lines.end()
	lines.Sum(f.lines[:0])
	slices.SortFunc(f.leaves, func(a, b [sha256.Size]byte) int { return bytes.Compare(a[:], b[:]) })
	return f, err
}

// maxAttached bounds messages attached to each other that are looked into.
const maxAttached = 5

// read takes attached messages apart too: Exchange rebuilds them as well.
func (f *fingerprint) read(r io.Reader, depth int) error {
	w := walk{visit: func(l leaf, body io.Reader) error {
		if l.mediaType == "message/rfc822" && depth < maxAttached {
			return f.read(body, depth+1)
		}
		h := sha256.New()
		if strings.HasPrefix(l.mediaType, "text/") || strings.HasPrefix(l.mediaType, "message/") {
			if err := hashText(h, body, l.params["charset"]); err != nil {
				return err
			}
		} else if _, err := io.Copy(h, body); err != nil {
			return err
		}
		f.leaves = append(f.leaves, [sha256.Size]byte(h.Sum(nil)))
		return nil
	}}
	h, err := w.message(r)
	f.damaged = f.damaged || w.damaged
	if err != nil && err != errNoHeader {
		return err
	}
	head := headPrint(header{h})
	if depth == 0 {
		f.head = head
	} else {
		f.leaves = append(f.leaves, head)
	}
	return nil
}

func headPrint(h header) [sha256.Size]byte {
	fields := []string{h.text("Subject"), ""}
	if t := h.date(); plausible(t) {
		fields[1] = strconv.FormatInt(t.Unix(), 10)
	}
	for _, name := range []string{"From", "To", "Cc"} {
		list, _ := h.addresses(name)
		var all []string
		for _, a := range list {
			all = append(all, strings.ToLower(a.Address))
		}
		slices.Sort(all)
		fields = append(fields, strings.Join(all, ","))
	}
	if id := h.text("Message-Id"); wellFormedID.MatchString(id) {
		fields = append(fields, strings.ToLower(id))
	}
	return sha256.Sum256([]byte(strings.Join(fields, "\n")))
}

// hashText hashes a text in UTF-8 without its white space.
func hashText(h hash.Hash, r io.Reader, label string) error {
	if label != "" {
		if decoded, err := charset.Reader(label, r); err == nil {
			r = decoded
		}
	}
	_, err := io.Copy(solid{h}, r)
	return err
}

// solid passes on everything but white space.
type solid struct{ io.Writer }

func (s solid) Write(p []byte) (int, error) {
	kept := make([]byte, 0, len(p))
	for _, c := range p {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			kept = append(kept, c)
		}
	}
	if _, err := s.Writer.Write(kept); err != nil {
		return 0, err
	}
	return len(p), nil
}

// lines hashes what stands below the header of a message line by line, without
// white space and without the lines that hold or declare a boundary.
type lines struct {
	hash.Hash
	line []byte // without white space, as far as it is not hashed
	long bool   // the start of the line was hashed or left out before
	skip bool   // the line is left out
	body bool
}

// maxStart is how much of a line decides whether it counts.
const maxStart = 200

func (l *lines) Write(p []byte) (int, error) {
	for _, c := range p {
		switch c {
		case ' ', '\t', '\r':
		case '\n':
			l.end()
		default:
			if l.line = append(l.line, c); len(l.line) == maxStart {
				l.flush()
				l.long = true
			}
		}
	}
	return len(p), nil
}

// end ends a line; an empty one ends the header.
func (l *lines) end() {
	empty := !l.long && len(l.line) == 0
	l.flush()
	l.long, l.skip = false, false
	l.body = l.body || empty
}

func (l *lines) flush() {
	if !l.long {
		start := bytes.ToLower(l.line)
		l.skip = bytes.HasPrefix(start, []byte("--")) || bytes.HasPrefix(start, []byte("content-type:multipart")) || bytes.Contains(start, []byte("boundary="))
	}
	if l.body && !l.skip {
		l.Hash.Write(l.line)
	}
	l.line = l.line[:0]
}
