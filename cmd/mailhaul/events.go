package main

import (
	"slices"
	"strings"
	"time"
)

// An event is something that happened in a run, for people who do not watch it.
type event struct {
	Kind    eventKind
	Time    time.Time
	Text    string    // what happened, in one line without addresses, folder names or words of a server
	Mailbox string    // the source address, if the event is about one mailbox
	Reason  string    // the error in full, which may hold addresses and folder names; may be empty
	Hint    string    // what a person can do, which may hold addresses; may be empty
	Until   time.Time // of paused and windowClosed: when it goes on, or is tried again; zero if unknown
	Tally   tally     // of passEnded, digest, done and stopped
}

// A tally is how far a run has come, by the checkpoints.
type tally struct {
	Mailboxes int   // that were chosen
	Complete  int   // of them, those whose latest pass came to its end
	Trouble   int   // of them, those whose latest pass failed
	Messages  int64 // that arrived at the target, of all passes
	Bytes     int64 // their octets
	New       int64 // of Messages: since the pass began, since the last digest, or in this run
	Failed    int64 // messages that need a person
	Pending   int64 // messages that were listed and have no outcome yet
}

// An eventKind says what an event is about.
type eventKind string

const (
	runStarted       eventKind = "run started"       // once, first
	passStarted      eventKind = "pass started"      //
	passEnded        eventKind = "pass ended"        // every mailbox was tried; some may be tried again before the next pass
	mailboxFailed    eventKind = "mailbox failed"    // and others go on; once, until it recovered
	mailboxRecovered eventKind = "mailbox recovered" // a pass over it came to its end
	needsPerson      eventKind = "needs a person"    // goes on failing until somebody acts; once, while it lasts
	paused           eventKind = "paused"            // the same trouble everywhere: nothing goes on but probes; once, until resumed, or for another reason
	resumed          eventKind = "resumed"           // that trouble is over
	windowClosed     eventKind = "window closed"     // [run] window: stopped until it opens
	windowOpened     eventKind = "window opened"     //
	digest           eventKind = "digest"            // once a day, at a set hour in the run's time zone
	done             eventKind = "done"              // the last: every chosen mailbox is complete
	stopped          eventKind = "stopped"           // the last: interrupted, --until reached, incomplete or a fatal error
)

// events takes the events of a run in their order, from one goroutine at a
// time. It must not block. After done or stopped none comes.
type events func(event)

// and returns events that go to both, first to e. Either may be nil.
func (e events) and(more events) events {
	switch {
	case e == nil:
		return more
	case more == nil:
		return e
	}
	return func(ev event) {
		e(ev)
		more(ev)
	}
}

// remarked tells those who look at a run what it does not show of itself. One
// pass says it in the end.
func remarked(n *remarks, once bool) events {
	if once {
		return nil
	}
	return func(e event) {
		said := []string{e.Time.Format(time.TimeOnly) + " " + e.Text}
		switch e.Kind {
		case needsPerson, paused:
			said = append(said, e.Mailbox, e.Reason, e.Hint)
		case resumed, passEnded:
		default:
			return
		}
		n.say(strings.Join(slices.DeleteFunc(said, func(s string) bool { return s == "" }), " - "))
	}
}
