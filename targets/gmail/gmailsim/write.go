package gmailsim

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
)

// messageInput is a Message in a request. Output-only members are taken and
// ignored.
type messageInput struct {
	LabelIDs             []string        `json:"labelIds"`
	ThreadID             string          `json:"threadId"`
	Raw                  string          `json:"raw"`
	ID                   json.RawMessage `json:"id"`
	HistoryID            json.RawMessage `json:"historyId"`
	InternalDate         json.RawMessage `json:"internalDate"`
	Payload              json.RawMessage `json:"payload"`
	SizeEstimate         json.RawMessage `json:"sizeEstimate"`
	Snippet              json.RawMessage `json:"snippet"`
	ClassificationLabels json.RawMessage `json:"classificationLabelValues"`
}

func (c *call) importMessage() (any, error) { return c.receive(maxUpload, c.storeImport) }
func (c *call) insertMessage() (any, error) { return c.receive(maxUpload, c.storeInsert) }

func (c *call) storeImport(in incoming) (any, error) {
	msg, err := in.message()
	if err != nil {
		return nil, err
	}
	if msg.ThreadID != "" {
		return nil, invalid("threadId not allowed")
	}
	m, err := c.store(in, msg, byImport, "dateHeader")
	if err != nil {
		return nil, err
	}
	if !c.s.o.FullAnswer {
		return messageResource{ID: m.ID}, nil
	}
	return m, nil
}

func (c *call) storeInsert(in incoming) (any, error) {
	msg, err := in.message()
	if err != nil {
		return nil, err
	}
	return c.store(in, msg, byInsert, "receivedTime")
}

// message decodes the metadata, and the octets if they are in it.
func (in *incoming) message() (msg messageInput, err error) {
	if err := decode(in.meta, &msg); err != nil {
		return msg, err
	}
	return msg, in.raw(msg)
}

func (in *incoming) raw(msg messageInput) error {
	if in.octets == nil {
		b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(msg.Raw, "="))
		if err != nil {
			return invalid("Invalid value at 'message.raw' (TYPE_BYTES), Base64 decoding failed.")
		}
		in.octets = b
	}
	if len(in.octets) == 0 {
		return invalid("'raw' RFC822 payload message string or uploading message via /upload/* URL required")
	}
	return nil
}

// store applies the rules of import and insert and makes the message, or finds
// that it is there already. It answers with the message's ids and labels.
func (c *call) store(in incoming, msg messageInput, how addition, dateSource string) (messageResource, error) {
	var none messageResource
	o := c.s.o
	if in.query.Get("deleted") == "true" {
		return none, notSimulated("deleted=true")
	}
	if asked := in.query.Get("internalDateSource"); asked != "" {
		dateSource = asked
	}
	if dateSource != "dateHeader" && dateSource != "receivedTime" {
		return none, invalid("Invalid value at 'internal_date_source', %q", dateSource)
	}
	header, body := split(in.octets)
	h := parseHead(header)
	if h.fields == 0 {
		return none, invalid("Request contains an invalid argument.")
	}
	from, err := checkFrom(h.from)
	if err != nil && !o.AnyFrom {
		return none, err
	}
	if defective(in.octets, o.Defects) {
		return none, invalid("Request contains an invalid argument.")
	}
	if !(how == byInsert && o.InsertAnyFile) && blocked(h, body, o.Blocked) {
		return none, invalid("Invalid attachment. Please check https://support.google.com/mail/answer/6590.")
	}
	m := &message{
		size:     int64(len(in.octets)),
		sum:      sha256.Sum256(in.octets),
		received: c.now.UnixMilli(),
		date:     c.now.UnixMilli(),
		arrival:  c.arrive,
	}
	if dateSource == "dateHeader" || o.DateHeaderOnly {
		if t, ok := parseDate(h.date); ok {
			m.date = t.UnixMilli()
		}
	}
	if !o.NothingAdded {
		m.added = how
	}
	m.undated = o.DateAdded && h.date == ""
	if msg.ThreadID != "" {
		if m.thread, err = parseID(msg.ThreadID); err != nil {
			return none, err
		}
	}

	b := c.box
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent += m.size
	if m.labels, err = b.lookUp(msg.LabelIDs); err != nil {
		return none, err
	}
	if err := onePlace(m.labels); err != nil {
		return none, err
	}
	if err := c.checkAutomatic(m.labels, from); err != nil {
		return none, err
	}
	switch {
	case how == byImport && in.query.Get("neverMarkSpam") != "true" && !o.CleanMail:
		b.markSpam(m)
	case how == byInsert && from == b.user && !m.has("SENT"):
		m.labels = append(m.labels, b.labelIDs["SENT"])
	}
	m.same = sameKey(o.Same, h.messageID, m.sum, body)
	if old := b.same[m.same]; old != nil && how == byImport && m.same != ([sha256.Size]byte{}) {
		return b.merge(old, m, h.messageID, o.NewIDOnMerge).brief(), nil
	}
	if m.thread != 0 && b.threadSize[m.thread] == 0 {
		return none, notFound()
	}
	if err := b.full(m, o); err != nil {
		return none, err
	}
	if m.offset, err = c.s.octets.append(in.octets); err != nil {
		return none, err
	}
	if how == byImport {
		b.join(m, h)
	}
	b.add(m, h.messageID)
	if h.subject != "" {
		b.threads[b.hash("subject", h.subject)] = m.thread
	}
	return m.brief(), nil
}

