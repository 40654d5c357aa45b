// Package migratetest makes mail to migrate: messages of every common
// structure, a few that break the rules, and mailboxes of them with folders,
// flags and dates.
//
// Everything follows from a seed, so that two runs see the same octets. People
// are invented and domains are those of RFC 2606. The content is filler, but
// structure, header fields, charsets, encodings and sizes are those of an
// office: a long tail of attachments, 16 kB on average. Signatures and
// encrypted parts have the right shape only; they verify with no key.
package migratetest

import (
	"math/rand/v2"
	"time"
)

// A Kind names the structure of a message, or what is wrong with it.
type Kind string

// A Mail is one generated message.
type Mail struct {
	Kind      Kind
	Broken    bool // breaks RFC 5322 or MIME in the way that Kind says
	MessageID string
	Date      time.Time // when it was written, also if no Date field says so
	Octets    []byte    // with CRLF line ends
}

// Make returns the message of a seed; its kind is as likely as in real mail.
// Messages of neighbouring seeds may be of one thread. Each one that is not
// Broken has exactly one valid From, a valid Date and a Message-ID.
func Make(seed uint64) Mail {
	return MakeKind(pick(seed), seed)
}

// MakeKind returns the message of a kind and a seed. It panics if there is no
// such kind.
func MakeKind(k Kind, seed uint64) Mail {
	return compose(k, seed, epoch.Add(time.Duration(mix(seed)%(15*365*86400))*time.Second))
}

// Kinds returns every kind: Huge first, the broken ones last.
func Kinds() []Kind {
	var ks []Kind
	for _, r := range recipes() {
		ks = append(ks, r.kind)
	}
	return ks
}

// epoch is the oldest date of a message.
var epoch = time.Date(2010, time.January, 4, 8, 0, 0, 0, time.UTC)

// pick chooses a kind by the weights of the recipes.
func pick(seed uint64) Kind {
	rs := recipes()
	total := 0
	for _, r := range rs {
		total += r.weight
	}
	n := random(seed, "kind").IntN(total)
	for _, r := range rs {
		if n -= r.weight; n < 0 {
			return r.kind
		}
	}
	panic("unreachable")
}

func compose(k Kind, seed uint64, date time.Time) Mail {
	for _, r := range recipes() {
		if r.kind == k {
			c := newComposer(seed, date)
			r.write(c)
			return Mail{Kind: k, Broken: r.broken, MessageID: c.head.get("Message-ID"), Date: c.date, Octets: c.out.Bytes()}
		}
	}
	panic("migratetest: no kind " + string(k))
}

// random returns a source of numbers for one purpose of a seed.
func random(seed uint64, purpose string) *rand.Rand {
	var p uint64
	for _, b := range []byte(purpose) {
		p = p<<8 ^ p>>56 ^ uint64(b)
	}
	return rand.New(rand.NewPCG(mix(seed), mix(p)))
}

// mix spreads neighbouring seeds over all numbers (splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
