package graph

import (
	"errors"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
)

// alike returns two messages without any field to tell them apart, whose MIME
// is damaged.
func alike() (one, two *migrate.Message) {
	one = targettest.Message([]byte("Content-Type: multipart/mixed; boundary=a\r\n\r\none\r\n"), "")
	two = targettest.Message([]byte("Content-Type: multipart/mixed; boundary=a\r\n\r\ntwo\r\n"), "")
	return one, two
}

func begin(t *testing.T) (*world, *Target, migrate.Position) {
	t.Helper()
	w := newWorld(t, graphsim.Options{})
	target := w.open(t, Config{Route: RouteImport})
	since, err := target.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return w, target, since
}

func TestAnImportThatWasAnsweredIsNotTakenForAnother(t *testing.T) {
	w, target, since := begin(t)
	one, two := targettest.Letter("twin"), targettest.Letter("twin")
	two.Key = strings.Repeat("cd", 32)
	w.breakWrite(2, false)
	if _, err := target.Append(t.Context(), "inbox", one); err == nil {
		t.Fatal("the append did not fail")
	}
	if got, err := target.Find(t.Context(), "inbox", two, since); !errors.Is(err, migrate.ErrNotFound) {
		t.Errorf("the second was found as %q: %v", got.ID, err)
	}
	one.Body = nil // its id is known: there is nothing to compare
	if _, err := target.Find(t.Context(), "inbox", one, since); err != nil {
		t.Error(err)
	}
	if n := len(target.unfinished.answered); n > 0 {
		t.Errorf("%d imports are remembered", n)
	}
}

func TestMessagesThatLookAlikeWaitForEachOther(t *testing.T) {
	w, target, since := begin(t)
	one, two := alike()
	w.breakWrite(1, true)
	if _, err := target.Append(t.Context(), "inbox", one); err == nil {
		t.Fatal("the append did not fail")
	}
	w.breakWrite(1, false)
	if _, err := target.Append(t.Context(), "inbox", two); err == nil {
		t.Fatal("the append did not fail")
	}
	if got, err := target.Find(t.Context(), "inbox", two, since); err == nil || classOf(err) != migrate.Transient {
		t.Errorf("the second was found as %q: %v", got.ID, err)
	}
	if _, err := target.Find(t.Context(), "inbox", one, since); err != nil {
		t.Error(err)
	}
	if got, err := target.Find(t.Context(), "inbox", two, since); !errors.Is(err, migrate.ErrNotFound) {
		t.Errorf("the second was found as %q: %v", got.ID, err)
	}
	if n := len(target.unfinished.doubtful); n > 0 {
		t.Errorf("%d imports are remembered", n)
	}
}

func TestMessagesThatLookAlikeDoNotWaitForEver(t *testing.T) {
	w, target, since := begin(t)
	one, two := alike()
	w.breakWrite(1, true)
	for _, m := range []*migrate.Message{one, two} {
		if _, err := target.Append(t.Context(), "inbox", m); err == nil {
			t.Fatal("the append did not fail")
		}
		w.breakWrite(1, false)
	}
	for range maxWaits {
		if _, err := target.Find(t.Context(), "inbox", two, since); err == nil || classOf(err) != migrate.Transient {
			t.Fatalf("%v", err)
		}
	}
	if _, err := target.Find(t.Context(), "inbox", two, since); !errors.Is(err, migrate.ErrUndecided) {
		t.Errorf("%v", err)
	}
}
