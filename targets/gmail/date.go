package gmail

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/mail"

	"github.com/mailhaul/mailhaul/migrate"
)

// maxHeader bounds the part of a message that is searched for its Date.
const maxHeader = 1 << 20

// hasDate says whether the first Date field of m (RFC 5322 section 3.6.1) is a
// date. Gmail gives a message without one the time of the import.
func hasDate(m *migrate.Message) (bool, error) {
	body, err := m.Body.Open()
	if err != nil {
		return false, err
	}
	defer body.Close()
	header := bufio.NewReader(io.LimitReader(body, maxHeader))
	var date []byte
	found := false
	for {
		line, err := header.ReadSlice('\n')
		long := errors.Is(err, bufio.ErrBufferFull)
		for errors.Is(err, bufio.ErrBufferFull) { // no date is this long
			_, err = header.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		folded := len(line) > 0 && (line[0] == ' ' || line[0] == '\t')
		switch text := bytes.TrimSpace(line); {
		case found && !folded, len(text) == 0:
			_, invalid := mail.ParseDate(string(date))
			return found && invalid == nil, nil
		case found && !long:
			date = append(append(date, ' '), text...)
		case !long && len(text) >= 5 && bytes.EqualFold(text[:5], []byte("Date:")) && !folded:
			found, date = true, bytes.Clone(bytes.TrimSpace(text[5:]))
		}
		if len(date) > 1000 {
			return false, nil
		}
	}
}
