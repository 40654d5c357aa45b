package gmailsim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A label is one label of a mailbox.
type label struct {
	id, name     string
	key          string // what the name is compared by
	system       bool
	messageShown string // messageListVisibility
	listShown    string // labelListVisibility
}

var systemLabels = strings.Fields("INBOX SPAM TRASH UNREAD STARRED IMPORTANT SENT DRAFT CHAT CATEGORY_PERSONAL CATEGORY_SOCIAL CATEGORY_PROMOTIONS CATEGORY_UPDATES CATEGORY_FORUMS")

// reservedNames were seen refused live, or are reported to be.
const reservedNames = "inbox spam trash sent drafts starred important unread chats" +
	" bin archive archived muted todo todos migrated voicemail scheduled buzz allmail travel finance"

const (
	maxLabels    = 10_000
	maxLabelName = 225 // characters of the whole path
)

// labelKey is what Gmail seems to compare label names by: ends trimmed, white
// space collapsed, no case, and space, "/" and "-" one and the same character.
func labelKey(name string) string {
	return strings.NewReplacer("/", " ", "-", " ").Replace(strings.ToLower(strings.Join(strings.Fields(name), " ")))
}

func (c *call) listLabels() (any, error) {
	c.box.mu.Lock()
	defer c.box.mu.Unlock()
	list := labelList{Labels: make([]labelResource, len(c.box.labels))}
	for i, l := range c.box.labels {
		list.Labels[i] = l.resource(true)
	}
	return list, nil
}

func (c *call) getLabel() (any, error) {
	c.box.mu.Lock()
	defer c.box.mu.Unlock()
	l := c.box.labelIDs[c.args[0]]
	if l == nil {
		return nil, notFound()
	}
	var messages, unread int
	threads, unreadThreads := map[uint64]bool{}, map[uint64]bool{}
	for _, m := range c.box.messages {
		if !slices.Contains(m.labels, l) {
			continue
		}
		messages++
		threads[m.thread] = true
		if m.has("UNREAD") {
			unread++
			unreadThreads[m.thread] = true
		}
	}
	r := l.resource(true)
	r.MessagesTotal, r.MessagesUnread = &messages, &unread
	r.ThreadsTotal, r.ThreadsUnread = new(len(threads)), new(len(unreadThreads))
	return r, nil
}

func (c *call) createLabel() (any, error) {
	c.box.mu.Lock()
	defer c.box.mu.Unlock()
	if len(c.box.labels) >= maxLabels {
		return nil, invalid("Too many labels") // the text is a guess
	}
	l := &label{messageShown: "show", listShown: "labelShow"}
	if err := c.changeLabel(l); err != nil {
		return nil, err
	}
	c.box.nextLabel++
	l.id = fmt.Sprintf("Label_%d", c.box.nextLabel)
	c.box.labels = append(c.box.labels, l)
	c.box.labelIDs[l.id] = l
	return l.resource(false), nil // without type, as seen live
}

func (c *call) updateLabel() (any, error) {
	c.box.mu.Lock()
	defer c.box.mu.Unlock()
	l := c.box.labelIDs[c.args[0]]
	switch {
	case l == nil:
		return nil, notFound()
	case l.system:
		return nil, invalid("Invalid update request")
	}
	before := l.name
	if err := c.changeLabel(l); err != nil {
		return nil, err
	}
	if c.s.o.NestedRenames && before != l.name {
		c.renameNested(before, l.name)
	}
	return l.resource(true), nil
}

func (c *call) deleteLabel() (any, error) {
	c.box.mu.Lock()
	defer c.box.mu.Unlock()
	l := c.box.labelIDs[c.args[0]]
	switch {
	case l == nil:
		return nil, notFound()
	case l.system:
		return nil, invalid("Invalid delete request")
	}
	for _, m := range c.box.messages {
		c.box.relabel(m, nil, []*label{l})
	}
	delete(c.box.labelIDs, l.id)
	c.box.labels = slices.DeleteFunc(c.box.labels, func(x *label) bool { return x == l })
	return nil, nil
}

// changeLabel makes l what the request's body says. PATCH keeps what is absent.
func (c *call) changeLabel(l *label) error {
	var in struct {
		Name                  *string         `json:"name"`
		MessageListVisibility string          `json:"messageListVisibility"`
		LabelListVisibility   string          `json:"labelListVisibility"`
		Color                 json.RawMessage `json:"color"`
		ID                    string          `json:"id"`
		Type                  string          `json:"type"`
		MessagesTotal         int             `json:"messagesTotal"`
		MessagesUnread        int             `json:"messagesUnread"`
		ThreadsTotal          int             `json:"threadsTotal"`
		ThreadsUnread         int             `json:"threadsUnread"`
	}
	if err := c.body(&in); err != nil {
		return err
	}
	if in.Color != nil {
		return notSimulated("label colour")
	}
	next := *l
	if in.Name != nil {
		next.name, next.key = strings.TrimSpace(*in.Name), c.s.o.LabelKey(*in.Name)
		if err := c.checkLabelName(*in.Name, next.key, l); err != nil {
			return err
		}
	} else if c.r.Method != "PATCH" {
		return invalid("Invalid label name")
	}
	for _, v := range []struct {
		is   *string
		want string
		all  string
		name string
	}{
		{&next.messageShown, in.MessageListVisibility, "show hide", "message_list_visibility"},
		{&next.listShown, in.LabelListVisibility, "labelShow labelShowIfUnread labelHide", "label_list_visibility"},
	} {
		if v.want == "" {
			continue
		}
		if !slices.Contains(strings.Fields(v.all), v.want) {
			return invalid("Invalid value at 'label.%s', %q", v.name, v.want)
		}
		*v.is = v.want
	}
	*l = next
	return nil
}

// renameNested takes labels along whose name begins with that of a renamed one,
// as Gmail's web pages do, where their new name is free.
func (c *call) renameNested(before, after string) {
	for _, l := range c.box.labels {
		rest, nested := strings.CutPrefix(l.name, before+"/")
		if name := after + "/" + rest; nested && c.checkLabelName(name, c.s.o.LabelKey(name), l) == nil {
			l.name, l.key = name, c.s.o.LabelKey(name)
		}
	}
}

// checkLabelName says whether self may have a name.
func (c *call) checkLabelName(name, key string, self *label) error {
	conflict := &refusal{code: 409, reason: "aborted", message: "Label name exists or conflicts"}
	first, _, _ := strings.Cut(name, "/")
	switch {
	case strings.Contains(name, "\n"):
		return conflict
	case strings.ContainsFunc(strings.ReplaceAll(name, "\t", ""), unicode.IsControl), !utf8.ValidString(name),
		strings.TrimSpace(name) == "", utf8.RuneCountInString(name) > maxLabelName,
		c.reserved(key), c.s.o.ReservedFirst && c.reserved(c.s.o.LabelKey(first)):
		return invalid("Invalid label name")
	}
	for _, l := range c.box.labels {
		if l != self && !l.system && l.key == key {
			return conflict
		}
	}
	return nil
}

func (c *call) reserved(key string) bool {
	return slices.Contains(strings.Fields(reservedNames), key) ||
		slices.ContainsFunc(c.s.o.Reserved, func(name string) bool { return c.s.o.LabelKey(name) == key })
}

func (l *label) resource(withType bool) labelResource {
	r := labelResource{ID: l.id, Name: l.name, MessageListVisibility: l.messageShown, LabelListVisibility: l.listShown}
	switch {
	case withType && l.system:
		r.Type = "system"
	case withType:
		r.Type = "user"
	}
	return r
}
