package graph

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"

	jsonserialization "github.com/microsoft/kiota-serialization-json-go"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"github.com/mailhaul/mailhaul/migrate"
)

// jsonRoute creates a Graph message with MAPI properties, so that it keeps its
// dates and is no draft unless it was one. If one call cannot do it all, the message carries
// a partial key until the last call has come back.
type jsonRoute struct{ t *Target }

func (r jsonRoute) append(ctx context.Context, folder migrate.FolderID, m *migrate.Message) (migrate.Stored, error) {
	l, err := takeApart(m)
	if errors.Is(err, errProtected) && r.t.attachProtected {
		l, err = enclose(m)
	}
	if errors.Is(err, errProtected) {
		return migrate.Stored{}, &migrate.Error{Op: "rebuild", Class: migrate.Permanent, Refused: true, Err: err, Hint: hintProtected}
	}
	if err != nil {
		return migrate.Stored{}, unsent(fmt.Errorf("read the message: %w", err))
	}
	unread := !m.HasFlag(migrate.Seen)
	key := m.Key
	if unread {
		key += partial
	}
	body, rest, err := l.create(m, key)
	if err == nil && len(rest) > 0 && !unread {
		key += partial
		body, rest, err = l.create(m, key)
	}
	if err != nil {
		return migrate.Stored{}, &migrate.Error{Op: "rebuild", Class: migrate.Permanent, Refused: true, Err: err}
	}
	var answer struct {
		ID      string
		IsDraft bool
	}
	if err := r.t.client.post(ctx, "/v1.0"+r.t.root+"/mailFolders/"+url.PathEscape(string(folder))+"/messages", "application/json", body, &answer); err != nil {
		return migrate.Stored{}, named("create", err)
	}
	id := migrate.MessageID(answer.ID)
	if id == "" {
		return migrate.Stored{}, &migrate.Error{Op: "create", Class: migrate.Transient, Err: errNoID}
	}
	if answer.IsDraft && !m.HasFlag(migrate.Draft) {
		return migrate.Stored{}, r.t.undo(ctx, id, &migrate.Error{Op: "create", Class: migrate.Fatal, Err: errors.New("a message became a draft"),
			Hint: "This tenant does not take the property that says that a message is no draft, so mail would arrive as drafts. It cannot be written by the json route."})
	}
	if key != m.Key {
		if err := r.finish(ctx, id, m, rest, unread); err != nil {
			return migrate.Stored{}, r.t.undo(ctx, id, err)
		}
	}
	return migrate.Stored{ID: id, Notes: append(l.notes, flagNotes(m)...)}, nil
}

// notes names what a copy of m that was written before changed or lacks.
func (jsonRoute) notes(m *migrate.Message) ([]string, error) {
	if m.Body == nil {
		return flagNotes(m), nil
	}
	l, err := takeApart(m)
	if errors.Is(err, errProtected) {
		l, err = enclose(m)
	}
	if err != nil {
		return nil, unsent(fmt.Errorf("read the message: %w", err))
	}
	if _, _, err := l.create(m, m.Key); err != nil { // which notes some
		return nil, unsent(err)
	}
	return append(l.notes, flagNotes(m)...), nil
}

// finish adds what the create request had no room for and then the key.
func (r jsonRoute) finish(ctx context.Context, id migrate.MessageID, m *migrate.Message, rest []attachment, unread bool) error {
	if err := r.t.attachAll(ctx, id, m, rest); err != nil {
		return begun("attach", err)
	}
	patch := newMessage()
	if unread {
		patch.SetIsRead(new(false))
	}
	patch.SetSingleValueExtendedProperties([]models.SingleValueLegacyExtendedPropertyable{property(propMigrationKey, m.Key)})
	if _, err := r.t.user.Messages().ByMessageId(string(id)).Patch(ctx, patch, nil); err != nil {
		return begun("complete", err)
	}
	return nil
}

// create returns the body of the create request and the attachments that it
// has no room for.
func (l *letter) create(m *migrate.Message, key string) (body payload, rest []attachment, err error) {
	w := jsonserialization.NewJsonSerializationWriter()
	defer w.Close()
	if err := w.WriteObjectValue("", l.message(m, key)); err != nil {
		return nil, nil, err
	}
	data, err := w.GetSerializedContent()
	if err != nil {
		return nil, nil, err
	}
	data = bytes.Clone(data) // the writer's buffer is used again
	end := len(data) - 1     // before the closing brace
	body = payload{literal(data[:end])}
	before, room := `,"attachments":[`, maxRequest-int64(len(data))
	for _, a := range l.attachments {
		if a.data == nil {
			rest = append(rest, a)
			continue
		}
		j := a.json()
		if room -= j.size(); room < 0 {
			rest = append(rest, a)
			continue
		}
		body = append(append(body, literal([]byte(before))), j...)
		before = ","
	}
	if before == "," {
		body = append(body, literal([]byte("]")))
	}
	return append(body, literal(data[end:])), rest, nil
}
