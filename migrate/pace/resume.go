package pace

import "slices"

// Resume makes l, which is not in use yet, begin with what was spent of limits
// of the same names of another limiter and of its parent: of some of them where
// l has others besides. The other one may be in use.
func (l *Limiter) Resume(from *Limiter) {
	if from == nil {
		return
	}
	from.mu.Lock()
	defer from.mu.Unlock()
	for p := from; p != nil; p = p.parent {
		for _, spent := range p.budgets {
			for _, b := range l.budgets {
				if b.limit.Name == spent.limit.Name {
					limit := b.limit
					*b = *spent
					b.limit, b.spent = limit, slices.Clone(spent.spent)
				}
			}
		}
	}
}
