// Package pace says when the next call to a vendor may start.
//
// A vendor's limits are data ([Limit]); what was spent of one is a [Budget].
// [Ask] and [Spend] are pure functions of the budgets and of a time that the
// caller passes in, so that a plan can drive them with a clock of its own.
// [Limiter] drives them with the real one, and by [Limiter.Try] with any.
package pace

import "time"

// A Unit is what a limit counts.
type Unit uint8

const (
	Requests Unit = iota // calls
	Points               // a vendor's quota units
	Bytes                // octets in the body of the request
	units
)

// A Cost is what one call spends.
type Cost [units]int64

// A Limit is one limit of a vendor.
type Limit struct {
	Name   string        // as the vendor calls it, for people: "6,000 units per minute and user"
	Unit   Unit          // what it counts
	Amount int64         // how much may be spent
	Per    time.Duration // in this time

	// Burst makes the limit a token bucket that holds Burst and refills
	// steadily with Amount in Per. Zero makes it a sliding window: in no
	// stretch of time of length Per is more than Amount spent.
	Burst int64
}

// A Budget is what was spent of one limit. Its zero value is not usable.
type Budget struct {
	limit Limit

	level float64   // bucket: what is left at time at; negative after one call that cost more than Burst
	at    time.Time // bucket: zero before the first call

	spent []entry // window: oldest first, at most slots+1 of them
	sum   int64   // window: of spent
}

// entry is what was spent in one slot of a window, dated at its latest call.
type entry struct {
	first, last time.Time
	n           int64
}

// slots bounds the memory of a window: calls within Per/slots count as made
// at the latest of them, which is the safe side.
const slots = 1024

// New returns the budget of l with nothing spent.
func (l Limit) New() *Budget { return &Budget{limit: l} }

// Next returns when a call that costs n may start, not before now. A call that
// costs more than the whole limit may start when nothing else is spent.
func (b *Budget) Next(now time.Time, n int64) time.Time {
	if n <= 0 {
		return now
	}
	if b.limit.Burst > 0 {
		lack := float64(min(n, b.limit.Burst)) - b.levelAt(now)
		if lack <= 0 {
			return now
		}
		// Rounded up, so that the call finds what it waited for.
		return now.Add(time.Duration(lack/float64(b.limit.Amount)*float64(b.limit.Per)) + 1)
	}
	room := b.limit.Amount - min(n, b.limit.Amount)
	sum := b.sum
	for _, e := range b.spent {
		if leaves := e.last.Add(b.limit.Per); leaves.After(now) {
			if sum <= room {
				break
			}
			now = leaves
		}
		sum -= e.n
	}
	return now
}

// spend records that a call that costs n starts now.
func (b *Budget) spend(now time.Time, n int64) {
	if n <= 0 {
		return
	}
	if b.limit.Burst > 0 {
		b.level, b.at = b.levelAt(now)-float64(n), now
		return
	}
	for len(b.spent) > 0 && !b.spent[0].last.Add(b.limit.Per).After(now) {
		b.sum -= b.spent[0].n
		b.spent = b.spent[1:]
	}
	b.sum += n
	if k := len(b.spent) - 1; k >= 0 && now.Sub(b.spent[k].first) < b.limit.Per/slots {
		b.spent[k].last, b.spent[k].n = now, b.spent[k].n+n
		return
	}
	b.spent = append(b.spent, entry{now, now, n})
}

func (b *Budget) levelAt(now time.Time) float64 {
	if b.at.IsZero() {
		return float64(b.limit.Burst)
	}
	refill := float64(now.Sub(b.at)) / float64(b.limit.Per) * float64(b.limit.Amount)
	return min(b.level+max(refill, 0), float64(b.limit.Burst))
}

// Ask returns when a call may start, not before now, and the name of the limit
// that makes it wait, "" if none does. It spends nothing.
func Ask(now time.Time, c Cost, budgets ...*Budget) (start time.Time, limit string) {
	start = now
	for _, b := range budgets {
		if t := b.Next(now, c[b.limit.Unit]); t.After(start) {
			start, limit = t, b.limit.Name
		}
	}
	return start, limit
}

// Spend records that a call starts now.
func Spend(now time.Time, c Cost, budgets ...*Budget) {
	for _, b := range budgets {
		b.spend(now, c[b.limit.Unit])
	}
}
