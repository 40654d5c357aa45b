package migrate

import (
	"strings"
	"testing"
	"testing/synctest"
)

// A lost database must not double a mailbox.
func TestAMailboxThatWasCopiedBeforeIsNotDoubledForLackOfCheckpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.keyed = true
		w.add("INBOX", "one", "two", "three", "four", "five")
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.check()
		copies := len(w.store)
		store, places := w.store, w.places
		w.fresh()
		w.store, w.places = store, places
		for n := range 3 { // it may well be run again
			err := w.run()
			if _, hint := Explain(err); err == nil || !strings.Contains(hint, "checkpoint file of the earlier run") {
				t.Errorf("run %d: %v, hint %q", n, err, hint)
			}
			if len(w.store) != copies {
				t.Fatalf("run %d: %d copies became %d", n, copies, len(w.store))
			}
		}
		for id, r := range w.ledger {
			if r.Outcome != Pending || r.Doubt {
				t.Errorf("%v: %+v", id, r)
			}
		}
	})
}

func TestOnlyTheFirstMessagesOfAnUnknownMailboxAreLookedFor(t *testing.T) {
	for keyed, want := range map[bool]int{true: strangers, false: 0} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.keyed = keyed
			w.add("INBOX", "one", "two", "three", "four", "five")
			if err := w.run(); err != nil {
				t.Fatal(err)
			}
			w.check()
			if n := w.calls["find"]; n != want {
				t.Errorf("keyed %v: %d messages were looked for, want %d", keyed, n, want)
			}
			w.add("Archive", "new")
			if err := w.run(); err != nil {
				t.Fatal(err)
			}
			if n := w.calls["find"]; n != want {
				t.Errorf("keyed %v: %d messages were looked for after another pass, want %d", keyed, n, want)
			}
		})
	}
}
