package graph

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// folders places ordinary folders and returns where they are.
func folders(t *testing.T, target *Target, names ...string) (ids []migrate.FolderID) {
	t.Helper()
	var fs []migrate.Folder
	for _, n := range names {
		fs = append(fs, migrate.Folder{Path: []string{n}})
	}
	places, err := target.Place(t.Context(), fs)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range places {
		ids = append(ids, p.ID)
	}
	return ids
}

func appended(t *testing.T, target *Target, folder migrate.FolderID, m *migrate.Message) migrate.MessageID {
	t.Helper()
	s, err := target.Append(t.Context(), folder, m)
	if err != nil {
		t.Fatal(err)
	}
	return s.ID
}

// only returns the one message of the mailbox.
func (w *world) only(t *testing.T) graphsim.Message {
	t.Helper()
	ms := w.sim.Messages(user)
	if len(ms) != 1 {
		t.Fatalf("the mailbox holds %d messages", len(ms))
	}
	return ms[0]
}

const (
	oldKey = "0a"
	newKey = "0b"
)

// keyed returns a letter with a key of that beginning.
func keyed(subject, key string, flags ...migrate.Flag) *migrate.Message {
	m := targettest.Letter(subject, flags...)
	m.Key = strings.Repeat(key, 32)
	return m
}

