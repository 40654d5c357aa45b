package gmail

import (
	"context"
	"slices"
	"strings"

	api "google.golang.org/api/gmail/v1"

	"github.com/mailhaul/mailhaul/migrate"
)

// Update adds the labels of change.
//
// A message that is somewhere is not moved to Spam or Trash because another
// copy of it was there: Gmail would hide it everywhere and delete it after 30
// days. For the same reason adding a folder takes it out of both. Nor does it
// become a draft.
func (t *Target) Update(ctx context.Context, id migrate.MessageID, change migrate.Change) (notes []string, err error) {
	at := change.AddFolder
	switch at {
	case junk, trash, draft:
		meta, err := t.metadata(ctx, string(id))
		if err != nil {
			return nil, notFound(err)
		}
		if !slices.Contains(meta.labels, string(at)) {
			notes = append(notes, NoteNotPlaced)
			at = ""
		}
	}
	if dropsFlags(at, &migrate.Message{Flags: change.AddFlags}) {
		notes = append(notes, NoteFlags)
	}
	place := func(label migrate.FolderID) error {
		return t.modify(ctx, id, labelChange(label, change.AddFlags))
	}
	err = t.labelled(ctx, change.AddFolder, place)
	if change.AddFolder != sent || !refusesSent(err) {
		return notes, err
	}
	// Only insert and import set SENT. A copy that has it is where it belongs.
	meta, err := t.metadata(ctx, string(id))
	if err != nil {
		return nil, err
	}
	if slices.Contains(meta.labels, string(sent)) {
		return notes, place(archive)
	}
	label, err := t.sentLabel(ctx)
	if err != nil {
		return nil, err
	}
	return append(notes, NoteSentLabel), t.labelled(ctx, label, place)
}

// labelChange is what adding a folder and flags does to the labels.
func labelChange(folder migrate.FolderID, flags []migrate.Flag) *api.ModifyMessageRequest {
	request := &api.ModifyMessageRequest{}
	switch folder {
	case "", junk, trash, draft:
	case archive:
		request.RemoveLabelIds = []string{string(junk), string(trash)}
	default:
		request.AddLabelIds = []string{string(folder)}
		request.RemoveLabelIds = []string{string(junk), string(trash)}
	}
	for _, f := range flags {
		switch {
		case strings.EqualFold(string(f), string(migrate.Seen)):
			request.RemoveLabelIds = append(request.RemoveLabelIds, unread)
		case strings.EqualFold(string(f), string(migrate.Flagged)):
			request.AddLabelIds = append(request.AddLabelIds, starred)
		}
	}
	return request
}

// modify returns an error that wraps ErrNotFound if there is no such message.
func (t *Target) modify(ctx context.Context, id migrate.MessageID, request *api.ModifyMessageRequest) error {
	if len(request.AddLabelIds)+len(request.RemoveLabelIds) == 0 {
		return nil
	}
	err := t.call(ctx, costModify, func(ctx context.Context) error {
		_, err := t.service.Users.Messages.Modify(t.user, string(id), request).Fields("id").Context(ctx).Do()
		return err
	})
	return notFound(err)
}
