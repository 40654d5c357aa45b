package plan

import (
	"math"
	"time"

	"github.com/mailhaul/mailhaul/migrate/pace"
)

// A Model is what is known of a target: its limits, and what calls cost and
// take.
type Model struct {
	Own    []pace.Limit // of each mailbox
	Shared []pace.Limit // of all mailboxes together

	Parallel int // calls of a mailbox at once, at most
	First    int // at once at first, as of pace.NewGate; 0: Parallel

	Open   []Call  // each time that work on a mailbox begins or goes on
	Begin  []Call  // before the first message of a mailbox is written
	Folder []Call  // that make a folder
	Write  []Write // that write a message, by its size, smallest first
	Merge  []Call  // that place a message under one more label
	Read   Read
}

// A Write is how messages up to a size are written.
type Write struct {
	Upto  int64 // octets; 0: any
	Calls []Call
}

// A Read is what a verification asks for.
type Read struct {
	Open    []Call // for each mailbox
	Folder  []Call // for each folder
	Page    []Call // for each PerPage messages
	PerPage int64
	Look    []Call // for each message that is compared, but not its content; none if lists tell enough
	Content []Call // for each message whose content is compared
}

// A Call is a kind of call.
type Call struct {
	Cost   pace.Cost     // of each, but for the octets of a message
	Sent   float64       // octets that go out for each octet of the message
	Range  int64         // octets of the message that one call carries at most, more go by further calls; 0: all
	Median time.Duration // until the answer
	Sigma  float64       // of the logarithm of that time, which is normal
	Rate   int64         // octets of the message a second, which take time besides; 0: no bound
}

// An effort is what calls cost, and how long they take one after the other, in
// seconds.
type effort struct {
	cost           pace.Cost
	mean, variance float64
}

// effortOf returns the effort of calls for a message of so many octets.
func effortOf(calls []Call, octets int64) (e effort) {
	for _, c := range calls {
		n := int64(1)
		if c.Range > 0 {
			n = max((octets+c.Range-1)/c.Range, 1)
		}
		for unit, cost := range c.Cost {
			e.cost[unit] += n * cost
		}
		e.cost[pace.Bytes] += int64(math.Ceil(c.Sent * float64(octets)))
		mean := c.Median.Seconds() * math.Exp(c.Sigma*c.Sigma/2)
		e.mean += float64(n) * mean
		e.variance += float64(n) * mean * mean * math.Expm1(c.Sigma*c.Sigma)
		if c.Rate > 0 {
			e.mean += float64(octets) / float64(c.Rate)
		}
	}
	return e
}

// add adds n times o.
func (e *effort) add(o effort, n int64) {
	for unit, cost := range o.cost {
		e.cost[unit] += n * cost
	}
	e.mean += float64(n) * o.mean
	e.variance += float64(n) * o.variance
}

// takes returns how long e takes, for a standard normal number: the sum of
// several times is about as log-normal as one.
func (e *effort) takes(normal float64) (seconds float64) {
	if e.mean <= 0 {
		return 0
	}
	sigma2 := math.Log1p(e.variance / (e.mean * e.mean))
	return e.mean * math.Exp(math.Sqrt(sigma2)*normal-sigma2/2)
}

// write returns the calls that write a message of so many octets.
func (m *Model) write(octets int64) []Call {
	for _, w := range m.Write {
		if w.Upto == 0 || octets <= w.Upto {
			return w.Calls
		}
	}
	return m.Write[len(m.Write)-1].Calls
}
