package targettest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

func mustUpdate(t *testing.T, target migrate.Target, change migrate.Change, ids ...migrate.MessageID) (notes []string) {
	t.Helper()
	notes, err := target.Update(t.Context(), change, ids...)
	if err != nil {
		t.Fatalf("update with %+v: %v", change, err)
	}
	return notes
}

// shows checks the flags that every target holds.
func shows(t *testing.T, h migrate.Held, flags ...migrate.Flag) {
	t.Helper()
	for _, f := range []migrate.Flag{migrate.Seen, migrate.Flagged} {
		if want := slices.Contains(flags, f); slices.Contains(h.Flags, f) != want {
			t.Errorf("%s is shown with %q, want that %s is set to be %v", h.ID, h.Flags, f, want)
		}
	}
}

// unchanged checks that nothing happened to a message but what may happen to
// its flags and places.
func unchanged(t *testing.T, m ReadableMailbox, target Readable, before migrate.Held, message *migrate.Message) migrate.Held {
	t.Helper()
	after := look(t, target, before.ID)
	if !after.Date.Equal(before.Date) || after.MessageID != before.MessageID {
		t.Errorf("%s was dated %v, %s and is dated %v, %s", before.ID, before.Date, before.MessageID, after.Date, after.MessageID)
	}
	if _, octets := read(t, target, before.ID); m.Same(message.Body.(Octets), octets) != nil {
		t.Errorf("%s: %v", before.ID, m.Same(message.Body.(Octets), octets))
	}
	return after
}

func setsAndClearsFlags(t *testing.T, m ReadableMailbox) {
	target := m.Open(t)
	folder := one(t, target, "Clients")
	message := Letter("changed", migrate.Seen)
	id, other := mustAppend(t, target, folder.ID, message), mustAppend(t, target, folder.ID, Letter("other", migrate.Seen))
	before := look(t, target, id)
	for _, step := range []struct{ add, remove, want []migrate.Flag }{
		{nil, nil, []migrate.Flag{migrate.Seen}},
		{[]migrate.Flag{migrate.Flagged}, nil, []migrate.Flag{migrate.Seen, migrate.Flagged}},
		{nil, []migrate.Flag{migrate.Seen}, []migrate.Flag{migrate.Flagged}},
		{[]migrate.Flag{`\seen`}, []migrate.Flag{`\FLAGGED`}, []migrate.Flag{migrate.Seen}},
		{[]migrate.Flag{migrate.Answered, "work"}, []migrate.Flag{migrate.Flagged, migrate.Seen}, nil},
		{nil, []migrate.Flag{migrate.Answered, "work", "never set"}, nil},
		{[]migrate.Flag{migrate.Seen, migrate.Flagged}, nil, []migrate.Flag{migrate.Seen, migrate.Flagged}},
	} {
		for range 2 {
			mustUpdate(t, target, migrate.Change{AddFlags: step.add, RemoveFlags: step.remove}, id)
			h := unchanged(t, m, target, before, message)
			if shows(t, h, step.want...); !slices.Equal(h.Folders, before.Folders) {
				t.Errorf("it was in %q and is in %q", before.Folders, h.Folders)
			}
		}
	}
	shows(t, look(t, target, other), migrate.Seen)
}

// changesSeveral names few and many messages, since a target may send many
// otherwise than few.
func changesSeveral(t *testing.T, m ReadableMailbox) {
	for _, n := range []int{2, 25} {
		target := m.Open(t)
		folder := one(t, target, fmt.Sprint("Several ", n))
		var ids []migrate.MessageID
		for i := range n + 2 {
			ids = append(ids, mustAppend(t, target, folder.ID, Letter(fmt.Sprintf("several-%d-%d", n, i), migrate.Seen)))
		}
		gone, other := ids[n/2], ids[n+1]
		m.Remove(t, gone)
		for range 2 {
			mustUpdate(t, target, migrate.Change{AddFlags: []migrate.Flag{migrate.Flagged}, RemoveFlags: []migrate.Flag{migrate.Seen}}, ids[:n+1]...)
		}
		for _, id := range ids[:n+1] {
			if id != gone {
				shows(t, look(t, target, id), migrate.Flagged)
			}
		}
		shows(t, look(t, target, other), migrate.Seen)
		mustUpdate(t, target, migrate.Change{AddFlags: []migrate.Flag{migrate.Seen}}, gone, gone)
		for _, change := range []migrate.Change{
			{AddFlags: []migrate.Flag{migrate.Seen}}, {Trash: true}, {AddFolder: one(t, target, "Others").ID, RemoveFolder: folder.ID},
		} {
			_, err := target.Update(t.Context(), change, gone)
			wantNotFound(t, fmt.Sprintf("%+v", change), err)
		}
	}
}

