package gmailsim

import (
	"slices"
	"strconv"
)

// A change is what a record of the history tells of.
type change uint8

const (
	threadChanged change = iota // no array of changes: only the message's id
	messageAdded
	messageDeleted
	labelsAdded
	labelsRemoved
)

var changeTypes = map[string]change{
	"messageAdded":   messageAdded,
	"messageDeleted": messageDeleted,
	"labelAdded":     labelsAdded,
	"labelRemoved":   labelsRemoved,
}

// A record is one step of the history of a mailbox.
type record struct {
	id      uint64
	change  change
	message uint64
	thread  uint64
	labels  []*label // that were on the message when it happened
	changed []*label
}

// record appends to the history. A message that joins a thread leaves a record
// without changes too.
func (b *mailbox) record(what change, m *message, changed []*label) {
	if what == messageAdded && m.thread != m.id {
		b.append(threadChanged, m, nil)
	}
	b.append(what, m, changed)
	m.changed = b.historyID
}

func (b *mailbox) append(what change, m *message, changed []*label) {
	b.historyID++
	b.history = append(b.history, record{b.historyID, what, m.id, m.thread, m.labels, changed})
	if n := b.historyRecords; n > 0 && len(b.history) > n {
		b.forgotten = b.history[len(b.history)-n-1].id
		b.history = b.history[len(b.history)-n:]
	}
}

// listHistory answers with the records after startHistoryId. A full page
// carries a token even if nothing follows.
func (c *call) listHistory() (any, error) {
	b := c.box
	b.mu.Lock()
	defer b.mu.Unlock()
	start, err := strconv.ParseUint(c.query.Get("startHistoryId"), 10, 64)
	if err != nil {
		return nil, invalid("Invalid value at 'start_history_id' (TYPE_UINT64)")
	}
	if token := c.query.Get("pageToken"); token != "" {
		if start, err = strconv.ParseUint(token, 10, 64); err != nil {
			return nil, invalid("Invalid pageToken")
		}
	}
	if start < b.forgotten || start > b.historyID {
		return nil, notFound()
	}
	var kinds []change
	for _, name := range c.query["historyTypes"] {
		kind, ok := changeTypes[name]
		if !ok {
			return nil, invalid("Invalid value at 'history_types', %q", name)
		}
		kinds = append(kinds, kind)
	}
	labelID := c.query.Get("labelId")
	if labelID != "" && b.labelIDs[labelID] == nil {
		return nil, invalid("labelId not found")
	}
	size, err := c.maxResults()
	if err != nil {
		return nil, err
	}
	list := historyList{HistoryID: strconv.FormatUint(b.historyID, 10)}
	from, _ := slices.BinarySearchFunc(b.history, start, func(r record, id uint64) int {
		if r.id <= id {
			return -1
		}
		return 1
	})
	for _, r := range b.history[from:] {
		if len(kinds) > 0 && r.change != threadChanged && !slices.Contains(kinds, r.change) ||
			labelID != "" && !slices.ContainsFunc(r.labels, func(l *label) bool { return l.id == labelID }) {
			continue
		}
		list.History = append(list.History, r.resource())
		if len(list.History) == size {
			list.NextPageToken = strconv.FormatUint(r.id, 10)
			break
		}
	}
	return list, nil
}

func (r record) resource() historyResource {
	short := messageResource{ID: formatID(r.message), ThreadID: formatID(r.thread)}
	long := short
	long.LabelIDs = ids(r.labels)
	out := historyResource{ID: strconv.FormatUint(r.id, 10), Messages: []messageResource{short}}
	change := []historyChange{{Message: long, LabelIDs: ids(r.changed)}}
	switch r.change {
	case messageAdded:
		out.MessagesAdded = change
	case messageDeleted:
		out.MessagesDeleted = change
	case labelsAdded:
		out.LabelsAdded = change
	case labelsRemoved:
		out.LabelsRemoved = change
	}
	return out
}
