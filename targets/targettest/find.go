package targettest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

func position(t *testing.T, target migrate.Target) migrate.Position {
	t.Helper()
	at, err := target.Position(t.Context())
	if err != nil {
		t.Fatal("position:", err)
	}
	return at
}

// looked returns what Find finds with and without the source's copy at hand.
func looked(t *testing.T, target migrate.Target, folder migrate.FolderID, m *migrate.Message, since migrate.Position, check func(id migrate.MessageID, err error)) {
	t.Helper()
	stored, err := target.Find(t.Context(), folder, m, since)
	check(stored.ID, err)
	bare := *m
	bare.Body = nil
	stored, err = target.Find(t.Context(), folder, &bare, since)
	check(stored.ID, err)
}

func findsWhatIsThere(t *testing.T, m Mailbox) {
	target := m.Open(t)
	folder := one(t, target, "Doubts")
	mustAppend(t, target, folder.ID, Letter("before"))
	since := position(t, target)
	messages := map[string]*migrate.Message{"a letter": Letter("doubt")}
	for name, message := range odd() {
		messages[name] = message
	}
	ids := map[string]migrate.MessageID{}
	for name, message := range messages {
		stored, err := target.Append(t.Context(), folder.ID, message)
		if err == nil {
			ids[name] = stored.ID
		}
		if name == "a letter" && err != nil {
			t.Fatal("append:", err)
		}
	}
	again := m.Open(t) // as after a crash
	for name, id := range ids {
		looked(t, again, folder.ID, messages[name], since, func(found migrate.MessageID, err error) {
			if err != nil || found != id {
				t.Errorf("%s: found %q, error %v, want %q", name, found, err, id)
			}
		})
	}
}

func doesNotFindOthers(t *testing.T, m Mailbox) {
	target := m.Open(t)
	folder := one(t, target, "Doubts")
	since := position(t, target)
	// Every message here resembles one of those that are looked for.
	mustAppend(t, target, folder.ID, Letter("doubt"))
	mustAppend(t, target, folder.ID, Message(letter("doubt", "", "body\r\n"), ""))
	mustAppend(t, target, folder.ID, Letter("other"))
	twin := letter("doubt", "Message-ID: <doubt@example.org>\r\n", "Hello,\r\n\r\nthis is about d0ubt.\r\n")
	for name, message := range map[string]*migrate.Message{
		"another Message-ID":             Letter("absent"),
		"same Message-ID, other body":    Message(twin, "<doubt@example.org>"),
		"no Message-ID, other body":      Message(letter("doubt", "", "b0dy\r\n"), ""),
		"no Message-ID, much larger one": Message(letter("doubt", "", strings.Repeat("body\r\n", 100_000)), ""),
	} {
		looked(t, m.Open(t), folder.ID, message, since, func(found migrate.MessageID, err error) {
			if !errors.Is(err, migrate.ErrNotFound) {
				t.Errorf("%s: found %q, error %v, want ErrNotFound", name, found, err)
			}
		})
	}
}

func updates(t *testing.T, m Mailbox) {
	target := m.Open(t)
	folder := one(t, target, "Clients")
	id := mustAppend(t, target, folder.ID, Letter("update"))
	for i, flags := range [][]migrate.Flag{{migrate.Answered}, {`\seen`}, {migrate.Seen}, {migrate.Flagged, "$Junk"}, nil} {
		if _, err := target.Update(t.Context(), migrate.Change{AddFlags: flags}, id); err != nil {
			t.Fatalf("update with %q: %v", flags, err)
		}
		held := m.Held(t)
		if len(held) != 1 || held[0].ID != id {
			t.Fatalf("the mailbox holds %v, want %s alone", held, id)
		}
		if h := held[0]; h.Seen != (i >= 1) || h.Flagged != (i >= 3) || !slices.Equal(h.Folders, []string{folder.Name}) {
			t.Errorf("after %q: seen %v, flagged %v, in %q", flags, h.Seen, h.Flagged, h.Folders)
		}
	}
}

func updateOfNothing(t *testing.T, m Mailbox) {
	_, err := m.Open(t).Update(t.Context(), migrate.Change{AddFlags: []migrate.Flag{migrate.Seen}}, "18c0ffee00000000")
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Permanent {
		t.Errorf("the error is %#v, want one that is Permanent", err)
	}
}

func addsFolder(t *testing.T, m Mailbox) {
	target := m.Open(t)
	if !target.Capabilities().Labels {
		t.Skip("the target has no labels")
	}
	places := place(t, target, []migrate.Folder{
		{Path: []string{"One"}}, {Path: []string{"Two"}},
		{Path: []string{"INBOX"}, Role: migrate.RoleInbox},
		{Path: []string{"Junk"}, Role: migrate.RoleJunk},
		{Path: []string{"Trash"}, Role: migrate.RoleTrash},
	})
	id := mustAppend(t, target, places[3].ID, Letter("labels"))
	want := []string{}
	for _, i := range []int{0, 1, 1, 2, 3, 4} {
		if _, err := target.Update(t.Context(), migrate.Change{AddFolder: places[i].ID}, id); err != nil {
			t.Fatal("update:", err)
		}
		// Out of Junk, and never into Junk or Trash, where it would be lost to
		// the folders that it is in.
		if name := places[i].Name; i < 3 && !slices.Contains(want, name) {
			want = append(want, name)
		}
		held := m.Held(t)
		if len(held) != 1 {
			t.Fatalf("the mailbox holds %d messages", len(held))
		}
		if got := held[0].Folders; fmt.Sprint(slices.Sorted(slices.Values(got))) != fmt.Sprint(slices.Sorted(slices.Values(want))) {
			t.Errorf("after adding %q it is in %q, want %q", places[i].Name, got, want)
		}
	}
}

// Mail to oneself lies in Sent as it was written and in the inbox below the
// fields of its delivery.
func findsTheRightOneOfTwo(t *testing.T, m Mailbox) {
	target := m.Open(t)
	places := place(t, target, []migrate.Folder{
		{Path: []string{"INBOX"}, Role: migrate.RoleInbox}, {Path: []string{"Sent"}, Role: migrate.RoleSent},
	})
	since := position(t, target)
	written := Letter("myself")
	delivered := Message(append([]byte("Received: from localhost by mail.example.org; Fri, 03 Jul 2009 14:15:17 +0000\r\n"), written.Body.(Octets)...), written.MessageID)
	inbox := mustAppend(t, target, places[0].ID, delivered)
	looked(t, m.Open(t), places[1].ID, written, since, func(found migrate.MessageID, err error) {
		if !errors.Is(err, migrate.ErrNotFound) {
			t.Errorf("before it was sent, found %q, error %v, want ErrNotFound", found, err)
		}
	})
	sent := mustAppend(t, target, places[1].ID, written)
	for i, want := range []migrate.MessageID{inbox, sent} {
		looked(t, m.Open(t), places[i].ID, []*migrate.Message{delivered, written}[i], since, func(found migrate.MessageID, err error) {
			if err != nil || found != want {
				t.Errorf("in %s found %q, error %v, want %q", places[i].Name, found, err, want)
			}
		})
	}
}
