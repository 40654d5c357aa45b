package graph

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// readable is a mailbox of a new world that is written by a route.
func readable(t *testing.T, route Route, opt graphsim.Options) targettest.ReadableMailbox {
	w := newWorld(t, opt)
	var cut atomic.Bool
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		if cut.Load() {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.sim.ServeHTTP(rw, r)
	}
	try := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	return targettest.ReadableMailbox{
		Open: func(t *testing.T) targettest.Readable { return w.open(t, Config{Route: route}) },
		Many: listPage + 20,
		Same: func(appended, read []byte) error { return same(t, route, appended, read) },
		Trash: func(t *testing.T, id migrate.MessageID) {
			try(t, w.sim.Move(user, string(id), "deleteditems"))
		},
		Remove: func(t *testing.T, id migrate.MessageID) { try(t, w.sim.Drop(user, string(id))) },
		RemoveFolder: func(t *testing.T, folder migrate.FolderID) {
			w.call(t, http.MethodPost, "/mailFolders/"+string(folder)+"/permanentDelete")
		},
		Cut: func(*testing.T) { cut.Store(true) },
	}
}

// same compares as a verification does: what the notes of a message explain
// may differ.
func same(t *testing.T, route Route, appended, read []byte) error {
	var notes []string
	if route == RouteJSON || len(appended) > MaxImportSize {
		m := targettest.Message(appended, "")
		l, err := takeApart(m)
		if err != nil {
			return err
		}
		l.message(m, m.Key)
		notes = l.notes
	}
	if found := unexplained(t, appended, read, notes); len(found) > 0 {
		return fmt.Errorf("%v, notes %q", found, notes)
	}
	return nil
}

func TestWhatWasWrittenIsReadBack(t *testing.T) {
	for _, route := range []Route{RouteImport, RouteJSON} {
		t.Run(string(route), func(t *testing.T) {
			targettest.RunReadable(t, func(t *testing.T) targettest.ReadableMailbox {
				return readable(t, route, graphsim.Options{})
			})
		})
	}
}

// As in TestTargetKeepsItsContractWhereGraphIsUnknown.
func TestWhatWasWrittenIsReadBackWhereGraphIsUnknown(t *testing.T) {
	for _, route := range []Route{RouteImport, RouteJSON} {
		t.Run(string(route), func(t *testing.T) {
			targettest.RunReadable(t, func(t *testing.T) targettest.ReadableMailbox {
				return readable(t, route, graphsim.Options{
					ImportRead: true, ZeroFlagsDraft: true, TransportHeaders: true, ExpandDropsSelect: true, PropertyIDsAsSent: true,
					RecoverableHidden: true, FilterDelay: 24 * time.Hour, FilterDelayDates: true, SlowPage: 50, Archive: true, Localised: true,
					MoveRefusesSame: true, MoveResetsCreated: true, FilterStale: true,
				})
			})
		})
	}
}
