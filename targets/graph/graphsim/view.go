package graphsim

import (
	"slices"
	"strconv"
	"strings"
)

// A view is a message together with what its octets say, read on demand. The
// mailbox is locked while it is used.
type view struct {
	c    *call
	m    *message
	said *content
}

func (v *view) content() (*content, error) {
	if v.said != nil {
		return v.said, nil
	}
	b, err := v.c.s.octets.read(v.m.written)
	if err != nil {
		return nil, err
	}
	if v.m.route == RouteJSON {
		v.said, err = contentOfJSON(b, v.m)
	} else {
		v.said = contentOfMIME(b)
	}
	return v.said, err
}

// property returns an extended property by its canonical id: one that was
// written, or one that follows from the message.
func (v *view) property(id string) (value string, ok bool, err error) {
	m := v.m
	if p, ok := m.single[id]; ok && !slices.Contains(onlyAtCreate, id) {
		return p.value, true, nil
	}
	switch id {
	case tagReceived:
		return stamp(m.received), true, nil
	case tagSubmit:
		return stamp(m.sent), true, nil
	case tagMessageID:
		return m.messageID, true, nil
	case tagImportance:
		return strconv.Itoa(max(0, slices.Index([]string{"low", "normal", "high"}, m.importance))), true, nil
	case tagSize:
		return strconv.FormatInt(m.size(), 10), true, nil
	case tagFlags:
		list, err := v.attachments()
		flags := 0
		for bit, on := range map[int]bool{flagRead: m.read, flagUnsent: m.draft, flagAttachment: len(list) > 0} {
			if on {
				flags |= bit
			}
		}
		return strconv.Itoa(flags), true, err
	case tagHeaders, tagReferences, tagInReplyTo:
		ct, err := v.content()
		if err != nil {
			return "", false, err
		}
		value = map[string]string{tagHeaders: ct.headerBlock, tagReferences: ct.references, tagInReplyTo: ct.inReplyTo}[id]
		return value, value != "", nil
	}
	return "", false, nil
}

// id is the id of m that the caller asked for.
func (c *call) id(m *message) string {
	if c.prefer.immutable {
		return immutableID.format(c.mb.tag, m.item)
	}
	return messageID.format(c.mb.tag, m.placement)
}

func etag(m *message) string { return `W/"` + changeKey(m) + `"` }

func changeKey(m *message) string { return "CQAAABYAAA" + strconv.FormatUint(m.change, 36) }

// messageMembers are the members of a message in an answer, without those that
// must be asked for.
var messageMembers = []string{
	"bccRecipients", "body", "bodyPreview", "categories", "ccRecipients", "changeKey", "conversationId", "conversationIndex",
	"createdDateTime", "flag", "from", "hasAttachments", "importance", "inferenceClassification", "internetMessageId",
	"isDeliveryReceiptRequested", "isDraft", "isRead", "isReadReceiptRequested", "lastModifiedDateTime", "parentFolderId",
	"receivedDateTime", "replyTo", "sender", "sentDateTime", "subject", "toRecipients", "webLink",
}

// member returns one member of the message as JSON has it.
func (v *view) member(name string) (any, error) {
	m := v.m
	switch name {
	case "id":
		return v.c.id(m), nil
	case "categories":
		return append([]string{}, m.categories...), nil
	case "changeKey":
		return changeKey(m), nil
	case "createdDateTime":
		return stamp(m.created), nil
	case "lastModifiedDateTime":
		return stamp(m.modified), nil
	case "receivedDateTime":
		return stamp(m.received), nil
	case "sentDateTime":
		return stamp(m.sent), nil
	case "flag":
		flag := map[string]any{"flagStatus": m.flagStatus()}
		for k, d := range m.flag {
			if d != nil {
				flag[k] = d
			}
		}
		return flag, nil
	case "importance":
		return m.importance, nil
	case "inferenceClassification":
		return m.inference, nil
	case "internetMessageId":
		return m.messageID, nil
	case "isDeliveryReceiptRequested":
		return m.receipts[0], nil
	case "isReadReceiptRequested":
		return m.receipts[1], nil
	case "isDraft":
		return m.draft, nil
	case "isRead":
		return m.read, nil
	case "parentFolderId":
		return folderID.format(v.c.mb.tag, m.folder.n), nil
	case "webLink":
		return "https://outlook.office365.com/owa/?ItemID=" + v.c.id(m) + "&exvsurl=1&viewmodel=ReadMessageItem", nil
	case "hasAttachments":
		list, err := v.attachments()
		return slices.ContainsFunc(list, func(a *attachment) bool { return !a.inline }), err
	}
	ct, err := v.content()
	if err != nil {
		return nil, err
	}
	return ct.member(name, v.c.prefer.plainText)
}

// json renders the message with the members that the query selects.
func (v *view) json() (map[string]any, error) {
	q := v.c.query
	names := q.selects
	if len(names) == 0 {
		names = messageMembers
	}
	out := map[string]any{"@odata.etag": etag(v.m), "id": v.c.id(v.m)}
	if !(v.c.s.opt.ExpandDropsSelect && len(q.expand) > 0 && len(q.selects) > 0) {
		for _, name := range names {
			value, err := v.member(name)
			if err != nil {
				return nil, err
			}
			out[name] = value
		}
	}
	for _, e := range q.expand {
		if err := v.expand(e, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// expand adds what e asks for; extended properties that the message lacks leave
// no trace, not even an empty list.
func (v *view) expand(e expansion, out map[string]any) error {
	if e.name == "attachments" {
		list, err := v.attachments()
		if err != nil {
			return err
		}
		all := []any{}
		for _, a := range list {
			j, err := v.c.attachmentJSON(v.m, a, nil)
			if err != nil {
				return err
			}
			all = append(all, j)
		}
		out["attachments"] = all
		return nil
	}
	var found []any
	for _, id := range e.ids {
		if e.name == "multiValueExtendedProperties" {
			if p, ok := v.m.multi[id]; ok {
				found = append(found, map[string]any{"id": v.c.spell(id, p.id), "value": p.values})
			}
			continue
		}
		value, ok, err := v.property(id)
		if err != nil {
			return err
		}
		if ok {
			found = append(found, map[string]any{"id": v.c.spell(id, v.m.single[id].id), "value": value})
		}
	}
	if found != nil {
		out[e.name] = found
	}
	return nil
}

// spell returns the id of an extended property as answers have it.
func (c *call) spell(canonical, sent string) string {
	if c.s.opt.PropertyIDsAsSent && sent != "" {
		return sent
	}
	return canonical
}

// message renders m as an answer.
func (c *call) message(status int, m *message) (reply, error) {
	out, err := (&view{c: c, m: m}).json()
	if err != nil {
		return reply{}, err
	}
	out["@odata.context"] = c.context("users('" + c.mb.user + "')/messages/$entity")
	return reply{status: status, body: out}, nil
}

// findMessage returns the message that id names, of either kind of id. The
// mailbox must be locked.
func (c *call) findMessage(id string) (*message, error) {
	kind, table := messageID, c.mb.messages
	if strings.HasPrefix(id, immutableID.prefix) {
		kind, table = immutableID, c.mb.items
	}
	n, err := kind.parse(c.mb.tag, id)
	if err != nil {
		return nil, err
	}
	m := table[n]
	if m == nil || m.recoverable() && c.s.opt.RecoverableHidden {
		return nil, errItemNotFound()
	}
	return m, nil
}
