package targettest

import (
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

// estate has the folders that are hard to place.
func estate() []migrate.Folder {
	fs := []migrate.Folder{
		{Path: []string{"INBOX"}, Role: migrate.RoleInbox},
		{Path: []string{"Sent"}, Role: migrate.RoleSent},
		{Path: []string{"Entwürfe"}, Role: migrate.RoleDrafts},
		{Path: []string{"Junk"}, Role: migrate.RoleJunk},
		{Path: []string{"Trash"}, Role: migrate.RoleTrash},
		{Path: []string{"Archive"}, Role: migrate.RoleArchive},
		{Path: []string{"Sent Items"}, Role: migrate.RoleSent},
		{Path: []string{"Clients"}, NoSelect: true},
	}
	for _, path := range [][]string{
		{"Clients", "Müller & Söhne"},
		{"Clients", "2019/20"},
		{"Clients", "2019-20"},
		{"clients"},
		{"CLIENTS"},
		{"Sent", "2019"},
		{"Archive", "2019", "May"},
		{"INBOX", "Status"},
		{"No", "parents", "here"},
		{"Drafts"},
		{"Spam"},
		{" padded "},
		{"padded"},
		{"a\r\nb\x00c\u200b"},
		{"Caf\u00e9"},
		{"Cafe\u0301"},
		{"A", "B"},
		{"A-B"},
		{"A B"},
		{"...", `"quoted" \ %`, "📬 emoji"},
		{""},
		{"", "x"},
		{"Files"},
		{strings.Repeat("long", 100)},
		{strings.Repeat("long", 100) + "er"},
		{strings.Repeat("d", 90), strings.Repeat("e", 90), strings.Repeat("e", 90), strings.Repeat("p", 90)},
	} {
		fs = append(fs, migrate.Folder{Path: path})
	}
	return fs
}

func place(t *testing.T, target migrate.Target, fs []migrate.Folder) []migrate.Placement {
	t.Helper()
	places, err := target.Place(t.Context(), fs)
	if err != nil {
		t.Fatal("place:", err)
	}
	if len(places) != len(fs) {
		t.Fatalf("%d folders have %d placements", len(fs), len(places))
	}
	return places
}

func eachFolderItsOwnPlace(t *testing.T, m Mailbox) {
	target, fs := m.Open(t), estate()
	byID, byName := map[migrate.FolderID]migrate.Folder{}, map[string]migrate.Folder{}
	for i, p := range place(t, target, fs) {
		f := fs[i]
		if p.Err != nil {
			t.Errorf("folder %q: %v", f.Path, p.Err)
			continue
		}
		if p.ID == "" || p.Name == "" {
			t.Errorf("folder %q: ID %q and name %q, want both", f.Path, p.ID, p.Name)
		}
		if other, ok := byID[p.ID]; ok {
			t.Errorf("folders %q and %q share the place %q", other.Path, f.Path, p.ID)
		}
		if other, ok := byName[p.Name]; ok {
			t.Errorf("folders %q and %q share the name %q", other.Path, f.Path, p.Name)
		}
		byID[p.ID], byName[p.Name] = f, f
		if p.Name != strings.Join(f.Path, "/") && p.Note == "" {
			t.Errorf("folder %q is called %q and no note says why", f.Path, p.Name)
		}
	}
}

func placingAgain(t *testing.T, m Mailbox) {
	first := place(t, m.Open(t), estate())
	same := func(what string, again []migrate.Placement) {
		t.Helper()
		for i, p := range again {
			if p.ID != first[i].ID || p.Name != first[i].Name {
				t.Errorf("%s: folder %q was at %q, %q and is at %q, %q", what, estate()[i].Path, first[i].ID, first[i].Name, p.ID, p.Name)
			}
		}
	}
	target := m.Open(t)
	same("a run that was killed before it remembered", place(t, target, estate()))
	placed := estate()
	for i := range placed {
		placed[i].Placed = first[i].ID
	}
	same("the next pass", place(t, target, placed))
	same("a later run", place(t, m.Open(t), placed))
}

func keepsItsPlace(t *testing.T, m Mailbox) {
	old := []migrate.Folder{{Path: []string{"Projects"}}, {Path: []string{"Gone"}}}
	first := place(t, m.Open(t), old)
	// A folder of the same name to the target comes before it in the next pass.
	fs := []migrate.Folder{{Path: []string{"PROJECTS"}}, {Path: []string{"Projects"}, Placed: first[0].ID}}
	for range 2 {
		again := place(t, m.Open(t), fs)
		if again[1].ID != first[0].ID {
			t.Errorf("Projects moved from %q to %q", first[0].ID, again[1].ID)
		}
		if again[0].ID == first[0].ID {
			t.Error("PROJECTS took the place of Projects")
		}
		fs[0].Placed = again[0].ID
	}
	// What a person deleted is made anew.
	fs = append(fs, migrate.Folder{Path: []string{"Made anew"}, Placed: "no such place"})
	if p := place(t, m.Open(t), fs)[2]; p.Err != nil || p.ID == "no such place" {
		t.Errorf("a folder whose place is gone has the placement %+v", p)
	}
}
