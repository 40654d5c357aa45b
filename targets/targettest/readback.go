package targettest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/canon"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

// A Readable is a target that shows what it wrote.
type Readable interface {
	migrate.Target
	verify.Target
}

// A ReadableMailbox is one mailbox at a vendor, empty at first, that is read
// back. What its functions do happens at the vendor, as if a person did it.
type ReadableMailbox struct {
	// Open opens the mailbox, with what it holds by now, as a new run would.
	Open func(t *testing.T) Readable

	// Many is a number of messages that the target lists in several batches.
	Many int

	// Same says whether content that was read is that of a message that was
	// appended, but for what the target may change of it.
	Same func(appended, read []byte) error

	Trash        func(t *testing.T, id migrate.MessageID)    // puts it into the trash
	Remove       func(t *testing.T, id migrate.MessageID)    // deletes it for good
	RemoveFolder func(t *testing.T, folder migrate.FolderID) // likewise
	Cut          func(t *testing.T)                          // lets every request fail from now on
}

// RunReadable checks how the target reads back what it wrote. It asks for a
// new mailbox for each of its tests.
func RunReadable(t *testing.T, fresh func(t *testing.T) ReadableMailbox) {
	tests := []struct {
		name string
		test func(*testing.T, ReadableMailbox)
	}{
		{"a list yields each message of its folder once", listsEachOnce},
		{"an empty folder has an empty list", listsNothing},
		{"flags, dates and places are shown as they were written", showsWhatWasWritten},
		{"odd messages are read back whole", readsOddMessages},
		{"a large message is read back whole", readsLargeMessage},
		{"what is not there is not found", readsNothing},
		{"what was put into the trash is deleted", showsTheTrash},
		{"reading at once shows the same", readsAtOnce},
		{"a failure in the middle of a list ends it", listFails},
		{"lists and contents may be left early", leavesEarly},
		{"reading that is cancelled asks nothing", readingCancelled},
		{"an update sets and clears flags", setsAndClearsFlags},
		{"an update changes several messages and passes over those that are gone", changesSeveral},
		{"a message is moved with all that it is", moves},
		{"a draft is moved or left as it is", movesDraftsOrLeavesThem},
		{"a copy that became another message's is found as that one", becomesAnothersCopy},
		{"with labels, an update takes a folder away", removesFolder},
		{"an update puts messages into the trash", putsIntoTrash},
		{"a renamed folder keeps its place and messages", renames},
		{"folders are renamed in any order", renamesInAnyOrder},
		{"a rename hides no other folder", renamesHideNothing},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.test(t, fresh(t)) })
	}
}

// listed returns what a folder holds, by ID.
func listed(t *testing.T, target Readable, folder migrate.FolderID) map[migrate.MessageID]migrate.Held {
	t.Helper()
	all := map[migrate.MessageID]migrate.Held{}
	for batch, err := range target.List(t.Context(), folder) {
		if err != nil {
			t.Fatalf("list of %s: %v", folder, err)
		}
		for _, h := range batch {
			if _, twice := all[h.ID]; twice {
				t.Errorf("the list of %s has %s twice", folder, h.ID)
			}
			all[h.ID] = h
		}
	}
	return all
}

func look(t *testing.T, target Readable, id migrate.MessageID) migrate.Held {
	t.Helper()
	h, err := target.Look(t.Context(), id)
	if err != nil {
		t.Fatalf("look at %s: %v", id, err)
	}
	if h.ID != id || !h.Complete || h.Date.IsZero() {
		t.Errorf("a look at %s shows %+v, want it complete", id, h)
	}
	return h
}

func read(t *testing.T, target Readable, id migrate.MessageID) (migrate.Held, []byte) {
	t.Helper()
	h, content, err := target.Open(t.Context(), id)
	if err != nil {
		t.Fatalf("open %s: %v", id, err)
	}
	octets, err := io.ReadAll(content)
	if err != nil {
		t.Errorf("read %s: %v", id, err)
	}
	if err := content.Close(); err != nil {
		t.Errorf("close %s: %v", id, err)
	}
	if h.ID != id {
		t.Errorf("opening %s shows %s", id, h.ID)
	}
	return h, octets
}

// appendMany appends n letters to folder, several at once.
func appendMany(t *testing.T, target Readable, folder migrate.FolderID, n int) []migrate.MessageID {
	t.Helper()
	ids := make([]migrate.MessageID, n)
	var group sync.WaitGroup
	for w := range 4 {
		group.Go(func() {
			for i := w; i < n; i += 4 {
				stored, err := target.Append(t.Context(), folder, Letter(fmt.Sprintf("letter-%d", i)))
				if err != nil {
					t.Error("append:", err)
				}
				ids[i] = stored.ID
			}
		})
	}
	group.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return ids
}

