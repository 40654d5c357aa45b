package main

import (
	"errors"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/plan/assess"
	"github.com/mailhaul/mailhaul/targets/gmail"
	"github.com/mailhaul/mailhaul/targets/graph"
)

// unserved is the file of the users to whom the target gives no mailbox, by their
// addresses at the source.
type unserved struct {
	heading
	Users map[string]lack `json:"users"`
}

// A lack is what check found of a user.
type lack struct {
	Target string    `json:"target"` // address
	What   string    `json:"what"`
	Reason string    `json:"reason"`
	Hint   string    `json:"hint"`
	At     time.Time `json:"at"`
}

// What may be lacking.
const lacksUser, lacksMailbox = "user", "mailbox"

// lackOf says which lack made a target refuse, "" if none did.
func lackOf(err error) string {
	switch {
	case errors.Is(err, gmail.ErrNoUser), errors.Is(err, graph.ErrNoUser):
		return lacksUser
	case errors.Is(err, gmail.ErrNoMailbox), errors.Is(err, graph.ErrNoMailbox):
		return lacksMailbox
	}
	return ""
}

func readUnserved(dir string, c *Config) map[string]lack {
	path, want := c.file(dir, "users")
	var f unserved
	if readKept(path, &f) != nil || f.heading != want || f.Users == nil {
		return map[string]lack{}
	}
	return f.Users
}

// saveUnserved keeps in dir what was found of users. What is there of others, and
// of those whose target was not reached, stays.
func saveUnserved(dir string, c *Config, found []finding) error {
	users := readUnserved(dir, c)
	for _, f := range found {
		switch what := lackOf(f.err); {
		case what != "":
			reason, hint := migrate.Explain(f.err)
			users[f.mailbox.Source] = lack{f.mailbox.Target, what, reason, hint, time.Now().UTC().Truncate(time.Second)}
		case f.opened:
			delete(users, f.mailbox.Source)
		}
	}
	path, h := c.file(dir, "users")
	if len(users) == 0 && absent(path) == nil {
		return nil
	}
	return writeKept(path, unserved{h, users})
}

// addUnserved adds to t what the latest check found of users of mailboxes.
func addUnserved(t *assess.Target, users map[string]lack, mailboxes []Mailbox) {
	for _, m := range mailboxes {
		l, ok := users[m.Source]
		if !ok || l.Target != m.Target {
			continue
		}
		trouble := assess.Trouble{Mailbox: m.Source, Reason: l.At.Format(time.DateOnly) + ": " + l.Reason, Hint: l.Hint}
		switch l.What {
		case lacksUser:
			t.Missing = append(t.Missing, trouble)
		case lacksMailbox:
			t.Unlicensed = append(t.Unlicensed, trouble)
		}
	}
}
