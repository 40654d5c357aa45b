package graph

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// The header of an import says the key that it was imported with, for ever.
func TestThePropertyAndNotTheHeaderSaysWhoseCopyAMessageIs(t *testing.T) {
	for _, opt := range []graphsim.Options{
		{}, {FilterDelay: time.Hour}, {FilterDelayRequests: 6, FilterStale: true}, {FilterDelay: time.Hour, FilterStale: true, ExpandDropsSelect: true},
	} {
		for _, route := range []Route{RouteImport, RouteJSON} {
			for _, moves := range []bool{false, true} {
				what := fmt.Sprintf("%s, moves %v, %+v", route, moves, opt)
				w := newWorld(t, opt)
				target := w.open(t, Config{Route: route})
				since, err := target.Position(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				at := folders(t, target, "F", "To")
				// The JSON route has notes on it that import has not.
				was := targettest.Message([]byte("From: a@example.org\r\nDate: Fri, 03 Jul 2009 14:15:16 +0000\r\nMessage-ID: <a@example.org>\r\n"+
					"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b--\r\n"), "<a@example.org>", migrate.Answered, migrate.Forwarded)
				is := *was
				is.Key = strings.Repeat(newKey, 32)
				written, err := target.Append(t.Context(), at[0], was)
				if err != nil {
					t.Fatal(err)
				}
				for range 2 * opt.FilterDelayRequests {
					if _, err := target.Position(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				change := migrate.Change{Key: is.Key}
				there := at[0]
				if moves {
					change.AddFolder, change.RemoveFolder = at[1], at[0]
					there = at[1]
				}
				if _, err := target.Update(t.Context(), change, written.ID); err != nil {
					t.Fatal(err)
				}
				again := w.open(t, Config{Route: route})
				for _, folder := range at {
					if found, err := again.Find(t.Context(), folder, was, since); !errors.Is(err, migrate.ErrNotFound) {
						t.Errorf("%s: by its old key it was found as %q, %v", what, found.ID, err)
					}
					found, err := again.Find(t.Context(), folder, &is, since)
					if folder != there && !errors.Is(err, migrate.ErrNotFound) {
						t.Errorf("%s: it was found where it is not: %q, %v", what, found.ID, err)
					}
					if folder == there && (err != nil || found.ID != written.ID || !slices.Equal(found.Notes, written.Notes)) {
						t.Errorf("%s: found %+v, %v, want %+v", what, found, err, written)
					}
				}
				if h, err := again.Look(t.Context(), written.ID); err != nil || h.Key != is.Key || h.Folders[0] != there {
					t.Errorf("%s: it is shown as %+v, %v", what, h, err)
				}
				for batch, err := range again.List(t.Context(), there) {
					if err != nil || len(batch) != 1 || batch[0].Key != is.Key {
						t.Errorf("%s: it is listed as %+v, %v", what, batch, err)
					}
				}
				if octets := string(octetsOf(t, w.only(t))); route == RouteImport && !strings.HasPrefix(octets, keyLine(was.Key)) {
					t.Errorf("%s: the header is %.100q", what, octets)
				}
			}
		}
	}
}

// A filter may know of a message that is gone, and of one that is not.
func TestAHitThatIsGoneHidesNoOther(t *testing.T) {
	for _, left := range []int{0, 1} {
		w := newWorld(t, graphsim.Options{})
		target := w.open(t, Config{Route: RouteJSON})
		since, err := target.Position(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		at, m := folders(t, target, "F")[0], keyed("a", oldKey)
		ids := []migrate.MessageID{appended(t, target, at, m), appended(t, target, at, m)}
		w.front = func(rw http.ResponseWriter, r *http.Request) {
			w.sim.ServeHTTP(rw, r)
			if strings.Contains(r.URL.RawQuery, "filter=") && !strings.Contains(r.URL.RawQuery, "expand=") {
				for i, id := range ids {
					if i != left {
						_ = w.sim.Drop(user, string(id))
					}
				}
			}
		}
		if found, err := target.Find(t.Context(), at, m, since); err != nil || found.ID != ids[left] {
			t.Errorf("found %q, %v, want %q", found.ID, err, ids[left])
		}
	}
}

// A message that was copied once may be another one's copy now, and its own
// place may be taken by a new copy of the first.
func TestAKeyThatWasGivenAwayCanBeWrittenAgain(t *testing.T) {
	w := newWorld(t, graphsim.Options{FilterDelay: time.Hour, FilterStale: true})
	target := w.open(t, Config{Route: RouteImport})
	since, err := target.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := folders(t, target, "F")[0]
	was, is := keyed("a", oldKey), keyed("a", newKey)
	first := appended(t, target, at, was)
	if _, err := target.Update(t.Context(), migrate.Change{Key: is.Key}, first); err != nil {
		t.Fatal(err)
	}
	second := appended(t, target, at, was)
	for _, c := range []struct {
		m    *migrate.Message
		want migrate.MessageID
	}{{was, second}, {is, first}} {
		found, err := target.Find(t.Context(), at, c.m, since)
		if err != nil || found.ID != c.want {
			t.Errorf("%.4s is %q, %v, want %q", c.m.Key, found.ID, err, c.want)
		}
	}
}
