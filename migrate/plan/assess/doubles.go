package assess

import (
	"container/heap"
	"slices"
	"sort"
)

// byPrint sorts the prints of a survey, whose order means nothing, in their
// place.
type byPrint struct{ *survey }

func (s byPrint) Len() int           { return len(s.prints) }
func (s byPrint) Less(i, j int) bool { return s.prints[i] < s.prints[j] }
func (s byPrint) Swap(i, j int) {
	s.prints[i], s.prints[j] = s.prints[j], s.prints[i]
	s.octets[i], s.octets[j] = s.octets[j], s.octets[i]
}

// A merger goes through the prints of several surveys in ascending order. It is
// a heap with the survey of the next one on top.
type merger []*cursor

// A cursor is the next print of a survey.
type cursor struct {
	*survey
	part, at int
}

func (m merger) Len() int           { return len(m) }
func (m merger) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m merger) Less(i, j int) bool { return m[i].prints[m[i].at] < m[j].prints[m[j].at] }
func (m *merger) Push(x any)        { *m = append(*m, x.(*cursor)) }
func (m *merger) Pop() any {
	last := len(*m) - 1
	x := (*m)[last]
	*m = (*m)[:last]
	return x
}

// doubles returns the messages that another one counted stands for, in the
// classes of all, and how many of those others are in several folders.
func doubles(parts []*survey, all []Class) (classes []Class, shared int64) {
	var m merger
	for i, s := range parts {
		if sort.Sort(byPrint{s}); len(s.prints) > 0 {
			m = append(m, &cursor{survey: s, part: i})
		}
	}
	heap.Init(&m)
	ends := make([]int64, len(all))
	for i, c := range all {
		ends[i] = c.Most
	}
	count := make([]Tally, len(all))
	first, several := -1, false // the part of the first message with print; whether others have it
	var print uint64
	for len(m) > 0 {
		c := m[0]
		if first < 0 || c.prints[c.at] != print {
			first, print, several = c.part, c.prints[c.at], false
		} else {
			octets := int64(c.octets[c.at])
			i, _ := slices.BinarySearch(ends, octets)
			count[i].add(Tally{1, octets})
			if c.part != first && !several {
				several = true
				shared++
			}
		}
		if c.at++; c.at < len(c.prints) {
			heap.Fix(&m, 0)
		} else {
			heap.Pop(&m)
		}
	}
	for i, t := range count {
		if t.Messages > 0 {
			classes = append(classes, Class{all[i].Most, t})
		}
	}
	return classes, shared
}
