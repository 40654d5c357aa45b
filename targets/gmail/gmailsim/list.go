package gmailsim

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxPage   = 500            // the most that one page of a list holds
	firstPage = math.MaxUint64 // the token that begins a list
)

// listMessages answers with messages, latest internalDate first.
func (c *call) listMessages() (any, error) {
	b := c.box
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range c.query["labelIds"] {
		if b.labelIDs[id] == nil && c.s.o.LostLabel != LostNoMessage {
			return nil, c.lostLabel(id)
		}
	}
	size, err := c.maxResults()
	if err != nil {
		return nil, err
	}
	start, err := c.pageToken()
	if err != nil {
		return nil, err
	}
	if start == 0 {
		return messageList{NextPageToken: strconv.FormatUint(firstPage, 10)}, nil
	}
	candidates, err := c.search()
	if err != nil {
		return nil, err
	}
	var skip, next uint64
	if c.s.o.PageByCount && start != firstPage {
		skip, start = start, firstPage
	}
	end, _ := slices.BinarySearchFunc(candidates, start, byID)
	var list messageList
	for _, m := range slices.Backward(candidates[:end]) {
		if !c.wanted(m) {
			continue
		}
		if skip > 0 {
			skip--
			next++
			continue
		}
		if len(list.Messages) == size {
			list.NextPageToken = strconv.FormatUint(next, 10)
			break
		}
		list.Messages = append(list.Messages, messageResource{ID: formatID(m.id), ThreadID: formatID(m.thread)})
		if next++; !c.s.o.PageByCount {
			next = m.id
		}
	}
	list.ResultSizeEstimate = len(list.Messages)
	if list.NextPageToken != "" {
		list.ResultSizeEstimate++
	}
	return list, nil
}

func (c *call) lostLabel(id string) error {
	switch c.s.o.LostLabel {
	case LostUnknown:
		return invalid("labelId not found")
	case LostNotFound:
		return notFound()
	}
	return invalid("Invalid label: %s", id)
}

// search returns the messages that q finds, ascending by id. A message is not
// found before the index knows it.
func (c *call) search() ([]*message, error) {
	words := strings.Fields(c.query.Get("q"))
	if len(words) == 0 {
		return c.box.messages, nil
	}
	id, ok := strings.CutPrefix(words[0], "rfc822msgid:")
	if !ok || len(words) > 1 {
		return nil, notSimulated("q other than one rfc822msgid:")
	}
	var found []*message
	for _, m := range c.box.index[c.box.hash("id", id)] {
		if c.indexed(m) {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(x, y *message) int { return byID(x, y.id) })
	return found, nil
}

// indexed says whether searches find m by now.
func (c *call) indexed(m *message) bool {
	o := c.s.o
	return c.arrive > m.arrival+uint64(o.IndexRequests) && c.now.Sub(time.UnixMilli(m.received)) >= o.IndexDelay
}

// wanted says whether m has all the labels asked for. Without
// includeSpamTrash, spam and trash must be asked for by label.
func (c *call) wanted(m *message) bool {
	if c.s.o.ListLags && !c.indexed(m) {
		return false
	}
	labels := c.query["labelIds"]
	for _, id := range labels {
		if !m.has(id) {
			return false
		}
	}
	for _, id := range []string{"SPAM", "TRASH"} {
		asked := slices.Contains(labels, id) && !c.s.o.SpamByFlag
		if m.has(id) && !c.flag("includeSpamTrash") && !asked {
			return false
		}
	}
	return true
}

func (c *call) maxResults() (int, error) {
	s := c.query.Get("maxResults")
	if s == "" {
		return 100, nil
	}
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil || n == 0 {
		return 0, invalid("Invalid value at 'max_results' (TYPE_UINT32), %q", s)
	}
	return int(min(n, maxPage)), nil
}

// pageToken returns the id below which the page starts, or how many messages
// come before it. Tokens are decimal digits and bound to no query; 0 gives an
// empty page with a token.
func (c *call) pageToken() (start uint64, err error) {
	token := c.query.Get("pageToken")
	if token == "" {
		return firstPage, nil
	}
	if start, err = strconv.ParseUint(token, 10, 64); err != nil {
		return 0, invalid("Invalid pageToken")
	}
	return start, nil
}
