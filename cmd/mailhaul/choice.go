package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// A choice is the mailboxes that a command is to work on.
type choice struct{ addresses, waves []string }

// flags adds the flags that make the choice.
func (ch *choice) flags(c *cobra.Command) {
	c.Flags().StringSliceVar(&ch.addresses, "mailbox", nil, "only this `address`, at the source or the target (may be repeated)")
	c.Flags().StringSliceVar(&ch.waves, "wave", nil, "only this `wave` (may be repeated)")
}

// load reads the migration that --config names, and what was chosen of it.
func (ch *choice) load(c *cobra.Command) (*Config, []Mailbox, error) {
	path, _ := c.Flags().GetString("config")
	config, mailboxes, err := loadMigration(path)
	if err == nil {
		mailboxes, err = chosen(mailboxes, ch.addresses, ch.waves)
	}
	return config, mailboxes, err
}

// chosen returns the mailboxes with one of the addresses, or in one of the
// waves; all if none is given. A name that fits nothing is an error.
func chosen(ms []Mailbox, addresses, waves []string) ([]Mailbox, error) {
	if len(addresses)+len(waves) == 0 {
		return ms, nil
	}
	take := make([]bool, len(ms))
	mark := func(what, name string, fits func(Mailbox) bool) error {
		found := false
		for i, m := range ms {
			if fits(m) {
				take[i], found = true, true
			}
		}
		if !found {
			return &codeError{exitUsage, fmt.Errorf("no %s %q in the list of mailboxes", what, name)}
		}
		return nil
	}
	for _, a := range addresses {
		if err := mark("mailbox", a, func(m Mailbox) bool { return strings.EqualFold(m.Source, a) || strings.EqualFold(m.Target, a) }); err != nil {
			return nil, err
		}
	}
	for _, w := range waves {
		if err := mark("wave", w, func(m Mailbox) bool { return strings.EqualFold(m.Wave, w) }); err != nil {
			return nil, err
		}
	}
	var out []Mailbox
	for i, m := range ms {
		if take[i] {
			out = append(out, m)
		}
	}
	return out, nil
}
