package proof

import "slices"

// prefixes follow a log entry by entry and compare it with heads that were
// signed when it was shorter.
type prefixes struct {
	frontier
	heads []Head
	open  map[int64][]int // those that were not reached yet or do not fit, by size
}

func newPrefixes(heads []Head) *prefixes {
	p := &prefixes{heads: heads, open: map[int64][]int{}}
	for i, h := range heads {
		p.open[h.Tree.N] = append(p.open[h.Tree.N], i)
	}
	p.compare()
	return p
}

func (p *prefixes) add(text []byte) {
	p.frontier.add(text)
	p.compare()
}

func (p *prefixes) compare() {
	which := p.open[p.size]
	if len(which) == 0 {
		return
	}
	now := p.tree()
	p.open[p.size] = slices.DeleteFunc(which, func(i int) bool { return p.heads[i].Tree == now })
}

// others returns which of the heads are none of this log, once it has ended.
func (p *prefixes) others() []int {
	return slices.Sorted(func(yield func(int) bool) {
		for _, which := range p.open {
			for _, i := range which {
				if !yield(i) {
					return
				}
			}
		}
	})
}
