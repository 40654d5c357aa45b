package graphsim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

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
		if !create && slices.Contains(onlyAtCreate, canonical) {
			continue
		}
		if m.single == nil {
			m.single = map[string]property{}
		}
		m.single[canonical] = p
	}
	return nil
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
