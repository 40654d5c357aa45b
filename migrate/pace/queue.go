package pace

import "container/heap"

// A queue holds the mailboxes that wait for a limit they share, at most one
// call of each. It is start-time fair queueing (Goyal, Vin and Cheng, 1996):
// mailboxes that wait all the time get shares in proportion to their weights,
// and one that comes anew is not made to wait for what it did not use.
type queue struct {
	limiters byStart
	now      float64 // virtual time: the start of the latest call that was served
}

// A place is where a mailbox stands in the queue.
type place struct {
	weight float64
	start  float64 // virtual time of its next call
	end    float64 // virtual time of the end of its last call
	index  int     // in the heap, from 1; 0 if it does not wait
}

// add lets l wait, if it does not yet.
func (q *queue) add(l *Limiter) {
	if l.place.index == 0 {
		l.place.start = max(q.now, l.place.end)
		heap.Push(&q.limiters, l)
	}
}

func (q *queue) first() *Limiter { return q.limiters[0] }

// serve takes l out, which was let in, and whose call needs so much of the
// limit.
func (q *queue) serve(l *Limiter, share float64) {
	q.now = l.place.start
	l.place.end = l.place.start + share/l.place.weight
	q.remove(l)
}

// remove takes l out, if it waits, and wakes who is first then.
func (q *queue) remove(l *Limiter) {
	if l.place.index == 0 {
		return
	}
	first := q.first() == l
	heap.Remove(&q.limiters, l.place.index-1)
	if first && len(q.limiters) > 0 {
		select {
		case q.first().woken <- struct{}{}:
		default: // it is about to look
		}
	}
}

// share returns how long, in seconds, a call uses up the limits for.
func share(c Cost, budgets []*Budget) (seconds float64) {
	for _, b := range budgets {
		seconds = max(seconds, float64(c[b.limit.Unit])/float64(b.limit.Amount)*b.limit.Per.Seconds())
	}
	return seconds
}

type byStart []*Limiter

func (h byStart) Len() int { return len(h) }

func (h byStart) Less(i, j int) bool {
	a, b := h[i].place, h[j].place
	return a.start < b.start || a.start == b.start && a.weight > b.weight
}

func (h byStart) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place.index, h[j].place.index = i+1, j+1
}

func (h *byStart) Push(x any) {
	l := x.(*Limiter)
	*h = append(*h, l)
	l.place.index = len(*h)
}

func (h *byStart) Pop() any {
	last := len(*h) - 1
	l := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	l.place.index = 0
	return l
}
