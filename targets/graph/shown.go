package graph

import (
	"strconv"

	"github.com/mailhaul/mailhaul/migrate"
)

// Shown implements [verify.Target]. It is the same in all folders and by both
// routes.
func (t *Target) Shown(_ migrate.FolderID, flags []migrate.Flag) []migrate.Flag {
	m := migrate.Message{Flags: flags}
	var shown []migrate.Flag
	for _, f := range []migrate.Flag{migrate.Seen, migrate.Flagged, migrate.Draft, migrate.Answered} {
		if m.HasFlag(f) {
			shown = append(shown, f)
		}
	}
	if m.HasFlag(migrate.Forwarded) && !m.HasFlag(migrate.Answered) { // see lastVerb
		shown = append(shown, migrate.Forwarded)
	}
	return withCategories(shown, categories(flags))
}

// flags returns what an item shows, by the source's names.
func (it *item) flags() (flags []migrate.Flag) {
	if *it.IsRead {
		flags = append(flags, migrate.Seen)
	}
	if it.Flag.FlagStatus == "flagged" {
		flags = append(flags, migrate.Flagged)
	}
	if *it.IsDraft {
		flags = append(flags, migrate.Draft)
	}
	switch verb, _ := strconv.Atoi(it.property(propLastVerb)); verb {
	case verbReply, verbReplyAll:
		flags = append(flags, migrate.Answered)
	case verbForward:
		flags = append(flags, migrate.Forwarded)
	}
	return withCategories(flags, it.Categories)
}

func withCategories(flags []migrate.Flag, categories []string) []migrate.Flag {
	for _, c := range categories {
		flags = append(flags, migrate.Flag(c))
	}
	return flags
}
