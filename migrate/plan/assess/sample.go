package assess

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// sampleMost is how many messages of a mailbox are read at most.
const sampleMost = 200

// A ticket is a message that may be drawn. Those with the lowest lots of all
// folders together are: each message has the same chance, and the sample stays
// the same while the mailbox does.
type ticket struct {
	Lot  uint64
	UID  migrate.UID
	Size int64
	Date time.Time

	Read  bool
	Found []string // what was seen in it
}

// draw gives a message its lot.
func (s *survey) draw(m *migrate.Message) {
	b := binary.BigEndian.AppendUint32(nil, uint32(m.UID))
	sum := sha256.Sum256(append(b, strings.Join(s.Path, "\x00")...))
	lot := binary.BigEndian.Uint64(sum[:])
	if len(s.Tickets) == sampleMost {
		if lot > s.Tickets[sampleMost-1].Lot {
			return
		}
		s.Tickets = s.Tickets[:sampleMost-1]
	}
	i, _ := slices.BinarySearchFunc(s.Tickets, lot, func(t *ticket, lot uint64) int { return cmp.Compare(t.Lot, lot) })
	s.Tickets = slices.Insert(s.Tickets, i, &ticket{Lot: lot, UID: m.UID, Size: m.Size, Date: m.InternalDate})
}

// drawn returns the sample by folder, each part of it by lot.
func drawn(parts []*survey) map[*survey][]*ticket {
	type entry struct {
		*ticket
		of *survey
	}
	var all []entry
	for _, s := range parts {
		for _, t := range s.Tickets {
			all = append(all, entry{t, s})
		}
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.Lot, b.Lot) })
	by := map[*survey][]*ticket{}
	for _, e := range all[:min(sampleMost, len(all))] {
		by[e.of] = append(by[e.of], e.ticket)
	}
	return by
}

// deep says whether the content of all messages was looked at.
func deep(parts []*survey) bool {
	return !slices.ContainsFunc(parts, func(s *survey) bool { return !s.Deep })
}

// seen is what was seen in all messages, or else in those that were drawn.
func seen(parts []*survey) (c Content) {
	if deep(parts) {
		for _, s := range parts {
			c.merge(s.Content)
		}
		return c
	}
	for _, tickets := range drawn(parts) {
		for _, t := range tickets {
			if t.Read {
				c.add(t.Found)
			}
		}
	}
	return c
}
