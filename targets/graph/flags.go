package graph

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/mailhaul/mailhaul/migrate"
)

// setFlags gives msg the flags that Graph knows at any time: read state, follow-up
// flag, and keywords as categories. Others are left to the routes.
func setFlags(msg models.Messageable, flags []migrate.Flag) {
	m := migrate.Message{Flags: flags}
	if m.HasFlag(migrate.Flagged) {
		msg.SetFlag(flagged())
	}
	if c := categories(flags); len(c) > 0 {
		msg.SetCategories(c)
	}
}

func flagged() models.FollowupFlagable {
	f := models.NewFollowupFlag()
	f.SetFlagStatus(new(models.FLAGGED_FOLLOWUPFLAGSTATUS))
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
	verbReply, iconReplied     = 102, 261
	verbReplyAll               = 103
	verbForward, iconForwarded = 104, 262
)

// lastVerb returns the properties that stand for \Answered and $Forwarded. Of
// both it keeps the first: a message has one last verb.
func lastVerb(m *migrate.Message) []models.SingleValueLegacyExtendedPropertyable {
	switch {
	case m.HasFlag(migrate.Answered):
		return []models.SingleValueLegacyExtendedPropertyable{integer(propLastVerb, verbReply), integer(propIcon, iconReplied)}
	case m.HasFlag(migrate.Forwarded):
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

// Update implements [migrate.Target]. A message has one folder here, so a
// change of folder is refused.
func (t *Target) Update(ctx context.Context, id migrate.MessageID, change migrate.Change) (notes []string, err error) {
	if change.AddFolder != "" {
		return nil, &migrate.Error{Op: "update", Class: migrate.Permanent, Refused: true, Err: errors.New("a message can be in one folder only")}
	}
	notes = flagNotes(&migrate.Message{Flags: change.AddFlags})
	patch := newMessage()
	m := migrate.Message{Flags: change.AddFlags}
	if m.HasFlag(migrate.Seen) {
		patch.SetIsRead(new(true))
	}
	setFlags(patch, change.AddFlags)
	if verb := lastVerb(&m); verb != nil {
		patch.SetSingleValueExtendedProperties(verb)
	}
	item := t.user.Messages().ByMessageId(string(id))
	if add := patch.GetCategories(); len(add) > 0 {
		// Categories can only be written all together.
		got, err := item.Get(ctx, &users.ItemMessagesMessageItemRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.ItemMessagesMessageItemRequestBuilderGetQueryParameters{Select: []string{"categories"}},
		})
		if err != nil {
			return nil, named("read categories", err)
		}
		all := got.GetCategories()
		for _, c := range add {
			if !slices.ContainsFunc(all, func(t string) bool { return strings.EqualFold(c, t) }) {
				all = append(all, c)
			}
		}
		patch.SetCategories(all)
	}
	if patch.GetIsRead() == nil && patch.GetFlag() == nil && patch.GetCategories() == nil && patch.GetSingleValueExtendedProperties() == nil {
		return notes, nil
	}
	if _, err := item.Patch(ctx, patch, nil); err != nil {
		return nil, named("update", err)
	}
	return notes, nil
}

// newMessage returns a message without the @odata.type that the SDK adds.
func newMessage() *models.Message {
	m := models.NewMessage()
	m.SetOdataType(nil)
	return m
}
