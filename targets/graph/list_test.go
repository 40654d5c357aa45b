package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/migrate/verify"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// fill imports n letters into the inbox and returns their ids.
func fill(t *testing.T, target *Target, n int) (ids []migrate.MessageID) {
	t.Helper()
	for i := range n {
		s, err := target.Append(t.Context(), "inbox", targettest.Letter(fmt.Sprintf("letter-%d", i)))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, s.ID)
	}
	return ids
}

// shownBy lists the inbox and counts how often each message was shown. It
// calls between after each batch.
func shownBy(t *testing.T, target *Target, between func()) map[migrate.MessageID]int {
	t.Helper()
	shown := map[migrate.MessageID]int{}
	for batch, err := range target.List(t.Context(), "inbox") {
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range batch {
			shown[h.ID]++
			if !h.Complete || h.Key == "" || h.MessageID == "" || h.Size == 0 || h.Date.IsZero() || len(h.Folders) != 1 {
				t.Errorf("%+v", h)
			}
		}
		between()
	}
	return shown
}

// call makes a call to the mailbox, as its user might.
func (w *world) call(t *testing.T, method, path string) {
	t.Helper()
	r := httptest.NewRequest(method, "/v1.0/users/"+user+path, http.NoBody)
	r.Header.Set("Authorization", "Bearer test")
	answer := httptest.NewRecorder()
	w.sim.ServeHTTP(answer, r)
	if answer.Code >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, answer.Code, answer.Body)
	}
}

func TestAListMissesNothingThatStaysWhileOthersComeAndGo(t *testing.T) {
	var clock atomic.Int64
	now := func() time.Time { return targettest.Date.Add(time.Duration(clock.Add(1)) * time.Second) }
	w := newWorld(t, graphsim.Options{Now: now, SlowPage: 12}) // so that pages have 12
	target := w.open(t, Config{Route: RouteImport})
	ids := fill(t, target, 60)
	pages := 0
	shown := shownBy(t, target, func() {
		if pages++; pages > 4 {
			return
		}
		// What goes was shown already, so what follows moves up.
		if err := w.sim.Drop(user, string(ids[pages-1])); err != nil {
			t.Fatal(err)
		}
		if pages == 2 {
			if _, err := w.sim.Double(user, string(ids[59])); err != nil {
				t.Fatal(err)
			}
		}
	})
	if pages < 6 {
		t.Errorf("there were %d batches, want one of what the first pass missed", pages)
	}
	for _, id := range ids[4:] {
		if shown[id] != 1 {
			t.Errorf("%s was shown %d times", id, shown[id])
		}
	}
	for id, n := range shown {
		if n != 1 {
			t.Errorf("%s was shown %d times", id, n)
		}
	}
}

func TestAListIsCompleteWhateverGraphDoesToIt(t *testing.T) {
	for name, opt := range map[string]graphsim.Options{
		"$select with $expand drops members":  {ExpandDropsSelect: true},
		"ids of properties as they were sent": {PropertyIDsAsSent: true},
		"pages of one message":                {SlowPage: 1},
		"filters that see nothing":            {FilterDelay: 1 << 60, FilterDelayDates: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, opt)
			target := w.open(t, Config{Route: RouteImport})
			ids := fill(t, target, 25)
			if shown := shownBy(t, target, func() {}); len(shown) != len(ids) {
				t.Errorf("%d messages were shown, want %d", len(shown), len(ids))
			}
			h, err := target.Look(t.Context(), ids[0])
			if err != nil || !h.Complete || h.Key != targettest.Letter("letter-0").Key || h.Size == 0 {
				t.Errorf("%+v, %v", h, err)
			}
		})
	}
}

func TestAFolderThatCountsMoreThanMessagesIsListedTwiceAtMost(t *testing.T) {
	w := newWorld(t, graphsim.Options{SlowPage: 12})
	target := w.open(t, Config{Route: RouteImport})
	ids := fill(t, target, 30)
	var passes atomic.Int64
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		switch query := r.URL.Query(); {
		case query.Get("$select") == "totalItemCount":
			fmt.Fprint(rw, `{"totalItemCount":31}`)
			return
		case query.Get("$top") == "12":
			passes.Add(1)
		}
		w.sim.ServeHTTP(rw, r)
	}
	if shown := shownBy(t, target, func() {}); len(shown) != len(ids) || passes.Load() != 2 {
		t.Errorf("%d passes showed %d messages", passes.Load(), len(shown))
	}
}

func TestAListWithoutEndIsAnError(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(rw, `{"totalItemCount":1,"value":[],"@odata.nextLink":"http://%s/next"}`, r.Host)
	}
	for _, err := range target.List(t.Context(), "inbox") {
		if err == nil || !strings.Contains(err.Error(), "no end") {
			t.Errorf("the error is %v", err)
		}
		return
	}
	t.Error("the list ended")
}

func TestAListIsNotFollowedToAnotherServer(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	for _, link := range []string{"http://evil.example/x", ".evil.example/x", "%zz"} {
		w.front = func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(rw, `{"totalItemCount":1,"value":[],"@odata.nextLink":%q}`, link)
		}
		steps := 0
		for _, err := range target.List(t.Context(), "inbox") {
			if steps++; err == nil {
				t.Errorf("%s was followed", link)
			}
		}
		if steps != 1 {
			t.Errorf("%s: %d steps", link, steps)
		}
	}
}

