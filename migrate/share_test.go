package migrate

import (
	"slices"
	"testing"
	"testing/synctest"
)

// shared runs a test on a target that labels, and has one copy of three equal
// messages: two in the inbox and one in the archive.
func shared(t *testing.T, test func(w *world, copy *worldCopy)) {
	for _, modSeqs := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.labels, w.modSeqs = true, modSeqs
			w.add("INBOX", "same", "same")
			w.add("Archive", "same")
			w.add("Empty")
			w.pass()
			if len(w.store) != 1 {
				t.Fatalf("%d copies", len(w.store))
			}
			test(w, w.store[0])
			w.written(1)
			w.equal()
		})
	}
}

func (w *world) has(c *worldCopy, flags ...Flag) {
	w.t.Helper()
	if more, less := difference(flags, c.flags); len(more)+len(less) > 0 {
		w.t.Errorf("the copy has %q, want %q", c.flags, flags)
	}
}

func TestACopyHasTheFlagsOfAllMessagesThatItStandsFor(t *testing.T) {
	shared(t, func(w *world, c *worldCopy) {
		w.mark("INBOX", 0, Seen, Flagged)
		w.mark("INBOX", 1, Flagged)
		w.pass()
		w.has(c, Seen, Flagged)
		w.mark("INBOX", 0)
		w.pass()
		w.has(c, Flagged)
		w.mark("Archive", 0, Flagged)
		w.mark("INBOX", 1)
		w.pass()
		w.has(c, Flagged)
		w.mark("INBOX", 0, Flagged)
		w.mark("INBOX", 1, Flagged)
		w.mark("Archive", 0)
		w.pass()
		w.has(c, Flagged)
		w.mark("INBOX", 0)
		w.mark("INBOX", 1)
		w.pass() // both at once
		w.has(c)
	})
}

func TestAMessageThatVanishedLeavesNoFlagForGood(t *testing.T) {
	shared(t, func(w *world, c *worldCopy) {
		w.mark("INBOX", 0, Flagged)
		w.mark("Archive", 0, Flagged)
		w.pass()
		w.expunge("INBOX", 0)
		w.pass()
		w.mark("Archive", 0)
		w.pass()
		w.has(c)
	})
}

func TestOneOfSeveralEqualMessagesThatMovesLeavesTheFlagsOfTheOthers(t *testing.T) {
	shared(t, func(w *world, c *worldCopy) {
		w.mark("INBOX", 0, Flagged)
		w.mark("Archive", 0, Seen, Flagged)
		w.pass()
		w.mark("Archive", 0)
		w.move("Archive", 0, "Empty")
		w.pass()
		w.has(c, Flagged)
	})
}

func TestAnEqualMessageThatComesBackBringsItsFlagsAlong(t *testing.T) {
	shared(t, func(w *world, c *worldCopy) {
		pass := func() {
			e := w.engine()
			e.Deletions = Trash
			if err := w.runWith(w.t.Context(), e); err != nil {
				w.t.Fatal(err)
			}
		}
		w.mark("Archive", 0, Flagged)
		pass()
		backup := slices.Clone(w.mail["Archive"])
		w.expunge("Archive", 0)
		pass()
		w.has(c)
		w.mail["Archive"] = backup
		pass()
		w.has(c, Flagged)
	})
}

// A pass dies while the copy follows a message, which then goes on.
func TestACopyThatFollowedAMessageHalfwayHasTheFlagsThatItShould(t *testing.T) {
	for _, flags := range [][]Flag{{}, {Seen}} {
		for at, ended := 1, false; !ended; at++ {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.labels = true
				w.add("INBOX", "one")
				w.add("Empty")
				w.add("Later")
				w.mark("INBOX", 0, Flagged)
				w.pass()
				w.mark("INBOX", 0, Seen)
				w.move("INBOX", 0, "Empty")
				ended = w.dies(at) == nil
				w.mark("Empty", 0, flags...)
				w.move("Empty", 0, "Later")
				w.pass()
				w.has(w.store[0], flags...)
				w.written(1)
				w.equal()
			})
		}
	}
}

func TestAfterTheCutoverNoEqualMessageChangesTheFlagsOfACopy(t *testing.T) {
	shared(t, func(w *world, c *worldCopy) {
		w.state.Cutover = w.state.Ended
		w.deliver("Empty", "same")
		w.mark("Empty", 0, Seen, Flagged)
		w.pass()
		if r := w.record(*w.folderAt("Empty"), 1); r.Outcome != Merged || len(c.flags) > 0 {
			w.t.Errorf("%+v, %q", r, c.flags)
		}
		w.mark("Empty", 0) // as the copy is
	})
}
