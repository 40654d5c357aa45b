package graphsim

import (
	"slices"
	"strings"
)

// findFolder returns the folder that an id or a well-known name names. The
// mailbox must be locked.
func (c *call) findFolder(id string) (*folder, error) {
	if f := c.mb.wellKnown[strings.ToLower(id)]; f != nil {
		return f, nil
	}
	if strings.EqualFold(id, "archive") {
		return nil, errItemNotFound()
	}
	n, err := folderID.parse(c.mb.tag, id)
	if err != nil {
		return nil, err
	}
	f := c.mb.folders[n]
	if f == nil {
		return nil, errItemNotFound()
	}
	return f, nil
}

func (c *call) folderJSON(f *folder) (map[string]any, error) {
	children := 0
	for _, ch := range f.children {
		if !ch.hidden {
			children++
		}
	}
	all := map[string]any{
		"id": folderID.format(c.mb.tag, f.n), "displayName": f.name, "childFolderCount": children, "unreadItemCount": f.unread,
		"totalItemCount": len(f.messages), "isHidden": f.hidden, "sizeInBytes": f.octets, "parentFolderId": nil,
	}
	if f.parent != nil {
		all["parentFolderId"] = folderID.format(c.mb.tag, f.parent.n)
	}
	if c.version == "beta" && f.wellKnown != "" {
		all["wellKnownName"] = f.wellKnown
	}
	if f.search {
		all["isSupported"], all["includeNestedFolders"], all["filterQuery"] = true, true, "isRead eq false"
		all["sourceFolderIds"] = []string{folderID.format(c.mb.tag, c.mb.root.n)}
	}
	out := all
	if len(c.query.selects) > 0 {
		out = map[string]any{"id": all["id"]}
		for _, name := range c.query.selects {
			v, ok := all[name]
			if !ok {
				return nil, errQuery("Could not find a property named '%s' on type 'microsoft.graph.mailFolder'.", name)
			}
			out[name] = v
		}
	}
	if f.search {
		out["@odata.type"] = "#microsoft.graph.mailSearchFolder"
	}
	return out, nil
}

func (c *call) folder(status int, f *folder) (reply, error) {
	out, err := c.folderJSON(f)
	if err != nil {
		return reply{}, err
	}
	out["@odata.context"] = c.context("users('" + c.mb.user + "')/mailFolders/$entity")
	return reply{status: status, body: out}, nil
}

// routeFolders serves …/mailFolders and below.
func (c *call) routeFolders(rest []string) (reply, error) {
	if len(rest) == 0 {
		rest = []string{"msgfolderroot", "childFolders"}
	}
	if len(rest) == 1 && rest[0] == "delta" {
		if c.r.Method != "GET" {
			return reply{}, errMethod()
		}
		return c.folderDelta()
	}
	id, rest := rest[0], rest[1:]
	action := c.r.Method
	if len(rest) > 0 {
		action += " " + rest[0]
	}
	switch {
	case len(rest) >= 2 && rest[0] == "childFolders":
		return c.routeFolders(rest[1:])
	case len(rest) > 0 && rest[0] == "messages":
		return c.routeMessages(id, rest[1:])
	case len(rest) > 1:
		return reply{}, errSegment(rest[1])
	case action == "POST importMime":
		return c.importMIME(id)
	case action == "POST childFolders":
		return c.createFolder(id)
	case action == "PATCH":
		return c.patchFolder(id)
	case action == "POST move" || action == "POST copy":
		return c.placeFolder(id, rest[0])
	}
	c.mb.mu.Lock()
	defer c.mb.mu.Unlock()
	f, err := c.findFolder(id)
	if err != nil {
		return reply{}, err
	}
	switch action {
	case "GET":
		return c.folder(200, f)
	case "GET childFolders":
		return c.listFolders(f)
	case "DELETE", "POST permanentDelete":
		return c.deleteFolder(f, action != "DELETE")
	}
	if len(rest) == 0 || slices.Contains([]string{"childFolders", "importMime", "move", "copy", "permanentDelete"}, rest[0]) {
		return reply{}, errMethod()
	}
	return reply{}, errSegment(rest[0])
}

