package graphsim

import (
	"maps"
	"slices"
	"time"
)

// routeMessages serves …/messages and below; folder is "" where the path
// names none.
func (c *call) routeMessages(folder string, rest []string) (reply, error) {
	if len(rest) > 1 && rest[1] == "attachments" {
		return c.routeAttachments(rest[0], rest[2:])
	}
	if len(rest) > 2 {
		return reply{}, errSegment(rest[2])
	}
	f, err := c.scopeFolder(folder)
	if err != nil && len(rest) == 1 && rest[0] == "delta" && err.(*apiError).status == 404 {
		err = refuse(404, "ErrorSyncFolderNotFound", "The folder to synchronize was not found.")
	}
	if err != nil {
		return reply{}, err
	}
	action := c.r.Method
	if len(rest) == 2 {
		action += " " + rest[1]
	}
	switch {
	case len(rest) == 0 && action == "POST":
		return c.create(f)
	case len(rest) == 1 && action == "PATCH":
		return c.patch(rest[0])
	case action == "POST move", action == "POST copy":
		return c.place(rest[0], rest[1])
	}
	c.mb.mu.Lock()
	defer c.mb.mu.Unlock()
	if len(rest) == 0 {
		if action != "GET" {
			return reply{}, errMethod()
		}
		return c.listMessages(f)
	}
	if len(rest) == 1 && rest[0] == "delta" && f != nil {
		if action != "GET" {
			return reply{}, errMethod()
		}
		return c.messageDelta(f)
	}
	m, err := c.findMessage(rest[0])
	if err != nil {
		return reply{}, err
	}
	if f != nil && m.folder != f {
		return reply{}, errItemNotFound()
	}
	switch action {
	case "GET":
		return c.message(200, m)
	case "GET $value":
		return c.value(m)
	case "DELETE":
		c.mb.discard(m)
		return reply{status: 204}, nil
	case "POST permanentDelete":
		c.mb.take(m)
		return reply{status: 204}, nil
	}
	if len(rest) == 1 || slices.Contains([]string{"$value", "move", "copy", "permanentDelete"}, rest[1]) {
		return reply{}, errMethod()
	}
	return reply{}, errSegment(rest[1])
}

func (c *call) scopeFolder(id string) (*folder, error) {
	if id == "" {
		return nil, nil
	}
	c.mb.mu.Lock()
	defer c.mb.mu.Unlock()
	return c.findFolder(id)
}

// discard moves m to Deleted Items, from there to where it can be recovered,
// and from there away.
func (mb *mailbox) discard(m *message) {
	to := mb.wellKnown["deleteditems"]
	switch {
	case m.recoverable():
		to = nil
	case m.folder.within(to):
		to = mb.wellKnown["recoverableitemsdeletions"]
	}
	mb.take(m)
	if to != nil {
		mb.put(to, m.moved(mb.nextPlacement()))
	}
}

var destinationShape = object("message", map[string]check{"destinationId": text, "DestinationId": text})

// destination reads the body of move and copy.
func (c *call) destination() (string, error) {
	o, _, err := c.json(destinationShape)
	if err != nil {
		return "", err
	}
	id := str(o["destinationId"]) + str(o["DestinationId"])
	if len(o) != 1 || id == "" {
		return "", errBody("The parameter destinationId is required.")
	}
	return id, nil
}

func errMoveFailed(why string) *apiError { return refuse(400, "ErrorMoveCopyFailed", "%s", why) }

