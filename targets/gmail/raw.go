package gmail

import (
	"bufio"
	"encoding/base64"
	"errors"
	"io"
	"strconv"
)

var errNoRaw = errors.New("the answer holds no message")

// rawOf returns the decoded member "raw" of the JSON object in r.
func rawOf(r io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(r, 32<<10)
	const name = `"raw"`
	for matched := 0; ; {
		c, err := in.ReadByte()
		if err != nil {
			return nil, errNoRaw
		}
		switch {
		case matched == len(name) && c == ':':
			for c = ' '; err == nil && (c == ' ' || c == '\n' || c == '\r' || c == '\t'); {
				c, err = in.ReadByte()
			}
			if err != nil || c != '"' {
				return nil, errNoRaw
			}
			return base64.NewDecoder(base64.RawURLEncoding, &jsonString{in: in}), nil
		case matched == len(name) && (c == ' ' || c == '\n' || c == '\r' || c == '\t'):
		case matched < len(name) && c == name[matched]:
			matched++
		case c == '"':
			matched = 1
		default:
			matched = 0
		}
	}
}

// jsonString reads a JSON string of base64 after its opening quote, without
// padding, which is optional.
type jsonString struct {
	in   *bufio.Reader
	done bool
}

func (s *jsonString) Read(p []byte) (n int, err error) {
	for n < len(p) && !s.done {
		c, err := s.in.ReadByte()
		if err == nil && c == '\\' {
			c, err = s.escape()
		} else if err == nil && c == '"' {
			s.done = true
			break
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return n, err
		}
		if c != '=' {
			p[n] = c
			n++
		}
	}
	if n == 0 && s.done {
		return 0, io.EOF
	}
	return n, nil
}

// escape reads the rest of \u003d, which is how "=" may be written.
func (s *jsonString) escape() (byte, error) {
	var digits [5]byte
	if _, err := io.ReadFull(s.in, digits[:]); err != nil {
		return 0, err
	}
	code, err := strconv.ParseUint(string(digits[1:]), 16, 8)
	if digits[0] != 'u' || err != nil {
		return 0, errors.New("the message in the answer is not base64")
	}
	return byte(code), nil
}
