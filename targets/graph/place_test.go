package graph

import (
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// placed returns the folder of the simulator that each placement is.
func placed(t *testing.T, w *world, fs []migrate.Folder) ([]migrate.Placement, []graphsim.Folder) {
	t.Helper()
	places, err := w.open(t, Config{Route: RouteJSON}).Place(t.Context(), fs)
	if err != nil {
		t.Fatal(err)
	}
	at := make([]graphsim.Folder, len(fs))
	for i, p := range places {
		for _, f := range w.sim.Folders(user) {
			if f.ID == string(p.ID) {
				at[i] = f
			}
		}
		if at[i].ID == "" {
			t.Fatalf("%s is nowhere: %+v", fs[i], p)
		}
	}
	return places, at
}

func TestRolesTakeTheWellKnownFoldersInAnyLanguage(t *testing.T) {
	fs := []migrate.Folder{
		{Path: []string{"inbox"}}, {Path: []string{"Sent"}, Role: migrate.RoleSent}, {Path: []string{"Drafts"}, Role: migrate.RoleDrafts},
		{Path: []string{"Spam"}, Role: migrate.RoleJunk}, {Path: []string{"Bin"}, Role: migrate.RoleTrash}, {Path: []string{"Old"}, Role: migrate.RoleArchive},
	}
	want := []string{"inbox", "sentitems", "drafts", "junkemail", "deleteditems", "archive"}
	for _, archive := range []bool{true, false} {
		w := newWorld(t, graphsim.Options{Localised: true, Archive: archive})
		places, at := placed(t, w, fs)
		for i, f := range at {
			if want[i] == "archive" && !archive {
				if places[i].Name != "Old" || places[i].Note != "" {
					t.Errorf("archive without one: %+v", places[i])
				}
			} else if f.WellKnownName != want[i] || places[i].Note == "" {
				t.Errorf("%s is at %+v, want %s: %+v", fs[i], f, want[i], places[i])
			}
		}
	}
}

func TestNoFolderTakesAHiddenOneASearchOrTheOutbox(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	w.open(t, Config{Route: RouteJSON})
	fs := []migrate.Folder{{Path: []string{"unread mail"}}} // the simulator's search folder
	for _, f := range w.sim.Folders(user) {
		if len(f.Path) == 1 && (f.IsHidden || f.WellKnownName == "outbox") {
			fs = append(fs, migrate.Folder{Path: []string{strings.ToUpper(f.Path[0])}})
		}
	}
	if len(fs) < 3 {
		t.Fatalf("the simulator has only %v", fs)
	}
	places, at := placed(t, w, fs)
	for i, f := range at {
		if f.IsHidden || f.WellKnownName != "" || places[i].Note == "" {
			t.Errorf("%s is at %+v: %+v", fs[i], f, places[i])
		}
	}
}

func TestAFolderThatIsRefusedDoesNotStopTheOthers(t *testing.T) {
	w := newWorld(t, graphsim.Options{ForbiddenInNames: "50"})
	target := w.open(t, Config{Route: RouteJSON})
	places, err := target.Place(t.Context(), []migrate.Folder{{Path: []string{"50%"}}, {Path: []string{"50%", "below"}}, {Path: []string{"other"}}})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range places {
		if (p.Err != nil) != (i < 2) {
			t.Errorf("%d: %+v", i, p)
		}
		if p.Err != nil && classOf(p.Err) != migrate.Permanent {
			t.Errorf("%d: %v", i, p.Err)
		}
	}
}

func TestNamesAreMadeToFit(t *testing.T) {
	for name, want := range map[string]string{
		"plain": "plain", " a ": "a", "": "Unnamed", "  ": "Unnamed", " \t ": "_", "a\x00b": "a_b", "\xff": "\uFFFD", "2019/20": "2019/20",
		strings.Repeat("ü", 300): strings.Repeat("ü", 250), strings.Repeat("📬", 200): strings.Repeat("📬", 125),
	} {
		got, note := FolderName(name)
		if got != want || (note == "") != (got == name) {
			t.Errorf("%q became %q (%s), want %q", name, got, note, want)
		}
	}
}

func TestCharactersThatExchangeRefusesAreReplaced(t *testing.T) {
	w := newWorld(t, graphsim.Options{ForbiddenInNames: `/\"`})
	places, err := w.open(t, Config{Route: RouteJSON}).Place(t.Context(), []migrate.Folder{
		{Path: []string{"a_b"}}, {Path: []string{"a/b"}}, {Path: []string{`a\b`, "c"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"a_b", "a_b (2)", "a_b (3)/c"} {
		if places[i].Name != want || (places[i].Note == "") != (i == 0) {
			t.Errorf("%d: %+v, want %s", i, places[i], want)
		}
	}
}
