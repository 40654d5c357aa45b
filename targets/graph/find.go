package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/mailhaul/mailhaul/migrate"
)

// Bounds on a search; beyond them it is undecided.
const (
	findPage       = 200
	findWholePage  = 20 // with bodies
	findPages      = 500
	findCandidates = 1000 // messages whose header is read
)

// Find implements [migrate.Target]. A message with the key is complete. One
// with a partial key is a leftover of ours, is removed and does not count. One
// that was imported and has the key in its header alone is completed; beside
// the property the header counts for nothing, since Update changes the one and
// nobody can change the other.
//
// A filter may lag behind a write by an unknown time, so only a hit counts that
// is still one when it is read; a miss is decided by listing the folder.
func (t *Target) Find(ctx context.Context, folder migrate.FolderID, m *migrate.Message, since migrate.Position) (migrate.Stored, error) {
	from, route, err := parsePosition(since)
	if err != nil {
		return migrate.Stored{}, undecided("the position is none of this target")
	}
	hits, err := t.keyed(ctx, folder, m.Key)
	if err != nil {
		return migrate.Stored{}, named("find", err)
	}
	for _, id := range hits {
		it, err := t.item(ctx, t.folderURL(folder)+"/messages/"+url.PathEscape(string(id)))
		switch {
		case err == nil && strings.EqualFold(it.property(propMigrationKey), m.Key):
			return t.adopted(ctx, id, m)
		case err != nil && !errors.Is(sought("find", err), migrate.ErrNotFound):
			return migrate.Stored{}, named("find", err)
		}
	}
	c, err := t.candidates(ctx, folder, m, from)
	if err != nil {
		return migrate.Stored{}, named("find", err)
	}
	if c.complete != "" {
		return t.adopted(ctx, c.complete, m)
	}
	for _, id := range c.partial {
		if err := t.destroy(ctx, id); err != nil {
			return migrate.Stored{}, named("remove an incomplete copy", err)
		}
	}
	if route == RouteImport || t.name == RouteImport {
		return t.imported(ctx, c.keyless, m)
	}
	return migrate.Stored{}, notFound()
}

// adopted returns a complete copy of m with the notes that it was written with.
func (t *Target) adopted(ctx context.Context, id migrate.MessageID, m *migrate.Message) (migrate.Stored, error) {
	got, err := t.user.Messages().ByMessageId(string(id)).Get(ctx, &users.ItemMessagesMessageItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.ItemMessagesMessageItemRequestBuilderGetQueryParameters{Select: []string{"internetMessageHeaders", "receivedDateTime", "createdDateTime"}},
	})
	if err != nil {
		return migrate.Stored{}, named("read back", err)
	}
	if importedAs(got) != "" { // maybe with a key that it had before
		return migrate.Stored{ID: id, Notes: importNotes(got, m)}, nil
	}
	notes, err := jsonRoute{t}.notes(m)
	return migrate.Stored{ID: id, Notes: notes}, err
}

func notFound() error {
	return &migrate.Error{Op: "find", Class: migrate.Permanent, Refused: true, Err: migrate.ErrNotFound}
}

func undecided(why string) error {
	return &migrate.Error{Op: "find", Class: migrate.Permanent, Err: fmt.Errorf("%w: %s", migrate.ErrUndecided, why),
		Hint: "Look for the message at the target by hand, then retry it or leave it."}
}

// keyed asks for the messages with the key by filter.
func (t *Target) keyed(ctx context.Context, folder migrate.FolderID, key string) (ids []migrate.MessageID, err error) {
	filter := fmt.Sprintf("singleValueExtendedProperties/Any(ep: ep/id eq '%s' and ep/value eq '%s')", propMigrationKey, strings.ReplaceAll(key, "'", "''"))
	page, err := t.user.MailFolders().ByMailFolderId(string(folder)).Messages().Get(ctx, &users.ItemMailFoldersItemMessagesRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.ItemMailFoldersItemMessagesRequestBuilderGetQueryParameters{Filter: &filter, Select: []string{"id"}},
	})
	if err != nil {
		return nil, err
	}
	for _, msg := range page.GetValue() {
		if id := msg.GetId(); id != nil {
			ids = append(ids, migrate.MessageID(*id))
		}
	}
	return ids, nil
}

