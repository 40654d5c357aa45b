package graph

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/textproto"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"github.com/mailhaul/mailhaul/migrate"
)

// importRoute imports the MIME message (beta, mailFolder: importMime) with its
// key in a header field, then sets flags and key with one PATCH: a message with
// the key as a property is complete. What import refuses for its size goes by
// JSON, and so do drafts, since an import is none; what it refuses for its
// content does, unless it was to be stored whole.
type importRoute struct {
	t    *Target
	json jsonRoute
}

func (r importRoute) append(ctx context.Context, folder migrate.FolderID, m *migrate.Message) (migrate.Stored, error) {
	if m.HasFlag(migrate.Draft) {
		s, err := r.json.append(ctx, folder, m)
		if !errors.Is(err, errProtected) {
			return s, err
		}
	}
	size, err := sizeOf(m.Body)
	if err != nil {
		return migrate.Stored{}, unsent(err)
	}
	if size > MaxImportSize {
		return r.byJSON(ctx, folder, m, "too-large-to-import")
	}
	id, err := r.t.importMIME(ctx, folder, importOf(m.Body, size, m.Key))
	if err == nil {
		return r.t.complete(ctx, id, m)
	}
	switch refusal := refused(err); {
	case refusal.status == http.StatusRequestEntityTooLarge:
		return r.byJSON(ctx, folder, m, "too-large-to-import")
	case strings.HasPrefix(refusal.code, "ErrorMimeContentInvalid"), refusal.code == "ErrorCorruptData", refusal.code == "UnableToDeserializePostBody":
		if m.Whole {
			return migrate.Stored{}, rebuildable(err)
		}
		return r.byJSON(ctx, folder, m, "import-refused")
	}
	return migrate.Stored{}, named("import", err)
}

func (r importRoute) byJSON(ctx context.Context, folder migrate.FolderID, m *migrate.Message, why string) (migrate.Stored, error) {
	s, err := r.json.append(ctx, folder, m)
	if err == nil {
		s.Notes = append([]string{why}, s.Notes...)
	}
	return s, err
}

// importMIME posts a message in base64 and returns its id.
func (t *Target) importMIME(ctx context.Context, folder migrate.FolderID, mime piece) (migrate.MessageID, error) {
	var answer struct{ ID string }
	path := "/beta" + t.root + "/mailFolders/" + url.PathEscape(string(folder)) + "/importMime"
	if err := t.client.post(ctx, path, "text/plain", payload{mime}, &answer); err != nil {
		return "", err
	}
	if answer.ID == "" {
		return "", &migrate.Error{Op: "import", Class: migrate.Transient, Err: errNoID}
	}
	return migrate.MessageID(answer.ID), nil
}

// complete gives an imported message its flags and, with them, its key.
func (t *Target) complete(ctx context.Context, id migrate.MessageID, m *migrate.Message) (migrate.Stored, error) {
	key := []models.SingleValueLegacyExtendedPropertyable{property(propMigrationKey, m.Key)}
	patch := newMessage()
	patch.SetIsRead(new(m.HasFlag(migrate.Seen)))
	patch.SetSingleValueExtendedProperties(append(key, lastVerb(m)...))
	setFlags(patch, m.Flags)
	if h, ok := headerOf(m.Body); ok {
		if i, ok := importance(h.Header.Header); ok {
			patch.SetImportance(&i)
		}
	}
	got, notes, err := t.patch(ctx, id, patch)
	if err == nil {
		return migrate.Stored{ID: id, Notes: append(importNotes(got, m), notes...)}, nil
	}
	return migrate.Stored{}, t.undo(ctx, id, begun("set the flags of an import", err))
}

// importNotes names what an import of m, of which Exchange tells got, changed
// or lacks.
func importNotes(got models.Messageable, m *migrate.Message) []string {
	notes := flagNotes(m)
	if m.HasFlag(migrate.Draft) {
		notes = append(notes, "draft-as-message")
	}
	if h, ok := headerOf(m.Body); ok {
		if !plausible(h.date()) {
			notes = append(notes, "sent-date-missing")
		}
		if h.text("Message-Id") == "" {
			notes = append(notes, "message-id-missing")
		}
	}
	return append(notes, dateNotes(got, m)...)
}

// dateTolerance is how far the date of an import may be from the time when the
// source received the message: Exchange takes it from the header.
const dateTolerance = 7 * 24 * time.Hour

// dateNotes says how Exchange dated an imported message, by what it says of it.
func dateNotes(got models.Messageable, m *migrate.Message) []string {
	if got == nil || m.InternalDate.IsZero() {
		return nil
	}
	received, created := got.GetReceivedDateTime(), got.GetCreatedDateTime()
	switch {
	case received == nil, received.Sub(m.InternalDate).Abs() < time.Hour:
	case created != nil && received.Sub(*created).Abs() < time.Hour:
		return []string{"date-is-import-time"}
	case received.Sub(m.InternalDate).Abs() > dateTolerance:
		return []string{"date-differs"}
	}
	return nil
}

// undo removes a message that could not be completed, unless it is worth
// another try: one that is given up must leave nothing behind.
func (t *Target) undo(ctx context.Context, id migrate.MessageID, why error) error {
	if classOf(why) == migrate.Transient {
		return why
	}
	if err := t.destroy(ctx, id); err != nil && classOf(why) != migrate.Fatal {
		return begun("remove an incomplete message", err)
	}
	return why
}

// destroy removes a message that we wrote, past the recycle bin. One that is
// gone already is no error.
func (t *Target) destroy(ctx context.Context, id migrate.MessageID) error {
	err := t.user.Messages().ByMessageId(string(id)).PermanentDelete().Post(ctx, nil)
	if err != nil && refused(err).status != http.StatusNotFound {
		return err
	}
	return nil
}

// headerOf reads the header of a message; ok is false if it has none.
func headerOf(b migrate.Body) (h header, ok bool) {
	if b == nil {
		return h, false
	}
	r, err := b.Open()
	if err != nil {
		return h, false
	}
	defer r.Close()
	fields, _, err := readHeader(bufio.NewReader(r))
	return header{message.Header{Header: fields}}, err == nil
}

// importance reads Importance (RFC 2156 section 5.3.4), or the older
// X-Priority, where 1 and 2 are high.
func importance(h textproto.Header) (models.Importance, bool) {
	switch strings.ToLower(strings.TrimSpace(h.Get("Importance"))) {
	case "high":
		return models.HIGH_IMPORTANCE, true
	case "low":
		return models.LOW_IMPORTANCE, true
	case "":
		switch p := strings.TrimSpace(h.Get("X-Priority")); {
		case strings.HasPrefix(p, "1"), strings.HasPrefix(p, "2"):
			return models.HIGH_IMPORTANCE, true
		case strings.HasPrefix(p, "4"), strings.HasPrefix(p, "5"):
			return models.LOW_IMPORTANCE, true
		}
	}
	return 0, false
}
