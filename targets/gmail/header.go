package gmail

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/mail"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

const (
	maxHeader = 1 << 20 // octets of a message that are searched for its date
	maxValue  = 1000    // octets of a Date field that are kept, but for those of its last line
	maxDates  = 100
)

// dateOf returns the date of m (RFC 5322 section 3.6.1). ok is false if it has
// none, or several Date fields of which one is no date: it is not known which
// one counts at Gmail.
func dateOf(m *migrate.Message) (date time.Time, ok bool, err error) {
	body, err := m.Body.Open()
	if err != nil {
		return date, false, err
	}
	defer body.Close()
	values, err := dateFields(io.LimitReader(body, maxHeader))
	for i, v := range values {
		d, err := mail.ParseDate(v)
		if err != nil || len(v) > maxValue {
			return time.Time{}, false, nil
		}
		if i == 0 {
			date = d
		}
	}
	return date, len(values) > 0, err
}

// dateFields returns the unfolded values of the Date fields, at most maxDates.
func dateFields(r io.Reader) (values []string, err error) {
	in := bufio.NewReader(r)
	for inDate := false; ; {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			line = bytes.Clone(line) // what is left of the line tells nothing
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = in.ReadSlice('\n')
			}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		value := bytes.TrimSpace(line)
		if len(value) == 0 || len(values) == maxDates { // some readers end the header at white space
			return values, nil
		}
		if line[0] == ' ' || line[0] == '\t' {
			if last := len(values) - 1; inDate && len(values[last]) <= maxValue {
				values[last] += " " + string(value)
			}
			continue
		}
		name, value, ok := bytes.Cut(value, []byte{':'})
		if inDate = ok && bytes.EqualFold(bytes.TrimRight(name, " \t"), []byte("Date")); inDate {
			values = append(values, string(bytes.TrimSpace(value)))
		}
	}
}
