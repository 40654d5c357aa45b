package graph

import (
	"sync"

	"github.com/mailhaul/mailhaul/migrate"
)

// unfinished remembers the imports of this process that have no key at the
// target yet, so that Find does not take one for another that looks like it.
// Its zero value is ready for use.
type unfinished struct {
	mu       sync.Mutex
	answered map[migrate.MessageID]string // the keys that they are to have
	doubtful map[string]int               // keys of imports without an answer: how often the message was let wait
}

// maxWaits bounds how often Find waits for other imports of unknown fate.
const maxWaits = 5

func (u *unfinished) imported(id migrate.MessageID, key string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.answered == nil {
		u.answered = map[migrate.MessageID]string{}
	}
	u.answered[id] = key
	delete(u.doubtful, key)
}

func (u *unfinished) unanswered(key string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.doubtful == nil {
		u.doubtful = map[string]int{}
	}
	u.doubtful[key] += 0
}

// done forgets a message that has its key, or is gone.
func (u *unfinished) done(id migrate.MessageID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.answered, id)
}

// decided forgets an import whose fate is known.
func (u *unfinished) decided(key string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.doubtful, key)
}

// owner returns the key that a message is to have; known is false if this
// process has no answer that names the message.
func (u *unfinished) owner(id migrate.MessageID) (key string, known bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	key, known = u.answered[id]
	return key, known
}

// wait says whether to ask again about the import with key, because another
// one's fate may become known meanwhile.
func (u *unfinished) wait(key string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	waited, ours := u.doubtful[key]
	if !ours || len(u.doubtful) < 2 || waited >= maxWaits {
		return false
	}
	u.doubtful[key]++
	return true
}
