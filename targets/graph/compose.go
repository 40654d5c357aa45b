package graph

import (
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"github.com/mailhaul/mailhaul/migrate"
)

// message returns the Graph message without attachments.
func (l *letter) message(m *migrate.Message, key string) *models.Message {
	msg := newMessage()
	h := header{l.header}
	subject := h.text("Subject")
	if short := shorten(subject, maxSubject); short != subject {
		subject = short
		l.note("subject-shortened")
	}
	msg.SetSubject(&subject)
	body := models.NewItemBody()
	body.SetContent(&l.text)
	body.SetContentType(new(models.TEXT_BODYTYPE))
	if l.html {
		body.SetContentType(new(models.HTML_BODYTYPE))
	}
	msg.SetBody(body)

	from, sender := l.recipients("From"), l.recipients("Sender")
	if len(sender) == 0 {
		sender = from
	}
	if len(from) > 1 || len(sender) > 1 {
		l.note("authors-shortened")
	}
	if len(from) > 0 {
		msg.SetFrom(from[0])
	}
	if len(sender) > 0 {
		msg.SetSender(sender[0])
	}
	msg.SetToRecipients(l.recipients("To"))
	msg.SetCcRecipients(l.recipients("Cc"))
	msg.SetBccRecipients(l.recipients("Bcc"))
	msg.SetReplyTo(l.recipients("Reply-To"))
	if id := h.text("Message-Id"); id != "" {
		msg.SetInternetMessageId(&id)
	} else {
		l.note("message-id-missing")
	}
	if i, ok := importance(l.header.Header); ok {
		msg.SetImportance(&i)
	}
	msg.SetIsRead(new(m.HasFlag(migrate.Seen)))
	setFlags(msg, m.Flags)
	msg.SetSingleValueExtendedProperties(l.properties(m, key, h))
	return msg
}

func (l *letter) properties(m *migrate.Message, key string, h header) []models.SingleValueLegacyExtendedPropertyable {
	// Without flags it is a draft; "1" is read and not a draft. "0", unread, was never seen to work, so the
	// read state is taken back by a PATCH.
	ps := []models.SingleValueLegacyExtendedPropertyable{property(propClass, "IPM.Note"), property(propMigrationKey, key)}
	if !m.HasFlag(migrate.Draft) {
		ps = append(ps, integer(propFlags, 1))
	}
	received, sent := m.InternalDate, h.date()
	if !plausible(sent) {
		l.note("sent-date-missing")
		sent = received
	}
	if !plausible(received) {
		l.note("received-date-from-header")
		received = sent
	}
	if plausible(sent) && plausible(received) {
		ps = append(ps, systemTime(propReceived, received), systemTime(propSubmitted, sent))
	} else {
		l.note("dates-unknown")
	}
	if l.block != "" {
		ps = append(ps, property(propHeaders, l.block))
	}
	for _, p := range []struct{ id, field string }{{propInReplyTo, "In-Reply-To"}, {propReferences, "References"}} {
		value := h.text(p.field)
		if short := shorten(value, maxReferences); short != value {
			value = short
			l.note("references-shortened")
		}
		if value != "" {
			ps = append(ps, property(p.id, value))
		}
	}
	return append(ps, lastVerb(m)...)
}
