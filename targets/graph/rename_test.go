package graph

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// An estate is folders before and after they were renamed, by paths with
// slashes. What has no old path is new.
type estate []struct{ before, after string }

func (e estate) before() (fs []migrate.Folder) {
	for _, f := range e {
		if f.before != "" {
			fs = append(fs, migrate.Folder{Path: strings.Split(f.before, "/")})
		}
	}
	return fs
}

// after returns the folders as the next pass has them.
func (e estate) after(placed []migrate.Placement) (fs []migrate.Folder) {
	for _, f := range e {
		folder := migrate.Folder{Path: strings.Split(f.after, "/")}
		if f.before != "" {
			folder.Placed, folder.Renamed = placed[0].ID, f.before != f.after
			placed = placed[1:]
		}
		fs = append(fs, folder)
	}
	return fs
}

func mustPlace(t *testing.T, target *Target, fs []migrate.Folder) []migrate.Placement {
	t.Helper()
	places, err := target.Place(t.Context(), fs)
	if err != nil {
		t.Fatal(err)
	}
	return places
}

// pathOf returns where the simulator has a folder.
func (w *world) pathOf(id migrate.FolderID) string {
	for _, f := range w.sim.Folders(user) {
		if f.ID == string(id) {
			return strings.Join(f.Path, "/")
		}
	}
	return ""
}

// reorganised has folders that are in each other's way.
var reorganised = estate{
	{"Left", "Right"}, {"Right", "Left"}, {"Left/Below", "Right/Below"}, {"Right/Below", "Left/Other"},
	{"1", "2"}, {"2", "3"}, {"3", "1"},
	{"From/a", "To/b"}, {"From/b", "From/b"}, {"To/a", "To/a"}, {"From", "From"}, {"To", "To"},
	{"Old", "New/Deep/Old"}, {"", "Old"}, {"", "New/Deep/Young"},
	{"Up", "Down/Up"}, {"Up/Down", "Down"},
	{"Outer", "Outer/Inner"}, {"", "Outer"},
	{"case", "CASE"}, {"Top/Same", "Same"}, {"Chain", "Link"}, {"Link", "Link/Chain"},
}

// Each write of a Place that renames fails, before or after Graph did what it
// asks; then the next one goes on from there.
func TestWhateverWriteFailsEveryFolderGetsItsNewNameAndKeepsItsMail(t *testing.T) {
	for _, late := range []bool{true, false} {
		for n := int64(1); ; n++ {
			w := newWorld(t, graphsim.Options{MoveRefusesSame: true})
			first := w.open(t, Config{Route: RouteJSON})
			places := mustPlace(t, first, reorganised.before())
			in := map[migrate.MessageID]migrate.FolderID{}
			for i, p := range places[:6] {
				in[appended(t, first, p.ID, targettest.Letter(fmt.Sprint("m", i)))] = p.ID
			}
			fs := reorganised.after(places)
			fired := w.breakWrite(n, late)
			_, err := first.Place(t.Context(), fs)
			if err == nil == fired.Load() || err != nil && classOf(err) != migrate.Transient {
				t.Fatalf("late %v, write %d: %v", late, n, err)
			}
			w.front = nil
			again := w.open(t, Config{Route: RouteJSON})
			for range 2 {
				for i, p := range mustPlace(t, again, fs) {
					if want := reorganised[i].after; p.Err != nil || p.Name != want || p.Note != "" || w.pathOf(p.ID) != want || fs[i].Placed != "" && p.ID != fs[i].Placed {
						t.Errorf("late %v, write %d: %s is %+v, really %q", late, n, fs[i], p, w.pathOf(p.ID))
					}
				}
				for i := range fs { // the pass is over
					fs[i].Renamed = false
				}
				w.front = func(rw http.ResponseWriter, r *http.Request) {
					if r.Method != http.MethodGet {
						t.Errorf("late %v, write %d: later there is %s %s", late, n, r.Method, r.URL)
					}
					w.sim.ServeHTTP(rw, r)
				}
			}
			for id, folder := range in {
				if h, err := again.Look(t.Context(), id); err != nil || h.Folders[0] != folder {
					t.Errorf("late %v, write %d: a message of %s is at %+v, %v", late, n, folder, h, err)
				}
			}
			if !fired.Load() {
				if n < 25 {
					t.Errorf("there were only %d writes", n-1)
				}
				break
			}
		}
	}
}

func TestAFolderKeepsItsNameWhereTheNewOneIsTaken(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	e := estate{{"a", "MINE"}, {"b", "files"}, {"c", "unread mail"}, {"d", "Outbox"}, {"e/f", "Mine/below/x"}, {"e", "e"}, {"g", "G"}, {"h/i", "h/I"}, {"h", "h"}}
	places := mustPlace(t, target, e.before())
	foreign := folders(t, target, "Mine")[0]
	for range 2 {
		for i, p := range mustPlace(t, target, e.after(places)) {
			want, noted := e[i].after, e[i].before == "a" || i >= 1 && i <= 3
			if noted {
				want = e[i].before
			}
			if p.ID != places[i].ID || w.pathOf(p.ID) != want || p.Name != want || noted != strings.HasPrefix(p.Note, "placed as "+want+": there is a folder ") {
				t.Errorf("%v is %+v, want %s", e[i], p, want)
			}
		}
	}
	if at := w.pathOf(foreign); at != "Mine" {
		t.Errorf("the folder that was there is %s", at)
	}
}

