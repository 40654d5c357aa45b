package graph

import (
	"errors"
	"strings"
	"testing"

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