// found is what a folder holds that can be the message looked for.
type found struct {
	complete migrate.MessageID   // with the key
	partial  []migrate.MessageID // with the key, incomplete
	keyless  []migrate.MessageID // without any key, and with the same Message-ID if there is one
}

// candidates lists what was created in the folder since from, newest first.
//
// QUIRK: users report that $select together with $expand drops members. Then
// it lists without $select, which is right but slow.
func (t *Target) candidates(ctx context.Context, folder migrate.FolderID, m *migrate.Message, from time.Time) (found, error) {
	query := users.ItemMailFoldersItemMessagesRequestBuilderGetQueryParameters{
		Select:  []string{"id", "internetMessageId", "createdDateTime"},
		Expand:  []string{"singleValueExtendedProperties($filter=id eq '" + propMigrationKey + "')"},
		Orderby: []string{"createdDateTime desc"},
		Top:     new(int32(findPage)),
	}
	f, err := t.list(ctx, folder, m, from, query)
	if refused(err).status == http.StatusGatewayTimeout { // the page may have been too large
		query.Top = new(int32(findWholePage))
		f, err = t.list(ctx, folder, m, from, query)
	}
	if errors.Is(err, errIncomplete) {
		query.Select, query.Top = nil, new(int32(findWholePage))
		f, err = t.list(ctx, folder, m, from, query)
	}
	if errors.Is(err, errIncomplete) {
		err = undecided("the folder's list lacks members")
	}
	return f, err
}

func (t *Target) list(ctx context.Context, folder migrate.FolderID, m *migrate.Message, from time.Time,
	query users.ItemMailFoldersItemMessagesRequestBuilderGetQueryParameters) (f found, err error) {
	list := t.user.MailFolders().ByMailFolderId(string(folder)).Messages()
	page, err := list.Get(ctx, &users.ItemMailFoldersItemMessagesRequestBuilderGetRequestConfiguration{QueryParameters: &query})
	for range findPages {
		if err != nil {
			return f, err
		}
		for _, msg := range page.GetValue() {
			id, created := msg.GetId(), msg.GetCreatedDateTime()
			if id == nil || created == nil {
				return f, errIncomplete
			}
			if created.Before(from) {
				return f, nil
			}
			f.add(migrate.MessageID(*id), msg, m)
		}
		next := page.GetOdataNextLink()
		if next == nil || f.complete != "" {
			return f, nil
		}
		page, err = list.WithUrl(*next).Get(ctx, nil)
	}
	return f, undecided("the folder has too many new messages")
}

func (f *found) add(id migrate.MessageID, msg models.Messageable, m *migrate.Message) {
	switch key := keyOf(msg); {
	case strings.EqualFold(key, m.Key):
		f.complete = id
	case strings.EqualFold(key, m.Key+partial):
		f.partial = append(f.partial, id)
	case key == "" && sameMessageID(msg.GetInternetMessageId(), m.MessageID):
		f.keyless = append(f.keyless, id)
	}
}

// wellFormedID matches Message-IDs that no server has reason to change.
var wellFormedID = regexp.MustCompile(`^<[^\s<>@]+@[^\s<>@]+>$`)

// sameMessageID is true unless both are there and differ. Exchange may replace
// one that is malformed, so such a one proves nothing.
func sameMessageID(got *string, want string) bool {
	if got == nil || *got == "" || !wellFormedID.MatchString(want) {
		return true
	}
	return strings.EqualFold(strings.TrimSpace(*got), want)
}

// imported looks among messages without the property for the one that was
// imported as m, and completes it. Others are somebody else's, for instance the
// same mail delivered here too.
func (t *Target) imported(ctx context.Context, ids []migrate.MessageID, m *migrate.Message) (migrate.Stored, error) {
	if len(ids) > findCandidates {
		return migrate.Stored{}, undecided("too many messages could be it")
	}
	for _, id := range ids {
		got, err := t.user.Messages().ByMessageId(string(id)).Get(ctx, &users.ItemMessagesMessageItemRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.ItemMessagesMessageItemRequestBuilderGetQueryParameters{Select: []string{"internetMessageHeaders"}},
		})
		if refused(err).status == http.StatusNotFound {
			continue
		}
		if err != nil {
			return migrate.Stored{}, named("read back", err)
		}
		if importedAs(got) == m.Key {
			return t.complete(ctx, id, m)
		}
	}
	return migrate.Stored{}, notFound()
}
