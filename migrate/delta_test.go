package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// delta runs a test on both kinds of target after a first pass, with a source
// that keeps ModSeq and with one that does not.
func delta(t *testing.T, test func(t *testing.T, w *world)) {
	for _, modSeqs := range []bool{true, false} {
		t.Run(fmt.Sprintf("modSeqs=%v", modSeqs), func(t *testing.T) {
			both(t, func(t *testing.T, w *world) {
				w.modSeqs, w.keyed = modSeqs, !w.labels
				w.pass()
				clear(w.calls)
				test(t, w)
			})
		})
	}
}

func (w *world) pass() {
	w.t.Helper()
	if err := w.run(); err != nil {
		w.t.Fatal(err)
	}
}

// written expects so many messages to have been written since calls were
// cleared.
func (w *world) written(want int) {
	w.t.Helper()
	if got := w.calls["append"]; got != want {
		w.t.Errorf("%d messages were written, want %d", got, want)
	}
}

func TestAPassOverAnUnchangedMailboxAsksTheTargetForNothing(t *testing.T) {
	delta(t, func(t *testing.T, w *world) {
		if !w.modSeqs {
			return // there the flags have to be looked at
		}
		e := w.engine()
		results, err := e.Run(t.Context(), []Mailbox{{
			Source: "ann@example.org", Target: "ann@example.com",
			OpenSource: func(context.Context) (Source, error) { return (*worldSource)(w), nil },
			OpenTarget: func(context.Context) (Target, error) { t.Error("the target was opened"); return (*worldTarget)(w), nil },
		}})
		if err != nil || results[0].Err != nil {
			t.Fatal(err, results[0].Err)
		}
		if w.calls["uids"]+w.calls["flags"]+w.calls["save folder"] > 0 {
			t.Errorf("calls: %v", w.calls)
		}
		if s := e.Progress.Snapshot()[0]; s.Listed != 10 || s.Known != 10 || !w.state.Complete {
			t.Errorf("%+v", s)
		}
	})
}

func TestAMessageThatMovedIsMovedAndNotWrittenAgain(t *testing.T) {
	delta(t, func(t *testing.T, w *world) {
		w.move("INBOX", 0, "Clients / 2019") // "one"
		w.move("Clients / 2019", 1, "INBOX") // "five"
		w.pass()
		w.written(0)
		w.check()
		if r := w.record(w.folders[0], 1); r.Outcome != Moved || !r.Vanished || r.Target != "" {
			t.Errorf("what was moved: %+v", r)
		}
		if r := w.record(*w.folderAt("Clients / 2019"), 4); r.Outcome != Adopted {
			t.Errorf("what it is now: %+v", r)
		}
	})
}

func TestOneOfTwoEqualMessagesMoves(t *testing.T) {
	delta(t, func(t *testing.T, w *world) {
		w.move("INBOX", 2, "Empty") // one of two that are "same", and a third is elsewhere
		w.pass()
		w.written(0)
		w.check()
		w.move("INBOX", 3, "Empty") // the other one
		w.move("Empty", 0, "INBOX")
		w.pass()
		w.written(0)
		w.check()
	})
}

func TestAMessageThatMovedTakesItsNewFlagsAlong(t *testing.T) {
	delta(t, func(t *testing.T, w *world) {
		w.mark("INBOX", 0, Seen, Flagged)
		w.move("INBOX", 0, "Empty")
		w.pass()
		w.written(0)
		w.check()
		if c := w.copyOf(w.record(*w.folderAt("Empty"), 1).Target); len(c.flags) != 2 {
			t.Errorf("flags %v", c.flags)
		}
	})
}

func TestAMessageThatTheTargetCannotMoveIsWrittenAnew(t *testing.T) {
	delta(t, func(t *testing.T, w *world) {
		w.unmoved = "Empty"
		w.move("INBOX", 0, "Empty")
		w.pass()
		w.written(1)
		w.store = slices.DeleteFunc(w.store, func(c *worldCopy) bool { return c.trashed })
		w.check()
	})
}

