package migrate

import (
	"slices"
	"testing"
)

// Some servers show a message later than others that came after it.
func TestAMessageThatAppearsBelowOthersIsCopiedByTheNextRun(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		inbox := w.folders[0].String()
		all := slices.Clone(w.mail[inbox])
		late := 5 // "four", which no other message equals
		w.mail[inbox] = slices.Delete(slices.Clone(all), late, late+1)
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.check()
		w.mail[inbox] = all
		clear(w.calls)
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.check()
		if w.calls["append"] != 1 {
			t.Errorf("%d messages were written, want the one", w.calls["append"])
		}
	})
}

// Dovecot gives folders that are made within one second the same UIDVALIDITY.
func TestFoldersWithOneUIDValidityAreToldApart(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.folders, w.mail = nil, map[string][]worldMail{}
		for _, f := range []string{"A", "B", "C"} {
			w.add(f, "one of "+f, "two of "+f)
		}
		for range 2 {
			if err := w.run(); err != nil {
				t.Fatal(err)
			}
			w.check()
		}
		if w.calls["append"] != 6 {
			t.Errorf("%d messages were written, want 6", w.calls["append"])
		}
	})
}
