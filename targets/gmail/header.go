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
	maxHeader = 1 << 20 // octets of a message that are searched for its fields
	maxValue  = 1000    // octets of a field that are kept, but for those of its last line
	maxFields = 100     // of those that matter
)

// A head is what matters here of a message's header.
type head struct {
	dates   []field // Date
	authors []field // From
	senders []field // Sender, Return-Path
	quoted  []field // those that an earlier repair renamed

	// sound says that the header is shorter than maxHeader and that each line
	// of it is a field or continues one (RFC 5322 section 2.2).
	sound bool
}

// A field is a header field.
type field struct {
	at    int64  // octets of the message before it
	value string // unfolded
}

func readHead(m *migrate.Message) (h head, err error) {
	body, err := m.Body.Open()
	if err != nil {
		return h, err
	}
	defer body.Close()
	in := bufio.NewReader(io.LimitReader(body, maxHeader))
	h.sound = true
	var current *field // that the next line may continue
	n := 0             // fields that matter
	for at := int64(0); ; {
		line, err := in.ReadSlice('\n')
		start, text := at, line
		if at += int64(len(line)); errors.Is(err, bufio.ErrBufferFull) {
			text = bytes.Clone(line) // what is left of the line tells nothing
			for errors.Is(err, bufio.ErrBufferFull) {
				line, err = in.ReadSlice('\n')
				at += int64(len(line))
			}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return head{}, err
		}
		if text = bytes.TrimRight(text, "\r\n"); len(text) == 0 {
			h.sound = h.sound && at < maxHeader
			return h, nil
		}
		value := bytes.TrimSpace(text)
		if text[0] == ' ' || text[0] == '\t' {
			if len(value) == 0 || start == 0 { // some readers end the header here
				h.sound = false
				return h, nil
			}
			if current != nil && len(current.value) <= maxValue {
				current.value += " " + string(value)
			}
			continue
		}
		name, value, ok := bytes.Cut(text, []byte{':'})
		name = bytes.TrimRight(name, " \t")
		if current = nil; !ok || !isFieldName(name) {
			h.sound = false
			continue
		}
		if list := h.list(name); list != nil {
			if n++; n > maxFields {
				h.sound = false
				return h, nil
			}
			*list = append(*list, field{start, string(bytes.TrimSpace(value))})
			current = &(*list)[len(*list)-1]
		}
	}
}

// list returns where fields of that name go; nil if they do not matter.
func (h *head) list(name []byte) *[]field {
	is := func(other string) bool { return bytes.EqualFold(name, []byte(other)) }
	switch {
	case is("Date"):
		return &h.dates
	case is("From"):
		return &h.authors
	case is("Sender"), is("Return-Path"):
		return &h.senders
	case bytes.HasPrefix(name, []byte(quote)):
		return &h.quoted
	}
	return nil
}

// isFieldName says whether name is one (RFC 5322 section 3.6.8).
func isFieldName(name []byte) bool {
	for _, c := range name {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return len(name) > 0
}

// date returns the date of the message (RFC 5322 section 3.6.1). ok is false if
// it has none, or several fields of which one is no date: it is not known which
// one counts at Gmail.
func (h *head) date() (date time.Time, ok bool) {
	for i, f := range h.dates {
		d, err := mail.ParseDate(f.value)
		if err != nil || len(f.value) > maxValue {
			return time.Time{}, false
		}
		if i == 0 {
			date = d
		}
	}
	return date, len(h.dates) > 0
}
