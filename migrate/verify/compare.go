package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/canon"
	"github.com/mailhaul/mailhaul/migrate/transform"
)

// A date at the target is that of the source if it is this close. Where the
// header of a message is not read it may be an hour off: a target takes the
// date from the header, and mail is stored a little after it was sent.
const (
	exact = 2 * time.Second
	loose = time.Hour
)

func near(a, b time.Time, within time.Duration) bool { return a.Sub(b).Abs() <= within }

func (t *task) find(k migrate.Kind, detail string) {
	t.findings = append(t.findings, migrate.Finding{Kind: k, Detail: detail})
}

func (t *task) date() time.Time {
	if t.msg == nil {
		return time.Time{}
	}
	return t.msg.InternalDate
}

// hidden says that the target has t and does not show it.
func (t *task) hidden(err error) {
	t.present = true
	t.find(migrate.KindContent, "the target does not give it back: "+err.Error())
}

// compare compares what the target has of t with its record and its message.
func (c *check) compare(ctx context.Context, t *task) error {
	k := c.index.folders[t.entry.folder]
	explained := map[canon.Aspect]bool{}
	for _, note := range t.rec.Notes {
		for _, a := range c.target.Explains(note) {
			explained[a] = true
		}
	}
	var held migrate.Held
	if t.present = t.entry.state != unseen; !t.present {
		var err error
		held, err = c.look(ctx, t.rec.Target)
		switch {
		case errors.Is(err, migrate.ErrNotFound):
			t.find(migrate.KindMissing, "")
			return nil
		case passable(err):
			t.hidden(err)
			return nil
		case err != nil:
			return err
		}
		switch t.present = slices.Contains(held.Folders, k.Target) || explained[Folder] && !held.Deleted || c.rescued(t); {
		case t.present:
		case held.Deleted:
			t.find(migrate.KindDeleted, "")
		default:
			t.find(migrate.KindMisplaced, "is in "+c.names(held.Folders))
		}
		if !t.present {
			return nil
		}
	}
	if !c.reached(Metadata) {
		t.compared = true
		return nil
	}
	if t.entry.merged {
		return nil // it is compared where it was written
	}
	if t.unread = t.msg == nil || t.picked && !t.read; t.unread {
		return nil
	}
	if t.picked {
		h, replica, err := c.form(ctx, t.rec.Target)
		switch {
		case errors.Is(err, migrate.ErrNotFound):
			t.present = false
			t.find(migrate.KindMissing, "")
			return nil
		case passable(err):
			t.compared = true
			t.hidden(err)
			return nil
		case err != nil:
			return err
		default:
			t.replica = &migrate.Replica{UID: t.rec.UID, Content: replica.Content()}
			t.content(replica, explained)
		}
		if !held.Complete {
			held = h
		}
	}
	t.compared = c.Depth == Metadata || t.picked
	switch {
	case held.Complete:
		t.metadata(c, held.Date.Unix(), spell(held.Flags), explained)
	case t.entry.state == listed:
		t.metadata(c, t.entry.date, c.index.flags[t.entry.flags], explained)
	default:
		h, err := c.look(ctx, t.rec.Target)
		if errors.Is(err, migrate.ErrNotFound) {
			t.present, t.compared = false, false
			t.find(migrate.KindMissing, "")
			return nil
		}
		if passable(err) {
			t.hidden(err)
			return nil
		}
		if err != nil {
			return err
		}
		t.metadata(c, h.Date.Unix(), spell(h.Flags), explained)
	}
	return nil
}

// rescued says that t was copied to Trash or Junk and is not there any more
// because the same message was merged into another folder: at a target that
// labels it cannot be in both.
func (c *check) rescued(t *task) bool {
	hidden := func(e *entry) bool {
		role := c.index.folders[e.folder].Folder.Role
		return role == migrate.RoleTrash || role == migrate.RoleJunk
	}
	return hidden(t.entry) && slices.ContainsFunc(c.index.with(t.entry.id), func(i uint32) bool { return !hidden(&c.index.entries[i]) })
}

// metadata compares flags and date. A finding on the date has the date of the
// copy until dates looks for it among the message's own.
func (t *task) metadata(c *check, date int64, flags string, explained map[canon.Aspect]bool) {
	t.shown = date
	want := c.target.Shown(c.index.folders[t.entry.folder].Target, t.msg.Flags)
	if all, merged := c.unions[t.entry.id]; merged {
		want = all
	}
	if due := spell(want); due != flags && !explained[Flags] {
		t.find(migrate.KindFlags, "has "+named(flags)+" instead of "+named(due))
	}
	within := loose
	if t.picked {
		within = exact
	}
	at := time.Unix(date, 0)
	if explained[Received] || near(at, t.msg.InternalDate, within) {
		return
	}
	t.findings = append(t.findings, migrate.Finding{Kind: migrate.KindDate, Date: at,
		Detail: fmt.Sprintf("is dated %s instead of %s", at.UTC().Format(time.DateTime), t.msg.InternalDate.UTC().Format(time.DateTime))})
}

func named(flags string) string {
	if flags == "" {
		return "no flags"
	}
	return flags
}

// content compares what was to be written with what was read back.
func (t *task) content(replica *canon.Form, explained map[canon.Aspect]bool) {
	if t.digest != t.rec.Digest {
		t.find(migrate.KindContent, "the source has other octets than were copied")
		return
	}
	all := canon.Compare(t.form, replica)
	if len(all) == 0 {
		t.explained = len(transform.Applied(t.rec.Notes)) > 0
		return
	}
	if explained[Original] && replica.Holds(t.meant) {
		t.explained = true
		return
	}
	var details []string
	for _, d := range all {
		if !explained[d.Aspect] {
			details = append(details, d.Detail)
		}
	}
	if t.explained = len(details) == 0; t.explained {
		return
	}
	const most = 5
	if n := len(details); n > most {
		details = append(details[:most], fmt.Sprintf("and %d more", n-most))
	}
	t.find(migrate.KindContent, strings.Join(details, "; "))
}

// names returns the names of folders at the target, as far as they are known.
func (c *check) names(ids []migrate.FolderID) string {
	var names []string
	for _, id := range ids {
		for _, f := range c.index.folders {
			if f.Target == id && !slices.Contains(names, f.Name) {
				names = append(names, f.Name)
			}
		}
	}
	if len(names) == 0 {
		return "none of the folders that were copied"
	}
	return strings.Join(names, ", ")
}
