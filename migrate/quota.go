package migrate

// A Quota is how much the source lets a mailbox hold, and how much of that it
// holds. A limit of 0 is none, or one that the source does not tell.
type Quota struct{ Used, Limit int64 }

// Full returns which share of the limit is used: 1 is all of it.
func (q Quota) Full() float64 {
	if q.Limit <= 0 {
		return 0
	}
	return float64(q.Used) / float64(q.Limit)
}