func TestAFolderThatAPersonRenamedAtTheTargetKeepsThatName(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	e := estate{{"theirs", "theirs"}}
	places := mustPlace(t, target, e.before())
	p := &placing{t: target}
	if err := p.setName(t.Context(), &node{id: places[0].ID, parent: &node{children: map[string]*node{}}}, "ours"); err != nil {
		t.Fatal(err)
	}
	if got := mustPlace(t, target, e.after(places))[0]; got.ID != places[0].ID || got.Name != "ours" || got.Note != "placed as ours" {
		t.Errorf("%+v", got)
	}
}

func TestTheMailboxsOwnFoldersAreNeverRenamed(t *testing.T) {
	w := newWorld(t, graphsim.Options{Archive: true, Localised: true})
	target := w.open(t, Config{Route: RouteJSON})
	fs := []migrate.Folder{
		{Path: []string{"INBOX"}}, {Path: []string{"Sent"}, Role: migrate.RoleSent}, {Path: []string{"Archive"}, Role: migrate.RoleArchive},
		{Path: []string{"Unterhaltungsverlauf"}}, {Path: []string{"Sent", "2019"}},
	}
	before := mustPlace(t, target, fs)
	all := w.sim.Folders(user)
	for i := range fs {
		fs[i].Placed, fs[i].Renamed, fs[i].Role = before[i].ID, true, migrate.RoleNone
		fs[i].Path = append([]string{"Other"}, fs[i].Path[1:]...)
	}
	fs[0].Path, fs[1].Path, fs[2].Path = []string{"Work"}, []string{"Other"}, []string{"Deep", "Archive"}
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		w.sim.ServeHTTP(rw, r)
	}
	for i, p := range mustPlace(t, target, fs) {
		if p.ID != before[i].ID || p.Name != before[i].Name || p.Note == "" {
			t.Errorf("%s was %+v and is %+v", fs[i], before[i], p)
		}
	}
	if got := w.sim.Folders(user); len(got) != len(all) {
		t.Errorf("the folders were %v and are %v", all, got)
	}
}

// The name is wanted for another folder, or by what is to be below it.
func TestTheMailboxsOwnFolderDoesNotMakeRoomForAnother(t *testing.T) {
	for _, path := range [][]string{{"Archive", "Old"}, {"Old"}, {"Other", "Archive"}} {
		w := newWorld(t, graphsim.Options{Archive: true})
		target := w.open(t, Config{Route: RouteJSON})
		own := mustPlace(t, target, []migrate.Folder{{Path: []string{"Archive"}, Role: migrate.RoleArchive}})[0]
		w.front = func(rw http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet && strings.Contains(r.URL.Path, string(own.ID)) {
				t.Errorf("%v: %s %s", path, r.Method, r.URL)
			}
			w.sim.ServeHTTP(rw, r)
		}
		got := mustPlace(t, target, []migrate.Folder{{Path: path, Placed: own.ID, Renamed: true}, {Path: []string{"Archive"}}})
		if got[0].ID != own.ID || got[0].Name != "Archive" || got[0].Note != "the mailbox's own folder Archive" || got[1].Name != "Archive (2)" || got[1].Note == "" {
			t.Errorf("%v: %+v", path, got)
		}
	}
}

