package assess

import (
	"math"

	"github.com/mailhaul/mailhaul/migrate/verify"
)

// A Sample says how a number of messages was estimated.
type Sample struct {
	Found int64 // messages in which it was seen
	Read  int64 // of so many that were read
	Of    int64 // of so many in all
	Most  int64 // with 95 % confidence it is no more than this
}

// Estimate returns how many messages of all mailboxes have what is named by
// found, as in Content.Found. Sample is nil if all of them were read.
func Estimate(all []*Assessment, found string) (messages int64, s *Sample) {
	var sum Sample
	var drawn, of, seen int64 // of mailboxes that were not read whole
	rate := 1.0
	for _, a := range all {
		c := a.Content
		n := c.Found[found]
		sum.Found, sum.Read, sum.Of = sum.Found+n, sum.Read+c.Messages, sum.Of+c.Of
		messages += c.share(n)
		if c.Messages > 0 && c.Messages < c.Of {
			drawn, of, seen = drawn+c.Messages, of+c.Of, seen+n
			rate = min(rate, float64(c.Messages)/float64(c.Of))
		}
	}
	if drawn == 0 {
		return messages, nil
	}
	// What was drawn of each mailbox is another share of it. The smallest one
	// counts for all, so that the bound errs on the safe side.
	bound := verify.Upper(int64(rate*float64(of)+1e-6), seen)
	sum.Most = sum.Found - seen + int64(math.Ceil(bound*float64(of)))
	return messages, &sum
}

// share is how many messages of all have what n of those that were read have.
func (c Content) share(n int64) int64 {
	if c.Messages == 0 {
		return 0
	}
	return int64(math.Round(float64(n) * float64(c.Of) / float64(c.Messages)))
}

// A Kind is a risk that only content tells.
type Kind struct {
	Risk  string // its key
	Found string // how it is named in Content.Found

	severity Severity
}

// Kinds returns those that are looked for whatever the target. One message may be
// of several.
func Kinds() []Kind {
	return []Kind{
		{NoFrom, "from", Serious},
		{NoDate, "date", Minor},
		{BlockedAttachment, FoundBlocked, Serious},
		{Sealed, FoundSealed, Minor},
		{Malformed, FoundMalformed, Minor},
	}
}

// contents finds what was seen in messages that were read.
func (b book) contents(all []*Assessment) {
	for _, k := range append(Kinds(), Kind{SealedTooLarge, FoundTooSealed, Severe}) { // which most targets take at any size
		for _, a := range all {
			if n := a.Content.Found[k.Found]; n > 0 {
				b.of(k.Risk, k.severity).touch(a.Mailbox, Tally{Messages: a.Content.share(n)}, 0)
			}
		}
		if r := b[k.Risk]; r != nil {
			r.Messages, r.Sample = Estimate(all, k.Found)
		}
	}
}
