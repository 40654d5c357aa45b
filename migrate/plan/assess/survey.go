package assess

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// A survey is what is kept of one folder, so that it need not be listed again.
type survey struct {
	Path  []string
	State State
	Deep  bool // the content of all messages was looked at

	Bytes          int64            // of all messages, whatever the rules say
	Sizes          map[int64]Tally  // by Class.Most
	Excluded       map[string]Tally // by rule
	Months         map[int]Tally    // by months since the year 0
	Days           map[int]Tally    // by days since 1970
	Oldest, Newest time.Time
	Undated        int64
	Flags          map[migrate.Flag]int64
	More           bool // flags beyond those that are told apart
	Largest        []Large
	Content        Content   // if Deep
	Tickets        []*ticket // those with the lowest lots, ascending

	// Of each message that has a Message-ID, what tells it from others, and its
	// size.
	prints []uint64
	octets []uint32
}

func (v *visit) newSurvey(f migrate.Folder) *survey {
	n := min(max(f.Messages, 0), 1<<20) // a server may announce any number
	return &survey{
		Path: f.Path, State: stateOf(f), Deep: v.Depth == Deep,
		Sizes: map[int64]Tally{}, Excluded: map[string]Tally{}, Months: map[int]Tally{}, Days: map[int]Tally{}, Flags: map[migrate.Flag]int64{},
		prints: make([]uint64, 0, n), octets: make([]uint32, 0, n),
	}
}

// maxFlags is how many flags are told apart in a mailbox, and maxFlag how many
// octets of each. Servers let users make as many as they like.
const (
	maxFlags = 10_000
	maxFlag  = 255
)

// maxSize is the most octets that a message can have, and maxFolder the most
// messages or octets that a folder can, whatever a server says.
const (
	maxSize   = 1 << 40
	maxFolder = 1 << 44
)

// add counts a message, and says whether it is to be moved.
func (v *visit) add(s *survey, m *migrate.Message) bool {
	size := min(max(m.Size, 0), maxSize)
	one := Tally{1, size}
	s.Bytes += size
	if v.Rules.Message != nil {
		if rule := v.Rules.Message(m); rule != "" {
			count(s.Excluded, rule, one)
			return false
		}
	}
	count(s.Sizes, classOf(v.bounds, size), one)
	if when := m.InternalDate.UTC(); when.Year() < 1970 || when.After(v.now.AddDate(0, 0, 1)) {
		s.Undated++
	} else {
		s.Oldest, s.Newest = earliest(s.Oldest, when), latest(s.Newest, when)
		count(s.Months, when.Year()*12+int(when.Month())-1, one)
		if d := dayOf(when); d > dayOf(v.now)-daysMost {
			count(s.Days, d, one)
		}
	}
	for _, f := range m.Flags {
		known, ok := v.flags[f]
		if !ok && len(v.flags) < maxFlags {
			known = migrate.Flag(strings.Clone(string(f[:min(len(f), maxFlag)])))
			v.flags[known], ok = known, true
		}
		if ok {
			s.Flags[known]++
		}
		s.More = s.More || !ok
	}
	i, _ := slices.BinarySearchFunc(s.Largest, size, func(l Large, size int64) int { return cmp.Compare(size, l.Size) })
	s.Largest = slices.Insert(s.Largest, i, Large{s.Path, m.UID, size, m.InternalDate})
	s.Largest = s.Largest[:min(largestMost, len(s.Largest))]
	if m.MessageID != "" {
		s.prints, s.octets = append(s.prints, printOf(m)), append(s.octets, uint32(min(size, math.MaxUint32)))
	}
	s.draw(m)
	return true
}

func count[K comparable](into map[K]Tally, k K, t Tally) {
	sum := into[k]
	sum.add(t)
	into[k] = sum
}

// bounds returns what classes of sizes end at: the powers of two from 1 KiB up
// to maxSize, and those of the caller.
func bounds(own []int64) []int64 {
	all := slices.Clone(own)
	for shift := 10; shift <= 40; shift++ {
		all = append(all, 1<<shift)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// classOf returns the end of the class of a size.
func classOf(bounds []int64, size int64) int64 {
	i, _ := slices.BinarySearch(bounds, size)
	return bounds[i]
}

// printOf tells messages apart by Message-ID and size.
func printOf(m *migrate.Message) uint64 {
	b := binary.BigEndian.AppendUint64(nil, uint64(m.Size))
	sum := sha256.Sum256(append(b, m.MessageID...))
	return binary.BigEndian.Uint64(sum[:])
}
