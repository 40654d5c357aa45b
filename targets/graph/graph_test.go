package graph

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

const user = "adele@example.com"

// A world is a simulated Graph behind an HTTP server.
type world struct {
	sim    *graphsim.Server
	server *httptest.Server
	front  func(http.ResponseWriter, *http.Request) // what requests meet first; nil for the simulator
}

func newWorld(t *testing.T, opt graphsim.Options) *world {
	t.Helper()
	sim, err := graphsim.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{sim: sim}
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.front != nil {
			w.front(rw, r)
			return
		}
		sim.ServeHTTP(rw, r)
	}))
	t.Cleanup(func() {
		w.server.Close()
		sim.Close()
	})
	return w
}

func (w *world) open(t *testing.T, cfg Config) *Target {
	t.Helper()
	cfg.User, cfg.Endpoint = user, w.server.URL
	if cfg.Token == nil {
		cfg.Token = StaticToken("test")
	}
	cfg.Probed = cfg.Probed || cfg.Route == RouteImport
	target, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal("open:", err)
	}
	t.Cleanup(func() { target.Close() })
	return target
}

func (w *world) held(t *testing.T) (held []targettest.Held) {
	for _, m := range w.sim.Messages(user) {
		h := targettest.Held{ID: migrate.MessageID(m.ImmutableID), Folders: []string{strings.Join(m.Folder, "/")},
			Seen: m.IsRead, Flagged: m.Flag == "flagged", Date: m.ReceivedDateTime}
		if m.Route != graphsim.RouteJSON {
			octets, _ := m.Octets()
			h.Octets = bytes.TrimPrefix(octets, []byte(keyLine(property64(m))))
		}
		if m.IsDraft {
			t.Errorf("%s is a draft", m.ID)
		}
		held = append(held, h)
	}
	return held
}

func TestTargetKeepsItsContract(t *testing.T) {
	for _, route := range []Route{RouteImport, RouteJSON} {
		t.Run(string(route), func(t *testing.T) {
			targettest.Run(t, func(t *testing.T) targettest.Mailbox {
				w := newWorld(t, graphsim.Options{})
				return targettest.Mailbox{
					Open: func(t *testing.T) migrate.Target { return w.open(t, Config{Route: route}) },
					Held: w.held,
				}
			})
		})
	}
}

// Where nobody knows what the real Graph does, the simulator has a switch. This
// turns them all the other way.
func TestTargetKeepsItsContractWhereGraphIsUnknown(t *testing.T) {
	for _, route := range []Route{RouteImport, RouteJSON} {
		t.Run(string(route), func(t *testing.T) {
			targettest.Run(t, func(t *testing.T) targettest.Mailbox {
				w := newWorld(t, graphsim.Options{
					Status:     map[string]int{"ErrorFolderExists": 400},
					MaxRequest: 4_000_000, ImportRead: true, RefuseBroken: true, ZeroFlagsDraft: true,
					TransportHeaders: true, CheckETag: true, ExpandDropsSelect: true, PropertyIDsAsSent: true,
					FilterDelay: 24 * time.Hour, FilterDelayDates: true, SlowPage: 250,
					Archive: true, Localised: true, TrimNames: true, UploadAuthIgnored: true,
					MoveRefusesSame: true, MoveResetsCreated: true, FilterStale: true,
				})
				return targettest.Mailbox{
					Open: func(t *testing.T) migrate.Target { return w.open(t, Config{Route: route}) },
					Held: w.held,
				}
			})
		})
	}
}
