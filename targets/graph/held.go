package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// An item is a message as Graph shows it. What must be there has a pointer.
type item struct {
	ID                string
	ParentFolderID    string
	InternetMessageID string
	ReceivedDateTime  *time.Time
	IsRead, IsDraft   *bool
	Categories        []string
	Flag              struct{ FlagStatus string }
	Properties        []struct{ ID, Value string } `json:"singleValueExtendedProperties"`
}

// showing is the query for items.
//
// QUIRK: users report that $select together with $expand drops members. Then
// whole leaves $select out, which is right but slow.
func showing(whole bool) string {
	q := "$expand=" + url.PathEscape("singleValueExtendedProperties($filter=id eq '"+propMigrationKey+"' or id eq '"+propLastVerb+"' or id eq '"+propSize+"')")
	if whole {
		return q
	}
	return q + "&$select=id,parentFolderId,internetMessageId,receivedDateTime,isRead,isDraft,flag,categories"
}

var errIncomplete = errors.New("the answer lacks members that were asked for")

// complete says whether nothing was dropped. Each message has a size, so it
// tells of the properties too. What is missing from a whole item it does not
// have, but for what none can be without.
func (it *item) complete(whole bool) bool {
	if it.ID == "" || it.ParentFolderID == "" || it.IsRead == nil || it.IsDraft == nil {
		return false
	}
	return whole || it.ReceivedDateTime != nil && it.property(propSize) != ""
}

func (it *item) property(id string) string {
	for _, p := range it.Properties {
		if sameProperty(p.ID, id) {
			return p.Value
		}
	}
	return ""
}

// sameProperty compares ids of properties, which Graph may spell anew:
// "Integer 0xe08" for "Integer 0x0E08".
func sameProperty(a, b string) bool {
	spell := func(id string) string {
		typ, tag, ok := strings.Cut(strings.ToLower(id), " 0x")
		if !ok {
			return typ
		}
		return typ + " 0x" + strings.TrimLeft(tag, "0")
	}
	return spell(a) == spell(b)
}

// held returns what an item says. An incomplete copy is one of its message too.
func (t *Target) held(ctx context.Context, it item) (migrate.Held, error) {
	folder := migrate.FolderID(it.ParentFolderID)
	deleted, err := t.deleted(ctx, folder)
	if err != nil {
		return migrate.Held{}, err
	}
	h := migrate.Held{
		ID: migrate.MessageID(it.ID), Complete: true, Folders: []migrate.FolderID{folder}, Flags: it.flags(),
		MessageID: it.InternetMessageID, Key: strings.TrimSuffix(it.property(propMigrationKey), partial), Deleted: deleted,
	}
	if it.ReceivedDateTime != nil {
		h.Date = *it.ReceivedDateTime
	}
	h.Size, _ = strconv.ParseInt(it.property(propSize), 10, 64)
	return h, nil
}

// Look implements [verify.Target].
func (t *Target) Look(ctx context.Context, id migrate.MessageID) (migrate.Held, error) {
	it, err := t.item(ctx, t.messageURL(id))
	if err != nil {
		return migrate.Held{}, sought("look at a message", err)
	}
	h, err := t.held(ctx, it)
	if err != nil {
		return migrate.Held{}, named("look at a message", err)
	}
	return h, nil
}

// item reads the message at a URL.
func (t *Target) item(ctx context.Context, url string) (it item, err error) {
	for _, whole := range []bool{false, true} {
		it = item{}
		if err := t.client.read(ctx, url+"?"+showing(whole), &it); err != nil || it.complete(whole) {
			return it, err
		}
	}
	return it, errIncomplete
}

func (t *Target) messageURL(id migrate.MessageID) string {
	return "/v1.0" + t.root + "/messages/" + url.PathEscape(string(id))
}

// sought is named, and ErrNotFound where Graph knows no such folder or message.
// An id that was good can become malformed.
func sought(op string, err error) error {
	e, _ := errors.AsType[*migrate.Error](named(op, err))
	// That there is no such mailbox has another class.
	if r := refused(err); e.Class == migrate.Permanent && (r.status == http.StatusNotFound || r.code == "ErrorInvalidIdMalformed") {
		e.Err = fmt.Errorf("%w: %w", migrate.ErrNotFound, err)
	}
	if errors.Is(err, errIncomplete) {
		e.Class = migrate.Permanent
	}
	return e
}
