package gmail

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// ofDay returns a letter of a day in July 2009.
func ofDay(day int) *migrate.Message {
	octets := string(targettest.Letter(fmt.Sprint("day-", day)).Body.(targettest.Octets))
	at := targettest.Date.Format(time.RFC1123Z)
	return targettest.Message([]byte(strings.Replace(octets, at, targettest.Date.AddDate(0, 0, day).Format(time.RFC1123Z), 1)), "")
}

// appended appends m and returns its ID.
func appended(t *testing.T, target *Target, folder migrate.FolderID, m *migrate.Message) migrate.MessageID {
	t.Helper()
	stored, err := target.Append(t.Context(), folder, m)
	if err != nil {
		t.Fatal(err)
	}
	return stored.ID
}

// listed returns the IDs that a list yields, and calls between after each page.
func listed(t *testing.T, target *Target, folder migrate.FolderID, between func()) (ids []migrate.MessageID) {
	t.Helper()
	for batch, err := range target.List(t.Context(), folder) {
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range batch {
			ids = append(ids, h.ID)
		}
		between()
	}
	return ids
}

// A smallPages server lists two messages a page.
func smallPages(h http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "maxResults=500", "maxResults=2", 1)
		h.ServeHTTP(w, r)
	}
}

func TestAMessageThatComesWhileAListIsReadMakesNoOtherTwice(t *testing.T) {
	for _, counted := range []bool{false, true} {
		sim, _ := serve(t, gmailsim.Options{PageByCount: counted})
		_, server := serveFunc(t, smallPages(sim))
		target := open(t, config(server))
		var want []migrate.MessageID
		for day := range 5 {
			want = append(want, appended(t, target, inbox, ofDay(day)))
		}
		day := 5
		got := listed(t, target, inbox, func() {
			if day++; day == 7 || day == 9 {
				appended(t, target, inbox, ofDay(day))
			}
		})
		if slices.Sort(got); !slices.Equal(got, want) { // the IDs go by date
			t.Errorf("by count %v: the list has %q, want %q", counted, got, want)
		}
	}
}

// Gmail does not say what a page token stands for.
func TestAListMayPassOverAMessageWhenOthersGoAndLookTells(t *testing.T) {
	sim, _ := serve(t, gmailsim.Options{PageByCount: true})
	_, server := serveFunc(t, smallPages(sim))
	target := open(t, config(server))
	var ids []migrate.MessageID
	for day := range 4 {
		ids = append(ids, appended(t, target, inbox, ofDay(day)))
	}
	pages := 0
	got := listed(t, target, inbox, func() {
		if pages++; pages == 1 {
			if err := sim.Drop(user, string(ids[3])); err != nil {
				t.Fatal(err)
			}
		}
	})
	if slices.Contains(got, ids[1]) {
		t.Fatalf("the list has %q: nothing was passed over", got)
	}
	if h, err := target.Look(t.Context(), ids[1]); err != nil || !slices.Contains(h.Folders, inbox) {
		t.Errorf("a look shows %+v, error %v", h, err)
	}
}

func TestALookShowsWhatAListDoesNotKnowYet(t *testing.T) {
	_, server := serve(t, gmailsim.Options{ListLags: true, IndexRequests: 1000})
	target := open(t, config(server))
	id := appended(t, target, inbox, targettest.Letter("late"))
	if got := listed(t, target, inbox, func() {}); len(got) > 0 {
		t.Fatalf("the list has %q", got)
	}
	if h, err := target.Look(t.Context(), id); err != nil || !slices.Contains(h.Folders, inbox) {
		t.Errorf("a look shows %+v, error %v", h, err)
	}
}

func TestAllMailHasWhatIsNeitherSpamNorTrash(t *testing.T) {
	_, server := serve(t, gmailsim.Options{})
	target := open(t, config(server))
	work := placed(t, target, folders("Work"))[0].ID
	var want []migrate.MessageID
	for i, folder := range []migrate.FolderID{inbox, sent, draft, junk, trash, archive, work} {
		id := appended(t, target, folder, targettest.Letter(fmt.Sprint("all-", i)))
		h, err := target.Look(t.Context(), id)
		folders := []migrate.FolderID{folder, archive}
		switch folder {
		case junk, trash, archive:
			folders = []migrate.FolderID{folder}
		}
		if err != nil || !slices.Equal(h.Folders, folders) {
			t.Errorf("what was appended to %s is in %q, error %v", folder, h.Folders, err)
		}
		if folder != junk && folder != trash {
			want = append(want, id)
		}
	}
	got := listed(t, target, archive, func() {})
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("the list has %q, want %q", got, want)
	}
}

func TestAFolderKeepsItsIDWhenItsLabelIsMadeAgain(t *testing.T) {
	_, server := serve(t, gmailsim.Options{})
	target := open(t, config(server))
	work := placed(t, target, folders("Work"))[0].ID
	appended(t, target, work, targettest.Letter("before"))
	deleteLabels(t, target, work)
	id := appended(t, target, work, targettest.Letter("after"))
	if got := listed(t, target, work, func() {}); !slices.Equal(got, []migrate.MessageID{id}) {
		t.Errorf("the list has %q, want %q", got, id)
	}
	if h, err := target.Look(t.Context(), id); err != nil || !slices.Equal(h.Folders, []migrate.FolderID{work, archive}) {
		t.Errorf("it is in %q, error %v", h.Folders, err)
	}
}

func TestAListWithoutEndEnds(t *testing.T) {
	calls := 0
	c := config(&httptest.Server{URL: "http://localhost/"})
	c.Transport = line{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		io.WriteString(w, `{"historyId":"1","nextPageToken":"1"}`)
	})}
	steps := 0
	for batch, err := range open(t, c).List(t.Context(), inbox) {
		if steps++; err == nil || len(batch) > 0 {
			t.Errorf("the list yields %v, error %v", batch, err)
		}
	}
	if steps != 1 || calls != maxListPages+1 {
		t.Errorf("it took %d steps and %d calls", steps, calls)
	}
}