// Each call of an update fails, before or after Graph did what it asks; then
// another process looks, and makes the same update again.
func TestWhateverCallFailsAnUpdateThatIsRepeatedCompletesIt(t *testing.T) {
	had := []migrate.Flag{migrate.Seen, migrate.Answered, "work"}
	change := migrate.Change{Key: strings.Repeat(newKey, 32),
		AddFlags: []migrate.Flag{migrate.Flagged, migrate.Forwarded, "home"}, RemoveFlags: []migrate.Flag{migrate.Seen, migrate.Answered, "WORK"}}
	for _, route := range []Route{RouteImport, RouteJSON} {
		for where, calls := range map[string]int64{"F": 2, "To": 3, "Deleted Items": 7} {
			for _, late := range []bool{true, false} {
				for n := int64(1); ; n++ {
					w := newWorld(t, graphsim.Options{MoveRefusesSame: true, MoveResetsCreated: true})
					// A new connection for each call, since one that was used before is tried again.
					first := w.open(t, Config{Route: route, Transport: &http.Transport{DisableKeepAlives: true}})
					since, err := first.Position(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					at := folders(t, first, "F", "To")
					change := change
					switch where {
					case "To":
						change.AddFolder, change.RemoveFolder = at[1], at[0]
					case "Deleted Items":
						change.Trash = true
					}
					id := appended(t, first, at[0], keyed("a", oldKey, had...))
					before := w.only(t)
					fired := w.breakCall(n, late, func(r *http.Request) bool { return !strings.Contains(r.URL.Path, "/outlook/") })
					_, err = first.Update(t.Context(), change, id)
					what := fmt.Sprintf("%s to %s, late %v, call %d", route, where, late, n)
					if !fired.Load() {
						if err != nil || n != calls+1 {
							t.Errorf("%s: %v, want %d calls", what, err, calls)
						}
						break
					}
					if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient || e.Refused {
						t.Fatalf("%s: %#v, want a doubt", what, err)
					}
					w.front = nil
					again := w.open(t, Config{Route: route})
					for i, folder := range at {
						found, err := again.Find(t.Context(), folder, keyed("a", newKey), since)
						there := w.only(t)
						if belongs := there.Folder[0] == where && there.Folder[0] == []string{"F", "To"}[i]; err == nil && (!belongs || found.ID != id) ||
							err != nil && !errors.Is(err, migrate.ErrNotFound) {
							t.Errorf("%s: by its new key it was found as %q in folder %d, error %v, and is in %s", what, found.ID, i, err, there.Folder)
						}
					}
					if _, err := again.Update(t.Context(), change, id); err != nil {
						t.Errorf("%s: again: %v", what, err)
					}
					got := w.only(t)
					if got.ImmutableID != string(id) || got.Folder[0] != where || property64(got) != change.Key || got.IsRead || got.Flag != "flagged" ||
						!slices.Equal(got.Categories, []string{"home"}) || got.SingleValue["Integer 0x1081"] != "104" {
						t.Errorf("%s: %+v", what, got)
					}
					if !got.ReceivedDateTime.Equal(before.ReceivedDateTime) || !got.SentDateTime.Equal(before.SentDateTime) || got.SHA256 != before.SHA256 {
						t.Errorf("%s: it was %+v and is %+v", what, before, got)
					}
				}
			}
		}
	}
}

func TestOnlyTheFlagsThatAreNamedChange(t *testing.T) {
	type flags = []migrate.Flag
	for _, c := range []struct {
		had, add, remove, want flags
		notes                  []string
	}{
		{had: flags{migrate.Seen, migrate.Flagged, migrate.Answered, "a"}, want: flags{migrate.Seen, migrate.Flagged, migrate.Answered, "a"}},
		{had: flags{migrate.Seen, migrate.Flagged, migrate.Answered, "a"}, remove: flags{`\seen`}, want: flags{migrate.Flagged, migrate.Answered, "a"}},
		{had: flags{migrate.Seen, migrate.Flagged, "a"}, remove: flags{migrate.Flagged}, want: flags{migrate.Seen, "a"}},
		{had: flags{migrate.Flagged}, add: flags{migrate.Seen}, want: flags{migrate.Seen, migrate.Flagged}},
		{had: flags{"a", "B", "c"}, add: flags{"d", "C"}, remove: flags{"b", "none"}, want: flags{"a", "c", "d"}},
		{had: flags{"a"}, remove: flags{"A"}, want: nil},
		{had: flags{"a"}, add: flags{"$NotJunk"}, want: flags{"a"}, notes: []string{"keyword-dropped"}},
		{had: flags{"a"}, remove: flags{"$NotJunk"}, want: flags{"a"}},
		{had: flags{migrate.Answered}, remove: flags{migrate.Answered}, want: nil},
		{had: flags{migrate.Answered}, remove: flags{migrate.Forwarded}, want: flags{migrate.Answered}},
		{had: flags{migrate.Forwarded}, remove: flags{"$FORWARDED"}, want: nil},
		{had: flags{migrate.Forwarded}, add: flags{migrate.Seen}, remove: flags{migrate.Forwarded}, want: flags{migrate.Seen}},
		{had: flags{migrate.Answered}, add: flags{migrate.Seen}, remove: flags{migrate.Answered}, want: flags{migrate.Seen}},
		{had: flags{migrate.Forwarded}, add: flags{migrate.Answered}, want: flags{migrate.Answered}, notes: []string{"forwarded-flag-dropped"}},
		{had: flags{migrate.Answered}, add: flags{migrate.Forwarded}, want: flags{migrate.Answered}, notes: []string{"forwarded-flag-dropped"}},
		{had: flags{migrate.Answered}, add: flags{migrate.Forwarded}, remove: flags{migrate.Answered}, want: flags{migrate.Forwarded}},
		{had: flags{migrate.Forwarded}, add: flags{migrate.Answered}, remove: flags{migrate.Forwarded}, want: flags{migrate.Answered}},
		{add: flags{migrate.Deleted}, notes: []string{"deleted-flag-dropped"}},
		{remove: flags{migrate.Deleted}},
		{add: flags{migrate.Draft, migrate.Seen}, want: flags{migrate.Seen}, notes: []string{"draft-as-message"}},
		{remove: flags{migrate.Draft}},
		{had: flags{migrate.Draft, "a"}, add: flags{migrate.Draft, migrate.Seen, migrate.Flagged, "b"}, remove: flags{"a"}, want: flags{migrate.Seen, migrate.Flagged, migrate.Draft, "b"}},
		{had: flags{migrate.Draft}, remove: flags{migrate.Draft}, want: flags{migrate.Draft}, notes: []string{"draft-flag-kept"}},
	} {
		for _, route := range []Route{RouteImport, RouteJSON} {
			what := fmt.Sprintf("%s: %q, and %q, without %q", route, c.had, c.add, c.remove)
			w := newWorld(t, graphsim.Options{ExpandDropsSelect: route == RouteJSON})
			target := w.open(t, Config{Route: route})
			id := appended(t, target, "inbox", targettest.Letter("a", c.had...))
			for i := range 2 {
				notes, err := target.Update(t.Context(), migrate.Change{AddFlags: c.add, RemoveFlags: c.remove}, id)
				if err != nil || i == 0 && !slices.Equal(notes, c.notes) {
					t.Errorf("%s: notes %q, want %q, error %v", what, notes, c.notes, err)
				}
				h, err := target.Look(t.Context(), id)
				if err != nil || !slices.Equal(h.Flags, c.want) {
					t.Errorf("%s are %q, want %q, error %v", what, h.Flags, c.want, err)
				}
			}
			if got := w.only(t); property64(got) != targettest.Letter("a").Key {
				t.Errorf("%s: the key is %q now", what, property64(got))
			}
		}
	}
}

// What people said in more detail than the source does is theirs.
func TestAnAnswerToAllStaysOne(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	id := appended(t, target, "inbox", targettest.Letter("a"))
	patch := newMessage()
	patch.SetSingleValueExtendedProperties(append(noVerb()[1:], integer(propLastVerb, verbReplyAll)))
	if _, _, err := target.patch(t.Context(), id, patch); err != nil {
		t.Fatal(err)
	}
	if _, err := target.Update(t.Context(), migrate.Change{AddFlags: []migrate.Flag{migrate.Answered, "a"}}, id); err != nil {
		t.Fatal(err)
	}
	if got := w.only(t).SingleValue["Integer 0x1081"]; got != "103" {
		t.Errorf("the last verb is %s", got)
	}
}

func TestTheSourceSaysWhereAMessageIs(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	at := folders(t, target, "F", "To")
	id := appended(t, target, at[0], targettest.Letter("a"))
	for _, elsewhere := range []string{"junkemail", "deleteditems", "recoverableitemsdeletions"} {
		if err := w.sim.Move(user, string(id), elsewhere); err != nil {
			t.Fatal(err)
		}
		if _, err := target.Update(t.Context(), migrate.Change{AddFolder: at[1], RemoveFolder: at[0]}, id); err != nil {
			t.Errorf("from %s: %v", elsewhere, err)
		}
		if h, err := target.Look(t.Context(), id); err != nil || !slices.Equal(h.Folders, at[1:]) || h.Deleted {
			t.Errorf("from %s it went to %+v, %v", elsewhere, h, err)
		}
	}
}

func TestWhatIsInTheTrashStaysThere(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	places, err := target.Place(t.Context(), []migrate.Folder{{Path: []string{"Trash"}, Role: migrate.RoleTrash}, {Path: []string{"Trash", "Old"}}, {Path: []string{"F"}}})
	if err != nil {
		t.Fatal(err)
	}
	id := appended(t, target, places[2].ID, targettest.Letter("a"))
	for _, c := range []struct{ at, want migrate.FolderID }{
		{places[2].ID, places[0].ID}, {places[0].ID, places[0].ID}, {places[1].ID, places[1].ID}, {"recoverableitemsdeletions", ""},
	} {
		if err := w.sim.Move(user, string(id), string(c.at)); err != nil {
			t.Fatal(err)
		}
		if _, err := target.Update(t.Context(), migrate.Change{Trash: true, RemoveFolder: places[2].ID}, id); err != nil {
			t.Fatal(err)
		}
		h, err := target.Look(t.Context(), id)
		if err != nil || !h.Deleted || c.want != "" && h.Folders[0] != c.want {
			t.Errorf("from %s it went to %+v, want %s, %v", c.at, h, c.want, err)
		}
	}
}

func TestAMessageIsInOneFolderOnly(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	id := appended(t, target, "inbox", targettest.Letter("a"))
	w.front = func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %s", r.Method, r.URL) }
	for _, change := range []migrate.Change{{AddFolder: "drafts"}, {RemoveFolder: "inbox", AddFlags: []migrate.Flag{migrate.Seen}}} {
		_, err := target.Update(t.Context(), change, id)
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Permanent || !e.Refused {
			t.Errorf("%+v: %v", change, err)
		}
	}
}

func TestWhetherTheMessageOrTheFolderIsGoneIsToldApart(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	at := folders(t, target, "F", "To")
	id, gone := appended(t, target, at[0], targettest.Letter("a")), appended(t, target, at[0], targettest.Letter("b"))
	change := migrate.Change{AddFolder: at[1], RemoveFolder: at[0], AddFlags: []migrate.Flag{migrate.Flagged}}
	w.front = func(rw http.ResponseWriter, r *http.Request) { // it goes after it was looked at
		if strings.HasSuffix(r.URL.Path, string(gone)+"/move") {
			if err := w.sim.Drop(user, string(gone)); err != nil {
				t.Error(err)
			}
		}
		w.sim.ServeHTTP(rw, r)
	}
	if _, err := target.Update(t.Context(), change, gone); !errors.Is(err, migrate.ErrNotFound) {
		t.Errorf("the message is gone: %v", err)
	}
	w.front = nil
	for _, nowhere := range []migrate.MessageID{gone, "nonsense"} {
		if _, err := target.Update(t.Context(), migrate.Change{AddFlags: []migrate.Flag{migrate.Flagged}}, nowhere); !errors.Is(err, migrate.ErrNotFound) {
			t.Errorf("there is no message %s: %v", nowhere, err)
		}
	}
	w.call(t, http.MethodPost, "/mailFolders/"+string(at[1])+"/permanentDelete")
	for _, to := range []migrate.FolderID{at[1], "nonsense"} {
		change.AddFolder = to
		_, err := target.Update(t.Context(), change, id)
		if e, ok := errors.AsType[*migrate.Error](err); !ok || errors.Is(err, migrate.ErrNotFound) || e.Class != migrate.Permanent || e.Hint == "" {
			t.Errorf("the folder %s is gone: %#v", to, err)
		}
	}
	if got := w.only(t); got.Folder[0] != "F" || got.Flag != "notFlagged" {
		t.Errorf("it is %+v", got)
	}
}

// The contract has no way to tell the engine of another ID.
func TestAMoveThatChangesTheIDStopsTheMailbox(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	at := folders(t, target, "F", "To")
	id := appended(t, target, at[0], targettest.Letter("a"))
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/move") {
			r.Header.Del("Prefer")
		}
		w.sim.ServeHTTP(rw, r)
	}
	_, err := target.Update(t.Context(), migrate.Change{AddFolder: at[1], RemoveFolder: at[0]}, id)
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Fatal || e.Hint == "" || e.Refused {
		t.Errorf("%#v", err)
	}
}

