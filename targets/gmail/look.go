package gmail

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	api "google.golang.org/api/gmail/v1"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

var _ verify.Target = (*Target)(nil)

// Look asks Gmail about a message. It costs 20 units.
func (t *Target) Look(ctx context.Context, id migrate.MessageID) (migrate.Held, error) {
	got, err := t.get(ctx, string(id))
	if err != nil {
		return migrate.Held{}, notFound(err)
	}
	return t.held(id, got), nil
}

// get asks for all of a message that Look and Find want to know.
func (t *Target) get(ctx context.Context, id string) (got *api.Message, err error) {
	err = t.call(ctx, costGet, func(ctx context.Context) (err error) {
		got, err = t.service.Users.Messages.Get(t.user, id).Format("metadata").MetadataHeaders("Message-ID").
			Fields("labelIds", "internalDate", "sizeEstimate", "payload/headers").Context(ctx).Do()
		return err
	})
	return got, err
}

// notFound returns err, wrapping ErrNotFound if it says that the message is gone.
func notFound(err error) error {
	if gone(err) {
		return fmt.Errorf("%w: %w", migrate.ErrNotFound, err)
	}
	return err
}

// held returns what an answer says of a message. Gmail keeps no Key.
func (t *Target) held(id migrate.MessageID, got *api.Message) migrate.Held {
	h := migrate.Held{
		ID:       id,
		Complete: true,
		Folders:  t.foldersOf(got.LabelIds),
		Flags:    flagsOf(got.LabelIds),
		Date:     time.UnixMilli(got.InternalDate).UTC(),
		Size:     got.SizeEstimate,
		Deleted:  slices.Contains(got.LabelIds, string(trash)),
	}
	if got.Payload != nil && len(got.Payload.Headers) > 0 {
		h.MessageID = got.Payload.Headers[0].Value
	}
	return h
}

// foldersOf returns the folders that list a message with these labels.
func (t *Target) foldersOf(labels []string) (folders []migrate.FolderID) {
	for _, id := range []migrate.FolderID{trash, junk} {
		if slices.Contains(labels, string(id)) {
			return []migrate.FolderID{id}
		}
	}
	t.placing.Lock()
	defer t.placing.Unlock()
	for _, id := range labels {
		if !isFolder(id) {
			continue
		}
		label := migrate.FolderID(id)
		for folder, again := range t.remade {
			if again == label {
				label = folder
				break
			}
		}
		folders = append(folders, label)
	}
	return append(folders, archive)
}

// isFolder says whether a label stands for a folder. Those that do not are
// Gmail's own, as UNREAD and CATEGORY_SOCIAL; people's are called Label_7.
func isFolder(label string) bool {
	return specialName(migrate.FolderID(label)) != "" || label != strings.ToUpper(label)
}

func flagsOf(labels []string) (flags []migrate.Flag) {
	if !slices.Contains(labels, unread) {
		flags = append(flags, migrate.Seen)
	}
	if slices.Contains(labels, starred) {
		flags = append(flags, migrate.Flagged)
	}
	if slices.Contains(labels, string(draft)) {
		flags = append(flags, migrate.Draft)
	}
	return flags
}

// Shown returns the flags that Append gives to a message. A draft has no label
// but DRAFT, so that it counts as read and has no star.
func (t *Target) Shown(folder migrate.FolderID, flags []migrate.Flag) []migrate.Flag {
	if folder == draft {
		return flagsOf([]string{string(draft)})
	}
	return flagsOf(labelIDs(folder, &migrate.Message{Flags: flags}))
}
