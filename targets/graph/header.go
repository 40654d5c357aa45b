package graph

import (
	"net/mail"
	"regexp"
	"strings"
	"time"

	"github.com/emersion/go-message"
	gomail "github.com/emersion/go-message/mail"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
)

// header reads fields tolerantly. Of a field that stands twice, the first
// counts; addresses are those of all.
type header struct{ message.Header }

// text returns a field, unfolded and decoded as far as it can be.
func (h header) text(name string) string {
	raw := h.Get(name)
	s, err := h.Text(name)
	if err != nil || s == "" {
		s = raw
	}
	return clean(strings.Join(strings.Fields(toUTF8([]byte(s), "")), " "))
}

// date returns Date, or the zero time if it is missing or cannot be read.
func (h header) date() time.Time {
	m := gomail.Header{Header: h.Header}
	t, err := m.Date()
	if err != nil {
		return time.Time{}
	}
	return t
}

// spec finds addresses in fields that do not parse.
var spec = regexp.MustCompile(`[^\s<>()\[\],;:"]{1,64}@[^\s<>()\[\],;:"]{1,255}`)

// addresses returns the addresses of a field, decoded. ok is false if it does
// not parse as RFC 5322 says, and what could be found is returned.
func (h header) addresses(name string) (list []*mail.Address, ok bool) {
	raw := strings.TrimSpace(strings.Join(h.Values(name), ", "))
	if raw == "" {
		return nil, true
	}
	h = header{message.Header{}}
	h.Set(name, raw)
	m := gomail.Header{Header: h.Header}
	if got, err := m.AddressList(name); err == nil {
		for _, a := range got {
			list = append(list, (*mail.Address)(a))
		}
		return list, true
	}
	for _, s := range spec.FindAllString(h.text(name), maxRecipients+1) {
		list = append(list, &mail.Address{Address: s})
	}
	return list, false
}

func (l *letter) recipients(name string) []models.Recipientable {
	list, ok := header{l.header}.addresses(name)
	if !ok {
		l.note("addresses-repaired")
	}
	if len(list) > maxRecipients {
		list = list[:maxRecipients]
		l.note("recipients-shortened")
	}
	rs := []models.Recipientable{}
	for _, a := range list {
		e := models.NewEmailAddress()
		e.SetAddress(new(clean(a.Address)))
		if a.Name != "" {
			e.SetName(new(clean(a.Name)))
		}
		r := models.NewRecipient()
		r.SetEmailAddress(e)
		rs = append(rs, r)
	}
	return rs
}
