package gmail

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	api "google.golang.org/api/gmail/v1"

	"github.com/mailhaul/mailhaul/migrate"
)

const (
	// maxCandidates bounds how many messages one Find asks about: 40,000 units,
	// seven minutes of a new project's quota, and as much for those that look
	// so much like the one it seeks that they are read.
	maxCandidates = 2000
	maxPages      = 1000 // of one listing
)

// Find looks for m among the messages that carry its Message-ID in Gmail's
// search index, and then, because the index lags and not every message has a
// Message-ID, among those that the mailbox's history says were added since.
// A message counts as found only if its content is that of m below header
// fields that Gmail put on top. It may lack the label of folder, which a person
// may have taken away since, if it is plain that those fields are Gmail's:
// mail to oneself arrives as the sent copy below other fields, and is another
// message.
//
// Its cost grows with the messages that other processes added to folder since
// the position: 20 units for each, once. With more than maxCandidates of them,
// or a history that was cut off, it may be undecided.
func (t *Target) Find(ctx context.Context, folder migrate.FolderID, m *migrate.Message, since migrate.Position) (migrate.Stored, error) {
	s := search{t: t, folder: folder, m: m, seen: make(map[string]bool)}
	if m.Digest == (migrate.Digest{}) {
		return migrate.Stored{}, s.undecided("the content of the message is not known")
	}
	if q := searchTerm(m.MessageID); q != "" {
		ids, _, err := t.listMessages(ctx, q, "", 1)
		if err != nil {
			return migrate.Stored{}, err
		}
		if stored, err := s.among(ctx, ids); stored.ID != "" || err != nil {
			return stored, err
		}
	}
	if err := t.awaitSettled(ctx); err != nil {
		return migrate.Stored{}, unsent("find", err)
	}
	ids, all, err := t.addedSince(ctx, since, folder)
	if gone(err) {
		// The history reaches back about a week only.
		ids, all, err = t.listMessages(ctx, "", labelOf(folder), maxCandidates/500)
	}
	if err != nil {
		return migrate.Stored{}, err
	}
	if stored, err := s.among(ctx, ids); stored.ID != "" || err != nil {
		return stored, err
	}
	if !all {
		return migrate.Stored{}, s.undecided("too many messages have been added since")
	}
	return migrate.Stored{}, fmt.Errorf("find: %w", migrate.ErrNotFound)
}

// A search is one Find.
type search struct {
	t      *Target
	folder migrate.FolderID
	m      *migrate.Message
	seen   map[string]bool // candidates that were ruled out
	asked  int             // of them, those that Gmail was asked about
}

// among returns the first message of ids that has the content of m; its ID is
// empty if none has.
func (s *search) among(ctx context.Context, ids []string) (migrate.Stored, error) {
	for _, id := range ids {
		if s.seen[id] {
			continue
		}
		s.seen[id] = true
		fact, known := s.t.memory.get(id)
		if !known {
			if s.asked++; s.asked > maxCandidates {
				return migrate.Stored{}, s.undecided("too many messages look like it")
			}
			meta, err := s.t.metadata(ctx, id)
			if gone(err) {
				continue
			}
			if err != nil {
				return migrate.Stored{}, err
			}
			fact.meta = meta
			s.t.memory.put(id, fact)
		}
		if fact.digest == s.m.Digest {
			return s.found(id, fact.meta)
		}
		if fact.digest != (migrate.Digest{}) || !plausible(fact.meta, s.m) {
			continue
		}
		found, err := s.t.compare(ctx, id, s.m)
		if err != nil && !gone(err) {
			return migrate.Stored{}, err
		}
		if found == copied || found == ends && s.placed(fact.meta) {
			return s.found(id, fact.meta)
		}
	}
	return migrate.Stored{}, nil
}

// placed says whether a message has the labels that Append gives in the folder.
func (s *search) placed(meta metadata) bool {
	switch s.folder {
	case archive:
		return !slices.ContainsFunc(meta.labels, func(id string) bool {
			return specialName(migrate.FolderID(id)) != "" || strings.HasPrefix(id, "Label_")
		})
	case sent:
		s.t.placing.Lock()
		defer s.t.placing.Unlock()
		return slices.Contains(meta.labels, string(sent)) || slices.Contains(meta.labels, string(s.t.fallback))
	}
	return slices.Contains(meta.labels, string(s.folder))
}

// found says what the copy lacks.
func (s *search) found(id string, meta metadata) (migrate.Stored, error) {
	notes, err := notesOn(s.folder, s.m)
	if err != nil {
		return migrate.Stored{}, unsent("find", err)
	}
	if s.folder == sent && len(meta.labels) > 0 && !slices.Contains(meta.labels, string(sent)) {
		notes = append(notes, NoteSentLabel)
	}
	return migrate.Stored{ID: migrate.MessageID(id), Notes: notes}, nil
}

func (s *search) undecided(why string) error {
	return &migrate.Error{
		Op: "find", Class: migrate.Permanent, Refused: true,
		Err:  fmt.Errorf("%w: %s", migrate.ErrUndecided, why),
		Hint: "Look for the message in Gmail by its subject and date, then have it copied again if it is not there.",
	}
}

// metadata is what rules most candidates out without reading them.
type metadata struct {
	labels     []string
	size       int64    // octets, an estimate by Gmail
	messageIDs []string // values of all Message-ID fields
}

func (t *Target) metadata(ctx context.Context, id string) (metadata, error) {
	var got *api.Message
	err := t.call(ctx, costGet, func(ctx context.Context) (err error) {
		got, err = t.service.Users.Messages.Get(t.user, id).Format("metadata").MetadataHeaders("Message-ID").
			Fields("labelIds", "sizeEstimate", "payload/headers").Context(ctx).Do()
		return err
	})
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

// plausible says whether a message may be m. It errs on the side of yes: the
// size is an estimate of a longer text, the source's envelope may hold one of
// two Message-IDs or a part of one, and Gmail may add one to mail without.
func plausible(meta metadata, m *migrate.Message) bool {
	if meta.size > 0 && (meta.size < m.Size/2 || meta.size > 2*m.Size+64<<10) {
		return false
	}
	id := bareID(m.MessageID)
	if id == "" || len(meta.messageIDs) == 0 {
		return true
	}
	return slices.ContainsFunc(meta.messageIDs, func(other string) bool {
		return strings.Contains(other, id) || strings.Contains(id, other)
	})
}

// bareID returns a Message-ID without brackets and white space.
func bareID(s string) string {
	return strings.Trim(strings.Join(strings.Fields(s), ""), "<>")
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
			list := t.service.Users.Messages.List(t.user).IncludeSpamTrash(true).MaxResults(500).
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
		return nil, false, &migrate.Error{Op: costHistoryList.op, Class: migrate.Permanent, Refused: true, Err: errNoHistory}
	}
	token, label := "", labelOf(folder)
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
func labelOf(folder migrate.FolderID) string {
	if folder == archive || folder == sent {
		return ""
	}
	return string(folder)
}

var errNoHistory = &notThere{"there is no history to look through"}

// notThere is Gmail's 404.
type notThere struct{ text string }

func (e *notThere) Error() string { return e.text }

// gone says whether err says that what was asked for is not at Gmail.
func gone(err error) bool {
	_, ok := errors.AsType[*notThere](err)
	return ok
}