func TestAnUpdateIsRefusedOnlyIfNothingOfItWasDone(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	at := folders(t, target, "F", "To")
	id := appended(t, target, at[0], targettest.Letter("a"))
	w.refuse(http.MethodPatch, "", 429, "ApplicationThrottled")
	change := migrate.Change{AddFolder: at[1], RemoveFolder: at[0], AddFlags: []migrate.Flag{migrate.Flagged}}
	for _, refused := range []bool{false, true} { // it is there the second time
		_, err := target.Update(t.Context(), change, id)
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient || !e.Throttled || e.Refused != refused {
			t.Errorf("%#v", err)
		}
	}
}

func TestFlagsThatAreRefusedDoNotCostTheKey(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	at := folders(t, target, "F", "To")
	id := appended(t, target, at[0], keyed("a", oldKey))
	patches := 0
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method == http.MethodPatch {
			patches++
			if strings.Contains(string(body), "categories") {
				rw.WriteHeader(http.StatusBadRequest)
				return
			}
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		w.sim.ServeHTTP(rw, r)
	}
	change := migrate.Change{AddFolder: at[1], RemoveFolder: at[0], Key: strings.Repeat(newKey, 32), AddFlags: []migrate.Flag{migrate.Seen, "work"}}
	notes, err := target.Update(t.Context(), change, id)
	if got := w.only(t); err != nil || !slices.Equal(notes, []string{"flags-refused"}) || property64(got) != change.Key || !got.IsRead || got.Folder[0] != "To" {
		t.Errorf("%q, %v, %+v", notes, err, got)
	}
	patches = 0
	notes, err = target.Update(t.Context(), migrate.Change{AddFlags: []migrate.Flag{"home"}}, id)
	if err != nil || !slices.Equal(notes, []string{"flags-refused"}) || patches != 1 {
		t.Errorf("flags alone: %q, %v, %d patches", notes, err, patches)
	}
}

