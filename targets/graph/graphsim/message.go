package graphsim

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// A Route is the way in which a message was written (section 1).
type Route string

const (
	RouteImport Route = "importMime" // A
	RouteJSON   Route = "json"       // C
	RouteMIME   Route = "mime"       // D
)

// A message is the index record of one message; its content is in the file.
type message struct {
	item      uint64 // in the immutable id
	placement uint64 // in the id, new with each move
	folder    *folder
	route     Route
	written   span // A, D: the octets as received; C: the create body

	messageID  string
	received   time.Time
	sent       time.Time
	created    time.Time
	modified   time.Time
	read       bool
	draft      bool
	importance string
	inference  string
	flag       map[string]any // nil: not flagged
	categories []string
	receipts   [2]bool                  // delivery, read
	single     map[string]property      // by canonical id
	multi      map[string]multiProperty // by canonical id
	patched    map[string]any           // members of the create body that PATCH replaced
	files      []*attachment            // C
	fileOctets int64

	seenAt       int64               // requests to the mailbox when it was written
	stale        map[string]property // single as filters may see it still, since staleAt
	staleAt      time.Time
	staleSeen    int64 // requests to the mailbox then
	born, change uint64
	gone         bool
}

// A property is an extended property, with its id as it was sent.
type property struct{ id, value string }

type multiProperty struct {
	id     string
	values []string
}

func (m *message) logged() (born, change uint64, gone bool) { return m.born, m.change, m.gone }

func (m *message) size() int64 { return m.written.size + m.fileOctets }

// recoverable says that m was deleted from Deleted Items too.
func (m *message) recoverable() bool { return m.folder.wellKnown == "recoverableitemsdeletions" }

func (m *message) flagStatus() string {
	if s, ok := m.flag["flagStatus"].(string); ok {
		return s
	}
	return "notFlagged"
}

// newestFirst orders messages by receivedDateTime, then by age in the mailbox.
func newestFirst(a, b *message) int {
	return cmp.Or(b.received.Compare(a.received), cmp.Compare(b.placement, a.placement))
}

// moved returns m as it appears at its new place; m stays as a tombstone.
func (m *message) moved(placement uint64) *message {
	n := *m
	n.placement, n.gone = placement, false
	return &n
}

// copied returns a message of its own that shares the octets.
func (m *message) copied(item, placement uint64, now time.Time) *message {
	n := m.moved(placement)
	n.item, n.created, n.modified = item, now, now
	n.categories, n.files = slices.Clone(m.categories), slices.Clone(m.files)
	n.single, n.multi = maps.Clone(m.single), maps.Clone(m.multi)
	n.flag, n.patched = maps.Clone(m.flag), maps.Clone(m.patched)
	return n
}
