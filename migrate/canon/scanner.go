package canon

import (
	"bytes"
	"io"
)

const (
	window       = 16 << 10 // octets of a message that are looked at together
	maxDelimiter = 4 << 10  // octets of a delimiter line; a longer line is none
)

// A scanner reads a message in pieces, and stops before each delimiter line of
// the multiparts that it is in (RFC 2046 section 5.1.1).
type scanner struct {
	src io.Reader
	err error // of src, if it is not io.EOF
	eof bool

	buf      []byte
	pos, end int  // what is not read yet in buf
	fresh    bool // a line starts at pos

	// boundaries are those of the open multiparts, the outermost first. It is
	// the outermost that a line belongs to if it could be several's.
	boundaries []string

	tap *lines // gets all that is read, if it is not nil

	stopped bool // before a delimiter, or at the end
	level   int  // of the delimiter, an index of boundaries; -1 at the end
	last    bool // it closes its multipart
	length  int  // octets of its line
}

func newScanner(r io.Reader) *scanner {
	return &scanner{src: r, buf: make([]byte, window), fresh: true}
}

// more reads more of the message into the window, which must not be full of
// what was not read. It returns false at the end.
func (s *scanner) more() bool {
	if s.pos > 0 {
		s.end = copy(s.buf, s.buf[s.pos:s.end])
		s.pos = 0
	}
	for range 100 {
		if s.eof {
			return false
		}
		n, err := s.src.Read(s.buf[s.end:])
		s.end += n
		if err != nil {
			s.eof = true
			if err != io.EOF {
				s.err = err
			}
		}
		if n > 0 {
			return true
		}
	}
	s.eof, s.err = true, io.ErrNoProgress
	return false
}

// next returns a piece of what lies before the next delimiter, nil if nothing
// is left of it. The line end before a delimiter belongs to the delimiter. The
// piece may be changed and is valid until the next call of a method.
func (s *scanner) next() []byte {
	for !s.stopped {
		if s.pos == s.end && !s.more() {
			break
		}
		if s.fresh {
			if is, known := s.match(s.pos); is {
				return nil
			} else if !known {
				s.more()
				continue
			}
		}
		piece := s.buf[s.pos:s.end]
		cut, found := s.clear(piece)
		s.fresh = false
		if found { // by match, which has stopped
			s.pos += cut + 1
			s.fresh = true
			cut -= carriageReturn(piece[:cut])
		} else {
			s.pos += cut
		}
		if cut > 0 {
			s.tap.write(piece[:cut])
			return piece[:cut]
		}
		if !s.stopped {
			s.more()
		}
	}
	if !s.stopped {
		s.stopped, s.level = true, -1
	}
	return nil
}

// clear returns how much of piece, which starts at pos, is certainly before
// any delimiter. If found, it ends in the line feed before one.
func (s *scanner) clear(piece []byte) (n int, found bool) {
	if len(s.boundaries) == 0 {
		return len(piece), false
	}
	for at := 0; ; at++ {
		i := bytes.Index(piece[at:], []byte("\n--"))
		if i < 0 {
			break
		}
		at += i
		if is, known := s.match(s.pos + at + 1); is {
			return at, true
		} else if !known {
			return at - carriageReturn(piece[:at]), false
		}
	}
	n = len(piece)
	if s.eof {
		return n, false
	}
	if bytes.HasSuffix(piece, []byte("\n-")) {
		n--
	}
	if n > 0 && piece[n-1] == '\n' {
		n--
	}
	return n - carriageReturn(piece[:n]), false
}

// carriageReturn returns 1 if b ends in one, else 0.
func carriageReturn(b []byte) int {
	if len(b) > 0 && b[len(b)-1] == '\r' {
		return 1
	}
	return 0
}

// match says whether the line that starts at an index of buf is a delimiter, if
// that is known before more is read, and stops if so. White space may follow
// (RFC 2046 section 5.1.1).
func (s *scanner) match(at int) (is, known bool) {
	line := s.buf[at:s.end]
	if len(s.boundaries) == 0 || !bytes.HasPrefix(line, []byte("--")[:min(2, len(line))]) {
		return false, true
	}
	length := bytes.IndexByte(line[:min(len(line), maxDelimiter)], '\n') + 1
	if length == 0 {
		if len(line) >= maxDelimiter || !s.eof {
			return false, len(line) >= maxDelimiter
		}
		length = len(line)
	}
	line, ok := bytes.CutPrefix(bytes.TrimRight(line[:length], " \t\r\n"), []byte("--"))
	for level, b := range s.boundaries {
		if !ok || len(line) < len(b) || string(line[:len(b)]) != b {
			continue
		}
		if rest := string(line[len(b):]); rest == "" || rest == "--" {
			s.stopped, s.level, s.last, s.length = true, level, rest != "", length
			return true, true
		}
	}
	return false, true
}

// line returns the next line with its end, or a piece of it if it is long, nil
// before a delimiter and at the end. It is valid until the next call of a
// method. first is false if the line began in an earlier piece.
func (s *scanner) line() (piece []byte, first bool) {
	for !s.stopped {
		if s.pos == s.end && !s.more() {
			break
		}
		if s.fresh {
			if is, known := s.match(s.pos); is {
				return nil, false
			} else if !known {
				s.more()
				continue
			}
		}
		piece = s.buf[s.pos:s.end]
		if i := bytes.IndexByte(piece, '\n'); i >= 0 {
			piece = piece[:i+1]
		} else if !s.eof && len(piece) < len(s.buf) {
			s.more()
			continue
		}
		first, s.fresh = s.fresh, piece[len(piece)-1] == '\n'
		s.pos += len(piece)
		s.tap.write(piece)
		return piece, first
	}
	if !s.stopped {
		s.stopped, s.level = true, -1
	}
	return nil, false
}

// drain reads up to the next delimiter.
func (s *scanner) drain() {
	for s.next() != nil {
	}
}

// pass goes on behind the delimiter, and says whether it closes its multipart.
func (s *scanner) pass() (closes bool) {
	s.tap.write([]byte("\n"))
	s.tap.write(bytes.TrimRight(s.buf[s.pos:s.pos+s.length], " \t\r\n"))
	s.tap.write([]byte("\n"))
	s.pos += s.length
	s.stopped, s.fresh = false, true
	return s.last
}
