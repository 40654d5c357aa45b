package gmail

import (
	"context"
	"errors"
	"slices"
	"strings"

	api "google.golang.org/api/gmail/v1"

	"github.com/mailhaul/mailhaul/migrate"
)

// maxBatch is how many messages users.messages.batchModify changes at most
// (discovery document, revision 20261005).
const maxBatch = 1000

// A relabelling is what happens to the labels of some messages.
type relabelling struct {
	add        migrate.FolderID // empty for none
	remove     []string         // labels
	set, clear []migrate.Flag
	several    bool // messages that are not there are passed over
}

// relabel changes the labels of messages. The label of the folder to add is
// made again if a person deleted it; one to remove is then gone, as it should be.
func (t *Target) relabel(ctx context.Context, ids []migrate.MessageID, r relabelling) error {
	write := func() error {
		if r.add == "" || specialName(r.add) != "" {
			return t.modify(ctx, ids, r, r.add)
		}
		return t.labelled(ctx, r.add, func(label migrate.FolderID) error { return t.modify(ctx, ids, r, label) })
	}
	err := write()
	if !unknownLabel(err) {
		return err
	}
	labels, listErr := t.listLabels(ctx)
	if listErr != nil {
		return listErr
	}
	there := slices.DeleteFunc(slices.Clone(r.remove), func(id string) bool {
		return specialName(migrate.FolderID(id)) == "" && labels.byID[id] == nil
	})
	if len(there) == len(r.remove) {
		return err
	}
	r.remove = there
	return write()
}

// labelChange returns what r adds and removes, where label stands for r.add.
func (r relabelling) labelChange(label migrate.FolderID) *api.ModifyMessageRequest {
	remove := slices.Clone(r.remove)
	var add []string
	switch r.add {
	case "":
	case junk, trash:
		// It shows nowhere else. SENT stays, as Gmail may not let it go.
		add = []string{string(label)}
		remove = slices.DeleteFunc(remove, func(id string) bool { return id == string(sent) })
	case archive:
		remove = append(remove, string(junk), string(trash))
	default:
		add = []string{string(label)}
		remove = append(remove, string(junk), string(trash))
	}
	flag := func(f, known migrate.Flag) bool { return strings.EqualFold(string(f), string(known)) }
	for _, f := range r.set {
		switch {
		case flag(f, migrate.Seen):
			remove = append(remove, unread)
		case flag(f, migrate.Flagged):
			add = append(add, starred)
		}
	}
	for _, f := range r.clear {
		switch {
		case flag(f, migrate.Seen):
			add = append(add, unread)
		case flag(f, migrate.Flagged):
			remove = append(remove, starred)
		}
	}
	slices.Sort(remove)
	return &api.ModifyMessageRequest{AddLabelIds: add, RemoveLabelIds: slices.Compact(remove)}
}

// modify changes the labels of messages, in the way that costs least.
func (t *Target) modify(ctx context.Context, ids []migrate.MessageID, r relabelling, label migrate.FolderID) error {
	request := r.labelChange(label)
	if len(request.AddLabelIds)+len(request.RemoveLabelIds) == 0 {
		return nil
	}
	for some := range slices.Chunk(ids, maxBatch) {
		if err := t.modifySome(ctx, some, r.several, request); err != nil {
			return err
		}
	}
	return nil
}

// modifySome halves a batch that is refused: how Gmail takes one that names a
// message that is not there is not documented.
func (t *Target) modifySome(ctx context.Context, ids []migrate.MessageID, several bool, request *api.ModifyMessageRequest) error {
	if int64(len(ids))*costModify.units < costBatchModify.units {
		for _, id := range ids {
			if err := t.modifyOne(ctx, id, request); err != nil && !(several && gone(err)) {
				return err
			}
		}
		return nil
	}
	err := t.modifyBatch(ctx, ids, request)
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Permanent || refusesSent(err) {
		return err
	}
	half := len(ids) / 2
	if err := t.modifySome(ctx, ids[:half], several, request); err != nil {
		return err
	}
	return t.modifySome(ctx, ids[half:], several, request)
}

// modifyOne returns an error that wraps ErrNotFound if there is no such message.
func (t *Target) modifyOne(ctx context.Context, id migrate.MessageID, request *api.ModifyMessageRequest) error {
	err := t.call(ctx, costModify, func(ctx context.Context) error {
		_, err := t.service.Users.Messages.Modify(t.user, string(id), request).Fields("id").Context(ctx).Do()
		return err
	})
	return notFound(err)
}

func (t *Target) modifyBatch(ctx context.Context, ids []migrate.MessageID, request *api.ModifyMessageRequest) error {
	batch := &api.BatchModifyMessagesRequest{AddLabelIds: request.AddLabelIds, RemoveLabelIds: request.RemoveLabelIds}
	for _, id := range ids {
		batch.Ids = append(batch.Ids, string(id))
	}
	return t.call(ctx, costBatchModify, func(ctx context.Context) error {
		return t.service.Users.Messages.BatchModify(t.user, batch).Context(ctx).Do()
	})
}