// received returns a letter that nobody takes for one's own.
func received(subject string, flags ...migrate.Flag) *migrate.Message {
	m := Letter(subject, flags...)
	return Message(bytes.Replace(m.Body.(Octets), []byte("ann@example.org"), []byte("carl@example.net"), 1), m.MessageID, flags...)
}

// moves tries every way between places that a target may have rules on.
func moves(t *testing.T, m ReadableMailbox) {
	fs := []migrate.Folder{
		{Path: []string{"INBOX"}, Role: migrate.RoleInbox},
		{Path: []string{"Sent"}, Role: migrate.RoleSent},
		{Path: []string{"Junk"}, Role: migrate.RoleJunk},
		{Path: []string{"Trash"}, Role: migrate.RoleTrash},
		{Path: []string{"Archive"}, Role: migrate.RoleArchive},
		{Path: []string{"Clients", "2019"}},
		{Path: []string{"Others"}},
	}
	target := m.Open(t)
	places := place(t, target, fs)
	for i, from := range places {
		for j, to := range places {
			if i == j {
				continue
			}
			message := received(fmt.Sprintf("moved-%d-%d", i, j), migrate.Seen)
			id := mustAppend(t, target, from.ID, message)
			before := look(t, target, id)
			change := migrate.Change{
				AddFolder: to.ID, RemoveFolder: from.ID, Key: message.Key,
				AddFlags: []migrate.Flag{migrate.Flagged}, RemoveFlags: []migrate.Flag{migrate.Seen},
			}
			notes := mustUpdate(t, target, change, id)
			if again := mustUpdate(t, m.Open(t), change, id); !slices.Equal(again, notes) {
				t.Errorf("%s to %s: the notes are %q at first and %q again", from.Name, to.Name, notes, again)
			}
			h := unchanged(t, m, target, before, message)
			shows(t, h, migrate.Flagged)
			if !slices.Contains(h.Folders, to.ID) && !explains(target, notes, verify.Folder) {
				t.Errorf("%s to %s: it is in %q, notes %q", from.Name, to.Name, h.Folders, notes)
			}
			// With labels all mail may count as archived.
			all := target.Capabilities().Labels && fs[i].Role == migrate.RoleArchive
			if slices.Contains(h.Folders, from.ID) && !all && len(notes) == 0 {
				t.Errorf("%s to %s: it is in %q still, and no note says why", from.Name, to.Name, h.Folders)
			}
			if want := fs[j].Role == migrate.RoleTrash; h.Deleted != want {
				t.Errorf("%s to %s: that it is deleted is %v", from.Name, to.Name, h.Deleted)
			}
			for _, at := range []migrate.Placement{from, to} {
				if _, there := listed(t, target, at.ID)[id]; there != slices.Contains(h.Folders, at.ID) {
					t.Errorf("%s to %s: it is shown in %q, and that %s lists it is %v", from.Name, to.Name, h.Folders, at.Name, there)
				}
			}
		}
	}
}

