package migrate

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// randomly lets people at the source do something, and says what. lost is what
// a restored backup does not have.
func (w *world) randomly(r *rand.Rand, backups map[string][]worldMail) string {
	paths := slices.Sorted(maps.Keys(w.mail))
	paths = slices.DeleteFunc(paths, func(p string) bool {
		return !slices.ContainsFunc(w.folders, func(f Folder) bool { return f.String() == p })
	})
	path, other := paths[r.IntN(len(paths))], paths[r.IntN(len(paths))]
	n := len(w.mail[path])
	switch action := r.IntN(20); {
	case action < 6 || n == 0:
		w.deliver(path, fmt.Sprint("content ", r.IntN(60)))
		return "deliver to " + path
	case action < 10:
		w.move(path, r.IntN(n), other)
		return "move from " + path + " to " + other
	case action < 12:
		w.expunge(path, r.IntN(n))
		return "expunge in " + path
	case action < 15:
		flags := []Flag{Seen, Flagged, "$Todo", Deleted}
		r.Shuffle(len(flags), func(i, j int) { flags[i], flags[j] = flags[j], flags[i] })
		w.mark(path, r.IntN(n), flags[:r.IntN(4)]...)
		return "mark in " + path
	case action == 15:
		w.renew(path)
		return "renew " + path
	case action == 16:
		to := fmt.Sprint("Renamed ", w.tick())
		w.rename(path, to)
		return "rename " + path + " to " + to
	case action == 17 && len(paths) < 8:
		w.add(fmt.Sprint("New ", w.tick()))
		f := &w.folders[len(w.folders)-1]
		w.mail[f.String()] = nil
		f.UIDValidity = uint32(7 + r.IntN(2)) // like those of other folders
		return "make " + f.String()
	case action == 18 && len(paths) > 2:
		w.deleteFolder(path)
		return "delete " + path
	default:
		if b, ok := backups[path]; ok && r.IntN(2) == 0 {
			w.mail[path], w.next[path] = b, 1
			for i, m := range b {
				w.next[path], b[i].modSeq = max(w.next[path], m.uid+1), w.tick()
			}
			return "restore " + path
		}
		backups[path] = slices.Clone(w.mail[path])
		return "back up " + path
	}
}

// equal expects the target to have each message of the source where and as it
// is there, and beyond that only what records say was left behind.
func (w *world) equal() {
	w.t.Helper()
	want := map[string]int{}
	state := func(f Folder) *FolderState {
		for i, s := range slices.Backward(w.states) {
			if s.Folder.UIDValidity == f.UIDValidity && slices.Equal(s.Folder.Path, f.Path) {
				return &w.states[i]
			}
		}
		return nil
	}
	refs, left := map[MessageID]int{}, map[MessageID]bool{}
	for _, r := range w.ledger {
		if r.Outcome.Arrived() {
			refs[r.Target]++
			left[r.Target] = left[r.Target] || r.Vanished
		}
	}
	flags := map[MessageID][]Flag{} // of all messages that a copy stands for
	for _, f := range w.folders {
		for _, m := range w.mail[f.String()] {
			id := w.ledger[rowID{state(f).ID, m.uid}].Target
			flags[id] = append(flags[id], missing(m.flags, flags[id])...)
		}
	}
	for _, f := range w.folders {
		st := state(f)
		for _, m := range w.mail[f.String()] {
			r := w.ledger[rowID{st.ID, m.uid}]
			c := w.copyOf(r.Target)
			if !r.Outcome.Arrived() || r.Vanished || c == nil || c.trashed || c.content != m.content || !slices.Contains(c.folders, st.Target) {
				w.t.Errorf("%s %d %s: %+v, %.40q", f, m.uid, m.content, r, fmt.Sprint(c))
				continue
			}
			// What shared a copy and was left behind may have left its flags.
			if a, b := difference(c.flags, flags[r.Target]); len(a)+len(b) > 0 && (!left[r.Target] || len(a) > 0) {
				w.t.Errorf("%s %d %s: flags %v, want %v", f, m.uid, m.content, c.flags, flags[r.Target])
			}
			want[string(st.Target)+": "+m.content]++
		}
	}
	// What was left behind is there, wherever it was when a run died.
	for _, r := range w.ledger {
		if r.Outcome.Arrived() && r.Vanished && w.copyOf(r.Target) == nil {
			w.t.Errorf("nowhere: %+v", r)
		}
	}
	got := map[string]int{}
	for _, c := range w.store {
		if !c.trashed && refs[c.id] == 0 {
			w.t.Errorf("no record knows of %+v", c)
		}
		for _, f := range c.folders {
			if k := string(f) + ": " + c.content; !left[c.id] || want[k] > 0 {
				got[k]++
			}
		}
	}
	for k, n := range want {
		if w.labels && got[k] != 1 || !w.labels && got[k] < n {
			w.t.Errorf("target has %d of %s, want %d", got[k], k, n)
		}
	}
	for k := range got {
		if want[k] == 0 {
			w.t.Errorf("target has %d of %s, want none", got[k], k)
		}
	}
	ts, _ := (*worldCheckpoints)(w).Tally(context.Background())
	for _, t := range ts {
		if err := t.Check(); err != nil {
			w.t.Error(err)
		}
	}
}

func TestRandomChangesAreFollowedWhateverCrashes(t *testing.T) {
	for _, policy := range []Deletions{Keep, Trash} {
		for _, seed := range []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 32, 41, 67} {
			delta(t, func(t *testing.T, w *world) {
				r := rand.New(rand.NewPCG(seed, 1))
				backups := map[string][]worldMail{}
				var story []string
				w.parallel = 1 + r.IntN(3)
				for range 60 {
					story = append(story, w.randomly(r, backups))
					if r.IntN(4) > 0 {
						continue
					}
					e := w.engine()
					e.Deletions, e.Confirmed = policy, true
					dies := w.n + 1 + r.IntN(120)
					w.step = func(n int) error {
						if n >= dies {
							return errPower
						}
						return nil
					}
					err := w.runWith(t.Context(), e)
					story = append(story, fmt.Sprintf("pass: %v", err))
					w.step = func(int) error { return nil }
				}
				for range 2 { // the second one has nothing to do
					clear(w.calls)
					e := w.engine()
					e.Deletions, e.Confirmed = policy, true
					if err := w.runWith(t.Context(), e); err != nil {
						t.Log(strings.Join(story, "\n"))
						t.Fatal(err)
					}
				}
				w.written(0)
				w.equal()
				if t.Failed() {
					t.Log(strings.Join(story, "\n"))
				}
			})
			if t.Failed() {
				t.Fatalf("policy %s, seed %d", policy, seed)
			}
		}
	}
}
