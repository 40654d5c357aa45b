package gmail

import (
	"errors"
	"slices"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

func starredLabelsOf(sim *gmailsim.Server) map[migrate.MessageID]string {
	all := labelsOf(sim)
	for _, m := range sim.Messages(user) {
		if m.Starred {
			all[migrate.MessageID(m.ID)] = "* " + all[migrate.MessageID(m.ID)]
		}
	}
	return all
}

func TestUpdateNamesWhatItCannotHold(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{Sent: gmailsim.PolicyOwn})
	target := open(t, config(server))
	one := placed(t, target, folders("One"))[0].ID
	update := func(id migrate.MessageID, folder migrate.FolderID, flags []migrate.Flag, labels string, notes ...string) {
		t.Helper()
		got, err := target.Update(t.Context(), id, migrate.Change{AddFolder: folder, AddFlags: flags})
		if err != nil || !slices.Equal(got, notes) {
			t.Errorf("notes %q, want %q, error %v", got, notes, err)
		}
		if at := starredLabelsOf(sim)[id]; at != labels {
			t.Errorf("it is in %q, want %q", at, labels)
		}
	}
	appended := func(folder migrate.FolderID, name string) migrate.MessageID {
		t.Helper()
		stored, err := target.Append(t.Context(), folder, targettest.Letter(name, migrate.Seen))
		if err != nil {
			t.Fatal(err)
		}
		return stored.ID
	}
	id := appended(inbox, "a")
	update(id, one, []migrate.Flag{migrate.Flagged}, "* INBOX One")
	update(id, one, []migrate.Flag{migrate.Answered}, "* INBOX One", NoteFlags)
	update(id, one, []migrate.Flag{"work"}, "* INBOX One", NoteFlags)
	for _, folder := range []migrate.FolderID{junk, trash} {
		update(id, folder, nil, "* INBOX One", NoteNotPlaced)
	}
	update(id, draft, []migrate.Flag{migrate.Draft}, "* INBOX One", NoteNotPlaced, NoteFlags)
	update(appended(trash, "b"), trash, nil, "TRASH")

	if _, err := target.Update(t.Context(), "18c0ffee00000000", migrate.Change{AddFolder: junk}); !errors.Is(err, migrate.ErrNotFound) {
		t.Errorf("a message that is not there: %v", err)
	}
}

// Gmail refuses SENT in a modify.
func TestASecondSentCopyAddsItsStar(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{})
	target := open(t, config(server))
	stored, err := target.Append(t.Context(), sent, targettest.Letter("a", migrate.Seen))
	if err != nil {
		t.Fatal(err)
	}
	notes, err := target.Update(t.Context(), stored.ID, migrate.Change{AddFolder: sent, AddFlags: []migrate.Flag{migrate.Flagged}})
	if at := starredLabelsOf(sim)[stored.ID]; err != nil || notes != nil || at != "* SENT" {
		t.Errorf("it is in %q, notes %q, error %v", at, notes, err)
	}
	stored, err = target.Append(t.Context(), inbox, targettest.Letter("b", migrate.Seen))
	if err != nil {
		t.Fatal(err)
	}
	notes, err = target.Update(t.Context(), stored.ID, migrate.Change{AddFolder: sent})
	if at := labelsOf(sim)[stored.ID]; err != nil || !slices.Equal(notes, []string{NoteSentLabel}) || at != "INBOX "+sentName {
		t.Errorf("it is in %q, notes %q, error %v", at, notes, err)
	}
}