// A target may refuse to make a draft of a message, or a message of a draft.
func movesDraftsOrLeavesThem(t *testing.T, m ReadableMailbox) {
	target := m.Open(t)
	places := place(t, target, []migrate.Folder{{Path: []string{"Drafts"}, Role: migrate.RoleDrafts}, {Path: []string{"Clients"}}})
	for i := range places {
		from, to := places[i], places[1-i]
		message := Letter(fmt.Sprint("draft-", i), migrate.Seen)
		id := mustAppend(t, target, from.ID, message)
		before := look(t, target, id)
		for range 2 {
			_, err := target.Update(t.Context(), migrate.Change{AddFolder: to.ID, RemoveFolder: from.ID, AddFlags: []migrate.Flag{migrate.Flagged}}, id)
			h, there := unchanged(t, m, target, before, message), to
			switch e, ok := errors.AsType[*migrate.Error](err); {
			case errors.Is(err, migrate.ErrUnmovable):
				if sameHeld(t, "though "+err.Error()+",", h, before); !ok || e.Class != migrate.Permanent || !e.Refused {
					t.Errorf("%s to %s: the error is %#v, want one that is Permanent and Refused", from.Name, to.Name, err)
				}
				there = from
			case err != nil:
				t.Fatal("update:", err)
			}
			if !slices.Contains(h.Folders, there.ID) || h.Deleted {
				t.Errorf("%s to %s: it is in %q, error %v", from.Name, to.Name, h.Folders, err)
			}
		}
	}
}

// A copy that has become that of another message is known by that one's key.
func becomesAnothersCopy(t *testing.T, m ReadableMailbox) {
	target := m.Open(t)
	if !target.Capabilities().Keyed {
		t.Skip("the target keeps no keys")
	}
	places := place(t, target, []migrate.Folder{{Path: []string{"From"}}, {Path: []string{"To"}}})
	since := position(t, target)
	before := Letter("rekeyed")
	after := *before
	after.Key = Letter("another").Key
	id := mustAppend(t, target, places[0].ID, before)
	change := migrate.Change{AddFolder: places[1].ID, RemoveFolder: places[0].ID, Key: after.Key}
	for range 2 {
		mustUpdate(t, target, change, id)
		if h := look(t, m.Open(t), id); h.Key != "" && h.Key != after.Key {
			t.Errorf("it has the key %q, want %q", h.Key, after.Key)
		}
		looked(t, m.Open(t), places[1].ID, &after, since, func(found migrate.MessageID, err error) {
			if err != nil || found != id {
				t.Errorf("found %q, error %v, want %q", found, err, id)
			}
		})
		for _, at := range places {
			looked(t, m.Open(t), at.ID, before, since, func(found migrate.MessageID, err error) {
				if !errors.Is(err, migrate.ErrNotFound) {
					t.Errorf("in %s found %q by its old key, error %v", at.Name, found, err)
				}
			})
		}
	}
}

func removesFolder(t *testing.T, m ReadableMailbox) {
	target := m.Open(t)
	if !target.Capabilities().Labels {
		t.Skip("the target has no labels")
	}
	places := place(t, target, []migrate.Folder{{Path: []string{"One"}}, {Path: []string{"Two"}}, {Path: []string{"Trash"}, Role: migrate.RoleTrash}})
	first, second, bin := places[0].ID, places[1].ID, places[2].ID
	id := mustAppend(t, target, first, received("labels"))
	in := func(want ...migrate.FolderID) {
		t.Helper()
		h := look(t, target, id)
		for _, at := range places {
			_, there := listed(t, target, at.ID)[id]
			if should := slices.Contains(want, at.ID); there != should || slices.Contains(h.Folders, at.ID) != should {
				t.Errorf("it is in %q, and that %s lists it is %v, want %v", h.Folders, at.Name, there, should)
			}
		}
		if h.Deleted != slices.Contains(want, bin) {
			t.Errorf("that it is deleted is %v", h.Deleted)
		}
	}
	change := func(change migrate.Change) (notes []string) {
		t.Helper()
		mustUpdate(t, target, change, id)
		return mustUpdate(t, m.Open(t), change, id)
	}
	change(migrate.Change{AddFolder: second})
	in(first, second)
	change(migrate.Change{RemoveFolder: first})
	in(second)
	change(migrate.Change{RemoveFolder: second})
	in()
	change(migrate.Change{AddFolder: first})
	change(migrate.Change{AddFolder: second})
	// It is thrown away in one of its folders, and then in the last one.
	if notes := change(migrate.Change{AddFolder: bin, RemoveFolder: first}); !explains(target, notes, verify.Folder) {
		t.Errorf("it is not in the trash, and the notes %q do not say so", notes)
	}
	in(second)
	if notes := change(migrate.Change{AddFolder: bin, RemoveFolder: second}); len(notes) > 0 {
		t.Errorf("it is in the trash, notes %q", notes)
	}
	in(bin)
	change(migrate.Change{AddFolder: first, RemoveFolder: bin})
	in(first)
}

