package graphsim

import (
	"net/http"
	"slices"
	"sort"
	"strings"
	"time"
)

// slice returns the bounds of this request's page in a list of n, and the link
// to the next one.
func (c *call) slice(n int) (start, end int, next string) {
	if t := c.query.token; t != nil && len(t.Offset) == 1 {
		start = int(max(0, min(t.Offset[0], int64(n))))
	}
	end = min(n, start+c.page())
	if end < n {
		next = c.link(pageToken{Link: "skip", Offset: []int64{int64(end)}})
	}
	return start, end, next
}

// collection is a page of values.
func (c *call) collection(of string, values []any, next, delta string) reply {
	body := map[string]any{"@odata.context": c.context(of), "value": values}
	if next != "" {
		body["@odata.nextLink"] = next
	}
	if delta != "" {
		body["@odata.deltaLink"] = delta
	}
	return reply{status: http.StatusOK, body: body}
}

// ordering is a parsed $orderby.
type ordering struct {
	fields     []string
	descending []bool
}

var sortable = []string{
	"receivedDateTime", "sentDateTime", "createdDateTime", "lastModifiedDateTime", "subject", "importance", "isRead", "from/emailAddress/address",
}

func parseOrdering(s string) (*ordering, error) {
	o := new(ordering)
	for item := range strings.SplitSeq(s, ",") {
		words := strings.Fields(item)
		if len(words) < 1 || len(words) > 2 || !slices.Contains(sortable, words[0]) || len(words) == 2 && words[1] != "asc" && words[1] != "desc" {
			return nil, errQuery("The $orderby '%s' is not valid.", item)
		}
		o.fields = append(o.fields, words[0])
		o.descending = append(o.descending, len(words) == 2 && words[1] == "desc")
	}
	return o, nil
}

// fits is the rule on $filter beside $orderby: the fields of the latter must be
// the first ones of the former, in the same order (section 11).
func (o *ordering) fits(f *filter) bool {
	return len(f.fields) >= len(o.fields) && slices.Equal(f.fields[:len(o.fields)], o.fields)
}

// listMessages lists the messages of f, or of the mailbox if f is nil. The
// mailbox is locked.
func (c *call) listMessages(f *folder) (reply, error) {
	if c.s.opt.SlowPage > 0 && c.page() > c.s.opt.SlowPage {
		return reply{}, faultStatuses["504"]
	}
	var (
		match *filter
		order *ordering
		err   error
	)
	if c.query.values.Has("$filter") {
		if match, err = parseFilter(c.query.values.Get("$filter")); err != nil {
			return reply{}, err
		}
	}
	if c.query.values.Has("$orderby") {
		if order, err = parseOrdering(c.query.values.Get("$orderby")); err != nil {
			return reply{}, err
		}
		if match != nil && !order.fits(match) {
			return reply{}, refuse(400, "InefficientFilter", "The restriction or sort order is too complex for this operation.")
		}
	}
	var page []*message
	var next string
	count := 0
	if order == nil || slices.Equal(order.fields, []string{"receivedDateTime"}) && order.descending[0] {
		page, next, count, err = c.newest(c.scope(f), match)
	} else {
		page, next, count, err = c.ordered(c.scope(f), match, order)
	}
	if err != nil {
		return reply{}, err
	}
	values := []any{}
	for _, m := range page {
		j, err := (&view{c: c, m: m}).json()
		if err != nil {
			return reply{}, err
		}
		values = append(values, j)
	}
	rep := c.collection("users('"+c.mb.user+"')/messages", values, next, "")
	if c.query.values.Get("$count") == "true" {
		rep.body.(map[string]any)["@odata.count"] = count
	}
	return rep, nil
}

// scope returns the messages to list, newest first.
func (c *call) scope(f *folder) []*message {
	if f != nil {
		return f.byDate()
	}
	all := make([]*message, 0, len(c.mb.messages))
	for _, m := range c.mb.messages {
		if !m.recoverable() {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, newestFirst)
	return all
}

// newest pages by the date and age of the last message shown, so that messages
// which come or go meanwhile shift nothing.
func (c *call) newest(all []*message, match *filter) (page []*message, next string, count int, err error) {
	from := 0
	if t := c.query.token; t != nil && len(t.Offset) == 3 {
		after := &message{received: time.Unix(t.Offset[0], t.Offset[1]), placement: uint64(t.Offset[2])}
		from = sort.Search(len(all), func(i int) bool { return newestFirst(all[i], after) > 0 })
	}
	counting := c.query.values.Get("$count") == "true"
	if match == nil {
		count = len(all)
	}
	for i, m := range all {
		if i < from && (match == nil || !counting) {
			continue
		}
		ok, err := c.matches(m, match)
		if err != nil {
			return nil, "", 0, err
		}
		if !ok {
			continue
		}
		if match != nil {
			count++
		}
		switch {
		case i < from:
		case len(page) < c.page():
			page = append(page, m)
		default:
			if next == "" {
				last := page[len(page)-1]
				next = c.link(pageToken{Link: "skip", Offset: []int64{last.received.Unix(), int64(last.received.Nanosecond()), int64(last.placement)}})
			}
			if !counting || match == nil {
				return page, next, count, nil
			}
		}
	}
	return page, next, count, nil
}

// ordered sorts what matches, and pages by number.
func (c *call) ordered(all []*message, match *filter, order *ordering) (page []*message, next string, count int, err error) {
	type row struct {
		m    *message
		keys []any
	}
	var rows []row
	for _, m := range all {
		ok, err := c.matches(m, match)
		if err != nil {
			return nil, "", 0, err
		}
		if !ok {
			continue
		}
		r := row{m: m}
		v := &view{c: c, m: m}
		for _, name := range order.fields {
			key, err := filterFields[name](v)
			if err != nil {
				return nil, "", 0, err
			}
			r.keys = append(r.keys, key)
		}
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		for i := range order.fields {
			n := compareKeys(a.keys[i], b.keys[i])
			if order.descending[i] {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		return 0
	})
	start, end, next := c.slice(len(rows))
	for _, r := range rows[start:end] {
		page = append(page, r.m)
	}
	return page, next, len(rows), nil
}

func compareKeys(a, b any) int {
	switch a := a.(type) {
	case time.Time:
		return a.Compare(b.(time.Time))
	case bool:
		return map[bool]int{true: 1}[a] - map[bool]int{true: 1}[b.(bool)]
	}
	return strings.Compare(strings.ToLower(a.(string)), strings.ToLower(b.(string)))
}

// matches applies a filter, which may not see a new message yet.
func (c *call) matches(m *message, match *filter) (bool, error) {
	if match == nil {
		return true, nil
	}
	if c.lags(m.created, m.seenAt) && (c.s.opt.FilterDelayDates || !match.onlyDates()) {
		return false, nil
	}
	if m.stale != nil && c.lags(m.staleAt, m.staleSeen) {
		old := *m
		old.single = m.stale
		m = &old
	}
	return match.match(&view{c: c, m: m})
}

// lags says whether filters do not know yet what was written at a time, when
// the mailbox had seen so many requests.
func (c *call) lags(at time.Time, requests int64) bool {
	n := int64(c.s.opt.FilterDelayRequests)
	return c.now.Sub(at) < c.s.opt.FilterDelay || n > 0 && c.mb.requests.Load()-requests <= n
}
