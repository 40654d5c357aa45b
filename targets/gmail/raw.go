package gmail

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	api "google.golang.org/api/gmail/v1"
)

var errNoRaw = errors.New("the answer holds no message")

// maxBeside bounds what stands in an answer before its message, and what stands
// behind it: labels and numbers.
const maxBeside = 1 << 20

// readRaw writes the decoded member "raw" of the JSON object in r to w, and
// returns its length and the object without it.
func readRaw(w io.Writer, r io.Reader) (*api.Message, int64, error) {
	in := bufio.NewReaderSize(r, 32<<10)
	var beside bytes.Buffer
	if err := skipToRaw(in, &beside); err != nil {
		return nil, 0, err
	}
	size, err := io.Copy(w, base64.NewDecoder(base64.RawURLEncoding, &jsonString{in: in}))
	if err != nil {
		return nil, 0, err
	}
	beside.WriteByte('"') // of the value, which is left empty
	if _, err := io.Copy(&beside, io.LimitReader(in, maxBeside)); err != nil {
		return nil, 0, err
	}
	m := new(api.Message)
	if err := json.Unmarshal(beside.Bytes(), m); err != nil {
		return nil, 0, fmt.Errorf("the answer beside the message: %w", err)
	}
	return m, size, nil
}

// skipToRaw copies in to beside up to the opening quote of the value of "raw".
func skipToRaw(in *bufio.Reader, beside *bytes.Buffer) error {
	const name = `"raw"`
	for matched := 0; beside.Len() < maxBeside; {
		c, err := in.ReadByte()
		if err != nil {
			return errNoRaw
		}
		beside.WriteByte(c)
		space := c == ' ' || c == '\n' || c == '\r' || c == '\t'
		switch {
		case matched > len(name) && c == '"': // behind the colon
			return nil
		case matched > len(name) && !space:
			return errNoRaw
		case matched == len(name) && c == ':':
			matched++
		case matched >= len(name) && space:
		case matched < len(name) && c == name[matched]:
			matched++
		case c == '"':
			matched = 1
		default:
			matched = 0
		}
	}
	return errNoRaw
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
