package migratetest

import (
	"bytes"
	"strings"
)

// The kinds that break the rules, as old mailboxes hold them.
const (
	SameMessageID   Kind = "same-message-id" // as the message of the seed before, with other content
	NoMessageID     Kind = "no-message-id"
	NoDate          Kind = "no-date"
	BadDate         Kind = "bad-date"
	NoFrom          Kind = "no-from"
	TwoFrom         Kind = "two-from"
	BareEightBit    Kind = "bare-8bit-header"
	UnclosedPart    Kind = "no-close-boundary"
	NUL             Kind = "nul-byte" // IMAP cannot carry it: what the server sends instead is its own choice
	UnknownCharset  Kind = "unknown-charset"
	TruncatedBase64 Kind = "truncated-base64"
)

func brokenRecipes() []recipe {
	return []recipe{
		{SameMessageID, 20, true, func(c *composer) { c.head.set("Message-ID", messageID(c.seed-1)); c.plain() }},
		{NoMessageID, 20, true, func(c *composer) { c.head.drop("Message-ID"); c.plain() }},
		{NoDate, 10, true, func(c *composer) { c.head.drop("Date"); c.plain() }},
		{BadDate, 10, true, func(c *composer) { c.head.set("Date", "Thursday the 31st, half past nine"); c.plain() }},
		{NoFrom, 10, true, func(c *composer) { c.head.drop("From"); c.plain() }},
		{TwoFrom, 10, true, func(c *composer) { c.head.add("From", "%s", c.to.address); c.plain() }},
		{BareEightBit, 10, true, func(c *composer) {
			c.head.set("From", string(inCharset("iso-8859-1", "Jörg Müller"))+" <"+c.from.address+">")
			c.head.set("Subject", string(inCharset("iso-8859-1", german().sentence(c.Rand, 5))))
			c.plain()
		}},
		{UnclosedPart, 10, true, func(c *composer) {
			e := c.multipart("mixed", c.alternative(), c.document())
			e.unclosed = true
			c.send(e)
		}},
		{NUL, 10, true, func(c *composer) {
			e := c.note()
			e.body = bytes.Replace(e.body, []byte(" "), []byte{0}, 1)
			c.send(e)
		}},
		{UnknownCharset, 10, true, func(c *composer) {
			c.send(text("plain", "x-example-77", "8bit", strings.ReplaceAll(german().prose(c.Rand, 900), "ü", "\xfe\xff")))
		}},
		{TruncatedBase64, 10, true, func(c *composer) {
			e := c.document()
			e.body = e.body[:len(e.body)/2|1]
			e.body = append(e.body, "*\r\n"...)
			c.send(c.multipart("mixed", c.note(), e))
		}},
	}
}