// listFolders lists one level. The root shows search folders too, though they
// are elsewhere.
func (c *call) listFolders(f *folder) (reply, error) {
	hidden := c.query.values.Get("includeHiddenFolders")
	if hidden != "" && hidden != "true" && hidden != "false" {
		return reply{}, errQuery("Invalid value '%s' for includeHiddenFolders.", hidden)
	}
	if c.query.values.Has("$orderby") {
		return reply{}, errNotSimulated("sort folders")
	}
	match, err := folderFilter(c.query.values.Get("$filter"))
	if err != nil {
		return reply{}, err
	}
	children := slices.Clone(f.children)
	if f == c.mb.root {
		children = append(children, c.mb.wellKnown["searchfolders"].children...)
	}
	children = slices.DeleteFunc(children, func(ch *folder) bool { return ch.hidden && hidden != "true" || !match(ch.name) })
	start, end, next := c.slice(len(children))
	values := []any{}
	for _, ch := range children[start:end] {
		j, err := c.folderJSON(ch)
		if err != nil {
			return reply{}, err
		}
		values = append(values, j)
	}
	rep := c.collection("users('"+c.mb.user+"')/mailFolders", values, next, "")
	if c.query.values.Get("$count") == "true" {
		rep.body.(map[string]any)["@odata.count"] = len(children)
	}
	return rep, nil
}

// folderFilter reads displayName eq 'x' and startswith(displayName,'x').
func folderFilter(s string) (func(name string) bool, error) {
	if s == "" {
		return func(string) bool { return true }, nil
	}
	p := &filterParser{s: s}
	switch w := p.word(); {
	case w == "displayName" && p.word() == "eq":
		if want, ok := p.quoted(); ok && p.end() {
			return func(name string) bool { return strings.EqualFold(name, want) }, nil
		}
	case w == "startswith" && p.take("(") && p.word() == "displayName" && p.take(","):
		if want, ok := p.quoted(); ok && p.take(")") && p.end() {
			return func(name string) bool { return textual(name, w, want) }, nil
		}
	}
	return nil, p.fail()
}

var folderCreateShape = need(object("mailFolder", map[string]check{"displayName": text, "isHidden": null(boolean)}), "displayName")

var folderPatchShape = need(object("mailFolder", map[string]check{"displayName": text}), "displayName")

// folderName applies the rules on names.
func (c *call) folderName(name string) (string, error) {
	if c.s.opt.TrimNames {
		name = strings.TrimSpace(name)
	}
	switch {
	case name == "":
		return "", refuse(400, "ErrorInvalidRequest", "The display name of a folder cannot be empty.")
	case len([]rune(name)) > c.s.opt.MaxName:
		return "", refuse(400, "ErrorInvalidRequest", "The display name of a folder is longer than %d characters.", c.s.opt.MaxName)
	case c.s.opt.ForbiddenInNames != "" && strings.ContainsAny(name, c.s.opt.ForbiddenInNames):
		return "", refuse(400, "ErrorInvalidRequest", "The display name of a folder holds a character that is not allowed.")
	}
	return name, nil
}

// nameTaken returns an error if a folder other than except has the name; hidden
// and search folders collide too (section 10).
func (c *call) nameTaken(parent *folder, name string, except *folder) error {
	children := parent.children
	if parent == c.mb.root {
		children = slices.Concat(children, c.mb.wellKnown["searchfolders"].children)
	}
	for _, f := range children {
		same := strings.EqualFold(f.name, name)
		if c.s.opt.CaseSensitiveNames {
			same = f.name == name
		}
		if same && f != except {
			return refuse(409, "ErrorFolderExists", "A folder with the specified name already exists., Could not create folder '%s'.", name)
		}
	}
	return nil
}

const (
	maxFolderDepth = 300
	maxSubfolders  = 10_000
)

