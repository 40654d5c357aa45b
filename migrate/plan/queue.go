package plan

import "container/heap"

// A queue holds the mailboxes at work by the time of their next event. Equal
// times are those of the list, so that chance decides nothing.
type queue []*box

func (q *queue) add(b *box)     { heap.Push(q, b) }
func (q *queue) changed(b *box) { heap.Fix(q, b.index) }
func (q *queue) remove(b *box)  { heap.Remove(q, b.index) }

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].number < q[j].number
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *queue) Push(x any) {
	b := x.(*box)
	b.index = len(*q)
	*q = append(*q, b)
}

func (q *queue) Pop() any {
	last := len(*q) - 1
	b := (*q)[last]
	*q = (*q)[:last]
	return b
}