func TestWhatWasDeletedIsSaidToBe(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteImport})
	places, err := target.Place(t.Context(), []migrate.Folder{
		{Path: []string{"Trash"}, Role: migrate.RoleTrash}, {Path: []string{"Trash", "Old"}}, {Path: []string{"Clients"}}, {Path: []string{"Clients", "2019"}}})
	if err != nil {
		t.Fatal(err)
	}
	for i, deleted := range []bool{true, true, false, false} {
		s, err := target.Append(t.Context(), places[i].ID, targettest.Letter(fmt.Sprintf("letter-%d", i)))
		if err != nil {
			t.Fatal(err)
		}
		h, err := target.Look(t.Context(), s.ID)
		if err != nil || h.Deleted != deleted || h.Folders[0] != places[i].ID {
			t.Errorf("in %s: %+v, %v", places[i].Name, h, err)
		}
	}
	id := fill(t, target, 1)[0]
	if err := w.sim.Move(user, string(id), "recoverableitemsdeletions"); err != nil {
		t.Fatal(err)
	}
	if h, err := target.Look(t.Context(), id); err != nil || !h.Deleted {
		t.Errorf("where it can be recovered: %+v, %v", h, err)
	}
}

func TestWhatIsDeletedBeyondRecoveryIsNotFound(t *testing.T) {
	w := newWorld(t, graphsim.Options{RecoverableHidden: true})
	target := w.open(t, Config{Route: RouteImport})
	id := fill(t, target, 1)[0]
	for range 2 {
		w.call(t, http.MethodDelete, "/messages/"+string(id))
	}
	for _, id := range []migrate.MessageID{id, "malformed"} {
		if _, err := target.Look(t.Context(), id); !errors.Is(err, migrate.ErrNotFound) {
			t.Errorf("look: %v", err)
		}
		if _, _, err := target.Open(t.Context(), id); !errors.Is(err, migrate.ErrNotFound) {
			t.Errorf("open: %v", err)
		}
	}
}

func TestAMailboxThatIsGoneIsNoMessageThatIsNotFound(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	w.front = func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusNotFound)
		fmt.Fprint(rw, `{"error":{"code":"ErrorInvalidUser","message":"no such user"}}`)
	}
	_, err := target.Look(t.Context(), "x")
	if errors.Is(err, migrate.ErrNotFound) || classOf(err) != migrate.Fatal {
		t.Errorf("%v", err)
	}
}

func TestAnIncompleteCopyHasTheKeyOfItsMessage(t *testing.T) {
	it := item{ID: "x", ParentFolderID: "f", IsRead: new(true), IsDraft: new(false)}
	it.Properties = append(it.Properties, struct{ ID, Value string }{propMigrationKey, "k" + partial})
	target := &Target{trash: trash{turn: semaphore.NewWeighted(1), in: map[migrate.FolderID]bool{"f": false}}}
	if h, err := target.held(t.Context(), it); err != nil || h.Key != "k" {
		t.Errorf("%+v, %v", h, err)
	}
}

func TestAnAnswerIsIncompleteIfAnythingThatWasSelectedIsMissing(t *testing.T) {
	const all = `"id":"x","parentFolderId":"f","isRead":true,"isDraft":false`
	for _, c := range []struct {
		more     string
		complete bool
	}{
		{``, false},
		{`,"receivedDateTime":"2009-07-03T14:15:16Z"`, false},
		{`,"singleValueExtendedProperties":[{"id":"Integer 0xe08","value":"7"}]`, false},
		{`,"receivedDateTime":"2009-07-03T14:15:16Z","singleValueExtendedProperties":[{"id":"Integer 0xe08","value":"7"}]`, true},
	} {
		var it item
		if err := json.Unmarshal([]byte(`{`+all+c.more+`}`), &it); err != nil {
			t.Fatal(err)
		}
		if it.complete(false) != c.complete || !it.complete(true) {
			t.Errorf("%s: %v, and %v without $select", c.more, it.complete(false), it.complete(true))
		}
	}
}

func TestReadingWritesNothingAndCostsWhatIsSaid(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	writer := w.open(t, Config{Route: RouteImport})
	ids := fill(t, writer, listPage+50)
	folders, err := writer.Place(t.Context(), []migrate.Folder{{Path: []string{"A"}}, {Path: []string{"A", "B"}}})
	if err != nil {
		t.Fatal(err)
	}
	var calls, writes atomic.Int64
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if r.Method != http.MethodGet {
			writes.Add(1)
		}
		w.sim.ServeHTTP(rw, r)
	}
	target := w.open(t, Config{Route: RouteJSON})
	for _, folder := range []migrate.FolderID{"inbox", folders[0].ID, folders[1].ID} {
		for _, err := range target.List(t.Context(), folder) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, id := range ids[:20] {
		_, content, err := target.Open(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		content.Close()
	}
	said := ReadCost(verify.Work{Folders: 3, Listed: int64(len(ids)), Looks: int64(len(ids)), Opens: 20, Bytes: 1 << 20})
	if n := calls.Load(); n > said[pace.Requests] || n < said[pace.Requests]*3/4 || said[pace.Bytes] != 0 {
		t.Errorf("it took %d calls, said are %d", n, said[pace.Requests])
	}
	for _, id := range ids[:20] {
		if _, err := target.Look(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if n := writes.Load(); n > 0 {
		t.Errorf("reading made %d calls that write", n)
	}
	if more := ReadCost(verify.Work{Listed: 100 * listPage})[pace.Requests] - ReadCost(verify.Work{})[pace.Requests]; more != 100 {
		t.Errorf("100 pages cost %d calls", more)
	}
}
