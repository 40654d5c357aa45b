package graph

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

func TestTheProbeChoosesTheRouteAndLeavesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		opt  graphsim.Options
		want Route
	}{
		"import works":        {graphsim.Options{}, RouteImport},
		"no import":           {graphsim.Options{NoImport: true}, RouteJSON},
		"import loses dates":  {graphsim.Options{ImportNow: true}, RouteJSON},
		"no role for imports": {graphsim.Options{WithoutRoles: []string{"Mail-Advanced.ReadWrite.All"}}, RouteJSON},
		"import loses fields": {graphsim.Options{ImportDropsFields: true}, RouteJSON},
	} {
		w := newWorld(t, c.opt)
		target := w.open(t, Config{Route: RouteAuto})
		if target.Route() != c.want {
			t.Errorf("%s: %s, want %s", name, target.Route(), c.want)
		}
		if ms := w.sim.Messages(user); len(ms) != 0 {
			t.Errorf("%s: left %d messages", name, len(ms))
		}
		for _, f := range w.sim.Folders(user) {
			if strings.HasPrefix(f.Path[len(f.Path)-1], "mailhaul") {
				t.Errorf("%s: left the folder %q", name, f.Path)
			}
		}
	}
}

// probeFolders returns the names of the folders that probes make.
func (w *world) probeFolders() (names []string) {
	for _, f := range w.sim.Folders(user) {
		if name := f.Path[len(f.Path)-1]; strings.HasPrefix(name, probePrefix) {
			names = append(names, name)
		}
	}
	return names
}

func TestWhatAKilledProbeLeftIsRemovedBeforeMailIsPlaced(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/permanentDelete") {
			panic(http.ErrAbortHandler)
		}
		w.sim.ServeHTTP(rw, r)
	}
	if target, err := Open(t.Context(), Config{User: user, Endpoint: w.server.URL, Token: StaticToken("test")}); err == nil {
		t.Fatalf("%v", target)
	}
	w.front = nil
	if len(w.probeFolders()) != 1 || len(w.sim.Messages(user)) != 1 {
		t.Fatalf("%q, %d messages", w.probeFolders(), len(w.sim.Messages(user)))
	}
	target := w.open(t, Config{Route: RouteImport})
	var stay []string
	for name, hidden := range map[string]bool{probePrefix + "5b5c1f7e-6f0a-4d53-9d8c-3c1c2a6ad001": false, probePrefix + "of mine": true} {
		f := models.NewMailFolder()
		f.SetDisplayName(&name)
		f.SetIsHidden(&hidden)
		if _, err := target.user.MailFolders().Post(t.Context(), f, nil); err != nil {
			t.Fatal(err)
		}
		stay = append(stay, name)
	}
	if _, err := target.Place(t.Context(), []migrate.Folder{{Path: []string{"INBOX"}}}); err != nil {
		t.Fatal(err)
	}
	left := w.probeFolders()
	slices.Sort(left)
	slices.Sort(stay)
	if !slices.Equal(left, stay) || len(w.sim.Messages(user)) != 0 {
		t.Errorf("%q are left, want %q; %d messages", left, stay, len(w.sim.Messages(user)))
	}
}

func TestAProbeThatIsInterruptedLeavesNothing(t *testing.T) {
	for _, at := range []string{"/importMime", "/messages/"} {
		w := newWorld(t, graphsim.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		hit := false
		w.front = func(rw http.ResponseWriter, r *http.Request) {
			w.sim.ServeHTTP(rw, r)
			if strings.Contains(r.URL.Path, at) {
				hit = true
				cancel()
			}
		}
		if target, err := Open(ctx, Config{User: user, Endpoint: w.server.URL, Token: StaticToken("test")}); err == nil {
			target.Close()
		}
		if left := w.probeFolders(); !hit || len(left) > 0 {
			t.Errorf("%s: %v; %q are left", at, hit, left)
		}
	}
}

func TestAnImportThatIsAskedForMustBePossible(t *testing.T) {
	for name, c := range map[string]struct {
		opt graphsim.Options
		ok  bool
	}{
		"import works":        {graphsim.Options{}, true},
		"import loses dates":  {graphsim.Options{ImportNow: true}, true},
		"no import":           {graphsim.Options{NoImport: true}, false},
		"import loses fields": {graphsim.Options{ImportDropsFields: true}, false},
	} {
		w := newWorld(t, c.opt)
		target, err := Open(t.Context(), Config{User: user, Endpoint: w.server.URL, Token: StaticToken("test"), Route: RouteImport})
		if e, fatal := errors.AsType[*migrate.Error](err); fatal == c.ok || fatal && (e.Class != migrate.Fatal || e.Hint == "") {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			if target.Route() != RouteImport {
				t.Errorf("%s: %s", name, target.Route())
			}
			target.Close()
		}
		if n := len(w.sim.Messages(user)); n != 0 {
			t.Errorf("%s: left %d messages", name, n)
		}
	}
}

func TestAProbeThatFailsForAnotherReasonDecidesNothing(t *testing.T) {
	for _, fault := range []string{"503@2", "429@2", "lost-reply@2", "cut@2"} {
		faults, err := graphsim.ParseFaults(fault)
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, graphsim.Options{Faults: faults})
		target, err := Open(t.Context(), Config{User: user, Endpoint: w.server.URL, Token: StaticToken("test")})
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient {
			t.Errorf("%s: %v, %v", fault, target, err)
		}
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		opt   graphsim.Options
		token string
		class migrate.Class
	}{
		"no such user":      {graphsim.Options{Users: []string{"someone.else@example.com"}}, "test", migrate.Fatal},
		"out of scope":      {graphsim.Options{Denied: []string{user}}, "test", migrate.Fatal},
		"no role":           {graphsim.Options{WithoutRoles: []string{"Mail.ReadWrite"}}, "test", migrate.Fatal},
		"bad token":         {graphsim.Options{}, "wrong", migrate.Fatal},
		"mailbox not ready": {graphsim.Options{MailboxDelay: 1 << 50}, "test", migrate.Transient},
	} {
		w := newWorld(t, c.opt)
		_, err := Open(t.Context(), Config{User: user, Endpoint: w.server.URL, Token: StaticToken(c.token)})
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != c.class || e.Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpenRefusesToSendATokenInTheClear(t *testing.T) {
	for _, endpoint := range []string{"http://graph.microsoft.com", "http://127.0.0.1.example.com", "ftp://localhost", "graph.microsoft.com", "https://u:p@graph.microsoft.com", "http://[::1"} {
		if _, err := parseEndpoint(endpoint); err == nil {
			t.Errorf("%s is taken", endpoint)
		}
	}
	for _, endpoint := range []string{"https://graph.microsoft.com", "http://127.0.0.1:8080/", "http://localhost:1", "http://[::1]:1"} {
		if _, err := parseEndpoint(endpoint); err != nil {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}
