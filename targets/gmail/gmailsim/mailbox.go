package gmailsim

import (
	"crypto/sha256"
	"hash/maphash"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A mailbox is the state of one user. Its mutex guards all that is not atomic;
// functions of other files that take a *mailbox want it locked.
type mailbox struct {
	user    string
	arrived atomic.Uint64 // requests so far
	calls   atomic.Int64  // requests running

	mu        sync.Mutex
	bytes     int64
	added     uint64   // messages, ever
	labels    []*label // system labels first, then in order of creation
	labelIDs  map[string]*label
	nextLabel int
	nextDraft int

	messages   []*message // ascending by id
	byID       map[uint64]*message
	same       map[[sha256.Size]byte]*message // by what makes two imports one message
	index      map[uint64][]*message          // by hash of the Message-ID
	threads    map[uint64]uint64              // thread by hash of Message-ID or subject
	threadSize map[uint64]int                 // messages by thread
	drafts     []*draft                       // oldest first
	seed       maphash.Seed

	history   []record
	historyID uint64
	forgotten uint64 // records up to this id are no longer known

	sent, fetched  int64     // octets since the last park
	until          time.Time // parked: no call is served before
	historyRecords int
}

// A message is what is kept in memory of a message.
type message struct {
	id        uint64
	thread    uint64
	changed   uint64 // history id of the last change
	offset    int64  // in the octets
	size      int64  // of the octets as received
	sum       [sha256.Size]byte
	same      [sha256.Size]byte // key in mailbox.same; zero if it is in none
	messageID uint64            // hash; 0 if it has none
	date      int64             // internalDate, milliseconds
	received  int64             // milliseconds
	arrival   uint64            // number of the request that brought it
	labels    []*label
	added     addition
	undated   bool // it had no Date field, and got one
}

type draft struct {
	id      string
	message *message
}

func newMailbox(user string, o Options) *mailbox {
	b := &mailbox{
		user:           user,
		labelIDs:       map[string]*label{},
		byID:           map[uint64]*message{},
		same:           map[[sha256.Size]byte]*message{},
		index:          map[uint64][]*message{},
		threads:        map[uint64]uint64{},
		threadSize:     map[uint64]int{},
		seed:           maphash.MakeSeed(),
		historyID:      1000,
		forgotten:      1000,
		historyRecords: o.HistoryRecords,
	}
	for _, name := range systemLabels {
		l := &label{id: name, name: name, system: true}
		b.labels, b.labelIDs[name] = append(b.labels, l), l
	}
	return b
}

func (b *mailbox) hash(kind, s string) uint64 { return maphash.String(b.seed, kind+s) | 1 }

// add gives m an id that sorts by its date, puts it into its place and records
// it. The id is 16 hex digits, as Gmail's are: the milliseconds and a number.
func (b *mailbox) add(m *message, messageID string) {
	b.added++
	m.id = uint64(min(max(m.date, 1<<40), 1<<44-1))<<20 | b.added&(1<<20-1)
	for b.byID[m.id] != nil {
		m.id++
	}
	if m.thread == 0 {
		m.thread = m.id
	}
	b.byID[m.id] = m
	at, _ := slices.BinarySearchFunc(b.messages, m.id, byID)
	b.messages = slices.Insert(b.messages, at, m)
	b.indexAs(m, messageID)
	if m.same != ([sha256.Size]byte{}) {
		b.same[m.same] = m
	}
	b.threadSize[m.thread]++
	b.bytes += m.size
	b.record(messageAdded, m, nil)
}

// indexAs lets searches for a Message-ID find m.
func (b *mailbox) indexAs(m *message, messageID string) {
	if messageID == "" {
		return
	}
	m.messageID = b.hash("id", messageID)
	b.threads[m.messageID] = m.thread
	b.index[m.messageID] = append(b.index[m.messageID], m)
}

// unindex lets nothing find m by its content any more.
func (b *mailbox) unindex(m *message) {
	b.index[m.messageID] = slices.DeleteFunc(b.index[m.messageID], func(x *message) bool { return x == m })
	if b.same[m.same] == m {
		delete(b.same, m.same)
	}
	m.messageID, m.same = 0, [sha256.Size]byte{}
}

func byID(m *message, id uint64) int {
	switch {
	case m.id < id:
		return -1
	case m.id > id:
		return 1
	}
	return 0
}

// remove takes m out for ever.
func (b *mailbox) remove(m *message) {
	delete(b.byID, m.id)
	if at, ok := slices.BinarySearchFunc(b.messages, m.id, byID); ok {
		b.messages = slices.Delete(b.messages, at, at+1)
	}
	b.unindex(m)
	b.drafts = slices.DeleteFunc(b.drafts, func(d *draft) bool { return d.message == m })
	b.threadSize[m.thread]--
	if b.threadSize[m.thread] == 0 {
		delete(b.threadSize, m.thread)
	}
	b.bytes -= m.size
	b.record(messageDeleted, m, nil)
}

// find returns the message with an id from a request.
func (b *mailbox) find(id string) (*message, error) {
	n, err := parseID(id)
	if err != nil {
		return nil, err
	}
	if m := b.byID[n]; m != nil {
		return m, nil
	}
	return nil, notFound()
}

func parseID(id string) (uint64, error) {
	n, err := strconv.ParseUint(id, 16, 64)
	if err != nil || len(id) > 16 {
		return 0, invalid("Invalid id value")
	}
	return n, nil
}

func formatID(id uint64) string { return strconv.FormatUint(id, 16) }

// has says whether the label with an id is on the message.
func (m *message) has(id string) bool {
	return slices.ContainsFunc(m.labels, func(l *label) bool { return l.id == id })
}

func ids(labels []*label) []string {
	list := make([]string, len(labels))
	for i, l := range labels {
		list[i] = l.id
	}
	return list
}
