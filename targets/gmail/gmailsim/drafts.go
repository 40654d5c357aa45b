package gmailsim

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

func (c *call) createDraft() (any, error) { return c.receive(maxDraft, c.storeDraft) }

// storeDraft makes a draft. It may carry no label but DRAFT.
func (c *call) storeDraft(in incoming) (any, error) {
	var outer struct {
		ID      json.RawMessage `json:"id"`
		Message json.RawMessage `json:"message"`
	}
	if err := decode(in.meta, &outer); err != nil {
		return nil, err
	}
	var msg messageInput
	if err := decode(outer.Message, &msg); err != nil {
		return nil, err
	}
	if err := in.raw(msg); err != nil {
		return nil, err
	}
	for _, id := range msg.LabelIDs {
		if id != "DRAFT" {
			return nil, invalid("Invalid label: %s", id)
		}
	}
	header, body := split(in.octets)
	h := parseHead(header)
	if blocked(h, body, c.s.o.Blocked) {
		return nil, invalid("Invalid attachment. Please check https://support.google.com/mail/answer/6590.")
	}
	m := &message{
		size:     int64(len(in.octets)),
		sum:      sha256.Sum256(in.octets),
		received: c.now.UnixMilli(),
		date:     c.now.UnixMilli(),
		arrival:  c.arrive,
	}
	if !c.s.o.NothingAdded {
		m.added = byInsert
	}
	b := c.box
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent += m.size
	if err := b.full(m, c.s.o); err != nil {
		return nil, err
	}
	var err error
	if m.offset, err = c.s.octets.append(in.octets); err != nil {
		return nil, err
	}
	m.labels = []*label{b.labelIDs["DRAFT"]}
	b.add(m, h.messageID)
	b.nextDraft++
	d := &draft{id: fmt.Sprintf("r%019d", b.nextDraft), message: m}
	b.drafts = append(b.drafts, d)
	return draftResource{d.id, m.brief()}, nil
}

func (c *call) getDraft() (any, error) {
	c.box.mu.Lock()
	i := slices.IndexFunc(c.box.drafts, func(d *draft) bool { return d.id == c.args[0] })
	if i < 0 {
		c.box.mu.Unlock()
		return nil, notFound()
	}
	snapshot := *c.box.drafts[i].message
	c.box.mu.Unlock()
	m, err := c.resource(&snapshot)
	return draftResource{c.args[0], m}, err
}

// listDrafts answers with drafts, oldest first. A token is the number of
// drafts before the page.
func (c *call) listDrafts() (any, error) {
	b := c.box
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.query.Get("q") != "" {
		return nil, notSimulated("q of drafts")
	}
	size, err := c.maxResults()
	if err != nil {
		return nil, err
	}
	skip := 0
	if token := c.query.Get("pageToken"); token != "" {
		if skip, err = strconv.Atoi(token); err != nil || skip < 0 {
			return nil, invalid("Invalid pageToken")
		}
	}
	var list draftList
	rest := b.drafts[min(skip, len(b.drafts)):]
	for _, d := range rest[:min(size, len(rest))] {
		list.Drafts = append(list.Drafts, draftResource{d.id, messageResource{ID: formatID(d.message.id), ThreadID: formatID(d.message.thread)}})
	}
	if len(rest) > size {
		list.NextPageToken = strconv.Itoa(skip + size)
	}
	list.ResultSizeEstimate = len(list.Drafts)
	return list, nil
}