func TestOneOfSeveralThatFailsKeepsNoOtherFromItsChange(t *testing.T) {
	const parallel = 3
	for _, c := range []struct {
		status int // of the answer to the first one's patch
		code   string
		want   migrate.Class
		fine   bool
	}{
		{404, "ErrorItemNotFound", 0, true},
		{503, "", migrate.Transient, false},
		{409, "ErrorIrresolvableConflict", migrate.Permanent, false},
	} {
		w := newWorld(t, graphsim.Options{Quota: graphsim.Quota{Concurrent: parallel}})
		target := w.open(t, Config{Route: RouteJSON, Parallel: parallel})
		var ids []migrate.MessageID
		for i := range 12 {
			ids = append(ids, appended(t, target, "inbox", targettest.Letter(fmt.Sprint("m", i))))
		}
		var running, most atomic.Int64
		w.front = func(rw http.ResponseWriter, r *http.Request) {
			for n := running.Add(1); ; {
				if m := most.Load(); n <= m || most.CompareAndSwap(m, n) {
					break
				}
			}
			defer running.Add(-1)
			if strings.HasSuffix(r.URL.Path, string(ids[0])) {
				rw.WriteHeader(c.status)
				fmt.Fprintf(rw, `{"error":{"code":%q,"message":"no"}}`, c.code)
				return
			}
			w.sim.ServeHTTP(rw, r)
		}
		_, err := target.Update(t.Context(), migrate.Change{AddFlags: []migrate.Flag{migrate.Flagged}}, ids...)
		if e, ok := errors.AsType[*migrate.Error](err); c.fine != (err == nil) || !c.fine && (!ok || e.Class != c.want || e.Refused) {
			t.Errorf("%d: %#v", c.status, err)
		}
		if n := most.Load(); n > parallel {
			t.Errorf("%d: %d calls at once", c.status, n)
		}
		flagged := 0
		for _, m := range w.sim.Messages(user) {
			if m.Flag == "flagged" {
				flagged++
			}
		}
		if flagged != len(ids)-1 {
			t.Errorf("%d: %d messages are flagged", c.status, flagged)
		}
	}
}