func (c *call) createFolder(parentID string) (reply, error) {
	o, _, err := c.json(folderCreateShape)
	if err != nil {
		return reply{}, err
	}
	name, err := c.folderName(o["displayName"].(string))
	if err != nil {
		return reply{}, err
	}
	c.mb.mu.Lock()
	defer c.mb.mu.Unlock()
	parent, err := c.findFolder(parentID)
	if err != nil {
		return reply{}, err
	}
	if err := c.folderRoom(parent, 1); err != nil {
		return reply{}, err
	}
	if err := c.nameTaken(parent, name, nil); err != nil {
		return reply{}, err
	}
	f := c.mb.addFolder(parent, name)
	f.hidden, _ = o["isHidden"].(bool)
	return c.folder(201, f)
}

// folderRoom refuses one more folder below parent, with so many levels.
func (c *call) folderRoom(parent *folder, levels int) error {
	switch {
	case parent.search || parent.parent == nil && parent != c.mb.root:
		return refuse(400, "ErrorInvalidFolderId", "Folders cannot be here.")
	case len(parent.path())+levels > maxFolderDepth || len(parent.children) >= maxSubfolders:
		return refuse(400, "ErrorFolderHierarchyLimit", "The folder hierarchy is too deep or too wide.")
	}
	return nil
}

// levels is the height of the tree below f, with f itself.
func (f *folder) levels() (n int) {
	for _, ch := range f.children {
		n = max(n, ch.levels())
	}
	return n + 1
}

func (c *call) patchFolder(id string) (reply, error) {
	o, _, err := c.json(folderPatchShape)
	if err != nil {
		return reply{}, err
	}
	name, err := c.folderName(o["displayName"].(string))
	if err != nil {
		return reply{}, err
	}
	c.mb.mu.Lock()
	defer c.mb.mu.Unlock()
	f, err := c.ordinaryFolder(id)
	if err != nil {
		return reply{}, err
	}
	if err := c.nameTaken(f.parent, name, f); err != nil {
		return reply{}, err
	}
	f.name = name
	c.mb.folderChanged(f)
	return c.folder(200, f)
}

// ordinaryFolder returns a folder that is not built in.
func (c *call) ordinaryFolder(id string) (*folder, error) {
	f, err := c.findFolder(id)
	if err == nil && (f.wellKnown != "" || f.search) {
		err = refuse(400, "ErrorInvalidOperation", "A built-in folder cannot be renamed, moved or deleted.")
	}
	return f, err
}

func (c *call) placeFolder(id, action string) (reply, error) {
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
	if action == "copy" {
		return reply{}, errNotSimulated("copy folders")
	}
	f, err := c.ordinaryFolder(id)
	if err != nil {
		return reply{}, err
	}
	switch err := c.folderRoom(to, f.levels()); {
	case to.within(f):
		return reply{}, errMoveFailed("A folder cannot be moved below itself.")
	case to == f.parent && c.s.opt.MoveRefusesSame:
		return reply{}, errMoveFailed("The folder is there already.")
	case err != nil && to != f.parent:
		return reply{}, err
	}
	if err := c.nameTaken(to, f.name, f); err != nil {
		return reply{}, err
	}
	c.mb.moveFolder(f, to)
	return c.folder(201, f)
}

func (mb *mailbox) moveFolder(f, to *folder) {
	f.detach()
	f.parent = to
	to.children = append(to.children, f)
	mb.folderChanged(f)
}

func (c *call) deleteFolder(f *folder, forever bool) (reply, error) {
	if f.wellKnown != "" || f.search {
		return reply{}, refuse(403, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.")
	}
	deleted := c.mb.wellKnown["deleteditems"]
	if !forever && !f.within(deleted) {
		name := f.name
		for n := '1'; c.nameTaken(deleted, f.name, f) != nil; n++ {
			f.name = name + string(n)
		}
		c.mb.moveFolder(f, deleted)
		return reply{status: 204}, nil
	}
	c.mb.removeFolder(f)
	return reply{status: 204}, nil
}

func (mb *mailbox) removeFolder(f *folder) {
	for _, ch := range slices.Clone(f.children) {
		mb.removeFolder(ch)
	}
	for _, m := range f.messages {
		mb.take(m)
	}
	f.detach()
	delete(mb.folders, f.n)
	f.gone = true
	mb.folderChanged(f)
}
