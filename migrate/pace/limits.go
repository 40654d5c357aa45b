package pace

// Limits returns the limits of this mailbox, and those that it shares with
// others.
func (l *Limiter) Limits() (own, shared []Limit) {
	if l == nil {
		return nil, nil
	}
	for _, b := range l.budgets {
		own = append(own, b.limit)
	}
	if l.parent != nil {
		for _, b := range l.parent.budgets {
			shared = append(shared, b.limit)
		}
	}
	return own, shared
}
