package verify

import (
	"cmp"
	"context"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
)

// An entry is a message that arrived, by its record, and what the target's
// lists say of it. A mailbox has as many as it has messages, so it is small.
type entry struct {
	id     uint64 // of the target's id
	date   int64  // Unix seconds; of listed ones
	uid    migrate.UID
	folder uint32 // of index.folders
	flags  uint16 // of index.flags; of listed ones
	state  state
	merged bool
}

type state uint8

const (
	unseen state = iota // in no list of its folder
	seen                // in the list of its folder
	listed              // likewise, and the list tells its flags and date
)

// An index finds what arrived by its record and by its id at the target.
type index struct {
	seed    maphash.Seed
	folders []migrate.FolderState
	entries []entry  // in the order of folders and their UIDs
	start   []int    // of each folder in entries, and the end
	byID    []uint32 // entries in the order of id
	flags   []string // sets of flags, each spelled by spell
	spelled map[string]uint16
}

// newIndex reads the records of all folders.
func newIndex(ctx context.Context, l Ledger, folders []migrate.FolderState) (*index, error) {
	x := &index{seed: maphash.MakeSeed(), folders: folders, spelled: map[string]uint16{}}
	for i, f := range folders {
		x.start = append(x.start, len(x.entries))
		for r, err := range l.Records(ctx, f.ID, 1, ^migrate.UID(0)) {
			if err != nil {
				return nil, err
			}
			if r.Outcome.Arrived() {
				x.entries = append(x.entries, entry{id: x.hash(r.Target), uid: r.UID, folder: uint32(i), merged: r.Outcome == migrate.Merged})
			}
		}
	}
	x.start = append(x.start, len(x.entries))
	x.byID = make([]uint32, len(x.entries))
	for i := range x.byID {
		x.byID[i] = uint32(i)
	}
	slices.SortFunc(x.byID, func(a, b uint32) int { return cmp.Compare(x.entries[a].id, x.entries[b].id) })
	return x, nil
}

// hash is seeded, so that nobody can make two ids collide; of 64 bits, so that
// chance does not either.
func (x *index) hash(id migrate.MessageID) uint64 { return maphash.String(x.seed, string(id)) }

// with returns the entries of a message at the target, as indexes.
func (x *index) with(id uint64) []uint32 {
	from, found := slices.BinarySearchFunc(x.byID, id, func(i uint32, id uint64) int { return cmp.Compare(x.entries[i].id, id) })
	to := from
	for found && to < len(x.byID) && x.entries[x.byID[to]].id == id {
		to++
	}
	return x.byID[from:to]
}

// of returns the entry of a record.
func (x *index) of(folder int, uid migrate.UID) *entry {
	es := x.entries[x.start[folder]:x.start[folder+1]]
	i, found := slices.BinarySearchFunc(es, uid, func(e entry, uid migrate.UID) int { return cmp.Compare(e.uid, uid) })
	if !found {
		return nil
	}
	return &es[i]
}

// mark notes that place holds h. It returns false if no record knows h.
func (x *index) mark(place migrate.FolderID, h *migrate.Held) bool {
	all := x.with(x.hash(h.ID))
	for _, i := range all {
		e := &x.entries[i]
		if x.folders[e.folder].Target != place {
			continue
		}
		if e.state = max(e.state, seen); h.Complete {
			e.state, e.date, e.flags = listed, h.Date.Unix(), x.spelling(h.Flags)
		}
	}
	return len(all) > 0
}

// spelling keeps a set of flags. There are few different ones; if a hostile
// server makes many, the last number stands for all the others and differs
// from every set.
func (x *index) spelling(flags []migrate.Flag) uint16 {
	s := spell(flags)
	n, ok := x.spelled[s]
	switch {
	case ok:
		return n
	case len(x.flags) == 1<<16-1:
		x.flags = append(x.flags, "?")
		return 1<<16 - 1
	case len(x.flags) > 1<<16-1:
		return 1<<16 - 1
	}
	x.flags = append(x.flags, s)
	x.spelled[s] = uint16(len(x.flags) - 1)
	return x.spelled[s]
}

// spell writes a set of flags in one way: "$forwarded \seen".
func spell(flags []migrate.Flag) string {
	var s []string
	for _, f := range flags {
		s = append(s, strings.ToLower(string(f)))
	}
	slices.Sort(s)
	return strings.Join(slices.Compact(s), " ")
}
