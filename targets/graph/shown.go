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
	if verbOf(&m) == migrate.Forwarded {
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
	if verb := it.verb(); verb != "" {
		flags = append(flags, verb)
	}
	return withCategories(flags, it.Categories)
}

// verb returns the flag that the last verb stands for, or "".
func (it *item) verb() migrate.Flag {
	switch verb, _ := strconv.Atoi(it.property(propLastVerb)); verb {
	case verbReply, verbReplyAll:
		return migrate.Answered
	case verbForward:
		return migrate.Forwarded
	}
	return ""
}

func withCategories(flags []migrate.Flag, categories []string) []migrate.Flag {
	for _, c := range categories {
		flags = append(flags, migrate.Flag(c))
	}
	return flags
}
