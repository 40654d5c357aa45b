package gmailsim

import (
	"fmt"
	"time"
)

// An addition is the header fields that Gmail puts on top of a message.
type addition uint8

const (
	nothing  addition = iota
	byInsert          // one Received
	byImport          // those that delivery adds as well
)

// text returns the fields for a message. It is always the same for the same
// message.
func (a addition) text(user string, id uint64, received int64) string {
	if a == nothing {
		return ""
	}
	date := time.UnixMilli(received).UTC().Format("Mon, 2 Jan 2006 15:04:05 -0700 (UTC)")
	text := fmt.Sprintf("Received: from 407408718192 named unknown by gmailapi.google.com with\r\n\tHTTPREST; %s\r\n", date)
	if a == byImport {
		text = fmt.Sprintf("Delivered-To: %s\r\n"+
			"Received: by 2002:a05:6402:4413:b0:602:29e3:2a3b with SMTP id %x;\r\n        %s\r\n"+
			"X-Forwarded-Encrypted: i=1; AJvYcCW%x@gmail.com\r\n"+
			"X-Received: by 2002:a17:907:1b0d:b0:ae3:6390:6ad9 with SMTP id %x;\r\n        %s\r\n%s",
			user, id, date, id, id, date, text)
	}
	return text
}

func (m *message) top(user string) string {
	text := m.added.text(user, m.id, m.received)
	if m.undated {
		text += "Date: " + time.UnixMilli(m.received).UTC().Format(time.RFC1123Z) + "\r\n"
	}
	return text
}