func TestAfterWhatStopsTheMailboxNoOtherIsTried(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON, Parallel: 3})
	var calls atomic.Int64
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		rw.WriteHeader(http.StatusForbidden)
	}
	_, err := target.Update(t.Context(), migrate.Change{AddFlags: []migrate.Flag{migrate.Flagged}}, make([]migrate.MessageID, 100)...)
	if n := calls.Load(); err == nil || classOf(err) != migrate.Fatal || n > 3 {
		t.Errorf("%d calls, %v", n, err)
	}
}

func TestTheWorstErrorOfSeveralIsTheOneToActOn(t *testing.T) {
	of := func(c migrate.Class) error { return &migrate.Error{Class: c} }
	order := []error{nil, of(migrate.Permanent), of(migrate.Transient), of(migrate.Fatal)}
	for i, a := range order {
		for j, b := range order {
			if got := worse(a, b); got != order[max(i, j)] {
				t.Errorf("of %v and %v the worse is %v", a, b, got)
			}
		}
	}
}

func TestAnUpdateCostsNoCallMoreThanItNeeds(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	at := folders(t, target, "F", "To")
	id := appended(t, target, at[0], targettest.Letter("a"))
	var calls []string
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		calls = append(calls, r.Method)
		w.sim.ServeHTTP(rw, r)
	}
	for _, c := range []struct {
		change migrate.Change
		want   string
	}{
		{migrate.Change{AddFlags: []migrate.Flag{migrate.Seen}, RemoveFlags: []migrate.Flag{migrate.Flagged}, Key: oldKey}, "PATCH"},
		{migrate.Change{AddFlags: []migrate.Flag{migrate.Answered}}, "GET PATCH"},
		{migrate.Change{AddFlags: []migrate.Flag{migrate.Answered}}, "GET"},
		{migrate.Change{}, "GET"},
		{migrate.Change{AddFolder: at[1], RemoveFolder: at[0]}, "GET POST"},
		{migrate.Change{AddFolder: at[0], RemoveFolder: at[1], AddFlags: []migrate.Flag{migrate.Seen}, Key: newKey}, "GET POST PATCH"},
		{migrate.Change{AddFolder: at[0], RemoveFolder: at[1], AddFlags: []migrate.Flag{migrate.Seen}, Key: newKey}, "GET PATCH"},
	} {
		calls = nil
		if _, err := target.Update(t.Context(), c.change, id); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(calls, " "); got != c.want {
			t.Errorf("%+v: %s, want %s", c.change, got, c.want)
		}
	}
}

func TestNewKeywordsGetTheirColoursOnce(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	ids := []migrate.MessageID{appended(t, target, "inbox", targettest.Letter("a")), appended(t, target, "inbox", targettest.Letter("b"))}
	painted := 0
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/masterCategories") {
			painted++
		}
		w.sim.ServeHTTP(rw, r)
	}
	for range 2 {
		if _, err := target.Update(t.Context(), migrate.Change{AddFlags: []migrate.Flag{"work"}, RemoveFlags: []migrate.Flag{"home"}}, ids...); err != nil {
			t.Fatal(err)
		}
	}
	if painted != 1 {
		t.Errorf("%d categories were painted", painted)
	}
}
