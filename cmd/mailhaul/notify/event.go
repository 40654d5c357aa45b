// Package notify tells people who do not watch a run how it goes: by a webhook
// and by mail, and a monitor by pings.
//
// It never holds up the run: what it has to send waits in a bounded queue, and
// what cannot be sent in the end is reported and forgotten. Nothing that it
// reports holds the address of a webhook or another secret, or words of the
// server that was asked, which might repeat them.
package notify

import (
	"strings"
	"time"
	"unicode"

	"github.com/mailhaul/mailhaul/migrate/privacy"
)

// Version is that of the JSON form of an Event. It changes when a field goes
// away or changes its meaning, not when one is added.
const Version = 1

// An Event is what people are told about. docs/notifications.md describes its
// JSON form.
type Event struct {
	Version   int       `json:"version"`
	ID        string    `json:"id"`                  // the same however often it is sent: [A-Za-z0-9-], at most 64
	Kind      Kind      `json:"kind"`                //
	Time      time.Time `json:"time"`                //
	Migration string    `json:"migration,omitempty"` // what the consultant calls it
	Text      string    `json:"text"`                // one line that names nobody
	Mailbox   string    `json:"mailbox,omitempty"`   // the source address, if the event is about one
	Hint      string    `json:"hint,omitempty"`      // what a person can do
	Reason    string    `json:"reason,omitempty"`    // the error in full, which may name anything
	Until     time.Time `json:"until,omitzero"`      // when it goes on, or is tried again
	Tally     *Tally    `json:"tally,omitempty"`

	// Names are further names that Hint may hold, besides addresses.
	Names []string `json:"-"`
}

// A Kind says what an event is about.
type Kind string

const (
	Done        Kind = "done"         // every mailbox is complete
	Stopped     Kind = "stopped"      // the run ended before that
	NeedsPerson Kind = "needs_person" // something fails until somebody acts
	Paused      Kind = "paused"       // nothing goes on, for a while already
	Resumed     Kind = "resumed"      // it goes on again
	Digest      Kind = "digest"       // once a day
	Test        Kind = "test"         // somebody wants to see one
)

// A Tally is how far a run has come.
type Tally struct {
	Mailboxes int   `json:"mailboxes"`        // that were chosen
	Complete  int   `json:"complete"`         // of them, those whose latest pass came to its end
	Trouble   int   `json:"trouble"`          // of them, those whose latest pass failed
	Messages  int64 `json:"messages"`         // that arrived at the target
	Bytes     int64 `json:"bytes"`            // their octets
	New       int64 `json:"messages_new"`     // of Messages, since the last digest or in this run
	Failed    int64 `json:"messages_failed"`  // that need a person
	Pending   int64 `json:"messages_pending"` // that have no outcome yet
}

const fieldLimit = 1000 // characters of each text in an event

// under returns the event as the policy lets others see it, with texts of one
// line and a bounded length.
func (e Event) under(p privacy.Policy) Event {
	var names []string
	for _, name := range append(e.Names, e.Mailbox) {
		names = append(names, bounded(name))
	}
	show := func(s string) string { return line(p.Text(bounded(s), names...)) }
	e.Version, e.Names = Version, nil
	e.Migration, e.Text, e.Hint, e.Reason = line(bounded(e.Migration)), show(e.Text), show(e.Hint), line(bounded(e.Reason))
	if !p.Everything() {
		e.Reason = ""
	}
	if e.Mailbox != "" {
		e.Mailbox = line(p.Address(bounded(e.Mailbox)))
	}
	return e
}

// bounded cuts a text at a space, so that no address is cut in two.
func bounded(s string) string {
	if len(s) <= 4*fieldLimit {
		return s
	}
	return s[:strings.LastIndexByte(s[:4*fieldLimit], ' ')+1] + "…"
}

// line makes s one line of printable text of a bounded length.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, "�"))
	if r := []rune(s); len(r) > fieldLimit {
		s = string(r[:fieldLimit-1]) + "…"
	}
	return strings.TrimSpace(s)
}
