package graphsim

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"strings"
	"time"
)

// create serves a POST of a message to a folder, nil if the path names none:
// MIME (route D) or JSON (route C).
func (c *call) create(f *folder) (reply, error) {
	media, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if media == "text/plain" && (f == nil || c.s.opt.MIMEInFolder) {
		return c.createMIME(f, RouteMIME)
	}
	object, raw, err := c.json(messageShape())
	if err != nil {
		return reply{}, err
	}
	return c.createJSON(f, object, raw)
}

// importMIME is route A (section 3).
func (c *call) importMIME(folder string) (reply, error) {
	if c.s.opt.NoImport || c.version == "v1.0" && !c.s.opt.ImportV1 {
		return reply{}, errSegment("importMime")
	}
	if media, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type")); media != "text/plain" {
		return reply{}, errBody("Unable to deserialize the post body: importMime wants text/plain.")
	}
	c.mb.mu.Lock()
	f, err := c.findFolder(folder)
	c.mb.mu.Unlock()
	if err != nil {
		return reply{}, err
	}
	return c.createMIME(f, RouteImport)
}

// createMIME stores the base64 text in the body as a message.
func (c *call) createMIME(f *folder, route Route) (reply, error) {
	text, err := c.octets()
	if err != nil {
		return reply{}, err
	}
	defer buffers.Put(text)
	if len(text.b) == 0 {
		return reply{}, errBody("Unable to deserialize the post body: it is empty.")
	}
	mimeText, err := c.decodeBase64(text.b)
	if err != nil {
		return reply{}, err
	}
	said := contentOfMIME(mimeText)
	if c.s.opt.RefuseBroken && (len(said.headers) == 0 || said.mime.get("From") == "") {
		return reply{}, refuse(400, "ErrorMimeContentInvalid", "The MIME content is invalid.")
	}
	written, err := c.s.octets.add(mimeText)
	if err != nil {
		return reply{}, err
	}
	m := &message{
		route: route, written: written, messageID: said.mime.get("Message-ID"), received: c.now, sent: c.now,
		read: true, draft: true, importance: importanceOf(said.mime), inference: "focused",
	}
	if t, ok := parseDate(said.mime.get("Date")); ok {
		m.sent = t
	}
	if route == RouteImport {
		m.draft, m.read = false, c.s.opt.ImportRead
		if !c.s.opt.ImportNow {
			m.received = arrival(said.mime, m.sent)
		}
	}
	return c.store(f, m, said)
}

