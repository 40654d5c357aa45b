package graphsim

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A mailbox is what one user has. Its fields are guarded by mu.
type mailbox struct {
	user     string
	tag      string
	requests atomic.Int64 // to this mailbox, since the start

	mu        sync.Mutex
	folders   map[uint64]*folder
	wellKnown map[string]*folder
	root      *folder
	messages  map[uint64]*message // by placement
	items     map[uint64]*message // by immutable number
	last      struct{ folder, placement, item, attachment, category uint64 }
	change    uint64 // number of the latest change
	octets    int64  // of all messages

	folderLog  journal[*folder]
	categories []*category
	settings   map[string]any
}

// mailbox returns the mailbox of an address in lower case.
func (s *Server) mailbox(user string) *mailbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	mb := s.mailboxes[user]
	if mb == nil {
		mb = newMailbox(user, s.opt)
		s.mailboxes[user] = mb
	}
	return mb
}

// builtIn are the folders of a new mailbox: well-known name, English and German
// display names, and the well-known name of the parent.
var builtIn = []struct {
	wellKnown, english, german, parent string
	hidden                             bool
}{
	{"msgfolderroot", "Top of Information Store", "Oberste Ebene des Informationsspeichers", "", false},
	{"searchfolders", "Finder", "Suche", "", false},
	{"recoverableitemsdeletions", "Deletions", "Deletions", "", false},
	{"inbox", "Inbox", "Posteingang", "msgfolderroot", false},
	{"drafts", "Drafts", "Entwürfe", "msgfolderroot", false},
	{"sentitems", "Sent Items", "Gesendete Elemente", "msgfolderroot", false},
	{"deleteditems", "Deleted Items", "Gelöschte Elemente", "msgfolderroot", false},
	{"junkemail", "Junk Email", "Junk-E-Mail", "msgfolderroot", false},
	{"outbox", "Outbox", "Postausgang", "msgfolderroot", false},
	{"conversationhistory", "Conversation History", "Unterhaltungsverlauf", "msgfolderroot", false},
	{"clutter", "Clutter", "Clutter", "msgfolderroot", true},
	{"scheduled", "Scheduled", "Geplant", "msgfolderroot", true},
	{"syncissues", "Sync Issues", "Synchronisierungsprobleme", "msgfolderroot", true},
	{"conflicts", "Conflicts", "Konflikte", "syncissues", true},
	{"localfailures", "Local Failures", "Lokale Fehler", "syncissues", true},
	{"serverfailures", "Server Failures", "Serverfehler", "syncissues", true},
}

func newMailbox(user string, opt Options) *mailbox {
	mb := &mailbox{
		user: user, tag: tagOf(user), folders: map[uint64]*folder{}, wellKnown: map[string]*folder{},
		messages: map[uint64]*message{}, items: map[uint64]*message{}, settings: newSettings(opt),
	}
	for _, b := range builtIn {
		name := b.english
		if opt.Localised {
			name = b.german
		}
		f := mb.addFolder(mb.wellKnown[b.parent], name)
		f.wellKnown, f.hidden = b.wellKnown, b.hidden
		mb.wellKnown[b.wellKnown] = f
	}
	mb.root = mb.wellKnown["msgfolderroot"]
	if opt.Archive {
		f := mb.addFolder(mb.root, map[bool]string{false: "Archive", true: "Archiv"}[opt.Localised])
		f.wellKnown = "archive"
		mb.wellKnown["archive"] = f
	}
	// What a mailbox has besides: a hidden folder, and a search folder that the
	// root shows although its parent is elsewhere.
	mb.addFolder(mb.root, "Files").hidden = true
	search := mb.addFolder(mb.wellKnown["searchfolders"], "Unread Mail")
	search.search = true
	return mb
}

// A folder holds messages and folders.
type folder struct {
	n            uint64
	name         string
	wellKnown    string
	parent       *folder
	children     []*folder
	hidden       bool
	search       bool
	messages     map[uint64]*message // by placement
	octets       int64
	unread       int
	log          journal[*message]
	sorted       []*message // newest first; nil if out of date
	born, change uint64
	gone         bool
}

func (f *folder) logged() (born, change uint64, gone bool) { return f.born, f.change, f.gone }

func (mb *mailbox) addFolder(parent *folder, name string) *folder {
	mb.last.folder++
	mb.change++
	f := &folder{n: mb.last.folder, name: name, parent: parent, messages: map[uint64]*message{}, born: mb.change, change: mb.change}
	mb.folders[f.n] = f
	if parent != nil {
		parent.children = append(parent.children, f)
	}
	mb.folderLog.add(f)
	return f
}

func (mb *mailbox) folderChanged(f *folder) {
	mb.change++
	f.change = mb.change
	mb.folderLog.add(f)
}

// detach takes f out of its parent.
func (f *folder) detach() {
	if f.parent != nil {
		f.parent.children = slices.DeleteFunc(f.parent.children, func(c *folder) bool { return c == f })
	}
}

// within says whether f is g or lies below it.
func (f *folder) within(g *folder) bool {
	for ; f != nil; f = f.parent {
		if f == g {
			return true
		}
	}
	return false
}

// path is the names from the root down.
func (f *folder) path() []string {
	if f.parent == nil {
		return []string{}
	}
	return append(f.parent.path(), f.name)
}

// put places m in f and records the change.
func (mb *mailbox) put(f *folder, m *message) {
	m.folder = f
	mb.messages[m.placement] = m
	mb.items[m.item] = m
	f.messages[m.placement] = m
	f.octets += m.size()
	mb.octets += m.size()
	if !m.read {
		f.unread++
	}
	mb.change++
	m.born, m.change = mb.change, mb.change
	f.log.add(m)
	f.sorted = nil
}

// changed records that m was changed.
func (mb *mailbox) changed(m *message, now time.Time) {
	mb.change++
	m.change, m.modified = mb.change, now
	m.folder.log.add(m)
	m.folder.sorted = nil
}

// take removes m from its folder and leaves a tombstone there.
func (mb *mailbox) take(m *message) {
	f := m.folder
	delete(mb.messages, m.placement)
	delete(mb.items, m.item)
	delete(f.messages, m.placement)
	f.octets -= m.size()
	mb.octets -= m.size()
	if !m.read {
		f.unread--
	}
	mb.change++
	m.gone, m.change = true, mb.change
	f.log.add(m)
	f.sorted = nil
}

// byDate returns the messages of f, newest first.
func (f *folder) byDate() []*message {
	if f.sorted == nil {
		f.sorted = make([]*message, 0, len(f.messages))
		for _, m := range f.messages {
			f.sorted = append(f.sorted, m)
		}
		slices.SortFunc(f.sorted, newestFirst)
	}
	return f.sorted
}