func TestAMessageThatMovedAndWasDeletedAtTheTargetIsWrittenAnew(t *testing.T) {
	delta(t, func(t *testing.T, w *world) {
		w.drop("one")
		w.move("INBOX", 0, "Empty")
		w.pass()
		w.written(1)
		w.check()
		if r := w.record(w.folders[0], 1); r.Outcome != Moved {
			t.Errorf("%+v", r)
		}
	})
}

func TestCopiesFollowFlagsThatChangeAtTheSource(t *testing.T) {
	delta(t, func(t *testing.T, w *world) {
		flags := func(uid UID) []Flag { return w.copyOf(w.record(w.folders[0], uid).Target).flags }
		w.mark("INBOX", 0, Seen, "$Todo")
		w.mark("INBOX", 3, Seen, "$Todo")
		w.pass()
		if len(flags(1)) != 2 || len(flags(4)) != 2 {
			t.Fatalf("%v %v", flags(1), flags(4))
		}
		// People at the target flag the one and unread the other.
		one, three := w.copyOf(w.record(w.folders[0], 1).Target), w.copyOf(w.record(w.folders[0], 4).Target)
		one.flags = append(one.flags, Flagged)
		three.flags = []Flag{"$Todo"}
		w.mark("INBOX", 0, Seen)
		w.pass()
		w.written(0)
		if !slices.Equal(one.flags, []Flag{Seen, Flagged}) {
			t.Errorf("the one has %v", one.flags)
		}
		if !slices.Equal(three.flags, []Flag{"$Todo"}) {
			t.Errorf("the other has %v", three.flags)
		}
	})
}

func TestOfAnsweringAndForwardingTheOneThatStaysIsNamedAgain(t *testing.T) {
	get, lose := difference([]Flag{Seen, Answered, "$forwarded"}, []Flag{"$forwarded", Flagged})
	if !slices.Equal(get, []Flag{Flagged, "$forwarded"}) || !slices.Equal(lose, []Flag{Seen, Answered}) {
		t.Errorf("%q %q", get, lose)
	}
}

