package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
	"golang.org/x/sync/errgroup"

	"github.com/mailhaul/mailhaul/migrate"
)

// Update implements [migrate.Target]. A message has one folder here: it goes
// to the new one from wherever a person put it, and Trash goes before that. Its
// ID and its dates stay.
//
// A message is moved first and then patched, once, with its flags and its key.
// So Find, which looks in a folder, never finds it by a new key where it does
// not belong, and what a crash cut short, the same Update completes.
func (t *Target) Update(ctx context.Context, change migrate.Change, ids ...migrate.MessageID) (notes []string, err error) {
	if !change.Trash && (change.AddFolder == "") != (change.RemoveFolder == "") {
		return nil, &migrate.Error{Op: "update", Class: migrate.Permanent, Refused: true, Err: errors.New("a message can be in one folder only")}
	}
	t.paint(ctx, categories(change.AddFlags))
	if len(ids) == 1 {
		return t.update(ctx, change, ids[0])
	}
	var calls errgroup.Group
	calls.SetLimit(t.client.gate.Most())
	var fatal atomic.Bool // then the others would fail too
	allNotes, errs := make([][]string, len(ids)), make([]error, len(ids))
	for i, id := range ids {
		calls.Go(func() error {
			if !fatal.Load() {
				allNotes[i], errs[i] = t.update(ctx, change, id)
			}
			if errs[i] != nil && classOf(errs[i]) == migrate.Fatal {
				fatal.Store(true)
			}
			return nil
		})
	}
	_ = calls.Wait()
	for i := range ids {
		for _, n := range allNotes[i] {
			if !slices.Contains(notes, n) {
				notes = append(notes, n)
			}
		}
		if !errors.Is(errs[i], migrate.ErrNotFound) {
			err = worse(err, errs[i])
		}
	}
	if e, ok := errors.AsType[*migrate.Error](err); ok {
		return nil, begun(e.Op, err)
	}
	return notes, nil
}