// sameKey returns what makes an import the same message as another, zero if
// nothing does.
func sameKey(same Same, messageID string, sum [sha256.Size]byte, body []byte) [sha256.Size]byte {
	switch {
	case same == SameContent, same == SameMessage && messageID != "":
		return sum
	case same == SameMessageID && messageID != "":
		return sha256.Sum256([]byte(messageID))
	case same == SameBody && messageID != "":
		return sha256.Sum256(append([]byte(messageID+"\n"), body...))
	}
	return [sha256.Size]byte{}
}

// merge adds the labels of a second import of the same message to the first.
func (b *mailbox) merge(old, m *message, messageID string, newID bool) *message {
	b.relabel(old, m.labels, nil)
	if !newID {
		return old
	}
	next := *old
	b.remove(old)
	b.add(&next, messageID)
	return &next
}

// join puts m into the thread of a message that it refers to, or that has the
// same subject.
func (b *mailbox) join(m *message, h head) {
	keys := []uint64{}
	for _, id := range append(h.references, h.messageID) {
		keys = append(keys, b.hash("id", id))
	}
	if h.subject != "" {
		keys = append(keys, b.hash("subject", h.subject))
	}
	for _, key := range keys {
		if t := b.threads[key]; b.threadSize[t] > 0 {
			m.thread = t
			return
		}
	}
}

// checkAutomatic applies the policies on labels that Gmail sets by itself.
func (c *call) checkAutomatic(labels []*label, from string) error {
	for _, l := range labels {
		policy := PolicyAccept
		switch l.id {
		case "CHAT":
			policy = PolicyRefuse
		case "SENT":
			policy = c.s.o.Sent
		case "DRAFT":
			if policy = c.s.o.Draft; policy == PolicyDefault {
				policy = PolicyRefuse
			}
		}
		if policy == PolicyRefuse || policy == PolicyOwn && from != c.box.user {
			return invalid("Invalid label: %s", l.id)
		}
	}
	return nil
}

// markSpam does to an import what was seen of unauthenticated mail.
func (b *mailbox) markSpam(m *message) {
	m.labels = slices.DeleteFunc(m.labels, func(l *label) bool { return slices.Contains(places, l.id) })
	for _, id := range []string{"UNREAD", "CATEGORY_PERSONAL", "SPAM"} {
		if !m.has(id) {
			m.labels = append(m.labels, b.labelIDs[id])
		}
	}
}

// parseDate reads a Date header; ok is false if there is none or it is bad.
func parseDate(s string) (time.Time, bool) {
	if s == "" || len(s) > 200 {
		return time.Time{}, false
	}
	t, err := mail.ParseDate(s)
	return t, err == nil
}

// brief is a message's ids and labels.
func (m *message) brief() messageResource {
	return messageResource{ID: formatID(m.id), ThreadID: formatID(m.thread), LabelIDs: ids(m.labels)}
}

func (m *message) internalDate() string { return strconv.FormatInt(m.date, 10) }