func putsIntoTrash(t *testing.T, m ReadableMailbox) {
	target := m.Open(t)
	fs := []migrate.Folder{
		{Path: []string{"INBOX"}, Role: migrate.RoleInbox}, {Path: []string{"Sent"}, Role: migrate.RoleSent},
		{Path: []string{"Drafts"}, Role: migrate.RoleDrafts}, {Path: []string{"Junk"}, Role: migrate.RoleJunk},
		{Path: []string{"Archive"}, Role: migrate.RoleArchive}, {Path: []string{"Clients"}},
	}
	places := place(t, target, fs)
	messages, all := map[migrate.MessageID]*migrate.Message{}, map[migrate.MessageID]migrate.Held{}
	var ids []migrate.MessageID
	for i, at := range places {
		for j := range 3 {
			message := Letter(fmt.Sprintf("trashed-%d-%d", i, j), migrate.Seen)
			id := mustAppend(t, target, at.ID, message)
			messages[id], all[id], ids = message, look(t, target, id), append(ids, id)
		}
	}
	kept := mustAppend(t, target, places[0].ID, Letter("kept"))
	for range 2 {
		mustUpdate(t, target, migrate.Change{Trash: true}, ids[0])
		mustUpdate(t, target, migrate.Change{Trash: true}, ids...)
	}
	for id, before := range all {
		h := unchanged(t, m, target, before, messages[id])
		if !h.Deleted || slices.ContainsFunc(h.Folders, func(f migrate.FolderID) bool { return slices.Contains(before.Folders, f) }) {
			t.Errorf("it was in %q and is in %q, and that it is deleted is %v", before.Folders, h.Folders, h.Deleted)
		}
	}
	for _, at := range places {
		for id := range listed(t, target, at.ID) {
			if id != kept {
				t.Errorf("%s lists %s still", at.Name, id)
			}
		}
	}
	if look(t, target, kept).Deleted {
		t.Error("another message was deleted")
	}
}

// renamed returns a folder that was placed before, under another path.
func renamed(before migrate.Placement, path ...string) migrate.Folder {
	return migrate.Folder{Path: path, Placed: before.ID, Renamed: true}
}

func renames(t *testing.T, m ReadableMailbox) {
	target := m.Open(t)
	before := place(t, target, []migrate.Folder{
		{Path: []string{"Clients"}}, {Path: []string{"Clients", "2019"}}, {Path: []string{"Clients", "2019", "May"}},
		{Path: []string{"case"}}, {Path: []string{"Deep"}}, {Path: []string{"Up", "There"}}, {Path: []string{"Same"}},
		{Path: []string{"Junk"}, Role: migrate.RoleJunk},
	})
	var ids []migrate.MessageID
	for i, at := range before {
		ids = append(ids, mustAppend(t, target, at.ID, Letter(fmt.Sprint("kept-", i))))
	}
	fs := []migrate.Folder{
		renamed(before[0], "Kunden"), renamed(before[1], "Kunden", "2019"), renamed(before[2], "Kunden", "2019", "Mai"),
		renamed(before[3], "CASE"), renamed(before[4], "Not", "yet", "deep"), renamed(before[5], "There"), renamed(before[6], "Same"),
		renamed(before[7], "Werbung"),
	}
	fs[7].Role = migrate.RoleJunk
	same := func(what string, places []migrate.Placement) {
		t.Helper()
		for i, p := range places[:len(before)] {
			if p.ID != before[i].ID {
				t.Errorf("%s: %s was %q and is %q", what, fs[i], before[i].ID, p.ID)
			}
			if name := strings.Join(fs[i].Path, "/"); i < 7 && (p.Name != name || p.Note != "") {
				t.Errorf("%s: %s is called %q, note %q", what, fs[i], p.Name, p.Note)
			}
			if all := listed(t, target, p.ID); len(all) != 1 || all[ids[i]].ID != ids[i] {
				t.Errorf("%s: %s holds %v, want %s", what, fs[i], all, ids[i])
			}
		}
	}
	same("at once", place(t, target, fs))
	same("by a run that does not know of it", place(t, m.Open(t), fs))
	// What is at the old path now is another folder.
	anew := place(t, m.Open(t), append(slices.Clone(fs), migrate.Folder{Path: []string{"Clients"}}, migrate.Folder{Path: []string{"Kunden", "2020"}}))
	same("with new folders", anew)
	if p := anew[8]; p.Err != nil || p.ID == before[0].ID || p.Name != "Clients" {
		t.Errorf("the new folder Clients is %+v", p)
	}
	if p := anew[9]; p.Name != "Kunden/2020" {
		t.Errorf("a new folder below a renamed one is %+v", p)
	}
	for i := range fs {
		fs[i].Renamed = false
	}
	same("later", place(t, m.Open(t), fs))
}

