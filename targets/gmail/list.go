package gmail

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	api "google.golang.org/api/gmail/v1"

	"github.com/mailhaul/mailhaul/migrate"
)

const (
	pageSize     = 500    // the most that a page of users.messages.list holds
	maxListPages = 20_000 // of one list: ten million messages
)

// List yields the IDs of the messages under the label of folder, and no more of
// them, a page at a time. A page costs 5 units.
//
// Mail in Spam or Trash is in the lists of those two only, whatever its labels.
// The archive is Gmail's All Mail: its list has all other mail, that of other
// folders too. Sent mail under a label of its own (see [NoteSentLabel]) is not
// in the list of Sent.
//
// QUIRK: Gmail documents neither how soon a list knows of a write nor what a
// page token stands for. A message that came, went or changed its labels just
// before may be shown as it was, and if others go while the list is read, one
// that stays may be passed over. Look tells.
func (t *Target) List(ctx context.Context, folder migrate.FolderID) iter.Seq2[[]migrate.Held, error] {
	return func(yield func([]migrate.Held, error) bool) {
		label, token := t.labelNow(folder), ""
		var last []*api.Message
		for n := range maxListPages {
			page, err := t.listPage(ctx, label, token)
			if nothing := n == 0 && err == nil && len(page.Messages) == 0 && page.NextPageToken == ""; nothing || refused(err) {
				err = t.whyNothing(ctx, label, err)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			var batch []migrate.Held
			for _, m := range page.Messages {
				// If messages came meanwhile, a page may begin with the end of
				// the one before.
				if !slices.ContainsFunc(last, func(l *api.Message) bool { return l.Id == m.Id }) {
					batch = append(batch, migrate.Held{ID: migrate.MessageID(m.Id)})
				}
			}
			if len(batch) > 0 && !yield(batch, nil) {
				return
			}
			if last, token = page.Messages, page.NextPageToken; token == "" {
				return
			}
		}
		yield(nil, &migrate.Error{Op: costMessagesList.op, Class: migrate.Permanent, Refused: true, Err: errors.New("the list has no end")})
	}
}

func (t *Target) listPage(ctx context.Context, label migrate.FolderID, token string) (page *api.ListMessagesResponse, err error) {
	err = t.call(ctx, costMessagesList, func(ctx context.Context) (err error) {
		list := t.service.Users.Messages.List(t.user).MaxResults(pageSize).
			IncludeSpamTrash(label == junk || label == trash).
			Fields("messages/id", "nextPageToken").Context(ctx)
		if label != archive {
			list.LabelIds(string(label))
		}
		if token != "" {
			list.PageToken(token)
		}
		page, err = list.Do()
		return err
	})
	return page, err
}

// refused says whether err is Gmail's no to a list, with which it may mean that
// there is no such label: how it says that is not known.
func refused(err error) bool {
	e, ok := errors.AsType[*migrate.Error](err)
	return ok && e.Class != migrate.Transient
}

// whyNothing returns the error of a list that was refused with err, or that is
// empty: one that wraps ErrNotFound if there is no such label.
func (t *Target) whyNothing(ctx context.Context, label migrate.FolderID, err error) error {
	if specialName(label) != "" {
		return err
	}
	labels, labelsErr := t.listLabels(ctx)
	switch {
	case labelsErr != nil && err == nil:
		return labelsErr
	case labelsErr != nil || labels.byID[string(label)] != nil:
		return err
	}
	return &migrate.Error{
		Op: costMessagesList.op, Class: migrate.Permanent, Refused: true,
		Err:  fmt.Errorf("%w: there is no label %s", migrate.ErrNotFound, label),
		Hint: "Somebody deleted the label. Its messages are in All Mail; the next run makes it anew.",
	}
}
