package verify

import (
	"bytes"
	"net/mail"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate/canon"
)

// maxHead is how much of a message's header is looked at.
const maxHead = 256 << 10

// A head gathers the start of a message that is written to it, and reads in it
// what findings say and dates are compared with.
type head struct{ octets []byte }

func (h *head) Write(p []byte) (int, error) {
	h.octets = append(h.octets, p[:min(len(p), maxHead-len(h.octets))]...)
	return len(p), nil
}

// read returns the author's address, if it can be read, and the dates in Date,
// Received and the like.
func (h *head) read() (from string, dates []time.Time) {
	var name, value string
	field := func() {
		switch strings.ToLower(name) {
		case "from":
			if list, err := mail.ParseAddressList(value); err == nil && from == "" {
				from = list[0].Address
			}
		case "date", "received", "delivery-date", "x-received":
			last := value[strings.LastIndexByte(value, ';')+1:] // of Received the part that is a date
			if d, ok := canon.ParseDate(last); ok {
				dates = append(dates, d)
			}
		}
	}
	for line := range bytes.Lines(h.octets) {
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" {
			break
		}
		if text[0] == ' ' || text[0] == '\t' {
			if len(value) < 4096 {
				value += " " + strings.TrimSpace(text)
			}
			continue
		}
		field()
		name, value, _ = strings.Cut(text, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	}
	field()
	return from, dates
}
