package proof

import (
	"context"
	"crypto/sha256"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// A frontier is a tree that grows entry by entry. It holds only the roots of
// the complete subtrees of which the tree is made, the largest first: one for
// each bit that is set in its size.
type frontier struct {
	size  int64
	roots []tlog.Hash

	// node, if not nil, is told each node of a complete subtree once, by its
	// index as tlog.StoredHashIndex counts.
	node func(index int64, h tlog.Hash)
}

func (f *frontier) add(text []byte) {
	h, n := tlog.RecordHash(text), f.size
	f.tell(0, n, h)
	for level := 1; n&1 == 1; level++ {
		n >>= 1
		last := len(f.roots) - 1
		h = tlog.NodeHash(f.roots[last], h)
		f.roots = f.roots[:last]
		f.tell(level, n, h)
	}
	f.roots = append(f.roots, h)
	f.size++
}

func (f *frontier) tell(level int, n int64, h tlog.Hash) {
	if f.node != nil {
		f.node(tlog.StoredHashIndex(level, n), h)
	}
}

// tree returns the size and the root as they are now.
func (f *frontier) tree() tlog.Tree {
	if f.size == 0 {
		return tlog.Tree{Hash: sha256.Sum256(nil)}
	}
	last := len(f.roots) - 1
	h := f.roots[last]
	for _, left := range slices.Backward(f.roots[:last]) {
		h = tlog.NodeHash(left, h)
	}
	return tlog.Tree{N: f.size, Hash: h}
}

// nodes reads the first size entries, once, and returns their tree and those of
// its hashes that prove asks for. That asks for the same ones whenever it is
// called.
func nodes(ctx context.Context, log Log, size int64, prove func(tlog.HashReader) error) (tlog.HashReader, tlog.Tree, error) {
	found := map[int64]tlog.Hash{}
	if err := prove(tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		for _, i := range indexes {
			found[i] = tlog.Hash{}
		}
		return make([]tlog.Hash, len(indexes)), nil
	})); err != nil {
		return nil, tlog.Tree{}, err
	}
	f := frontier{node: func(index int64, h tlog.Hash) {
		if _, wanted := found[index]; wanted {
			found[index] = h
		}
	}}
	for text, err := range log.Entries(ctx, 0, size) {
		if err != nil {
			return nil, tlog.Tree{}, err
		}
		f.add([]byte(text))
	}
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hs := make([]tlog.Hash, len(indexes))
		for k, i := range indexes {
			hs[k] = found[i]
		}
		return hs, nil
	}), f.tree(), nil
}
