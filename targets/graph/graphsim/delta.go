package graphsim

import (
	"slices"
)

// maxFilteredDelta is where a delta with a $filter ends (section 11).
const maxFilteredDelta = 5000

// progress returns the change number that this delta call starts after.
func (c *call) progress() uint64 {
	if t := c.query.token; t != nil {
		return t.After
	}
	return 0
}

// deltaLinks returns the link that ends this page.
func (c *call) deltaLinks(t pageToken, more bool) (next, delta string) {
	if more {
		t.Link = "skip"
		return c.link(t), ""
	}
	t.Link = "delta"
	return "", c.link(t)
}

// messageDelta lists what changed in f. The mailbox is locked.
func (c *call) messageDelta(f *folder) (reply, error) {
	if c.s.opt.SlowPage > 0 && c.page() > c.s.opt.SlowPage {
		return reply{}, faultStatuses["504"]
	}
	v := c.query.values
	for name := range v {
		if !slices.Contains([]string{"$select", "$filter", "$top", "$expand", "changeType"}, name) && name[0] == '$' {
			return reply{}, errQuery("The query parameter '%s' is not supported with delta.", name)
		}
	}
	change := v.Get("changeType")
	if !slices.Contains([]string{"", "created", "updated", "deleted"}, change) {
		return reply{}, errQuery("Invalid value '%s' for changeType.", change)
	}
	var match *filter
	if v.Has("$filter") {
		var err error
		if match, err = parseFilter(v.Get("$filter")); err != nil {
			return reply{}, err
		}
		if !slices.Equal(match.fields, []string{"receivedDateTime"}) {
			return reply{}, refuse(400, "InefficientFilter", "Delta filters on receivedDateTime only.")
		}
	}
	// Seen counts what the client has, Offset[0], and where the round began, Offset[1].
	start, seen := c.progress(), int64(0)
	round := start
	if t := c.query.token; t != nil && len(t.Offset) == 2 {
		seen, round = t.Offset[0], uint64(t.Offset[1])
	}
	limit := c.page()
	if match != nil {
		limit = min(limit, maxFilteredDelta-int(seen))
	}
	var failed error
	items, last, more := f.log.since(start, limit, func(m *message) bool {
		kind := "updated"
		switch {
		case m.gone:
			kind = "deleted"
		case m.born > round:
			kind = "created"
		}
		if change != "" && change != kind {
			return false
		}
		if match == nil || m.gone {
			return true
		}
		ok, err := match.match(&view{c: c, m: m})
		if err != nil {
			failed = err
		}
		return ok
	})
	if failed != nil {
		return reply{}, failed
	}
	if match != nil && int(seen)+len(items) >= maxFilteredDelta {
		last, more = c.mb.change, false
	}
	values := []any{}
	for _, m := range items {
		if m.gone {
			values = append(values, map[string]any{"id": c.id(m), "@removed": map[string]string{"reason": "deleted"}})
			continue
		}
		j, err := (&view{c: c, m: m}).json()
		if err != nil {
			return reply{}, err
		}
		values = append(values, j)
	}
	t := pageToken{After: last, Offset: []int64{seen + int64(len(items)), int64(round)}}
	if !more {
		t.Offset = nil
	}
	next, delta := c.deltaLinks(t, more)
	return c.collection("Collection(message)", values, next, delta), nil
}

// folderDelta lists what changed in the tree of folders.
func (c *call) folderDelta() (reply, error) {
	c.mb.mu.Lock()
	defer c.mb.mu.Unlock()
	items, last, more := c.mb.folderLog.since(c.progress(), c.page(), func(f *folder) bool {
		return f.gone || f != c.mb.root && !f.hidden && f.within(c.mb.root)
	})
	values := []any{}
	for _, f := range items {
		if f.gone {
			values = append(values, map[string]any{"id": folderID.format(c.mb.tag, f.n), "@removed": map[string]string{"reason": "deleted"}})
			continue
		}
		j, err := c.folderJSON(f)
		if err != nil {
			return reply{}, err
		}
		values = append(values, j)
	}
	next, delta := c.deltaLinks(pageToken{After: last}, more)
	return c.collection("Collection(mailFolder)", values, next, delta), nil
}
