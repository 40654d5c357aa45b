package graphsim

import "sort"

// A journal lists what changed, in the order of the latest change of each. It
// serves delta queries: from a change number on, without looking at the rest.
type journal[T changing] struct {
	entries []journalEntry[T]
	live    int // entries that no later one replaces
}

type journalEntry[T changing] struct {
	change uint64
	item   T
}

// changing is what a journal lists: born and change are change numbers.
type changing interface {
	comparable
	logged() (born, change uint64, gone bool)
}

// add records the latest change of item.
func (j *journal[T]) add(item T) {
	born, change, gone := item.logged()
	if born == change && !gone {
		j.live++
	}
	if len(j.entries) > 64 && len(j.entries) > 2*j.live {
		kept := j.entries[:0]
		for _, e := range j.entries {
			if e.current() {
				kept = append(kept, e)
			}
		}
		clear(j.entries[len(kept):])
		j.entries = kept
	}
	j.entries = append(j.entries, journalEntry[T]{change, item})
}

func (e journalEntry[T]) current() bool {
	_, change, _ := e.item.logged()
	return change == e.change
}

// since returns up to limit items that changed after change number after and
// that accept takes, oldest change first, and the change number of the last
// one looked at. more says that there are others.
func (j *journal[T]) since(after uint64, limit int, accept func(T) bool) (items []T, last uint64, more bool) {
	last = after
	i := sort.Search(len(j.entries), func(i int) bool { return j.entries[i].change > after })
	for _, e := range j.entries[i:] {
		born, _, gone := e.item.logged()
		// Born and gone since the last look: nobody saw it.
		if e.current() && !(gone && born > after) && accept(e.item) {
			if len(items) == limit {
				return items, last, true
			}
			items = append(items, e.item)
		}
		last = e.change
	}
	return items, last, false
}
