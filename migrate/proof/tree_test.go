package proof

import (
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// stored is all hashes of a tree as tlog keeps them.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) (hs []tlog.Hash, err error) {
	for _, i := range indexes {
		hs = append(hs, s[i])
	}
	return hs, nil
}

func TestATreeThatIsStreamedIsThatOfTlog(t *testing.T) {
	const most = 130
	var all stored
	var f frontier
	log := &memory{}
	for n := range int64(most + 1) {
		want, err := tlog.TreeHash(n, all)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.tree(); got != (tlog.Tree{N: n, Hash: want}) {
			t.Fatalf("%d entries: %v, want %v", n, got, want)
		}
		if len(f.roots) > 8 {
			t.Fatalf("%d roots are kept of %d entries", len(f.roots), n)
		}
		text := fmt.Sprint("entry ", n)
		log.entries = append(log.entries, Entry{Text: text})
		f.add([]byte(text))
		more, err := tlog.StoredHashes(n, []byte(text), all)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, more...)
	}

	for size := int64(1); size <= most; size += 1 + size/8 {
		root, err := tlog.TreeHash(size, all)
		if err != nil {
			t.Fatal(err)
		}
		for n := range size {
			var record tlog.RecordProof
			var tree tlog.TreeProof
			prove := func(r tlog.HashReader) (err error) {
				if record, err = tlog.ProveRecord(size, n, r); err == nil {
					tree, err = tlog.ProveTree(size, n+1, r)
				}
				return err
			}
			r, got, err := nodes(t.Context(), log, size, prove)
			if err != nil || got.Hash != root || prove(r) != nil {
				t.Fatalf("entry %d of %d: %v, %v", n, size, got, err)
			}
			if err := tlog.CheckRecord(record, size, root, n, tlog.RecordHash([]byte(log.entries[n].Text))); err != nil {
				t.Fatalf("entry %d of %d: %v", n, size, err)
			}
			before, err := tlog.TreeHash(n+1, all)
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckTree(tree, size, root, n+1, before); err != nil {
				t.Fatalf("the first %d entries of %d: %v", n+1, size, err)
			}
		}
	}
}