// worse returns the one of two errors that the caller must act on: Fatal stops
// everything, and Transient will be tried again.
func worse(a, b error) error {
	rank := func(err error) int {
		if err == nil {
			return -1
		}
		return slices.Index([]migrate.Class{migrate.Permanent, migrate.Transient, migrate.Fatal}, classOf(err))
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// update changes one message. It looks at it first if the change depends on
// what it has, or changes nothing else.
func (t *Target) update(ctx context.Context, change migrate.Change, id migrate.MessageID) (notes []string, err error) {
	add, remove := migrate.Message{Flags: change.AddFlags}, migrate.Message{Flags: change.RemoveFlags}
	patch := newMessage()
	if change.Key != "" {
		patch.SetSingleValueExtendedProperties([]models.SingleValueLegacyExtendedPropertyable{property(propMigrationKey, change.Key)})
	}
	if seen := add.HasFlag(migrate.Seen); seen || remove.HasFlag(migrate.Seen) {
		patch.SetIsRead(&seen)
	}
	switch {
	case add.HasFlag(migrate.Flagged):
		patch.SetFlag(followup(models.FLAGGED_FOLLOWUPFLAGSTATUS))
	case remove.HasFlag(migrate.Flagged):
		patch.SetFlag(followup(models.NOTFLAGGED_FOLLOWUPFLAGSTATUS))
	}
	notes = flagNotes(&add)
	moved := false
	if change.Trash || change.AddFolder != "" || depends(change) || empty(patch) {
		it, err := t.item(ctx, t.messageURL(id))
		if err != nil {
			return nil, sought("look at a message", err)
		}
		if moved, err = t.follow(ctx, change, id, it); err != nil {
			return nil, err
		}
		notes = it.remark(patch, change)
	}
	if empty(patch) {
		return notes, nil
	}
	_, lost, err := t.patch(ctx, id, patch)
	if err != nil {
		err = sought("update", err)
		if moved {
			err = begun("update", err)
		}
		return nil, err
	}
	return append(notes, lost...), nil
}

// depends says whether a change of flags depends on those that a message has.
func depends(change migrate.Change) bool {
	m := migrate.Message{Flags: slices.Concat(change.AddFlags, change.RemoveFlags)}
	return m.HasFlag(migrate.Answered) || m.HasFlag(migrate.Forwarded) || m.HasFlag(migrate.Draft) || len(categories(m.Flags)) > 0
}

func empty(patch models.Messageable) bool {
	return patch.GetIsRead() == nil && patch.GetFlag() == nil && patch.GetCategories() == nil && patch.GetSingleValueExtendedProperties() == nil
}

// remark adds to patch what of a change of flags depends on those that the item
// has, and names what cannot be held.
func (it *item) remark(patch models.Messageable, change migrate.Change) (notes []string) {
	add, remove := migrate.Message{Flags: change.AddFlags}, migrate.Message{Flags: change.RemoveFlags}
	will := migrate.Message{Flags: slices.Clone(change.AddFlags)}
	if had := it.verb(); had != "" && !remove.HasFlag(had) {
		will.Flags = append(will.Flags, had)
	}
	if verb := verbOf(&will); verb != it.verb() {
		properties := lastVerb(&will)
		if verb == "" {
			properties = noVerb()
		}
		patch.SetSingleValueExtendedProperties(append(patch.GetSingleValueExtendedProperties(), properties...))
	}
	// Categories can only be written all together.
	dropped := categories(change.RemoveFlags)
	kept := slices.DeleteFunc(slices.Clone(it.Categories), func(c string) bool { return among(dropped, c) })
	for _, c := range categories(change.AddFlags) {
		if !among(kept, c) {
			kept = append(kept, c)
		}
	}
	if !slices.Equal(kept, it.Categories) {
		patch.SetCategories(kept)
	}
	notes = flagNotes(&will)
	switch {
	case add.HasFlag(migrate.Draft) && !*it.IsDraft:
		notes = append(notes, "draft-as-message")
	case remove.HasFlag(migrate.Draft) && *it.IsDraft:
		notes = append(notes, "draft-flag-kept")
	}
	return notes
}

// among says whether a category is one of a list. Exchange compares without case.
func among(list []string, category string) bool {
	return slices.ContainsFunc(list, func(c string) bool { return strings.EqualFold(c, category) })
}

// patch changes a message. If its flags are refused it goes without: a message
// with its key matters more than its flags.
func (t *Target) patch(ctx context.Context, id migrate.MessageID, patch models.Messageable) (got models.Messageable, notes []string, err error) {
	item := t.user.Messages().ByMessageId(string(id))
	got, err = item.Patch(ctx, patch, nil)
	if r := refused(err); classOf(err) != migrate.Permanent || r.status != http.StatusBadRequest || r.code == "ErrorInvalidIdMalformed" {
		return got, nil, err
	}
	plain := newMessage()
	plain.SetIsRead(patch.GetIsRead())
	for _, p := range patch.GetSingleValueExtendedProperties() {
		if *p.GetId() == propMigrationKey {
			plain.SetSingleValueExtendedProperties([]models.SingleValueLegacyExtendedPropertyable{p})
		}
	}
	if notes = []string{"flags-refused"}; empty(plain) {
		return nil, notes, nil
	}
	got, err = item.Patch(ctx, plain, nil)
	return got, notes, err
}

// follow moves a message to where the change wants it, if it is not there: what
// a second move into a folder does is not documented. It says whether it did.
func (t *Target) follow(ctx context.Context, change migrate.Change, id migrate.MessageID, it item) (moved bool, err error) {
	at, to := migrate.FolderID(it.ParentFolderID), change.AddFolder
	if change.Trash {
		deleted, err := t.deleted(ctx, at)
		if err != nil {
			return false, named("find the trash", err)
		}
		if to = "deleteditems"; deleted {
			to = ""
		}
	}
	if to == "" || to == at {
		return false, nil
	}
	body := users.NewItemMessagesItemMovePostRequestBody()
	body.SetDestinationId(new(string(to)))
	got, err := t.user.Messages().ByMessageId(string(id)).Move().Post(ctx, body, nil)
	if err != nil {
		if errors.Is(sought("move", err), migrate.ErrNotFound) {
			err = t.missing(ctx, id, err)
		}
		return false, named("move", err)
	}
	if got != nil && got.GetId() != nil && *got.GetId() != string(id) {
		return true, &migrate.Error{Op: "move", Class: migrate.Fatal, Err: errors.New("the message got another id when it was moved"),
			Hint: "Something between this computer and Microsoft Graph takes away the header Prefer: IdType=\"ImmutableId\". Without it mailhaul would lose sight of the messages that it moves."}
	}
	return true, nil
}

// missing returns the error of a move that did not find the message or the
// folder: the answer need not say which.
func (t *Target) missing(ctx context.Context, id migrate.MessageID, err error) error {
	if _, look := t.item(ctx, t.messageURL(id)); look != nil {
		return sought("look at a message", look)
	}
	e, _ := errors.AsType[*migrate.Error](named("move", err))
	e.Err = fmt.Errorf("the folder is not there: %w", err)
	e.Hint = "Somebody removed the folder at the target. It is made again when mailhaul runs again."
	return e
}
