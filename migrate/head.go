package migrate

import (
	"bytes"
	"cmp"
	"io"
	"net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxHeader is how much of a message is looked at for its header, maxField how
// much of a field, and maxText how much of a text is remembered, in octets.
const (
	maxHeader = 256 << 10
	maxField  = 4096
	maxText   = 255
)

// A HeadReader gathers the start of a message that is written to it, and reads
// its Head there. Its zero value is ready.
type HeadReader struct{ octets []byte }

func (h *HeadReader) Write(p []byte) (int, error) {
	h.octets = append(h.octets, p[:min(len(p), maxHeader-len(h.octets))]...)
	return len(p), nil
}

// Head returns what can be read of the header, and all dates that a target may
// sort the message by, as they are spelled: those in Date, Received and the like.
func (h *HeadReader) Head() (head Head, dates []string) {
	var name, value string
	field := func() {
		value = strings.TrimSpace(value)
		switch name = strings.ToLower(strings.TrimSpace(name)); name {
		case "from":
			if head.From == "" {
				head.From = author(value)
			}
		case "subject":
			if head.Subject == "" {
				head.Subject = plain(decodeWords(value))
			}
		case "date", "received", "delivery-date", "x-received":
			dates = append(dates, value[strings.LastIndexByte(value, ';')+1:]) // of Received the part that is a date
			if d, err := mail.ParseDate(value); err == nil && name == "date" && head.Date.IsZero() {
				head.Date = d.UTC()
			}
		}
	}
	for line := range bytes.Lines(h.octets) {
		text := strings.TrimRight(string(line[:min(len(line), maxField)]), "\r\n")
		if text == "" {
			break
		}
		if text[0] == ' ' || text[0] == '\t' {
			if len(value) < maxField {
				value += " " + strings.TrimSpace(text)
			}
			continue
		}
		field()
		name, value, _ = strings.Cut(text, ":")
	}
	field()
	return head, dates
}

// headOf reads the Head of a message; it is empty if that cannot be read.
func headOf(b Body) Head {
	r, err := b.Open()
	if err != nil {
		return Head{}
	}
	defer r.Close()
	var h HeadReader
	io.CopyN(&h, r, maxHeader)
	head, _ := h.Head()
	return head
}

// anAddress is what looks like one where no list of addresses can be read.
var anAddress = regexp.MustCompile(`[^\s<>()\[\],;:"\\@]+@[^\s<>(),;:"\\@]+`)

// author returns the first address of a From field.
func author(field string) string {
	if list, err := mail.ParseAddressList(field); err == nil && len(list) > 0 { // a group may be empty
		return plain(list[0].Address)
	}
	_, angle, _ := strings.Cut(field, "<")
	return plain(cmp.Or(anAddress.FindString(angle), anAddress.FindString(field)))
}

// plain returns a text for people: one line of UTF-8 that changes nothing around
// it, and is not too long.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !unicode.IsSpace(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, s)
	return cut(strings.Join(strings.Fields(s), " "), maxText)
}

// cut returns at most so many octets of s, and no part of a character.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for i := range utf8.UTFMax {
		if utf8.RuneStart(s[most-i]) {
			return s[:most-i]
		}
	}
	return s[:most] // it is not UTF-8
}
