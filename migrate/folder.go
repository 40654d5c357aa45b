package migrate

import (
	"context"
	"errors"
	"slices"
)

// place puts every folder that is not excluded at the target.
func (p *pass) place(ctx context.Context, visits []*visit, left []FolderState) error {
	var fs []Folder
	var placed []*visit
	for _, v := range visits {
		if p.rule(v.folder) != "" {
			continue
		}
		f := v.folder
		f.Placed, f.Renamed = v.state.Target, v.renamed() && p.state.Cutover.IsZero()
		for _, k := range left { // one that was made anew stays where it was
			if f.Placed == "" && slices.Equal(k.Folder.Path, f.Path) {
				f.Placed = k.Target
			}
		}
		fs, placed = append(fs, f), append(placed, v)
	}
	return p.retry(ctx, func() error {
		ps, err := p.target.Place(ctx, fs)
		if err != nil {
			return err
		}
		for i, at := range ps {
			placed[i].place = at
		}
		return nil
	})
}

func (p *pass) rule(f Folder) string {
	if p.Rules.Folder == nil {
		return ""
	}
	return p.Rules.Folder(f)
}

// waiting returns those visits in whose folders something is pending. All were
// placed, so that none takes the place of another.
func (p *pass) waiting(ctx context.Context, visits []*visit) (waiting []*visit, err error) {
	tallies, err := p.tallies(ctx)
	var fs []Folder
	for _, v := range visits {
		if slices.ContainsFunc(tallies, func(t Tally) bool { return t.ID == v.state.ID && t.Count[Pending] > 0 }) {
			waiting, fs = append(waiting, v), append(fs, v.folder)
		}
	}
	p.progress.total(fs)
	return waiting, Saved(err)
}

// folder goes through one folder batch by batch and hands on what is still to
// be done.
func (p *pass) folder(ctx context.Context, v *visit) error {
	f := v.folder
	if f.UIDValidity == 0 {
		return p.unknown(ctx, f)
	}
	if v.unchanged(p.Rules.Version) && v.from == f.UIDNext && len(v.again) == 0 && !p.Heal {
		p.progress.listed(f.Messages, f.Messages)
		return nil
	}
	if err := p.know(ctx, v); err != nil {
		return err
	}
	p.progress.Phase(f.String())
	if err := alone(p.follow(ctx, v)); err != nil {
		if stop := (*folderError)(nil); !errors.As(err, &stop) {
			return err
		}
		v.err = err // new mail comes over all the same
	}
	slices.Sort(v.again)
	for v.again = slices.Compact(v.again); len(v.again) > 0; {
		first, last := v.again[0], v.again[0]
		for len(v.again) > 0 && v.again[0]-last <= batchMost {
			last, v.again = v.again[0], v.again[1:]
		}
		if _, err := p.list(ctx, v, first, min(last+1, v.from)); err != nil {
			return alone(err)
		}
	}
	from, below := v.from, f.UIDNext
	for width := UID(newestWidth); p.Newest && below-min(from, below) > width; {
		lo := below - width
		n, err := p.list(ctx, v, lo, below)
		if err != nil {
			return alone(err)
		}
		if below = lo; n == 0 {
			width *= 2
		}
	}
	if _, err := p.list(ctx, v, from, below); err != nil {
		return alone(err)
	}
	return p.vanished(ctx, v.state, f.UIDNext, ^UID(0))
}

// batchMost is how far apart messages may be that are listed together.
const batchMost = 100

// newestWidth is how many UIDs are listed at once when the newest messages go
// first.
const newestWidth = 5000

// list lists the messages with from <= UID < below of a folder, hands on what is
// to be done, and says how many there were.
func (p *pass) list(ctx context.Context, v *visit, from, below UID) (n int, err error) {
	if from > 1 && from >= below {
		return 0, nil
	}
	f, next := v.folder, from
	f.UIDNext = below
	list := func() error {
		for batch, err := range p.source.List(ctx, f, next) {
			if err != nil {
				return err
			}
			if len(batch) == 0 {
				continue
			}
			last := batch[len(batch)-1].UID
			todo, err := p.listed(ctx, v, batch, next, last)
			if err != nil {
				return err
			}
			n += len(batch)
			next = last + 1
			if err := p.read(ctx, v.state, todo); err != nil {
				return err
			}
		}
		return nil
	}
	for more := true; more; {
		more = false
		err = p.retry(ctx, func() error {
			before := next
			err := list()
			if more = err != nil && next > before && classify(err).Class == Transient; more {
				return nil // it got on: patience starts again
			}
			return err
		})
	}
	if err != nil || next >= below {
		return n, err
	}
	return n, p.vanished(ctx, v.state, next, below-1)
}

// reopen has the pending messages listed that lie before what is listed anyway.
func (p *pass) reopen(ctx context.Context, v *visit) error {
	if !slices.Contains(p.pending, v.state.ID) {
		return nil
	}
	for r, err := range p.ledger.Records(ctx, v.state.ID, 1, v.from-1) {
		if err != nil {
			return Saved(err)
		}
		if r.Outcome == Pending {
			v.look(r.UID)
		}
	}
	return nil
}

// know saves where a folder is, and what the source says of it.
func (p *pass) know(ctx context.Context, v *visit) error {
	st := &v.state
	if v.renamed() && st.Origin == nil {
		st.Origin = st.Folder.Path
	}
	st.Folder, st.Gone = v.folder, false
	if v.place.ID != "" || st.Target == "" { // a folder that is left out now keeps its place
		st.Target, st.Name, st.Note = v.place.ID, v.place.Name, v.place.Note
	}
	if err := p.ledger.SaveFolder(ctx, st); err != nil {
		return Saved(err)
	}
	p.write.know(*st)
	return nil
}

// unknown says why the source does not tell the state of a folder. Nothing is
// saved of it: which folder it is cannot be told.
func (p *pass) unknown(ctx context.Context, f Folder) error {
	return alone(p.retry(ctx, func() error {
		for _, err := range p.source.List(ctx, f, 1) {
			if err != nil {
				return err
			}
		}
		return &Error{Op: "list", Class: Permanent, Err: errors.New("the source does not tell its UIDVALIDITY"), Hint: "Run again."}
	}))
}
