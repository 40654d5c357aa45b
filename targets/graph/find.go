package graph

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
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
	findCandidates = 100 // messages that are read to compare their content
)

// Find implements [migrate.Target]. A message with the key is complete. One
// with a partial key is a leftover of ours, is removed and does not count. A
// message that was imported but has no key yet is known by its content, and is
// completed.
//
// A filter may lag behind a write by an unknown time, so only a hit counts; a
// miss is decided by listing the folder.
func (t *Target) Find(ctx context.Context, folder migrate.FolderID, m *migrate.Message, since migrate.Position) (_ migrate.Stored, err error) {
	from, route, err := parsePosition(since)
	if err != nil {
		return migrate.Stored{}, undecided("the position is none of this target")
	}
	defer func() {
		if err == nil || classOf(err) == migrate.Permanent {
			t.unfinished.decided(m.Key)
		}
	}()
	hits, err := t.keyed(ctx, folder, m.Key)
	if err != nil {
		return migrate.Stored{}, named("find", err)
	}
	if len(hits) > 0 {
		return migrate.Stored{ID: hits[0]}, nil
	}
	t.imports.Lock()
	defer t.imports.Unlock()
	c, err := t.candidates(ctx, folder, m, from)
	if err != nil {
		return migrate.Stored{}, named("find", err)
	}
	if c.complete != "" {
		return migrate.Stored{ID: c.complete}, nil
	}
	for _, id := range c.partial {
		if err := t.destroy(ctx, id); err != nil {
			return migrate.Stored{}, named("remove an incomplete copy", err)
		}
	}
	// Only imports are without a key for a moment. Elsewhere such a message is
	// somebody else's, for instance the same mail delivered here too.
	imports := route == RouteImport || t.name == RouteImport
	if !imports || len(c.keyless) == 0 {
		return migrate.Stored{}, notFound()
	}
	return t.claim(ctx, c.keyless, m)
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

var errIncomplete = errors.New("the list lacks members that were selected")

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

// sameMessageID is true unless both are there and differ. Exchange may replace
// one that is malformed, so such a one proves nothing.
func sameMessageID(got *string, want string) bool {
	if got == nil || *got == "" || !wellFormedID.MatchString(want) {
		return true
	}
	return strings.EqualFold(strings.TrimSpace(*got), want)
}

// claim finds among keyless messages the one with m's content, and completes it.
func (t *Target) claim(ctx context.Context, ids []migrate.MessageID, m *migrate.Message) (migrate.Stored, error) {
	ids = slices.DeleteFunc(ids, func(id migrate.MessageID) bool {
		key, known := t.unfinished.owner(id)
		return known && key != m.Key
	})
	if len(ids) == 0 {
		return migrate.Stored{}, notFound()
	}
	for _, id := range ids {
		if _, own := t.unfinished.owner(id); own {
			return t.complete(ctx, id, m)
		}
	}
	if m.Body == nil {
		return migrate.Stored{}, undecided("a message like it is there, but the source no longer has the original to compare")
	}
	if len(ids) > findCandidates {
		return migrate.Stored{}, undecided("too many messages could be it")
	}
	r, err := m.Body.Open()
	if err != nil {
		return migrate.Stored{}, unsent(err)
	}
	want, err := printOf(r)
	r.Close()
	if err != nil {
		return migrate.Stored{}, unsent(err)
	}
	alike := false
	for _, id := range ids {
		got, err := t.fingerprint(ctx, id)
		if refused(err).status == http.StatusNotFound {
			continue
		}
		if err != nil {
			return migrate.Stored{}, named("read back", err)
		}
		switch want.compare(got) {
		case same:
			return t.complete(ctx, id, m)
		case similar:
			alike = true
		}
	}
	if alike && t.unfinished.wait(m.Key) {
		return migrate.Stored{}, &migrate.Error{Op: "find", Class: migrate.Transient, Err: errors.New("another message like it is in doubt too")}
	}
	if alike {
		return migrate.Stored{}, undecided("a message that is similar in content is there")
	}
	return migrate.Stored{}, notFound()
}

// fingerprint reads a message back: $value is the MIME that Exchange rebuilds.
func (t *Target) fingerprint(ctx context.Context, id migrate.MessageID) (fingerprint, error) {
	resp, err := t.client.get(ctx, "/v1.0"+t.root+"/messages/"+url.PathEscape(string(id))+"/$value")
	if err != nil {
		return fingerprint{}, err
	}
	defer resp.Body.Close()
	p, err := printOf(resp.Body)
	if err != nil && !errors.Is(err, io.EOF) {
		return p, unanswered(err)
	}
	return p, nil
}
