package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate/window"
	"github.com/mailhaul/mailhaul/targets/gmail"
)

// suppose takes another profile of limits and other working hours for those of
// the configuration, unless they are "". Since nothing is asked of the target,
// there may be no limits.
func (c *Config) suppose(profile, hours string) (err error) {
	if profile != "" {
		at, there := &c.Graph.Profile, []string{"documented"}
		if c.Target.Kind == "gmail" {
			at, there = &c.Gmail.Profile, nil
			for _, p := range gmail.Profiles() {
				there = append(there, p.Name)
			}
		}
		if there = append(there, "none"); !slices.Contains(there, profile) {
			return fmt.Errorf("--profile: want one of %s, not %q", strings.Join(there, ", "), profile)
		}
		*at = profile
	}
	switch hours {
	case "":
	case "always":
		c.Run.Window, c.Run.window = "", nil
	default:
		if c.Run.window, err = window.Parse(hours, c.Run.zone); err != nil {
			return fmt.Errorf("--window: %w", err)
		}
		c.Run.Window = hours
	}
	return nil
}

// packs returns an error unless waves can be packed.
func packs(waves string, of choice, w *window.Window, start time.Time) error {
	switch {
	case waves != "auto":
		return fmt.Errorf("--waves: want auto, not %q; --wave chooses the mailboxes of one", waves)
	case len(of.addresses)+len(of.waves) > 0:
		return errors.New("--waves auto packs all mailboxes of the list: leave out --mailbox and --wave")
	case !w.Closes(start):
		return errors.New(`--waves auto packs into openings of the window, and none closes: name one, as in --window "Mon-Fri 20:00-06:00"`)
	}
	return nil
}