// place serves move and copy. A move gives a new id and changeKey; the
// immutable id stays, and so does all else but lastModifiedDateTime.
func (c *call) place(id, action string) (reply, error) {
	destination, err := c.destination()
	if err != nil {
		return reply{}, err
	}
	c.mb.mu.Lock()
	defer c.mb.mu.Unlock()
	to, err := c.findFolder(destination)
	if err != nil {
		return reply{}, err
	}
	m, err := c.findMessage(id)
	if err != nil {
		return reply{}, err
	}
	if action == "copy" {
		if err := c.room(to, m.size()); err != nil {
			return reply{}, err
		}
		n := m.copied(c.mb.nextItem(), c.mb.nextPlacement(), c.now)
		n.seenAt = c.mb.requests.Load()
		c.mb.put(to, n)
		return c.message(201, n)
	}
	if err := c.room(to, 0); err != nil {
		return reply{}, err
	}
	if to == m.folder && c.s.opt.MoveRefusesSame {
		return reply{}, errMoveFailed("The message is in this folder already.")
	}
	c.mb.take(m)
	n := m.moved(c.mb.nextPlacement())
	n.modified = c.now
	if c.s.opt.MoveResetsCreated {
		n.created, n.seenAt = c.now, c.mb.requests.Load()
	}
	c.mb.put(to, n)
	return c.message(201, n)
}

// patchShape is a message as it may be changed.
func patchShape() check {
	m := freeMembers()
	maps.Copy(m, sealedMembers())
	return object("message", m)
}

// patch changes what may be changed, and answers 200 also where a change has
// no effect: to isDraft, to dates, and to properties that count at create only.
func (c *call) patch(id string) (reply, error) {
	o, _, err := c.json(patchShape())
	if err != nil {
		return reply{}, err
	}
	if len(o) == 0 {
		return reply{}, errBody("Unable to deserialize the post body: it is empty.")
	}
	c.mb.mu.Lock()
	defer c.mb.mu.Unlock()
	m, err := c.findMessage(id)
	if err != nil {
		return reply{}, err
	}
	if match := c.r.Header.Get("If-Match"); c.s.opt.CheckETag && match != "" && match != "*" && match != etag(m) {
		return reply{}, refuse(412, "ErrorIrresolvableConflict", "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.")
	}
	if err := c.patchSealed(m, o); err != nil {
		return reply{}, err
	}
	// A copy, so that a refusal half-way changes nothing.
	n := m.copied(m.item, m.placement, m.modified)
	n.created = m.created
	if err := n.apply(o, false); err != nil {
		return reply{}, err
	}
	if _, ok := o["singleValueExtendedProperties"]; ok && c.s.opt.FilterStale {
		if m.stale == nil || !c.lags(m.staleAt, m.staleSeen) {
			n.stale = map[string]property{}
			maps.Copy(n.stale, m.single)
		}
		n.staleAt, n.staleSeen = c.now, c.mb.requests.Load()
	}
	if c.s.opt.PatchDates {
		n.applyDates(listMembers(o["singleValueExtendedProperties"]))
	}
	if n.read != m.read {
		m.folder.unread += map[bool]int{true: -1, false: 1}[n.read]
	}
	*m = *n
	c.mb.changed(m, c.now)
	return c.message(200, m)
}

// patchSealed handles the members that only a draft may change.
func (c *call) patchSealed(m *message, o map[string]any) error {
	sealed := map[string]any{}
	for name := range sealedMembers() {
		if v, ok := o[name]; ok {
			sealed[name] = v
		}
	}
	switch {
	case len(sealed) == 0:
		return nil
	case !m.draft && !c.s.opt.EditSent:
		return errDenied()
	case m.route != RouteJSON:
		return errNotSimulated("edit the content of a message that came as MIME")
	}
	if id := str(sealed["internetMessageId"]); id != "" {
		m.messageID = id
	}
	m.patched = merged(m.patched, sealed)
	return nil
}

// merged returns a with the members of b over it.
func merged(a, b map[string]any) map[string]any {
	out := map[string]any{}
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}

func (m *message) applyDates(list []map[string]any) {
	for _, o := range list {
		canonical, _, _ := canonicalID(str(o["id"]))
		t, _ := time.Parse(time.RFC3339, str(o["value"]))
		switch canonical {
		case tagReceived:
			m.received = t
		case tagSubmit:
			m.sent = t
		}
	}
}
