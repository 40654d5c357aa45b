package gmailsim

import (
	"slices"
	"strings"
)

// places are the labels of which a message has at most one.
var places = []string{"INBOX", "SPAM", "TRASH"}

// maxChanged is how many labels one call may add, and how many it may remove.
const maxChanged = 100

func (c *call) modifyMessage() (any, error) {
	var in struct {
		AddLabelIDs    []string `json:"addLabelIds"`
		RemoveLabelIDs []string `json:"removeLabelIds"`
	}
	if err := c.body(&in); err != nil {
		return nil, err
	}
	c.box.mu.Lock()
	defer c.box.mu.Unlock()
	m, err := c.box.find(c.args[0])
	if err != nil {
		return nil, err
	}
	add, remove, err := c.changes(in.AddLabelIDs, in.RemoveLabelIDs)
	if err != nil {
		return nil, err
	}
	c.box.relabel(m, add, remove)
	return m.brief(), nil
}

func (c *call) batchModify() (any, error) {
	var in struct {
		IDs            []string `json:"ids"`
		AddLabelIDs    []string `json:"addLabelIds"`
		RemoveLabelIDs []string `json:"removeLabelIds"`
	}
	if err := c.body(&in); err != nil {
		return nil, err
	}
	c.box.mu.Lock()
	defer c.box.mu.Unlock()
	add, remove, err := c.changes(in.AddLabelIDs, in.RemoveLabelIDs)
	if err != nil {
		return nil, err
	}
	return nil, c.box.each(in.IDs, c.s.o.BatchLost, func(m *message) { c.box.relabel(m, add, remove) })
}

func (c *call) batchDelete() (any, error) {
	var in struct {
		IDs []string `json:"ids"`
	}
	if err := c.body(&in); err != nil {
		return nil, err
	}
	c.box.mu.Lock()
	defer c.box.mu.Unlock()
	return nil, c.box.each(in.IDs, MissingPassedOver, c.box.remove)
}

func (c *call) deleteMessage() (any, error) {
	c.box.mu.Lock()
	defer c.box.mu.Unlock()
	m, err := c.box.find(c.args[0])
	if err != nil {
		return nil, err
	}
	c.box.remove(m)
	return nil, nil
}

func (c *call) trashMessage() (any, error)   { return c.trash([]string{"TRASH"}, nil) }
func (c *call) untrashMessage() (any, error) { return c.trash(nil, []string{"TRASH"}) }

func (c *call) trash(add, remove []string) (any, error) {
	c.box.mu.Lock()
	defer c.box.mu.Unlock()
	m, err := c.box.find(c.args[0])
	if err != nil {
		return nil, err
	}
	plus, minus, err := c.changes(add, remove)
	if err != nil {
		return nil, err
	}
	c.box.relabel(m, plus, minus)
	return m.brief(), nil
}

// each calls do for the messages of a batch. Nothing promises that all of them
// exist.
func (b *mailbox) each(ids []string, lost Missing, do func(*message)) error {
	if len(ids) == 0 || len(ids) > 1000 {
		return invalid("Invalid ids value")
	}
	for _, id := range ids {
		if _, err := parseID(id); err != nil {
			return err
		}
	}
	missing := func(id string) bool { _, err := b.find(id); return err != nil }
	if slices.ContainsFunc(ids, missing) {
		switch lost {
		case MissingNotFound:
			return notFound()
		case MissingInvalid:
			return invalid("Invalid ids value")
		}
	}
	for _, id := range ids {
		m, err := b.find(id)
		switch {
		case err == nil:
			do(m)
		case lost == MissingStops:
			return err
		}
	}
	return nil
}

// changes looks up the labels that a call adds and removes. SENT, DRAFT and
// CHAT cannot be changed by hand. That no label may be in both is a guess.
func (c *call) changes(add, remove []string) (plus, minus []*label, err error) {
	if len(add) > maxChanged || len(remove) > maxChanged {
		return nil, nil, invalid("Too many label ids")
	}
	b := c.box
	if plus, err = b.lookUp(add); err != nil {
		return nil, nil, err
	}
	if minus, err = b.lookUp(remove); err != nil {
		return nil, nil, err
	}
	for _, l := range slices.Concat(plus, minus) {
		switch {
		case slices.Contains(plus, l) && slices.Contains(minus, l):
			return nil, nil, invalid("Cannot both add and remove the same label")
		case l.id == "SENT" && c.s.o.SentLeaves && !slices.Contains(plus, l):
		case l.id == "SENT" || l.id == "DRAFT" || l.id == "CHAT":
			return nil, nil, invalid("Invalid label: %s", l.id)
		}
	}
	return plus, minus, onePlace(plus)
}

func onePlace(labels []*label) error {
	n := 0
	for _, l := range labels {
		if slices.Contains(places, l.id) {
			n++
		}
	}
	if n > 1 {
		return &refusal{code: 400, reason: "invalidArgument", message: "Can only add one of: INBOX, SPAM, TRASH"}
	}
	return nil
}

// lookUp returns the labels with the given ids, each once.
func (b *mailbox) lookUp(ids []string) (labels []*label, err error) {
	for _, id := range ids {
		l := b.labelIDs[id]
		switch {
		case l == nil && strings.HasPrefix(id, "Label_"):
			return nil, invalid("labelId not found")
		case l == nil:
			return nil, invalid("Invalid label: %s", id)
		case !slices.Contains(labels, l):
			labels = append(labels, l)
		}
	}
	return labels, nil
}

// relabel changes the labels of m and records what changed. One place replaces
// another.
func (b *mailbox) relabel(m *message, add, remove []*label) {
	for _, l := range add {
		if !slices.Contains(places, l.id) {
			continue
		}
		for _, other := range m.labels {
			if other != l && slices.Contains(places, other.id) {
				remove = append(slices.Clip(remove), other)
			}
		}
	}
	var added, removed, now []*label
	for _, l := range m.labels {
		if slices.Contains(remove, l) {
			removed = append(removed, l)
		} else {
			now = append(now, l)
		}
	}
	for _, l := range add {
		if !slices.Contains(m.labels, l) {
			added = append(added, l)
			now = append(now, l)
		}
	}
	m.labels = now // a new slice: the history keeps the old one
	if len(added) > 0 {
		b.record(labelsAdded, m, added)
	}
	if len(removed) > 0 {
		b.record(labelsRemoved, m, removed)
	}
}
