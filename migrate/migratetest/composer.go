package migratetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// A composer writes one message.
type composer struct {
	*rand.Rand
	seed uint64
	date time.Time
	head header // of the message, without the Content fields
	from person
	to   person
	out  bytes.Buffer
}

func newComposer(seed uint64, date time.Time) *composer {
	c := &composer{Rand: random(seed, "message"), seed: seed}
	zone := []int{-8, -5, 0, 1, 2, 9}[c.IntN(6)]
	c.date = date.Truncate(time.Second).In(time.FixedZone("", zone*3600))
	c.from, c.to = pickOne(c.Rand, people()), pickOne(c.Rand, people())
	h := &c.head
	h.add("Return-Path", "<%s>", c.from.address)
	h.add("Received", "from %s (%[1]s [192.0.2.%d])\r\n\tby mx.example.com (Postfix) with ESMTPS id %08X\r\n\tfor <%s>; %s",
		"mail."+domain(c.from.address), 1+c.IntN(250), c.Uint32(), c.to.address, c.date.Format(time.RFC1123Z))
	if c.IntN(2) == 0 {
		c.signDKIM()
	}
	h.add("Date", "%s", c.date.Format(time.RFC1123Z))
	h.add("From", "%s <%s>", c.from.name, c.from.address)
	h.add("To", "%s <%s>", c.to.name, c.to.address)
	if c.IntN(5) == 0 {
		cc := pickOne(c.Rand, people())
		h.add("Cc", "%s <%s>,\r\n\t%s", cc.name, cc.address, pickOne(c.Rand, people()).address)
	}
	h.add("Subject", "%s", subject(seed))
	h.add("Message-ID", "%s", messageID(seed))
	h.add("MIME-Version", "1.0")
	return c
}

// send writes the message with e as its content.
func (c *composer) send(e entity) {
	c.head.write(&c.out)
	e.write(&c.out)
}

// signDKIM adds a field of the shape of RFC 6376 section 3.5.
func (c *composer) signDKIM() {
	c.head.add("DKIM-Signature", "v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=mail;\r\n\tt=%d; h=from:to:subject:date:message-id;\r\n\tbh=%s;\r\n\tb=%s",
		domain(c.from.address), c.date.Unix(), c.armour(32), strings.ReplaceAll(c.armour(171), "\r\n", "\r\n\t "))
}

// noise returns octets that do not compress, after the magic of a file type.
func (c *composer) noise(magic string, n int) []byte {
	b := make([]byte, 0, max(n, len(magic))+8)
	b = append(b, magic...)
	for len(b) < n {
		x := c.Uint64()
		b = append(b, byte(x), byte(x>>8), byte(x>>16), byte(x>>24), byte(x>>32), byte(x>>40), byte(x>>48), byte(x>>56))
	}
	return b[:max(n, len(magic))]
}

// armour returns n octets of noise in base64, without a last line end.
func (c *composer) armour(n int) string {
	return strings.TrimSuffix(string(transferEncode("base64", c.noise("", n))), "\r\n")
}

// as makes the sender and the subject those of a language, in encoded words.
func (c *composer) as(l language, charset string) {
	c.head.set("From", fmt.Sprintf("%s <%s>", encodedWords(charset, pickOne(c.Rand, l.names)), c.from.address))
	c.head.set("Subject", encodedWords(charset, l.sentence(c.Rand, 4)))
}

// messageID is a function of the seed, so that messages can refer to others.
func messageID(seed uint64) string {
	return fmt.Sprintf("<%016x@mail.example.com>", mix(seed))
}

// threadRoot is the seed of the message that starts the thread of a seed.
func threadRoot(seed uint64) uint64 { return seed - seed%6 }

// subject is that of the thread of a seed.
func subject(seed uint64) string {
	r := random(threadRoot(seed), "subject")
	s := english().sentence(r, 2+r.IntN(6))
	return strings.ToUpper(s[:1]) + s[1:]
}

func domain(address string) string {
	_, d, _ := strings.Cut(address, "@")
	return d
}
