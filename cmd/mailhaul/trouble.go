package main

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/mailhaul/mailhaul/migrate"
)

// Pauses between tries. They double up to the longest.
const (
	firstAgain = time.Minute      // of a mailbox that failed
	lastAgain  = time.Hour        //
	firstProbe = time.Minute      // of a mailbox that shows whether trouble of all is over
	lastProbe  = 15 * time.Minute //
)

// backoff returns the pause after so many failures in a row.
func backoff(first, last time.Duration, failures int) time.Duration {
	return min(first<<min(max(failures-1, 0), 20), last)
}

// inARow is how many mailboxes must fail for the same reason, and none do
// better, until that is taken to be trouble of all.
const inARow = 3

// trouble tells what all mailboxes have in common from the trouble of single
// ones: it is common when several mailboxes failed in a row for the same
// reason, and meanwhile no message of any mailbox came to its outcome.
type trouble struct {
	row  []string // mailboxes that failed in a row, each as often as it did
	why  string   // the cause that they share
	from evidence // since the first of them failed
}

// failed notes that a mailbox failed, and says whether the trouble is common.
// others are the mailboxes that might fail as well, this one among them, and
// all how many there are in the run. asked says that it came as far as the
// target. Those of alone failed for reasons of their own, as is known now.
func (t *trouble) failed(mailbox, why string, others, all int, asked bool, now time.Time, done int64) (common bool, alone []string) {
	if t.why != why || t.from.better(now, done) {
		alone = t.clear()
	}
	if len(t.row) == 0 {
		t.why, t.from = why, since(now, asked)
	}
	t.row = append(t.row, mailbox)
	switch distinct := len(t.mailboxes()); {
	case others == 1 && all > 1: // all others are complete
		return false, append(alone, t.clear()...)
	case distinct >= min(inARow, all):
		return true, alone
	case distinct == others && distinct > 1 && len(t.row) >= inARow: // and the rest is complete
		return true, alone
	}
	return false, alone
}

// mailboxes returns those of the row.
func (t *trouble) mailboxes() []string {
	return slices.Compact(slices.Sorted(slices.Values(t.row)))
}

// clear ends the row and returns its mailboxes.
func (t *trouble) clear() []string {
	alone := t.mailboxes()
	t.row = nil
	return alone
}

// evidence says whether things work since trouble began. What was on its way
// when it began, and arrives within settle, shows nothing.
type evidence struct {
	at     time.Time
	target bool  // it may be the target's
	base   int64 // messages that had come to an outcome when it had settled
	set    bool  // base is
}

const settle = time.Minute

func since(now time.Time, target bool) evidence { return evidence{at: now, target: target} }

// better says whether messages come to their outcomes.
func (e *evidence) better(now time.Time, done int64) bool {
	if now.Sub(e.at) < settle {
		return false
	}
	if !e.set {
		e.base, e.set = done, true
	}
	return done > e.base
}

// passed says whether it shows that things work, that a pass over a mailbox
// began then and came to its end now, having opened the target or not.
func (e *evidence) passed(began, now time.Time, opened bool) bool {
	return (opened || !e.target) && (!began.Before(e.at) || now.Sub(e.at) >= settle)
}

// cause returns what failures with the same reason have in common: the hint or
// else the text, without the words in which mailboxes differ, and numbers.
func cause(err error) string {
	text := err.Error()
	if e, ok := errors.AsType[*migrate.Error](err); ok {
		text = cmp.Or(e.Hint, e.Op+": "+e.Err.Error())
	}
	words := slices.DeleteFunc(strings.Fields(text), func(w string) bool {
		return strings.ContainsFunc(w, func(r rune) bool { return r == '@' || unicode.IsDigit(r) })
	})
	return strings.Join(words, " ")
}

// ownHints are in the hints on failures that no other mailbox can share, and
// that only a person can end. See the targets' errors.
var ownHints = []string{
	"correct the mailbox list",               // there is no such user
	"has no Exchange Online mailbox",         //
	"Gmail is switched off for this user",    //
	"The mailbox is full. Enlarge it or its", // and not the organisation's storage
}

// needsPersonNow says whether a mailbox failed for one of these.
func needsPersonNow(err error) bool {
	e, ok := errors.AsType[*migrate.Error](err)
	return ok && slices.ContainsFunc(ownHints, func(h string) bool { return strings.Contains(e.Hint, h) })
}

// ofFolders says whether a mailbox failed for some of its folders alone, which
// is no trouble that others share.
func ofFolders(err error) bool {
	e, ok := errors.AsType[*migrate.Error](err)
	return ok && e.Class == migrate.Permanent
}
