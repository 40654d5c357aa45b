package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// masterList returns the colours of the mailbox's categories by name.
func (w *world) masterList(t *testing.T) map[string]string {
	t.Helper()
	colours := map[string]string{}
	r := httptest.NewRequest("GET", "/v1.0/users/"+user+"/outlook/masterCategories?$top=1000", nil)
	r.Header.Set("Authorization", "Bearer test")
	rw := httptest.NewRecorder()
	w.sim.ServeHTTP(rw, r)
	var list struct {
		Value []struct{ DisplayName, Color string }
	}
	if err := json.Unmarshal(rw.Body.Bytes(), &list); rw.Code != http.StatusOK || err != nil {
		t.Fatalf("%d %v", rw.Code, err)
	}
	for _, c := range list.Value {
		if colours[c.DisplayName] != "" {
			t.Errorf("%q is listed twice", c.DisplayName)
		}
		colours[c.DisplayName] = c.Color
	}
	return colours
}

func TestCategoriesGetAColourOnce(t *testing.T) {
	var before map[string]string
	for _, route := range []Route{RouteImport, RouteJSON} {
		w := newWorld(t, graphsim.Options{})
		posts := 0
		w.front = func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/masterCategories") && r.Method == http.MethodPost {
				posts++
			}
			w.sim.ServeHTTP(rw, r)
		}
		for range 2 { // two processes
			target := w.open(t, Config{Route: route})
			for i := range 12 {
				m := targettest.Letter(fmt.Sprint(i), migrate.Flag(fmt.Sprintf("label%d", i)), "Work")
				m.Key = strings.Repeat(fmt.Sprintf("%02d", i), 32)
				if i%2 > 0 {
					m.Flags[1] = "wORK"
				}
				if _, err := target.Append(t.Context(), "inbox", m); err != nil {
					t.Fatal(err)
				}
			}
		}
		colours := w.masterList(t)
		different := map[string]bool{}
		for name, colour := range colours {
			different[colour] = true
			if !strings.HasPrefix(colour, "preset") || before != nil && before[name] != colour {
				t.Errorf("%s: %q is %s", route, name, colour)
			}
		}
		if len(colours) != 13 || posts != 13 || len(different) < 5 {
			t.Errorf("%s: %d posts for %v", route, posts, colours)
		}
		before = colours
	}
}

func TestCategoriesWithoutColourCostNothing(t *testing.T) {
	w := newWorld(t, graphsim.Options{WithoutRoles: []string{"MailboxSettings.ReadWrite"}})
	asked := 0
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/masterCategories") {
			asked++
		}
		w.sim.ServeHTTP(rw, r)
	}
	target := w.open(t, Config{Route: RouteImport})
	for i := range 3 {
		m := targettest.Letter(fmt.Sprint(i), "work")
		if stored, err := target.Append(t.Context(), "inbox", m); err != nil || len(stored.Notes) > 0 {
			t.Errorf("%v %v", stored, err)
		}
	}
	for _, m := range w.sim.Messages(user) {
		if len(m.Categories) != 1 {
			t.Errorf("categories %q", m.Categories)
		}
	}
	if asked != 1 {
		t.Errorf("the master list was asked for %d times", asked)
	}
}

func TestColoursThatFailOnceComeWithTheNextMessage(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		target := w.open(t, Config{Route: RouteJSON})
		w.refuse(method, "/masterCategories", 503, "ErrorServerBusy")
		if _, err := target.Append(t.Context(), "inbox", targettest.Letter("a", migrate.Flag("label-"+method))); err != nil {
			t.Fatal(err)
		}
		w.front = nil
		if _, err := target.Append(t.Context(), "inbox", targettest.Letter("b", migrate.Flag("label-"+method))); err != nil {
			t.Fatal(err)
		}
		if w.masterList(t)["label-"+method] == "" {
			t.Errorf("%s: no colour", method)
		}
	}
}
