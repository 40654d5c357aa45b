package gmail

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	api "google.golang.org/api/gmail/v1"

	"github.com/mailhaul/mailhaul/migrate"
)

// metadata is what rules most candidates out without reading them.
type metadata struct {
	labels     []string
	size       int64    // octets, an estimate by Gmail
	messageIDs []string // values of all Message-ID fields
}

func (t *Target) metadata(ctx context.Context, id string) (metadata, error) {
	got, err := t.get(ctx, id)
	if err != nil {
		return metadata{}, err
	}
	meta := metadata{labels: got.LabelIds, size: got.SizeEstimate}
	if got.Payload != nil {
		for _, h := range got.Payload.Headers {
			if strings.EqualFold(h.Name, "Message-ID") {
				meta.messageIDs = append(meta.messageIDs, bareID(h.Value))
			}
		}
	}
	return meta, nil
}

var plainID = regexp.MustCompile(`^[A-Za-z0-9._%+=$@/#!*^~'-]{1,400}$`)

// searchTerm returns the search for a Message-ID; "" if it has characters that
// may mean something in a search.
func searchTerm(messageID string) string {
	if id := bareID(messageID); plainID.MatchString(id) {
		return "rfc822msgid:" + id
	}
	return ""
}

// listMessages returns the IDs of messages that a search finds or that carry a
// label, Spam and Trash included. all says that pages were enough.
func (t *Target) listMessages(ctx context.Context, q, label string, pages int) (ids []string, all bool, err error) {
	token := ""
	for range pages {
		var page *api.ListMessagesResponse
		err := t.call(ctx, costMessagesList, func(ctx context.Context) (err error) {
			list := t.service.Users.Messages.List(t.user).IncludeSpamTrash(true).MaxResults(pageSize).
				Fields("messages/id", "nextPageToken").Context(ctx)
			if q != "" {
				list.Q(q)
			}
			if label != "" {
				list.LabelIds(label)
			}
			if token != "" {
				list.PageToken(token)
			}
			page, err = list.Do()
			return err
		})
		if err != nil {
			return nil, false, err
		}
		for _, m := range page.Messages {
			ids = append(ids, m.Id)
		}
		if token = page.NextPageToken; token == "" {
			return ids, true, nil
		}
	}
	return ids, false, nil
}

// addedSince returns the IDs of messages that were added to folder since then,
// the latest first.
func (t *Target) addedSince(ctx context.Context, since migrate.Position, folder migrate.FolderID) (ids []string, all bool, err error) {
	start, err := strconv.ParseUint(string(since), 10, 64)
	if err != nil {
		return nil, false, &migrate.Error{Op: costHistoryList.op, Class: migrate.Permanent, Refused: true, Err: &notThere{"there is no history to look through"}}
	}
	token, label := "", t.labelOf(folder)
	for range maxPages {
		var page *api.ListHistoryResponse
		err := t.call(ctx, costHistoryList, func(ctx context.Context) (err error) {
			list := t.service.Users.History.List(t.user).StartHistoryId(start).HistoryTypes("messageAdded").
				MaxResults(500).Fields("history/messagesAdded/message(id,labelIds)", "nextPageToken").Context(ctx)
			if token != "" {
				list.PageToken(token)
			}
			page, err = list.Do()
			return err
		})
		if err != nil {
			return nil, false, err
		}
		for _, h := range page.History {
			for _, added := range h.MessagesAdded {
				// The labels are those that the message was added with.
				if m := added.Message; m != nil && (label == "" || len(m.LabelIds) == 0 || slices.Contains(m.LabelIds, label)) {
					ids = append(ids, m.Id)
				}
			}
		}
		if token = page.NextPageToken; token == "" {
			slices.Reverse(ids)
			return ids, true, nil
		}
	}
	slices.Reverse(ids)
	return ids, false, nil
}

// labelOf returns the label that a message appended to folder has; "" if it
// has none, or may have another one.
func (t *Target) labelOf(folder migrate.FolderID) string {
	t.placing.Lock()
	defer t.placing.Unlock()
	if folder == archive || folder == sent || t.replaced[folder] {
		return ""
	}
	return string(folder)
}
