package graph

import (
	"slices"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"github.com/mailhaul/mailhaul/migrate"
)

// setFlags gives msg the flags that Graph knows at any time: read state, follow-up
// flag, and keywords as categories. Others are left to the routes.
func setFlags(msg models.Messageable, flags []migrate.Flag) {
	m := migrate.Message{Flags: flags}
	if m.HasFlag(migrate.Flagged) {
		msg.SetFlag(followup(models.FLAGGED_FOLLOWUPFLAGSTATUS))
	}
	if c := categories(flags); len(c) > 0 {
		msg.SetCategories(c)
	}
}

func followup(status models.FollowupFlagStatus) models.FollowupFlagable {
	f := models.NewFollowupFlag()
	f.SetFlagStatus(&status)
	return f
}

// clientState says whether a keyword is one by which mail programs note their
// own business, and that no person would want to see as a category.
func clientState(keyword string) bool {
	switch strings.TrimPrefix(strings.ToLower(keyword), "$") {
	case "forwarded", "mdnsent", "junk", "notjunk", "nonjunk", "junkrecorded", "phishing", "submitted", "submitpending":
		return true
	}
	return false
}

// categories returns the keywords among flags, each once.
func categories(flags []migrate.Flag) (cs []string) {
	for _, f := range flags {
		s := strings.TrimSpace(string(f))
		same := func(t string) bool { return strings.EqualFold(s, t) }
		if s == "" || s[0] == '\\' || len(s) > 255 || clientState(s) || slices.ContainsFunc(cs, same) {
			continue
		}
		cs = append(cs, strings.ToValidUTF8(s, "?"))
	}
	return cs
}

// Values of propLastVerb and propIcon.
const (
	verbOpen, iconRead         = 0, 256
	verbReply, iconReplied     = 102, 261
	verbReplyAll               = 103
	verbForward, iconForwarded = 104, 262
)

// noVerb returns the properties of a message that has lost the flag of verbOf:
// no document says how to take a property away.
func noVerb() []models.SingleValueLegacyExtendedPropertyable {
	return []models.SingleValueLegacyExtendedPropertyable{integer(propLastVerb, verbOpen), integer(propIcon, iconRead)}
}

// verbOf returns the flag of m that its last verb stands for: of \Answered and
// $Forwarded the first, since a message has one last verb.
func verbOf(m *migrate.Message) migrate.Flag {
	for _, f := range []migrate.Flag{migrate.Answered, migrate.Forwarded} {
		if m.HasFlag(f) {
			return f
		}
	}
	return ""
}

// lastVerb returns the properties that stand for the flag of verbOf.
func lastVerb(m *migrate.Message) []models.SingleValueLegacyExtendedPropertyable {
	switch verbOf(m) {
	case migrate.Answered:
		return []models.SingleValueLegacyExtendedPropertyable{integer(propLastVerb, verbReply), integer(propIcon, iconReplied)}
	case migrate.Forwarded:
		return []models.SingleValueLegacyExtendedPropertyable{integer(propLastVerb, verbForward), integer(propIcon, iconForwarded)}
	}
	return nil
}

// flagNotes names the flags of m that no route can keep.
func flagNotes(m *migrate.Message) (notes []string) {
	if m.HasFlag(migrate.Deleted) {
		notes = append(notes, "deleted-flag-dropped")
	}
	if m.HasFlag(migrate.Answered) && m.HasFlag(migrate.Forwarded) {
		notes = append(notes, "forwarded-flag-dropped")
	}
	for _, f := range m.Flags {
		if f != "" && f[0] != '\\' && !strings.EqualFold(string(f), string(migrate.Forwarded)) && len(categories([]migrate.Flag{f})) == 0 {
			return append(notes, "keyword-dropped")
		}
	}
	return notes
}

// newMessage returns a message without the @odata.type that the SDK adds.
func newMessage() *models.Message {
	m := models.NewMessage()
	m.SetOdataType(nil)
	return m
}
