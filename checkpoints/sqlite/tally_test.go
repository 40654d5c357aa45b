package sqlite

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

// What was counted is remembered, and never for too long.
func TestATallyKnowsWhatWasSavedBeforeIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mailhaul.db")
	s := open(t, path)
	l, folder := inbox(t, s)
	look, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer look.Close()
	check := func(what string, listed, copied int64) {
		t.Helper()
		for name, s := range map[string]*Store{"the run": s, "another process": look} {
			for range 2 {
				ts, err := s.Tally(context.Background())
				if err != nil || ts[0].Listed != listed || ts[0].Count[migrate.Copied] != copied || ts[0].Check() != nil {
					t.Errorf("%s, %s: %+v, %v", what, name, ts[0], err)
				}
			}
		}
	}
	check("nothing", 0, 0)
	for uid := migrate.UID(1); uid <= 3; uid++ {
		r := migrate.Record{Folder: folder, UID: uid}
		if err := l.AddListed(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		check("listed", int64(uid), int64(uid)-1)
		r.Outcome = migrate.Copied
		if err := l.Save(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		check("copied", int64(uid), int64(uid))
	}
	if l.AddListed(t.Context(), migrate.Record{Folder: folder, UID: 1}) == nil {
		t.Error("a record was added twice")
	}
	check("after a refusal", 3, 3)
}

// A save that began after what is known was taken may be in the snapshot that
// is counted, with messages that what is known does not have.
func TestWhatWasSavedSinceMakesWhatIsKnownOld(t *testing.T) {
	var c counts
	_, still, keep := c.begin()
	if keep(map[int64]migrate.Tally{1: {}}); !still() {
		t.Error("nothing was saved")
	}
	saved := c.saving()
	if still() {
		t.Error("something is being saved")
	}
	if saved(); still() {
		t.Error("something was saved")
	}
	if kept, still, _ := c.begin(); kept != nil || !still() {
		t.Errorf("%v is known of what was saved since", kept)
	}
	defer c.saving()()
	if _, still, _ := c.begin(); still() {
		t.Error("something is being saved already")
	}
}