func renamesInAnyOrder(t *testing.T, m ReadableMailbox) {
	before := place(t, m.Open(t), []migrate.Folder{{Path: []string{"A"}}, {Path: []string{"A", "B"}}, {Path: []string{"A", "B", "C"}}})
	fs := []migrate.Folder{renamed(before[2], "X", "Y", "Z"), renamed(before[1], "X", "Y"), renamed(before[0], "X")}
	for range 2 {
		for i, p := range place(t, m.Open(t), fs) {
			if p.ID != before[2-i].ID || p.Name != strings.Join(fs[i].Path, "/") || p.Note != "" {
				t.Errorf("%s was %+v and is %+v", fs[i], before[2-i], p)
			}
		}
	}
}

// renamesHideNothing gives folders names that are taken, at least for now.
func renamesHideNothing(t *testing.T, m ReadableMailbox) {
	target := m.Open(t)
	before := place(t, target, []migrate.Folder{
		{Path: []string{"Wants"}}, {Path: []string{"Taken"}}, {Path: []string{"Wants case"}}, {Path: []string{"Case"}},
		{Path: []string{"Left"}}, {Path: []string{"Right"}}, {Path: []string{"Left", "Below"}}, {Path: []string{"Right", "Below"}},
		{Path: []string{"1"}}, {Path: []string{"2"}}, {Path: []string{"3"}},
		{Path: []string{"Up"}}, {Path: []string{"Up", "Down"}},
	})
	var ids []migrate.MessageID
	for i, at := range before {
		ids = append(ids, mustAppend(t, target, at.ID, Letter(fmt.Sprint("hidden-", i))))
	}
	fs := []migrate.Folder{
		renamed(before[0], "Taken"), {Path: []string{"Elsewhere"}, Placed: before[1].ID}, // as a person renamed it
		renamed(before[2], "CASE"), {Path: []string{"Case"}, Placed: before[3].ID},
		renamed(before[4], "Right"), renamed(before[5], "Left"), renamed(before[6], "Right", "Below"), renamed(before[7], "Left", "Below"),
		renamed(before[8], "2"), renamed(before[9], "3"), renamed(before[10], "1"),
		renamed(before[11], "Down", "Up"), renamed(before[12], "Down"),
	}
	for range 3 {
		names := map[string]bool{}
		for i, p := range place(t, m.Open(t), fs) {
			if p.Err != nil || p.ID != before[i].ID {
				t.Errorf("%s was %+v and is %+v", fs[i], before[i], p)
			}
			if names[p.Name] {
				t.Errorf("two folders are called %q", p.Name)
			}
			names[p.Name] = true
			if p.Name != strings.Join(fs[i].Path, "/") && p.Note == "" {
				t.Errorf("%s is called %q, and no note says why", fs[i], p.Name)
			}
			if all := listed(t, target, p.ID); len(all) != 1 || all[ids[i]].ID != ids[i] {
				t.Errorf("%s holds %v, want %s", fs[i], all, ids[i])
			}
		}
	}
}
