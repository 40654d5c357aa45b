package graph

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

func TestAMessageThatIsReadIsACallUntilItIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := graphsim.New(graphsim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		target, err := Open(t.Context(), Config{User: user, Endpoint: "http://localhost", Token: StaticToken("test"), Route: RouteImport, Probed: true,
			Parallel: 1, Transport: line{sim}})
		if err != nil {
			t.Fatal(err)
		}
		id := fill(t, target, 1)[0]
		for range 2 { // closing twice must not give room twice
			held, content, err := target.Open(t.Context(), id)
			if err != nil || held.ID != id || held.Complete {
				t.Fatalf("%+v, %v", held, err)
			}
			looked := make(chan error, 1)
			go func() {
				_, err := target.Look(t.Context(), id)
				looked <- err
			}()
			synctest.Wait()
			if len(looked) > 0 {
				t.Error("another call ran beside the one that is open")
			}
			if _, err := io.Copy(io.Discard, content); err != nil {
				t.Error(err)
			}
			for range 2 {
				if err := content.Close(); err != nil {
					t.Error(err)
				}
			}
			if err := <-looked; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestAContentThatBreaksOffIsATransientError(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/$value") {
			fmt.Fprint(w, `{}`)
			return
		}
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, "Subject: half\r\n")
	}))
	defer server.Close()
	target, err := Open(t.Context(), Config{User: user, Endpoint: server.URL, Token: StaticToken("test"), Route: RouteJSON})
	if err != nil {
		t.Fatal(err)
	}
	_, content, err := target.Open(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	got, err := io.ReadAll(content)
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient || len(got) == 0 {
		t.Errorf("%q, %v", got, err)
	}
}

func TestReadingAMessageOf140MBNeedsLittleMemory(t *testing.T) {
	const mb = 1 << 20
	chunk := make([]byte, mb)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/$value") {
			fmt.Fprint(w, `{}`)
			return
		}
		for range 140 {
			w.Write(chunk)
		}
	}))
	defer server.Close()
	target, err := Open(t.Context(), Config{User: user, Endpoint: server.URL, Token: StaticToken("test"), Route: RouteJSON})
	if err != nil {
		t.Fatal(err)
	}
	alive := func() int64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	before := alive()
	_, content, err := target.Open(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	var read, most int64
	for err == nil {
		var n int64
		n, err = io.CopyN(io.Discard, content, 20*mb)
		read, most = read+n, max(most, alive()-before)
	}
	if err != io.EOF || read != 140*mb {
		t.Errorf("%d octets were read, error %v", read, err)
	}
	if most > 4*mb {
		t.Errorf("%d MB are alive", most/mb)
	}
	t.Logf("%.1f MB are alive", float64(most)/mb)
}
