package checkpointtest

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/mailhaul/mailhaul/migrate/proof"
)

// texts returns entries of the log.
func texts(t *testing.T, l proof.Log, from, to int64) (all []string) {
	t.Helper()
	for text, err := range l.Entries(t.Context(), from, to) {
		must(t, err)
		all = append(all, text)
	}
	return all
}

func size(t *testing.T, l proof.Log) int64 {
	t.Helper()
	n, err := l.Size(t.Context())
	must(t, err)
	return n
}

func logKeepsOrder(t *testing.T, open Open) {
	c, reopen := open(t)
	l := c.Log()
	same(t, "size of none", size(t, l), int64(0))
	same(t, "entries of none", len(texts(t, l, 0, 9)), 0)
	must(t, l.Append(t.Context()))
	var want []string
	for _, n := range []int{1, 0, 1100, 2, 501} {
		var es []proof.Entry
		for range n {
			es = append(es, proof.Entry{Folder: 1, ID: int64(len(want)), Text: fmt.Sprintf("entry %d \x00\xff", len(want))})
			want = append(want, es[len(es)-1].Text)
		}
		must(t, l.Append(t.Context(), es...))
		l = reopen().Log()
		same(t, "size", size(t, l), int64(len(want)))
	}
	all := int64(len(want))
	for _, part := range [][2]int64{{0, all}, {0, 1}, {1, 1}, {2, 1}, {3, 503}, {499, 501}, {all - 1, all}, {0, all - 1}, {all, all + 1}, {1000, all + 1000}} {
		from, to := min(part[0], all), min(part[1], all)
		same(t, fmt.Sprintf("entries from %d to %d", part[0], part[1]), texts(t, l, part[0], part[1]), append([]string(nil), want[from:max(from, to)]...))
	}
	seen := int64(0)
	for _, err := range l.Entries(t.Context(), 0, all) { // more may be appended meanwhile
		must(t, err)
		if seen++; seen%400 == 0 {
			must(t, l.Append(t.Context(), proof.Entry{Text: "more"}))
		}
	}
	same(t, "entries seen meanwhile", seen, all)
	for range l.Entries(t.Context(), 0, all) {
		break // and a reader may stop early
	}
}

func logKnowsLatest(t *testing.T, open Open) {
	c, reopen := open(t)
	l := c.Log()
	latest := func(folder int64) (all []proof.Entry) {
		t.Helper()
		for e, err := range l.Latest(t.Context(), folder) {
			must(t, err)
			all = append(all, e)
		}
		return all
	}
	same(t, "latest of none", len(latest(0)), 0)
	const n = 1200
	var es, want []proof.Entry
	for id := int64(n - 1); id >= 0; id-- {
		e := proof.Entry{Folder: 7, ID: id << 21, Text: fmt.Sprint("first ", id)}
		es = append(es, e)
		if id%3 != 0 {
			e.Text = fmt.Sprint("latest ", id)
		}
		want = append(want, e)
	}
	slices.Reverse(want)
	es = append(es, want...) // some say the same again
	es = append(es, proof.Entry{ID: 7, Text: "folder 7"}, proof.Entry{Folder: 8, ID: 1, Text: "message of folder 8"}, proof.Entry{ID: 3, Text: "folder 3"},
		proof.Entry{ID: 7, Text: "folder 7 again"})
	must(t, l.Append(t.Context(), es...))
	l = reopen().Log()
	same(t, "latest of a folder's messages", latest(7), want)
	same(t, "latest of another's", latest(8), []proof.Entry{{Folder: 8, ID: 1, Text: "message of folder 8"}})
	same(t, "latest of the folders", latest(0), []proof.Entry{{ID: 3, Text: "folder 3"}, {ID: 7, Text: "folder 7 again"}})

	seen := 0
	for e, err := range l.Latest(t.Context(), 7) { // they may be superseded meanwhile
		must(t, err)
		if seen++; seen%400 == 0 {
			must(t, l.Append(t.Context(), proof.Entry{Folder: 7, ID: e.ID, Text: "newer"}))
		}
	}
	same(t, "latest seen meanwhile", seen, n)
	for range l.Latest(t.Context(), 7) {
		break // and a reader may stop early
	}
}

func logHasOneSecret(t *testing.T, open Open) {
	c, reopen := open(t)
	first, err := c.Log().Secret(t.Context())
	must(t, err)
	same(t, "octets", len(first), 32)
	again, err := c.Log().Secret(t.Context())
	must(t, err)
	later, err := reopen().Log().Secret(t.Context())
	must(t, err)
	if !bytes.Equal(first, again) || !bytes.Equal(first, later) {
		t.Error("the secret has changed")
	}
	c, _ = open(t)
	other, err := c.Log().Secret(t.Context())
	must(t, err)
	if bytes.Equal(first, other) {
		t.Error("another migration has the same secret")
	}
}

func logKeepsHeads(t *testing.T, open Open) {
	c, reopen := open(t)
	l := c.Log()
	var want []string
	for _, head := range []string{"one\n\n— key AAAA\n", "another", "another"} {
		must(t, l.AddHead(t.Context(), head))
		want = append(want, head)
		l = reopen().Log()
		heads, err := l.Heads(t.Context())
		must(t, err)
		same(t, "heads", heads, want)
	}
	same(t, "size", size(t, l), int64(0))
}

// What one call appends is in one piece.
func goroutinesAppend(t *testing.T, open Open) {
	c, _ := open(t)
	l := c.Log()
	const workers, calls, each = 8, 20, 3
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range calls {
				var es []proof.Entry
				for k := range each {
					es = append(es, proof.Entry{Folder: int64(w + 1), ID: int64(i), Text: fmt.Sprint(w, i, k)})
				}
				if err := l.Append(t.Context(), es...); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	same(t, "size", size(t, l), int64(workers*calls*each))
	all := texts(t, l, 0, workers*calls*each)
	next := map[int]int{}
	for piece := range slices.Chunk(all, each) {
		var w, i, k int
		fmt.Sscan(piece[0], &w, &i, &k)
		for k := range each {
			same(t, "entry", piece[k], fmt.Sprint(w, next[w], k))
		}
		next[w]++
	}
}
