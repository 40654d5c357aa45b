package plan

import (
	"errors"
	"math"

	"github.com/mailhaul/mailhaul/migrate/pace"
)

// A Load is one mailbox as the simulation sees it.
type Load struct {
	Name    string
	Wave    string
	Folders int
	Sizes   []Size // messages that are written
	Merged  int64  // messages that become one more label of another; only with a target that labels
	Known   int64  // messages that are done already: they are listed, and no more
	Perday  Size   // growth: messages a day, with their octets

	// Of a mailbox at work when the migration starts.
	Begun bool          // it is open, and needs no more than its messages
	Spent *pace.Limiter // what was spent of its limits; nil: nothing
}

// A Size is a class of messages of similar size: how many they are, and how
// many octets they have together.
type Size struct{ Messages, Bytes int64 }

// most bounds numbers of a load, so that sums do not overflow.
const most = 1 << 50

var errNumbers = errors.New("a number of messages, octets or folders makes no sense")

func (l *Load) check() error {
	numbers := []int64{int64(l.Folders), l.Merged, l.Known, l.Perday.Messages, l.Perday.Bytes}
	for _, s := range l.Sizes {
		numbers = append(numbers, s.Messages, s.Bytes)
	}
	for _, n := range numbers {
		if n < 0 || n > most {
			return errNumbers
		}
	}
	return nil
}

// all returns the messages that are written or merged, with the octets that the
// source gives for them.
func (l *Load) all() (all Size) {
	for _, s := range l.Sizes {
		all.Messages, all.Bytes = all.Messages+s.Messages, all.Bytes+s.Bytes
	}
	return Size{all.Messages + l.Merged, all.Bytes + l.Merged*mean(all)}
}

// mean returns the octets of a message.
func mean(s Size) int64 { return s.Bytes / max(s.Messages, 1) }

// Scaled returns the load of n messages where there are of: of each class as many
// more or fewer.
func (l Load) Scaled(n, of int64) Load {
	scale := func(k int64) int64 {
		return int64(min(math.Round(float64(k)*float64(n)/float64(of)), most))
	}
	sizes := l.Sizes
	l.Sizes = nil
	for _, s := range sizes {
		l.Sizes = append(l.Sizes, Size{scale(s.Messages), scale(s.Bytes)})
	}
	l.Merged = scale(l.Merged)
	return l
}

// Remaining returns the load when so many of its messages are done: of each
// class the same share.
func (l Load) Remaining(done int64) Load {
	all := l.all().Messages
	left := max(all-done, 0)
	l = l.Scaled(left, max(all, 1))
	l.Known += all - left
	if done > 0 {
		l.Folders = 0 // they are made first
	}
	return l
}
