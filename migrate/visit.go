package migrate

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
)

// A visit is what a pass does with one folder of the source.
type visit struct {
	folder Folder
	state  FolderState // as the checkpoints know it; its ID is 0 if they do not
	place  Placement
	from   UID   // to be listed from here on
	again  []UID // and these before
	err    error // why it cannot be walked to its end
	walked bool  // it was
}

// againMost is how many messages are listed one by one before a folder is listed
// as a whole.
const againMost = 1000

// look has one more message listed.
func (v *visit) look(uid UID) {
	switch uid = max(uid, 1); {
	case uid >= v.from:
	case len(v.again) < againMost:
		v.again = append(v.again, uid)
	default:
		v.from = min(uid, slices.Min(v.again))
		v.again = nil
	}
}

// renamed says whether the folder had another path when it was placed.
func (v *visit) renamed() bool {
	return v.state.ID != 0 && !slices.Equal(v.state.Folder.Path, v.folder.Path)
}

// unchanged says whether nothing happened to the folder since it was walked.
func (v *visit) unchanged(rules string) bool {
	return !v.folder.NoSelect && !v.renamed() && !v.state.Gone && v.folder.ModSeq != 0 &&
		v.state.Walked == Mark{v.folder.UIDNext, v.folder.ModSeq, v.folder.Messages, rules}
}

// visits finds what is known of the folders that the source has. What is left
// of known belongs to folders that it has no more.
func (p *pass) visits(ctx context.Context, folders []Folder, known []FolderState) (vs []*visit, left []FolderState, err error) {
	left = slices.Clone(known)
	for _, f := range folders {
		vs = append(vs, &visit{folder: f, from: 1})
	}
	take := func(v *visit, i int) {
		v.state = left[i]
		left = slices.Delete(left, i, i+1)
	}
	for _, v := range vs {
		// The latest epoch is the last one.
		for i, k := range slices.Backward(left) {
			// A folder whose state the source does not tell is not gone.
			if slices.Equal(k.Folder.Path, v.folder.Path) && (k.Folder.UIDValidity == v.folder.UIDValidity || v.folder.UIDValidity == 0 && !v.folder.NoSelect) {
				take(v, i)
				break
			}
		}
	}
	if p.Heal {
		return vs, left, nil
	}
	for _, v := range vs {
		switch {
		case v.folder.NoSelect || v.folder.UIDValidity == 0:
		case v.state.ID == 0:
			i, err := p.renamedFrom(ctx, v.folder, left)
			if err != nil {
				return nil, nil, err
			}
			if i >= 0 {
				take(v, i)
			}
		default:
			reused, err := p.reused(ctx, v)
			if err != nil {
				return nil, nil, err
			}
			if reused {
				left = append(left, v.state)
				v.state = FolderState{Folder: v.folder, Epoch: v.state.Epoch + 1}
			}
		}
		if v.state.Walked.Rules == p.Rules.Version {
			v.from = max(v.state.Walked.UIDNext, 1)
		}
	}
	return vs, left, nil
}

// renamedFrom returns which of the folders that are left f was before, or -1. A
// server keeps UIDVALIDITY when it renames a folder, but may give it to others
// too: so some of the content has to be the same.
func (p *pass) renamedFrom(ctx context.Context, f Folder, left []FolderState) (int, error) {
	for i, k := range slices.Backward(left) {
		if k.Folder.UIDValidity != f.UIDValidity || k.Folder.UIDNext > f.UIDNext {
			continue
		}
		if same, known, err := p.sameContent(ctx, f, k, newestMost); err != nil || same && known {
			return i, err
		}
	}
	return -1, nil
}

// reused says whether the source gives out UIDs of the folder anew, as after it
// was restored from a backup: then each stands for another message.
func (p *pass) reused(ctx context.Context, v *visit) (bool, error) {
	if v.folder.UIDNext < v.state.Folder.UIDNext {
		return true, nil
	}
	if v.unchanged(p.Rules.Version) {
		return false, nil
	}
	same, _, err := p.sameContent(ctx, v.folder, v.state, 1) // UIDs that are used again are the highest ones
	return !same, err
}

// sameContent says whether f has the same content under the UIDs of the newest
// messages that the records of st know and f has, so many of them or fewer; known
// is false if there are none.
func (p *pass) sameContent(ctx context.Context, f Folder, st FolderState, most int) (same, known bool, err error) {
	newest, err := p.newest(ctx, f, st)
	if stop := (*folderError)(nil); errors.As(alone(err), &stop) { // its walk will say so
		return true, false, nil
	}
	if err != nil {
		return false, false, err
	}
	for _, r := range newest {
		var is, there bool
		err := p.retry(ctx, func() (err error) {
			is, there, err = p.hasContent(ctx, f, r)
			return err
		})
		if err != nil && (classify(err).Class == Permanent || errors.Is(err, ErrFolderGone)) {
			continue // it cannot be read; or nothing can, which its walk will say
		}
		if err != nil || there && !is {
			return false, there, err
		}
		if !there {
			continue
		}
		if known, most = true, most-1; most == 0 {
			break
		}
	}
	return true, known, nil
}

// newestMost is how many messages of a folder are compared at most.
const newestMost = 8

// wholeMost is the size up to which a message is read to compare it. A larger
// one has the same content if it has the same size.
const wholeMost = 4 << 20

func (p *pass) hasContent(ctx context.Context, f Folder, r Record) (same, known bool, err error) {
	if r.Size > wholeMost {
		f.UIDNext = r.UID + 1
		for batch, err := range p.source.List(ctx, f, r.UID) {
			if err != nil {
				return false, false, err
			}
			for _, m := range batch {
				same, known = m.Size == r.Size, true
			}
		}
		return same, known, nil
	}
	err = p.source.Read(ctx, f, []*Message{{UID: r.UID, Size: r.Size}}, func(_ *Message, body io.Reader) error {
		sum := sha256.New()
		if _, err := io.Copy(sum, body); err != nil {
			return err
		}
		same, known = Digest(sum.Sum(nil)) == r.Digest, true
		return nil
	})
	return same, known, err
}

// newest returns the newest messages of f of which the records of st know the
// content, also of one that had vanished: a few of them, newest first.
func (p *pass) newest(ctx context.Context, f Folder, st FolderState) (rs []Record, err error) {
	var there []UIDRange
	err = p.retry(ctx, func() error {
		there = nil
		for r, err := range p.source.UIDs(ctx, f, st.Folder.UIDNext) {
			if err != nil {
				return err
			}
			if there = append(there, r); len(there) > 128 {
				there = slices.Delete(there, 0, 64)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, r := range slices.Backward(there) {
		var in []Record
		for r, err := range p.ledger.Records(ctx, st.ID, max(r.First, r.Last-min(r.Last, 512)), r.Last) {
			if err != nil {
				return nil, Saved(err)
			}
			if r.Digest != (Digest{}) {
				in = append(in, r)
			}
		}
		slices.Reverse(in)
		if rs = append(rs, in...); len(rs) >= newestMost {
			return rs[:newestMost], nil
		}
	}
	return rs, nil
}
