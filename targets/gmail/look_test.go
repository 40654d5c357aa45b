package gmail

import (
	"errors"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

func TestReadingBackWritesNothing(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{})
	id := appended(t, open(t, config(server)), inbox, targettest.Letter("read"))
	_, reading := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("a request is %s %s", r.Method, r.URL.Path)
		}
		sim.ServeHTTP(w, r)
	})
	c := config(reading)
	c.Route = RouteImport // or insert: RouteAuto would probe
	target := open(t, c)
	for _, folder := range []migrate.FolderID{inbox, archive, junk} {
		listed(t, target, folder, func() {})
	}
	for range target.List(t.Context(), "Label_9") {
	}
	if _, err := target.Look(t.Context(), id); err != nil {
		t.Error(err)
	}
	h, content, err := target.Open(t.Context(), id)
	if err != nil || !h.Complete {
		t.Fatalf("opened, it shows %+v, error %v", h, err)
	}
	content.Close()
}

// A label that Gmail has made for itself since is no folder, whatever it is.
func TestLabelsThatAreNoFoldersAreNotShown(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{})
	target := open(t, config(server))
	id := appended(t, target, inbox, targettest.Letter("labels", migrate.Seen))
	err := sim.Relabel(user, string(id), nil, []string{"IMPORTANT", "CATEGORY_SOCIAL", "UNREAD"})
	h, lookErr := target.Look(t.Context(), id)
	if err != nil || lookErr != nil || len(h.Folders) != 2 || len(h.Flags) != 0 {
		t.Errorf("it is in %q with %q, errors %v, %v", h.Folders, h.Flags, err, lookErr)
	}
}

func TestAnAnswerThatBreaksOffGivesNoContent(t *testing.T) {
	sim, server := serve(t, gmailsim.Options{})
	id := appended(t, open(t, config(server)), inbox, targettest.Letter("cut"))
	var fewer atomic.Int64
	_, cutting := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("format") == "raw" {
			w = &shortened{ResponseWriter: w, less: int(fewer.Load())}
		}
		sim.ServeHTTP(w, r)
	})
	target := open(t, config(cutting))
	for fewer.Add(1) < 200 {
		_, content, err := target.Open(t.Context(), id)
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Transient || content != nil {
			t.Fatalf("%d octets short: the error is %#v, want one that is Transient", fewer.Load(), err)
		}
	}
	fewer.Store(0)
	if _, content, err := target.Open(t.Context(), id); err != nil {
		t.Error(err)
	} else if err := content.Close(); err != nil {
		t.Error(err)
	}
}

// shortened ends an answer before its end, as a proxy may that is restarted.
type shortened struct {
	http.ResponseWriter
	less int
}

func (s *shortened) Write(b []byte) (int, error) {
	_, err := s.ResponseWriter.Write(b[:max(0, len(b)-s.less)])
	return len(b), err
}

func TestAnOpenedMessageLeavesNoFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a file goes when it is closed")
	}
	t.Setenv("TMPDIR", t.TempDir())
	_, server := serve(t, gmailsim.Options{})
	target := open(t, config(server))
	id := appended(t, target, inbox, targettest.Letter("file"))
	left := func() (names []string) {
		entries, err := os.ReadDir(os.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), "mailhaul-") {
				names = append(names, e.Name())
			}
		}
		return names
	}
	_, content, err := target.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if names := left(); len(names) > 0 {
		t.Errorf("while it is open there are %q", names)
	}
	if b, err := io.ReadAll(content); err != nil || len(b) == 0 {
		t.Errorf("it reads %q, error %v", b, err)
	}
	if err := content.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := target.Open(t.Context(), "1"); !errors.Is(err, migrate.ErrNotFound) {
		t.Error(err)
	}
	if names := left(); len(names) > 0 {
		t.Errorf("afterwards there are %q", names)
	}
}
