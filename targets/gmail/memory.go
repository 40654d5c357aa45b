package gmail

import (
	"sync"

	"github.com/mailhaul/mailhaul/migrate"
)

// A memory holds what was learnt about messages at Gmail, the latest few
// thousand, so that Find need not ask again: without it a single
// answer lost would cost as much as all messages since the position.
type memory struct {
	mu         sync.Mutex
	young, old map[string]fact // by message id
}

// A fact is what is known of a message: its content if this process wrote it,
// or else what Gmail said of it.
type fact struct {
	digest migrate.Digest // of what was written; zero if not known
	meta   metadata
}

// generation is how many facts are held at least, once there were as many. It
// is more than the engine writes from one position to the next.
const generation = 2500

func (m *memory) put(id string, f fact) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.young == nil || len(m.young) >= generation {
		m.young, m.old = make(map[string]fact), m.young
	}
	m.young[id] = f
}

func (m *memory) get(id string) (fact, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f, ok := m.young[id]; ok {
		return f, true
	}
	f, ok := m.old[id]
	return f, ok
}

// forget drops what Gmail said of messages that have changed since.
func (m *memory) forget(ids []migrate.MessageID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		for _, facts := range []map[string]fact{m.young, m.old} {
			if facts[string(id)].digest == (migrate.Digest{}) {
				delete(facts, string(id))
			}
		}
	}
}