func TestAFolderThatMayNotBeRenamedStopsNothing(t *testing.T) {
	for _, c := range []struct {
		status    int
		code      string
		transient bool
	}{
		{403, "ErrorAccessDenied", false}, {400, "ErrorInvalidRequest", false}, {409, "ErrorFolderExists", false}, {400, "ErrorFolderExists", false},
		{404, "ErrorItemNotFound", true}, {503, "", true},
	} {
		for _, after := range []string{"new", "To/old", "To/new"} {
			w := newWorld(t, graphsim.Options{})
			target := w.open(t, Config{Route: RouteJSON})
			e := estate{{"old", after}, {"To", "To"}, {"else", "there"}}
			places := mustPlace(t, target, e.before())
			w.front = func(rw http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet && strings.Contains(r.URL.Path, string(places[0].ID)) {
					_, _ = io.Copy(io.Discard, r.Body)
					rw.WriteHeader(c.status)
					fmt.Fprintf(rw, `{"error":{"code":%q,"message":"no"}}`, c.code)
					return
				}
				w.sim.ServeHTTP(rw, r)
			}
			got, err := target.Place(t.Context(), e.after(places))
			if c.transient {
				if err == nil || classOf(err) != migrate.Transient {
					t.Errorf("%d %s to %s: %v", c.status, c.code, after, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%d %s to %s: %v", c.status, c.code, after, err)
			}
			if p := got[0]; p.ID != places[0].ID || p.Name != "old" || !strings.Contains(p.Note, c.code) || got[2].Name != "there" || got[2].Note != "" {
				t.Errorf("%d %s to %s: %+v", c.status, c.code, after, got)
			}
		}
	}
}

func TestANewNameIsMadeToFitLikeAnyOther(t *testing.T) {
	long := strings.Repeat("long", 100)
	w := newWorld(t, graphsim.Options{ForbiddenInNames: `/`, TrimNames: true})
	target := w.open(t, Config{Route: RouteJSON})
	fs := []migrate.Folder{{Path: []string{"a"}}, {Path: []string{"b"}}, {Path: []string{"c"}}, {Path: []string{"d"}}, {Path: []string{"e"}}}
	places := mustPlace(t, target, fs)
	for i, name := range []string{"2019/20", long, " padded ", "2019_20", "\u00a0e"} {
		fs[i] = migrate.Folder{Path: []string{name}, Placed: places[i].ID, Renamed: true}
	}
	var first []migrate.Placement
	for range 2 {
		got := mustPlace(t, target, fs)
		for i, want := range []string{"2019_20", long[:maxName], "padded", "d", "e"} {
			if got[i].ID != places[i].ID || got[i].Name != want || got[i].Note == "" || w.pathOf(got[i].ID) != want {
				t.Errorf("%q is %+v, want %s", fs[i].Path, got[i], want)
			}
		}
		if got[0].Note != "characters that Exchange refused were replaced" {
			t.Errorf("the note is %q", got[0].Note)
		}
		if first != nil && !slices.Equal(first, got) {
			t.Errorf("the placements were %+v and are %+v", first, got)
		}
		first = got
	}
}

func TestAFolderBelowOneThatCannotBeMadeKeepsItsPlace(t *testing.T) {
	w := newWorld(t, graphsim.Options{ForbiddenInNames: "50"})
	target := w.open(t, Config{Route: RouteJSON})
	e := estate{{"a", "50/a"}, {"a/b", "50/a/b"}}
	places := mustPlace(t, target, e.before())
	for i, p := range mustPlace(t, target, e.after(places)) {
		if p.ID != places[i].ID || p.Err != nil || p.Name != e[i].before || p.Note == "" {
			t.Errorf("%v is %+v", e[i], p)
		}
	}
}

func TestAFolderIsNotMovedBelowItself(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	e := estate{{"A/B", "Taken"}, {"A", "Taken/A"}}
	places := mustPlace(t, target, e.before())
	folders(t, target, "Taken")
	got := mustPlace(t, target, e.after(places))
	for i, p := range got {
		if p.ID != places[i].ID || p.Name != e[i].before || !strings.HasPrefix(p.Note, "placed as "+e[i].before+": ") {
			t.Errorf("%v is %+v", e[i], p)
		}
	}
	if !strings.HasSuffix(got[1].Note, "below itself") {
		t.Errorf("the note is %q", got[1].Note)
	}
}

func TestAPlacementHasTheNameThatTheServerGaveIt(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	e := estate{{"old", "new"}}
	places := mustPlace(t, target, e.before())
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			body := `{"displayName":"renamed"}`
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		}
		w.sim.ServeHTTP(rw, r)
	}
	if p := mustPlace(t, target, e.after(places))[0]; p.ID != places[0].ID || p.Name != "renamed" || p.Note == "" {
		t.Errorf("%+v", p)
	}
}

func TestANameThatChangesOnlyItsCaseIsOneWrite(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	e := estate{{"case", "CASE"}}
	places := mustPlace(t, target, e.before())
	writes := 0
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			writes++
		}
		w.sim.ServeHTTP(rw, r)
	}
	if p := mustPlace(t, target, e.after(places))[0]; p.Name != "CASE" || p.Note != "" || writes != 1 {
		t.Errorf("%+v after %d writes", p, writes)
	}
}

// What was looked up about folders is not true any more when they have moved.
func TestAFolderThatLeavesTheTrashIsNoTrash(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	places := mustPlace(t, target, []migrate.Folder{{Path: []string{"Trash"}, Role: migrate.RoleTrash}, {Path: []string{"Trash", "Old"}}})
	id := appended(t, target, places[1].ID, targettest.Letter("a"))
	deleted := func(want bool) {
		t.Helper()
		if h, err := target.Look(t.Context(), id); err != nil || h.Deleted != want {
			t.Errorf("it is shown as %+v, %v", h, err)
		}
	}
	deleted(true)
	mustPlace(t, target, []migrate.Folder{{Path: []string{"Kept", "Old"}, Placed: places[1].ID, Renamed: true}})
	deleted(false)
	if _, err := target.Update(t.Context(), migrate.Change{Trash: true}, id); err != nil {
		t.Fatal(err)
	}
	deleted(true)
}

func TestNoErrorOfAPlaceIsWithoutAClass(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	e := estate{{"a", "b"}, {"c/d", "d"}}
	fs := e.after(mustPlace(t, target, e.before()))
	for _, method := range []string{http.MethodGet, http.MethodPatch, http.MethodPost} {
		w.refuse(method, "", 401, "InvalidAuthenticationToken")
		_, err := target.Place(t.Context(), fs)
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Fatal || e.Op == "" {
			t.Errorf("%s: %#v", method, err)
		}
	}
}
