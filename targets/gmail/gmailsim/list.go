package gmailsim

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxPage is the most that one page of a list holds.
const maxPage = 500

// listMessages answers with messages, latest internalDate first.
func (c *call) listMessages() (any, error) {
	b := c.box
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range c.query["labelIds"] {
		if b.labelIDs[id] == nil {
			return nil, invalid("Invalid label: %s", id)
		}
	}
	size, err := c.maxResults()
	if err != nil {
		return nil, err
	}
	before, err := c.pageToken()
	if err != nil {
		return nil, err
	}
	if before == 0 {
		return messageList{NextPageToken: strconv.FormatUint(math.MaxUint64, 10)}, nil
	}
	candidates, err := c.search()
	if err != nil {
		return nil, err
	}
	end, _ := slices.BinarySearchFunc(candidates, before, byID)
	var list messageList
	for _, m := range slices.Backward(candidates[:end]) {
		if !c.wanted(m) {
			continue
		}
		if len(list.Messages) == size {
			list.NextPageToken = strconv.FormatUint(before, 10)
			break
		}
		list.Messages = append(list.Messages, messageResource{ID: formatID(m.id), ThreadID: formatID(m.thread)})
		before = m.id
	}
	list.ResultSizeEstimate = len(list.Messages)
	if list.NextPageToken != "" {
		list.ResultSizeEstimate++
	}
	return list, nil
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
	o := c.s.o
	var found []*message
	for _, m := range c.box.index[c.box.hash("id", id)] {
		if c.arrive > m.arrival+uint64(o.IndexRequests) && c.now.Sub(time.UnixMilli(m.received)) >= o.IndexDelay {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(x, y *message) int { return byID(x, y.id) })
	return found, nil
}

// wanted says whether m has all the labels asked for. Without
// includeSpamTrash, spam and trash must be asked for by label.
func (c *call) wanted(m *message) bool {
	labels := c.query["labelIds"]
	for _, id := range labels {
		if !m.has(id) {
			return false
		}
	}
	for _, id := range []string{"SPAM", "TRASH"} {
		if m.has(id) && !c.flag("includeSpamTrash") && !slices.Contains(labels, id) {
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

// pageToken returns the id below which the page starts. Tokens are decimal
// digits and bound to no query; 0 gives an empty page with a token.
func (c *call) pageToken() (before uint64, err error) {
	token := c.query.Get("pageToken")
	if token == "" {
		return math.MaxUint64, nil
	}
	if before, err = strconv.ParseUint(token, 10, 64); err != nil {
		return 0, invalid("Invalid pageToken")
	}
	return before, nil
}