func listsEachOnce(t *testing.T, m ReadableMailbox) {
	target := m.Open(t)
	places := place(t, target, []migrate.Folder{{Path: []string{"Many"}}, {Path: []string{"Others"}}})
	want := appendMany(t, target, places[0].ID, m.Many)
	mustAppend(t, target, places[1].ID, Letter("another"))
	var got []migrate.MessageID
	for batch, err := range m.Open(t).List(t.Context(), places[0].ID) {
		if err != nil {
			t.Fatal("list:", err)
		}
		if len(batch) >= m.Many {
			t.Errorf("a batch has %d messages, want several batches for %d", len(batch), m.Many)
		}
		for _, h := range batch {
			got = append(got, h.ID)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the list has %d messages, want the %d that were appended", len(got), len(want))
	}
}

func listsNothing(t *testing.T, m ReadableMailbox) {
	target := m.Open(t)
	if got := listed(t, target, one(t, target, "Empty").ID); len(got) > 0 {
		t.Errorf("the list has %v", got)
	}
}

// explains says whether one of notes explains aspect.
func explains(target Readable, notes []string, aspect canon.Aspect) bool {
	return slices.ContainsFunc(notes, func(note string) bool {
		return slices.Contains(target.Explains(note), aspect)
	})
}

// flagSets returns every set of the flags that matter to some target.
func flagSets() (sets [][]migrate.Flag) {
	flags := []migrate.Flag{migrate.Seen, migrate.Flagged, migrate.Answered, migrate.Draft}
	for bits := range 1 << len(flags) {
		var set []migrate.Flag
		for i, f := range flags {
			if bits>>i&1 == 1 {
				set = append(set, f)
			}
		}
		sets = append(sets, set)
	}
	return append(sets, []migrate.Flag{`\SEEN`, `\flagged`, "$Forwarded", "$NotJunk", "ümlaut"})
}

func showsWhatWasWritten(t *testing.T, m ReadableMailbox) {
	target := m.Open(t)
	fs := []migrate.Folder{
		{Path: []string{"INBOX"}, Role: migrate.RoleInbox},
		{Path: []string{"Sent"}, Role: migrate.RoleSent},
		{Path: []string{"Drafts"}, Role: migrate.RoleDrafts},
		{Path: []string{"Junk"}, Role: migrate.RoleJunk},
		{Path: []string{"Trash"}, Role: migrate.RoleTrash},
		{Path: []string{"Archive"}, Role: migrate.RoleArchive},
		{Path: []string{"Clients", "2019"}},
	}
	type copied struct {
		folder  int
		message *migrate.Message
		notes   []string
	}
	places, all := place(t, target, fs), map[migrate.MessageID]copied{}
	for i, at := range places {
		for j, flags := range flagSets() {
			message := Letter(fmt.Sprintf("shown-%d-%d", i, j), flags...)
			stored, err := target.Append(t.Context(), at.ID, message)
			if err != nil {
				t.Fatalf("append to %s: %v", at.Name, err)
			}
			all[stored.ID] = copied{i, message, stored.Notes}
		}
	}
	target = m.Open(t)
	holds := map[migrate.FolderID]map[migrate.MessageID]migrate.Held{}
	for _, at := range places {
		holds[at.ID] = listed(t, target, at.ID)
		for id := range holds[at.ID] {
			if _, ours := all[id]; !ours {
				t.Errorf("the list of %s has %s, which nobody appended", at.Name, id)
			}
		}
	}
	for id, c := range all {
		at := places[c.folder]
		what := fmt.Sprintf("%s with %q", at.Name, c.message.Flags)
		h, octets := read(t, target, id)
		if err := m.Same(c.message.Body.(Octets), octets); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		shown := look(t, target, id) // after reading, which must not change it
		if h.Complete {
			sameHeld(t, what+", opened", h, shown)
		}
		if !slices.Contains(shown.Folders, at.ID) && !explains(target, c.notes, verify.Folder) {
			t.Errorf("%s: it is in %q, notes %q", what, shown.Folders, c.notes)
		}
		for _, at := range places {
			h, there := holds[at.ID][id]
			if there != slices.Contains(shown.Folders, at.ID) {
				t.Errorf("%s: it is shown in %q, and that %s lists it is %v", what, shown.Folders, at.ID, there)
			}
			if h.Complete {
				sameHeld(t, what+", listed", h, shown)
			}
		}
		if want := target.Shown(at.ID, c.message.Flags); !sameFlags(shown.Flags, want) {
			t.Errorf("%s: it is shown with %q, want %q", what, shown.Flags, want)
		}
		if fs[c.folder].Role != migrate.RoleDrafts {
			for _, f := range []migrate.Flag{migrate.Seen, migrate.Flagged} {
				if slices.Contains(shown.Flags, f) != c.message.HasFlag(f) {
					t.Errorf("%s: it is shown with %q", what, shown.Flags)
				}
			}
		}
		if !shown.Date.Equal(Date) && !explains(target, c.notes, verify.Received) {
			t.Errorf("%s: it is dated %v, want %v, notes %q", what, shown.Date, Date, c.notes)
		}
		if shown.MessageID != c.message.MessageID {
			t.Errorf("%s: its Message-ID is %q, want %q", what, shown.MessageID, c.message.MessageID)
		}
		if shown.Key != "" && shown.Key != c.message.Key {
			t.Errorf("%s: its key is %q, want %q", what, shown.Key, c.message.Key)
		}
		if want := fs[c.folder].Role == migrate.RoleTrash; shown.Deleted != want {
			t.Errorf("%s: that it is deleted is %v", what, shown.Deleted)
		}
	}
}

// sameHeld compares what a target shows in two ways; a Message-ID may be left
// out of one.
func sameHeld(t *testing.T, what string, got, want migrate.Held) {
	t.Helper()
	if !slices.Equal(got.Folders, want.Folders) || !sameFlags(got.Flags, want.Flags) || !got.Date.Equal(want.Date) ||
		got.Size != want.Size || got.Key != want.Key || got.Deleted != want.Deleted ||
		got.MessageID != "" && got.MessageID != want.MessageID {
		t.Errorf("%s it is %+v, and looked at %+v", what, got, want)
	}
}

func sameFlags(a, b []migrate.Flag) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func readsOddMessages(t *testing.T, m ReadableMailbox) {
	target := m.Open(t)
	folder := one(t, target, "Odd")
	for name, message := range odd() {
		stored, err := target.Append(t.Context(), folder.ID, message)
		if err != nil {
			continue // refused, which is another test's
		}
		if _, octets := read(t, target, stored.ID); m.Same(message.Body.(Octets), octets) != nil {
			t.Errorf("%s: %v", name, m.Same(message.Body.(Octets), octets))
		}
		look(t, target, stored.ID)
	}
}

func readsLargeMessage(t *testing.T, m ReadableMailbox) {
	target := m.Open(t)
	message := Message(letter("large", "", strings.Repeat(strings.Repeat("0123456789", 7)+"\r\n", 7<<20/72)), "")
	id := mustAppend(t, target, one(t, target, "Large").ID, message)
	if _, octets := read(t, target, id); m.Same(message.Body.(Octets), octets) != nil {
		t.Error(m.Same(message.Body.(Octets), octets))
	}
}

// wantNotFound checks an error of something that is not there.
func wantNotFound(t *testing.T, what string, err error) {
	t.Helper()
	e, ok := errors.AsType[*migrate.Error](err)
	if !errors.Is(err, migrate.ErrNotFound) || !ok || e.Class != migrate.Permanent || !e.Refused {
		t.Errorf("%s: the error is %#v, want one that is Permanent and Refused and wraps ErrNotFound", what, err)
	}
}

func readsNothing(t *testing.T, m ReadableMailbox) {
	target := m.Open(t)
	folder := one(t, target, "Clients")
	kept, id := mustAppend(t, target, folder.ID, Letter("kept")), mustAppend(t, target, folder.ID, Letter("removed"))
	m.Remove(t, id)
	_, err := target.Look(t.Context(), id)
	wantNotFound(t, "look", err)
	_, content, err := target.Open(t.Context(), id)
	wantNotFound(t, "open", err)
	if content != nil {
		t.Error("there is a content beside the error")
	}
	if got := listed(t, target, folder.ID); len(got) != 1 || got[kept].ID != kept {
		t.Errorf("the list has %v, want %s alone", got, kept)
	}
	m.RemoveFolder(t, folder.ID)
	steps := 0
	for batch, err := range target.List(t.Context(), folder.ID) {
		steps++
		wantNotFound(t, "list", err)
		if len(batch) > 0 {
			t.Errorf("the list of a folder that is gone has %v", batch)
		}
	}
	if steps != 1 {
		t.Errorf("the list of a folder that is gone took %d steps", steps)
	}
}

func showsTheTrash(t *testing.T, m ReadableMailbox) {
	target := m.Open(t)
	folder := one(t, target, "Clients")
	kept, id := mustAppend(t, target, folder.ID, Letter("kept")), mustAppend(t, target, folder.ID, Letter("trashed"))
	m.Trash(t, id)
	for _, id := range []migrate.MessageID{kept, id} {
		trashed := id != kept
		if h := look(t, target, id); h.Deleted != trashed || slices.Contains(h.Folders, folder.ID) == trashed {
			t.Errorf("that %s is in the trash is %v, and it is shown as %+v", id, trashed, h)
		}
	}
	if got := listed(t, target, folder.ID); len(got) != 1 || got[kept].ID != kept {
		t.Errorf("the list has %v, want %s alone", got, kept)
	}
}

func readsAtOnce(t *testing.T, m ReadableMailbox) {
	target := m.Open(t)
	folder := one(t, target, "Clients")
	ids := appendMany(t, target, folder.ID, 20)
	var group sync.WaitGroup
	for w := range 2 * target.Capabilities().Parallel {
		group.Go(func() {
			for i := range ids {
				id := ids[(i+w)%len(ids)]
				h, content, err := target.Open(t.Context(), id)
				if err != nil {
					t.Error("open:", err)
					continue
				}
				octets, err := io.ReadAll(content)
				if err = errors.Join(err, content.Close()); err != nil || h.ID != id {
					t.Errorf("opening %s shows %s, error %v", id, h.ID, err)
				}
				shown, err := target.Look(t.Context(), id)
				if err != nil || !bytes.Contains(octets, []byte(strings.Trim(shown.MessageID, "<>"))) {
					t.Errorf("%s is %q and reads %q, error %v", id, shown.MessageID, octets, err)
				}
			}
			n := 0
			for batch, err := range target.List(t.Context(), folder.ID) {
				if err != nil {
					t.Error("list:", err)
				}
				n += len(batch)
			}
			if n != len(ids) {
				t.Errorf("the list has %d messages, want %d", n, len(ids))
			}
		})
	}
	group.Wait()
}

func listFails(t *testing.T, m ReadableMailbox) {
	target := m.Open(t)
	folder := one(t, target, "Many")
	appendMany(t, target, folder.ID, m.Many)
	batches, failures := 0, 0
	for batch, err := range target.List(t.Context(), folder.ID) {
		switch {
		case failures > 0:
			t.Fatal("the list goes on after an error")
		case err != nil:
			failures++
			if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient || len(batch) > 0 {
				t.Errorf("the error is %#v beside %d messages, want one that is Transient", err, len(batch))
			}
		case batches == 0:
			m.Cut(t)
			batches++
		default:
			batches++
		}
	}
	if batches == 0 || failures != 1 {
		t.Errorf("the list had %d batches and %d errors", batches, failures)
	}
}

func leavesEarly(t *testing.T, m ReadableMailbox) {
	target := m.Open(t)
	folder := one(t, target, "Many")
	ids := appendMany(t, target, folder.ID, m.Many)
	// As many times as would use up whatever is not given back.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for range 4 * target.Capabilities().Parallel {
		for _, err := range target.List(ctx, folder.ID) {
			if err != nil {
				t.Fatal("list:", err)
			}
			break
		}
		_, content, err := target.Open(ctx, ids[0])
		if err != nil {
			t.Fatal("open:", err)
		}
		if _, err := content.Read(make([]byte, 10)); err != nil {
			t.Error("read:", err)
		}
		if err := content.Close(); err != nil {
			t.Error("close:", err)
		}
	}
	if got := listed(t, target, folder.ID); len(got) != len(ids) {
		t.Errorf("the list has %d messages, want %d", len(got), len(ids))
	}
}

func readingCancelled(t *testing.T, m ReadableMailbox) {
	target := m.Open(t)
	folder := one(t, target, "Clients")
	id := mustAppend(t, target, folder.ID, Letter("cancelled"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	check := func(what string, err error) {
		t.Helper()
		e, ok := errors.AsType[*migrate.Error](err)
		if !errors.Is(err, context.Canceled) || !ok || e.Class != migrate.Transient {
			t.Errorf("%s: the error is %#v, want the context's, Transient", what, err)
		}
	}
	_, err := target.Look(ctx, id)
	check("look", err)
	_, _, err = target.Open(ctx, id)
	check("open", err)
	for _, err := range target.List(ctx, folder.ID) {
		check("list", err)
	}
}
