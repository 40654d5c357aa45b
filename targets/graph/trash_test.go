package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

func TestFoldersThatAreBelowEachOtherDoNotHoldUpTheSearchForTheTrash(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	above := map[string]string{"a": "b", "b": "a", "self": "self"}
	calls := 0
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		id := path.Base(r.URL.Path)
		if above[id] == "" {
			w.sim.ServeHTTP(rw, r)
			return
		}
		if calls++; calls > 3*MaxFolderDepth {
			rw.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprintf(rw, `{"id":%q,"parentFolderId":%q}`, id, above[id])
	}
	for _, folder := range []migrate.FolderID{"a", "self"} {
		if deleted, err := target.deleted(t.Context(), folder); deleted || err != nil {
			t.Errorf("%s is in the trash: %v, %v, after %d calls", folder, deleted, err, calls)
		}
	}
}

func TestManyWhoAskAtOnceWhatIsInTheTrashAskGraphOnce(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON, Parallel: 4})
	at := folders(t, target, "F")[0]
	id := appended(t, target, at, targettest.Letter("a"))
	var calls atomic.Int64
	w.front = func(rw http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/mailFolders/") {
			calls.Add(1)
		}
		w.sim.ServeHTTP(rw, r)
	}
	var looks errgroup.Group
	for range 20 {
		looks.Go(func() error {
			_, err := target.Look(t.Context(), id)
			return err
		})
	}
	if err := looks.Wait(); err != nil || calls.Load() != 4 {
		t.Errorf("%d calls, %v", calls.Load(), err)
	}
}

func TestWhoIsToldToStopWaitsForNobodyElsesTrash(t *testing.T) {
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteJSON})
	if err := target.trash.turn.Acquire(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, err := target.deleted(ctx, "inbox")
	for _, err := range []error{err, target.trash.forget(ctx)} {
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient || !e.Refused {
			t.Errorf("%#v", err)
		}
	}
}