// decodeBase64 decodes in place.
func (c *call) decodeBase64(b []byte) ([]byte, error) {
	invalid := refuse(400, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content.")
	if !c.s.opt.Base64Lines {
		for _, ch := range b {
			if ch == '\r' || ch == '\n' { // the decoder would pass over them
				return nil, invalid
			}
		}
	}
	n, err := base64.StdEncoding.Strict().Decode(b, b)
	if err != nil {
		return nil, invalid
	}
	return b[:n], nil
}

// arrival is the date of the topmost Received: field, which is the latest, or
// else the sent date.
func arrival(p *part, sent time.Time) time.Time {
	trace := p.get("Received")
	if i := strings.LastIndexByte(trace, ';'); i >= 0 {
		if t, ok := parseDate(strings.TrimSpace(trace[i+1:])); ok {
			return t
		}
	}
	return sent
}

func importanceOf(p *part) string {
	switch strings.ToLower(p.get("Importance")) {
	case "high":
		return "high"
	case "low":
		return "low"
	}
	switch p.get("X-Priority") {
	case "1", "2":
		return "high"
	case "4", "5":
		return "low"
	}
	return "normal"
}

// store puts a new message into f, or into Drafts, within the limits of the
// mailbox, and answers 201.
func (c *call) store(f *folder, m *message, said *content) (reply, error) {
	m.created, m.modified = c.now, c.now
	c.mb.mu.Lock()
	defer c.mb.mu.Unlock()
	if f == nil {
		f = c.mb.wellKnown["drafts"]
	}
	if f.gone {
		return reply{}, errItemNotFound()
	}
	if m.size() > c.s.opt.MaxMessage {
		return reply{}, refuse(400, "ErrorMessageSizeExceeded", "The message exceeds the maximum supported size.")
	}
	if err := c.room(f, m.size()); err != nil {
		return reply{}, err
	}
	m.item, m.placement = c.mb.nextItem(), c.mb.nextPlacement()
	m.seenAt = c.mb.requests.Load()
	if m.messageID == "" {
		m.messageID = fmt.Sprintf("<%s%08d@%s.prod.outlook.com>", strings.ToUpper(c.mb.tag[:8]), m.item, strings.ToUpper(c.mb.tag[8:]))
	}
	c.mb.put(f, m)
	out, err := (&view{c: c, m: m, said: said}).json()
	if err != nil {
		return reply{}, err
	}
	out["@odata.context"] = c.context("users('" + c.mb.user + "')/messages/$entity")
	return reply{status: 201, body: out}, nil
}

// room refuses a message that is too much for its folder, or that adds too much
// to its mailbox.
func (c *call) room(f *folder, size int64) error {
	if n := c.s.opt.MaxMailbox; n > 0 && size > 0 && c.mb.octets+size > n {
		return refuse(507, "ErrorQuotaExceeded", "The mailbox has exceeded its quota.")
	}
	if n := c.s.opt.MaxFolderMessages; n > 0 && len(f.messages) >= n {
		return refuse(400, "ErrorMessagePerFolderCountReceiveQuotaExceeded", "The folder holds the most messages that it may.")
	}
	if f.search {
		return refuse(400, "ErrorInvalidFolderId", "A search folder cannot hold messages.")
	}
	return nil
}

func (mb *mailbox) nextItem() uint64 {
	mb.last.item++
	return mb.last.item
}

func (mb *mailbox) nextPlacement() uint64 {
	mb.last.placement++
	return mb.last.placement
}

// createJSON is route C (section 5). Flags and dates come from MAPI properties
// in this body and from nowhere else.
func (c *call) createJSON(f *folder, object map[string]any, raw []byte) (reply, error) {
	m := &message{
		route: RouteJSON, messageID: str(object["internetMessageId"]), received: c.now, sent: c.now, draft: true, read: true,
		importance: "normal", inference: "focused",
	}
	if err := m.apply(object, true); err != nil {
		return reply{}, err
	}
	if err := checkHeaders(listMembers(object["internetMessageHeaders"])); err != nil {
		return reply{}, err
	}
	if len([]rune(str(object["subject"]))) > 255 {
		return reply{}, refuse(400, "ErrorInvalidArgument", "The subject is longer than 255 characters.")
	}
	if c.s.opt.RefuseRecipients {
		for _, name := range []string{"toRecipients", "ccRecipients", "bccRecipients", "replyTo"} {
			for _, r := range recipients(object[name]) {
				if !strings.Contains(r.EmailAddress.Address, "@") {
					return reply{}, refuse(400, "ErrorInvalidRecipients", "At least one recipient is not valid.")
				}
			}
		}
	}
	for tag, p := range m.single {
		switch tag {
		case tagReceived:
			m.received, _ = time.Parse(time.RFC3339, p.value)
		case tagSubmit:
			m.sent, _ = time.Parse(time.RFC3339, p.value)
		case tagMessageID:
			if m.messageID == "" {
				m.messageID = p.value
			}
		case tagFlags:
			m.applyFlags(p.value, c.s.opt)
		}
	}
	files := listMembers(object["attachments"])
	for _, o := range files {
		a, err := c.newAttachment(o)
		if err != nil {
			return reply{}, err
		}
		m.addFile(a)
	}
	if len(files) > 0 {
		// The attachments are kept on their own; what remains is the message.
		delete(object, "attachments")
		raw, _ = json.Marshal(object)
	}
	var err error
	if m.written, err = c.s.octets.add(raw); err != nil {
		return reply{}, err
	}
	return c.store(f, m, contentOfMembers(object, func(tag string) string { return m.single[tag].value }))
}

// applyFlags reads PidTagMessageFlags (section 5).
func (m *message) applyFlags(value string, opt Options) {
	var flags int
	fmt.Sscan(value, &flags)
	if opt.FlagsIgnored || flags == 0 && opt.ZeroFlagsDraft {
		return
	}
	m.draft, m.read = flags&flagUnsent != 0, flags&flagRead != 0
}

// apply takes over the members of a create or PATCH body that the index holds.
func (m *message) apply(object map[string]any, create bool) error {
	for name, v := range object {
		switch name {
		case "isRead":
			m.read = v.(bool)
		case "importance":
			m.importance = v.(string)
		case "inferenceClassification":
			m.inference = v.(string)
		case "flag":
			m.flag = v.(map[string]any)
			delete(m.flag, "@odata.type")
		case "categories":
			m.categories = nil
			for _, s := range v.([]any) {
				m.categories = append(m.categories, s.(string))
			}
		case "isDeliveryReceiptRequested":
			m.receipts[0], _ = v.(bool)
		case "isReadReceiptRequested":
			m.receipts[1], _ = v.(bool)
		case "singleValueExtendedProperties":
			if err := m.applySingle(listMembers(v), create); err != nil {
				return err
			}
		case "multiValueExtendedProperties":
			for _, o := range listMembers(v) {
				p := multiProperty{id: o["id"].(string)}
				for _, s := range o["value"].([]any) {
					p.values = append(p.values, s.(string))
				}
				canonical, _, _ := canonicalID(p.id)
				if m.multi == nil {
					m.multi = map[string]multiProperty{}
				}
				m.multi[canonical] = p
			}
		}
	}
	return nil
}

func (m *message) applySingle(list []map[string]any, create bool) error {
	for _, o := range list {
		p := property{o["id"].(string), o["value"].(string)}
		canonical, typ, _ := canonicalID(p.id)
		if err := propertyValue(typ, p.value); err != nil {
			return err
		}
		if canonical == tagSize {
			continue // read-only
		}
		if !create && isOnlyAtCreate(canonical) {
			continue
		}
		if m.single == nil {
			m.single = map[string]property{}
		}
		m.single[canonical] = p
	}
	return nil
}

func isOnlyAtCreate(tag string) bool {
	for _, t := range onlyAtCreate {
		if t == tag {
			return true
		}
	}
	return false
}

// checkHeaders applies the rules on internetMessageHeaders.
func checkHeaders(list []map[string]any) error {
	if len(list) > 5 {
		return refuse(400, "InvalidInternetMessageHeaderCollection", "Maximum number of headers in one message should be less than or equal to 5.")
	}
	for _, h := range list {
		name := str(h["name"])
		if !strings.HasPrefix(strings.ToLower(name), "x-") {
			return refuse(400, "InvalidInternetMessageHeader", "The internet message header name '%s' should start with 'x-' or 'X-'.", name)
		}
		if strings.ContainsAny(name+str(h["value"]), "\r\n") {
			return refuse(400, "InvalidInternetMessageHeader", "The internet message header '%s' holds a line break.", name)
		}
	}
	return nil
}