func TestAfterTheCutoverTheTargetWins(t *testing.T) {
	delta(t, func(t *testing.T, w *world) {
		w.state.Cutover = w.state.Ended
		one := w.copyOf(w.record(w.folders[0], 1).Target)
		w.mark("INBOX", 0, Seen)
		w.move("INBOX", 0, "Empty")
		w.expunge("INBOX", 0)
		w.mark("INBOX", 1, Seen)
		w.deliver("INBOX", "late")
		e := w.engine()
		e.Deletions = Trash
		if err := w.runWith(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		w.written(1)
		if len(one.flags) > 0 || !slices.Equal(one.folders, []FolderID{"INBOX"}) || w.record(*w.folderAt("Empty"), 1).Target != one.id {
			t.Errorf("%+v, %+v", one, w.record(*w.folderAt("Empty"), 1))
		}
		if c := w.copyOf(w.record(w.folders[0], 4).Target); len(c.flags) > 0 {
			t.Errorf("%+v", c)
		}
		for _, c := range w.store {
			if c.trashed {
				t.Errorf("%s was removed", c.content)
			}
		}
	})
}

func TestWhatIsDeletedAtTheSourceStaysUnlessItIsToGo(t *testing.T) {
	for _, policy := range []Deletions{"", Keep, Report, Trash} {
		delta(t, func(t *testing.T, w *world) {
			w.expunge("INBOX", 0)          // "one"
			w.expunge("Clients / 2019", 2) // "two", which INBOX has too
			w.expunge("INBOX", 1)          // "same", of which two are left
			e := w.engine()
			e.Deletions = policy
			if err := w.runWith(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			w.written(0)
			ts, _ := (*worldCheckpoints)(w).Tally(t.Context())
			left := ts[0].Left + ts[1].Left
			if policy == Trash {
				w.store = slices.DeleteFunc(w.store, func(c *worldCopy) bool { return c.trashed })
				w.check()
				if left != 0 || w.record(w.folders[0], 1).Outcome != Removed {
					t.Errorf("%d are left; %+v", left, w.record(w.folders[0], 1))
				}
				return
			}
			if left != 3 || w.record(w.folders[0], 1).Outcome != Copied {
				t.Errorf("policy %q: %d are left; %+v", policy, left, w.record(w.folders[0], 1))
			}
		})
	}
}

// Verification reads content back where it was written.
func TestWhenTheFirstOfSeveralEqualMessagesIsRemovedAnotherStandsForIt(t *testing.T) {
	delta(t, func(t *testing.T, w *world) {
		clients := *w.folderAt("Clients / 2019")
		before := w.record(clients, 3) // "two", which INBOX has too
		w.expunge("INBOX", 1)
		e := w.engine()
		e.Deletions = Trash
		if err := w.runWith(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		want := before.Outcome
		if w.labels {
			want = Adopted
		}
		if r := w.record(clients, 3); r.Outcome != want || r.Target != before.Target {
			t.Errorf("%+v, was %+v", r, before)
		}
	})
}

// A server that lost its indexes counts changes anew.
func TestFlagsAreFollowedWhenTheSourceCountsChangesAnew(t *testing.T) {
	delta(t, func(t *testing.T, w *world) {
		w.mark("INBOX", 1, Flagged)
		w.pass()
		clear(w.highest)
		for i := range w.mail["INBOX"] {
			w.mail["INBOX"][i].modSeq = 0
		}
		w.mail["INBOX"][0].flags = []Flag{Seen}
		w.pass()
		if c := w.copyOf(w.record(w.folders[0], 1).Target); !slices.Equal(c.flags, []Flag{Seen}) {
			t.Errorf("%+v", c)
		}
	})
}

func TestManyDeletionsAreNotFollowedUnlessTheyAreConfirmed(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		for i := range 150 {
			w.deliver("Empty", fmt.Sprint("number ", i))
		}
		w.pass()
		w.deleteFolder("Empty")
		e := w.engine()
		e.Deletions = Trash
		if err := w.runWith(t.Context(), e); err == nil || !strings.Contains(err.Error(), "150 of 160 messages") {
			t.Fatal(err)
		}
		trashed := func() (n int) {
			for _, c := range w.store {
				if c.trashed {
					n++
				}
			}
			return n
		}
		if n := trashed(); n != 0 {
			t.Errorf("%d were removed", n)
		}
		e = w.engine()
		e.Deletions, e.Confirmed = Trash, true
		if err := w.runWith(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if n := trashed(); n != 150 {
			t.Errorf("%d were removed", n)
		}
	})
}

func TestAFolderThatIsMadeAnewIsMatchedByContent(t *testing.T) {
	delta(t, func(t *testing.T, w *world) {
		w.renew("INBOX")
		w.expunge("INBOX", 6)
		w.deliver("INBOX", "new")
		e := w.engine()
		e.Deletions = Trash
		if err := w.runWith(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		w.written(1)
		for _, c := range w.store { // what could not be matched is not removed
			if c.trashed {
				t.Errorf("%s was removed", short(c.content))
			}
		}
		ts, _ := (*worldCheckpoints)(w).Tally(t.Context())
		if ts[0].Left != 1 || ts[0].Vanished != 7 {
			t.Errorf("of the old folder: %+v", ts[0])
		}
		clear(w.calls)
		w.pass()
		w.written(0)
	})
}

func TestUIDsThatAreUsedAgainAreSeen(t *testing.T) {
	for _, grown := range []int{0, 1, 2, 3} { // by how many messages since
		delta(t, func(t *testing.T, w *world) {
			backup, next := slices.Clone(w.mail["INBOX"]), w.next["INBOX"]
			w.deliver("INBOX", "lost one")
			w.deliver("INBOX", "lost two")
			w.pass()
			clear(w.calls)
			w.mail["INBOX"], w.next["INBOX"] = backup, next
			for i := range grown {
				w.deliver("INBOX", fmt.Sprint("other ", i))
			}
			w.pass()
			w.written(grown)
			for i := range grown {
				r := w.record(w.folders[0], next+UID(i))
				if c := w.copyOf(r.Target); c == nil || c.content != fmt.Sprint("other ", i) {
					t.Errorf("grown by %d: %+v", grown, r)
				}
			}
			clear(w.calls)
			w.pass()
			w.written(0)
		})
	}
}

func TestARenamedFolderKeepsItsPlaceAndItsMessages(t *testing.T) {
	delta(t, func(t *testing.T, w *world) {
		id := w.record(w.folders[1], 1).Folder
		w.rename("Clients / 2019", "Customers / 2019")
		w.deliver("Customers / 2019", "new")
		w.add("Clients/2019", "other")
		w.folderAt("Clients / 2019").UIDValidity = 8
		w.pass()
		w.written(2)
		if n := w.calls["update"]; n > 0 {
			t.Errorf("%d changes", n)
		}
		if r := w.record(*w.folderAt("Customers / 2019"), 4); r.Folder != id || r.Outcome != Copied {
			t.Errorf("%+v", r)
		}
		for _, c := range w.store {
			if c.content == "other" && c.folders[0] != "Clients / 2019'" {
				t.Errorf("the new folder shares a place with the renamed one: %+v", c)
			}
		}
	})
}

// A server may give one UIDVALIDITY to several folders.
func TestAFolderOfOtherContentIsNotTakenForARenamedOne(t *testing.T) {
	delta(t, func(t *testing.T, w *world) {
		newest := w.mail["Clients / 2019"][2].content
		w.deleteFolder("Clients / 2019")
		w.add("Other", "a", "b", newest)
		w.pass()
		w.written(2) // the newest has moved
		w.equal()
	})
}

func TestAFolderThatComesBackIsAsItWas(t *testing.T) {
	delta(t, func(t *testing.T, w *world) {
		folder, mail, next := w.folders[1], w.mail["Clients / 2019"], w.next["Clients / 2019"]
		w.deleteFolder("Clients / 2019")
		w.pass()
		w.folders, w.mail["Clients / 2019"], w.next["Clients / 2019"] = append(w.folders, folder), mail, next
		w.pass()
		w.written(0)
		w.check()
	})
}

func TestTheNewestMessagesGoFirstIfThatIsWanted(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.parallel = 1
		w.folders, w.mail = nil, map[string][]worldMail{}
		w.add("INBOX")
		for i := range 300 {
			if i == 100 {
				w.next["INBOX"] += 4 * newestWidth // many messages were deleted
			}
			w.next["INBOX"] += 50
			w.deliver("INBOX", fmt.Sprint("number ", i))
		}
		e := w.engine()
		e.Newest = true
		if err := w.runWith(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		w.check()
		var at []int
		for _, c := range w.store {
			var n int
			fmt.Sscanf(c.content, "number %d", &n)
			at = append(at, n)
		}
		if at[0] < 200 || at[299] > 100 {
			t.Errorf("the first is %d, the last is %d", at[0], at[299])
		}
		clear(w.calls)
		w.pass()
		w.written(0)
	})
}

func TestAMessageThatIsToBeTriedAgainIsAllThatIsLookedAt(t *testing.T) {
	delta(t, func(t *testing.T, w *world) {
		failed := w.record(w.folders[0], 6)
		failed.Outcome, failed.Target = Pending, ""
		w.drop("four")
		w.ledger[rowID{failed.Folder, failed.UID}] = failed
		st := w.states[failed.Folder-1]
		st.Reopen(failed.UID)
		w.states[failed.Folder-1] = st
		e := w.engine()
		if err := w.runWith(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		w.written(1)
		w.check()
	})
}

// What a crash leaves pending below what was walked is found all the same.
func TestAMessageThatIsPendingIsNotForgotten(t *testing.T) {
	delta(t, func(t *testing.T, w *world) {
		r := w.record(w.folders[0], 6)
		r.Outcome, r.Target = Pending, ""
		w.drop("four")
		w.ledger[rowID{r.Folder, r.UID}] = r
		w.deliver("Empty", "new")
		w.pass()
		w.written(2)
		w.check()
	})
}

func TestOtherRulesLookAtEveryMessageAgain(t *testing.T) {
	delta(t, func(t *testing.T, w *world) {
		e := w.engine()
		e.Rules = Rules{Version: "odd", Message: func(m *Message) string { return map[bool]string{true: "odd"}[m.HasFlag("odd")] }}
		w.deliver("INBOX", "left out")
		w.mark("INBOX", 7, "odd")
		if err := w.runWith(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		w.written(0)
		if r := w.record(w.folders[0], 8); r.Outcome != Excluded {
			t.Fatalf("%+v", r)
		}
		w.pass()
		w.written(1)
		w.check()
	})
}

func TestAMessageThatARuleLeftOutComesOverWhenItsFlagsChange(t *testing.T) {
	delta(t, func(t *testing.T, w *world) {
		rules := Rules{Version: "odd", Message: func(m *Message) string { return map[bool]string{true: "odd"}[m.HasFlag("odd")] }}
		w.deliver("INBOX", "left out")
		w.mark("INBOX", 7, "odd")
		for _, want := range []int{0, 1} {
			e := w.engine()
			e.Rules = rules
			if err := w.runWith(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			w.written(want)
			w.mark("INBOX", 7)
		}
		w.check()
	})
}

func TestAMessageThatIsFoundGetsTheFlagsThatItHasByNow(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.parallel = 1
		w.mail["INBOX"][0].flags = []Flag{Seen, Flagged}
		w.interrupt(1)
		if len(w.store) != 1 {
			t.Fatalf("%d were written", len(w.store))
		}
		w.mail["INBOX"][0].flags = []Flag{Flagged, "$Todo"}
		w.pass()
		w.check()
		if c := w.copyOf(w.record(w.folders[0], 1).Target); !slices.Contains(c.flags, "$Todo") || slices.Contains(c.flags, Seen) {
			t.Errorf("%+v", c)
		}
	})
}

func TestAFolderThatComesAndGoesLeavesNothingPendingWhereverAPassDies(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		trash := func() error {
			e := w.engine()
			e.Deletions = Trash
			return w.runWith(t.Context(), e)
		}
		folders, mail, next := w.folders, w.mail["Clients / 2019"], w.next["Clients / 2019"]
		for n, died := 1, true; died; n++ {
			w.fresh()
			w.folders, w.mail["Clients / 2019"], w.next["Clients / 2019"] = folders, mail, next
			w.pass()
			w.deleteFolder("Clients / 2019")
			if err := trash(); err != nil {
				t.Fatal(err)
			}
			w.folders, w.mail["Clients / 2019"], w.next["Clients / 2019"] = folders, mail, next
			died = false
			at := w.n + n
			w.step = func(n int) error {
				if died = died || n >= at; died {
					return errPower
				}
				return nil
			}
			trash()
			w.step = func(int) error { return nil }
			w.deleteFolder("Clients / 2019")
			if err := trash(); err != nil {
				t.Fatalf("after it died at step %d: %v", n, err)
			}
		}
	})
}

// A backup may have other flags, and does not say that they changed.
func TestAMessageThatComesBackHasTheFlagsOfTheSource(t *testing.T) {
	for _, policy := range []Deletions{Keep, Trash} {
		delta(t, func(t *testing.T, w *world) {
			pass := func() {
				t.Helper()
				e := w.engine()
				e.Deletions = policy
				if err := w.runWith(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
			mail := slices.Clone(w.mail["INBOX"])
			w.expunge("INBOX", 0)
			w.mark("INBOX", 2, Flagged)
			pass()
			w.mail["INBOX"] = mail
			w.mail["INBOX"][0].flags = []Flag{Seen}
			pass()
			w.written(0)
			if c := w.copyOf(w.record(w.folders[0], 1).Target); c.trashed || !slices.Contains(c.flags, Seen) {
				t.Errorf("%+v", c)
			}
		})
	}
}

// A pass that ends early has not been to every folder.
func TestAFolderThatAPassDidNotReachIsWalkedByTheNextOne(t *testing.T) {
	for _, reads := range []string{"uids", "list"} { // what fails in the first folder
		delta(t, func(t *testing.T, w *world) {
			w.deliver("INBOX", "new")
			w.expunge("INBOX", 0)
			w.mark("Clients / 2019", 1, Seen)
			w.expunge("Clients / 2019", 0)
			w.deliver("Clients / 2019", "newer")
			down := func(f Folder) error {
				if f.String() == "INBOX" {
					return &Error{Op: "login", Class: Fatal, Err: errors.New("the password was changed")}
				}
				return nil
			}
			if w.onUIDs = down; reads == "list" {
				w.onUIDs, w.onList = nil, down
			}
			if w.run() == nil {
				t.Fatal("the pass came to its end")
			}
			w.onUIDs, w.onList = nil, nil
			w.pass()
			w.written(2)
			clients := *w.folderAt("Clients / 2019")
			if r := w.record(clients, 1); !r.Vanished {
				t.Errorf("%+v", r)
			}
			if c := w.copyOf(w.record(clients, 2).Target); !slices.Contains(c.flags, Seen) {
				t.Errorf("%+v", c)
			}
		})
	}
}

// The answer to a move was lost, and then the flags changed once more.
func TestAMoveWhoseAnswerIsLostTakesTheLatestFlagsAlong(t *testing.T) {
	delta(t, func(t *testing.T, w *world) {
		w.mark("INBOX", 0, Seen)
		w.move("INBOX", 0, "Empty")
		w.onUpdate = func() error { return &Error{Op: "update", Class: Fatal, Err: errors.New("the token was revoked")} }
		if w.run() == nil {
			t.Fatal("the pass came to its end")
		}
		w.onUpdate = nil
		w.mark("Empty", 0, "$Todo")
		w.pass()
		w.written(0)
		w.check()
		if c := w.copyOf(w.record(*w.folderAt("Empty"), 1).Target); !slices.Equal(c.flags, []Flag{"$Todo"}) {
			t.Errorf("%+v", c)
		}
	})
}

// A pass dies while a copy follows a message, which a backup then brings back to
// where it was.
func TestAMessageThatIsRestoredWhileItsMoveIsInDoubtIsInBothFolders(t *testing.T) {
	for _, labels := range []bool{false, true} {
		for at, ended := 1, false; !ended; at++ {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.labels, w.keyed = labels, !labels
				w.add("INBOX", "one")
				w.add("Empty")
				w.pass()
				backup := w.mail["INBOX"]
				w.move("INBOX", 0, "Empty")
				ended = w.dies(at) == nil
				w.mail["INBOX"] = backup
				w.renew("INBOX")
				w.pass()
				w.equal()
			})
			if t.Failed() {
				t.Fatalf("labels=%v, step %d", labels, at)
			}
		}
	}
}

// Mail that comes to the source after the cutover is still brought over.
func TestWhatWasRemovedAndComesBackAfterTheCutoverIsNotLeftInTheTrash(t *testing.T) {
	for _, moved := range []bool{false, true} {
		delta(t, func(t *testing.T, w *world) {
			mail := slices.Clone(w.mail["INBOX"])
			w.expunge("INBOX", 0)
			e := w.engine()
			e.Deletions = Trash
			if err := w.runWith(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			w.state.Cutover = w.state.Ended
			if moved {
				w.deliver("Empty", "one")
			} else {
				w.mail["INBOX"] = mail
			}
			w.pass()
			w.written(0)
			w.check()
			for _, c := range w.store {
				if c.trashed {
					t.Errorf("%+v", c)
				}
			}
		})
	}
}
