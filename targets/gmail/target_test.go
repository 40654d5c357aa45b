package gmail

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/pace"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim/discovery"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

const user = "ann@example.org"

// serve starts a simulator.
func serve(t *testing.T, o gmailsim.Options) (*gmailsim.Server, *httptest.Server) {
	t.Helper()
	sim, err := gmailsim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	server := httptest.NewServer(discovery.Checked(t, sim))
	t.Cleanup(server.Close)
	return sim, server
}

func token() (string, error) { return "test", nil }

// config is what opens ann's mailbox on server.
func config(server *httptest.Server) Config {
	return Config{User: user, Endpoint: server.URL, TokenSource: Static(token), Route: RouteImport, Settle: -1}
}

func open(t *testing.T, c Config) *Target {
	t.Helper()
	target, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal("open:", err)
	}
	t.Cleanup(func() { target.Close() })
	return target
}

// held returns what the simulator holds, with labels as Place names them.
func held(t *testing.T, sim *gmailsim.Server) []targettest.Held {
	t.Helper()
	return heldBy(t, sim, user)
}

func heldBy(t *testing.T, sim *gmailsim.Server, user string) []targettest.Held {
	t.Helper()
	var all []targettest.Held
	for _, m := range sim.Messages(user) {
		octets, err := io.ReadAll(m.Received())
		if err != nil {
			t.Fatal(err)
		}
		h := targettest.Held{
			ID: migrate.MessageID(m.ID), Octets: octets, Seen: !m.Unread, Flagged: m.Starred, Date: m.InternalDate,
		}
		for _, name := range m.Labels {
			if special := specialName(migrate.FolderID(name)); special != "" {
				name = special
			}
			h.Folders = append(h.Folders, name)
		}
		if len(h.Folders) == 0 {
			h.Folders = []string{specialName(archive)}
		}
		all = append(all, h)
	}
	return all
}

func TestTarget(t *testing.T) {
	for name, o := range map[string]gmailsim.Options{
		"as documented":  {},
		"nothing added":  {NothingAdded: true},
		"dates added":    {DateAdded: true},
		"index lags":     {IndexRequests: 1000},
		"other reserved": {Reserved: []string{"Clients", "padded"}, ReservedFirst: true},
		"full answers":   {FullAnswer: true, Same: gmailsim.SameNever},
		"sent refused":   {Sent: gmailsim.PolicyRefuse},
		"no old history": {HistoryRecords: 1},
		"imports merged": {Same: gmailsim.SameMessageID, NewIDOnMerge: true},
	} {
		t.Run(name, func(t *testing.T) {
			targettest.Run(t, func(t *testing.T) targettest.Mailbox {
				sim, server := serve(t, o)
				c := config(server)
				c.Route = RouteAuto
				if name == "imports merged" {
					c.User = "bob@example.org" // what Ann wrote herself would be in Sent too
				}
				return targettest.Mailbox{
					Open: func(t *testing.T) migrate.Target { return open(t, c) },
					Held: func(t *testing.T) []targettest.Held { return heldBy(t, sim, c.User) },
				}
			})
		})
	}
}

// A line carries requests to a handler within the process and within the clock
// of synctest. It closes the connection where the handler panics.
type line struct{ http.Handler }

func (l line) RoundTrip(req *http.Request) (res *http.Response, err error) {
	defer func() {
		if req.Body != nil {
			req.Body.Close()
		}
		if recover() != nil {
			res, err = nil, io.EOF
		}
	}()
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	served := req.Clone(req.Context())
	if served.Body == nil {
		served.Body = http.NoBody
	}
	served.RequestURI = req.URL.RequestURI()
	answer := httptest.NewRecorder()
	l.ServeHTTP(answer, served)
	return answer.Result(), nil
}

// inside opens ann's mailbox on a simulator in this process. It is for
// synctest bubbles.
func inside(t *testing.T, o gmailsim.Options, c Config) (*gmailsim.Server, *Target) {
	t.Helper()
	sim, err := gmailsim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	c.User, c.Endpoint, c.Transport, c.Route = user, "http://localhost/", line{sim}, RouteImport
	if c.TokenSource == nil {
		c.TokenSource = Static(token)
	}
	return sim, open(t, c)
}

func TestOpenProvesAccess(t *testing.T) {
	for name, test := range map[string]struct {
		o    gmailsim.Options
		hint string
	}{
		"switched off":  {gmailsim.Options{MailServiceOff: []string{user}}, "switched off for this user"},
		"domain policy": {gmailsim.Options{DomainPolicy: true}, "switched off for this domain"},
		"wrong token":   {gmailsim.Options{Tokens: []string{"another"}}, ""},
	} {
		_, server := serve(t, test.o)
		_, err := Open(t.Context(), config(server))
		e, ok := errors.AsType[*migrate.Error](err)
		if !ok || !strings.Contains(e.Hint, test.hint) || e.Class != migrate.Fatal && test.hint != "" {
			t.Errorf("%s: %#v", name, err)
		}
	}
}

func TestTokensGoToSafeEndpointsOnly(t *testing.T) {
	for endpoint, safe := range map[string]bool{
		"https://gmail.googleapis.com/": true,
		"https://gateway.example.org":   true,
		"http://127.0.0.1:8080/":        true,
		"http://[::1]:8080":             true,
		"http://localhost:1":            true,
		"http://gmail.googleapis.com/":  false,
		"https://host/path/":            false,
		"ftp://host/":                   false,
		"host":                          false,
		"https://":                      false,
	} {
		if _, err := parseEndpoint(endpoint); (err == nil) != safe {
			t.Errorf("endpoint %q: %v", endpoint, err)
		}
	}
}

func TestTheSafeProfileIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, profile := range Profiles() {
			quota, err := gmailsim.ParseQuota(profile.Name)
			if err != nil {
				t.Fatal(err)
			}
			limiter := pace.NewLimiter(pace.NewLimiter(nil, profile.Project...), profile.User...)
			sim, target := inside(t, gmailsim.Options{Quota: quota}, Config{Limiter: limiter, Settle: -1})
			began := time.Now()
			var group sync.WaitGroup
			for w := range 4 {
				group.Go(func() {
					for i := range 100 {
						if _, err := target.Append(t.Context(), inbox, targettest.Letter(fmt.Sprintf("pace-%d-%d", w, i))); err != nil {
							t.Error(profile.Name, err)
						}
					}
				})
			}
			group.Wait()
			if n := len(sim.Messages(user)); n != 400 {
				t.Errorf("%s: %d messages arrived", profile.Name, n)
			}
			// 400 imports of 25 units.
			if rate := 10_000 / time.Since(began).Minutes(); rate < 5900 && profile.Name == "new" {
				t.Errorf("%s: %.0f units a minute", profile.Name, rate)
			}
		}
	})
}

func serveFunc(t *testing.T, f http.HandlerFunc) (http.Handler, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return f, server
}
