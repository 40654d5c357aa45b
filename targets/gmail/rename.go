package gmail

import (
	"context"
	"errors"
	"slices"

	"github.com/mailhaul/mailhaul/migrate"
)

// A renamed is a folder whose label may have to get another name. It waits for
// one until it has a node.
type renamed struct {
	path  []string
	id    string // of the label
	aside bool   // it has a name for the time being
}

// An effort is what is done so that a label gets the name that it shall have.
type effort int

const (
	asItIs    effort = iota // its name is free
	stepAside               // of labels that swap names, one gets another name first
	giveUp
)

// rename gives each renamed folder's label the name of its path. A run that is
// killed between two of them is made up for by the next: labels are known by
// their ids, whatever they are called.
func (p *placer) rename(ctx context.Context) error {
	var waiting []*renamed
	for _, r := range p.renamed {
		waiting = append(waiting, r)
	}
	slices.SortFunc(waiting, func(a, b *renamed) int { return slices.Compare(a.path, b.path) }) // parents first
	for e := asItIs; len(waiting) > 0; {
		at := -1
		for i, r := range waiting {
			moved, err := p.settle(ctx, r, e)
			if err != nil {
				return err
			}
			if moved {
				at = i
				break
			}
		}
		if at < 0 {
			e++
			continue
		}
		e = asItIs
		if !p.waits(waiting[at].path) {
			waiting = slices.Delete(waiting, at, at+1)
		}
	}
	return nil
}

// waits says whether the folder of a path may still get another name.
func (p *placer) waits(path []string) bool {
	k := pathKey(path)
	return p.renamed[k] != nil && p.nodes[k] == nil
}

// settle makes an effort for one label, and says whether that moved anything.
func (p *placer) settle(ctx context.Context, r *renamed, e effort) (moved bool, err error) {
	if p.labels.byID[r.id] == nil {
		return true, p.stay(r, nil, "")
	}
	up, name := &node{}, ""
	if n := len(r.path); n > 0 {
		name = r.path[n-1]
		for i := 1; i < n; i++ {
			if p.waits(r.path[:i]) {
				return false, nil
			}
		}
		if n > 1 {
			up = p.node(ctx, r.path[:n-1])
		}
	}
	if up.err != nil {
		return true, p.stay(r, up.err, "there is no label above it")
	}
	clean, note := LabelName(name)
	n, holder := p.claim(ctx, r.id, up, clean, note, 1)
	known := p.labels.byID[r.id] // claim may have listed the labels again
	switch {
	case n == nil && known != nil && e < giveUp && p.leaves(holder):
		if e < stepAside || r.aside {
			return false, nil
		}
		r.aside = true
		if err := p.aside(ctx, known); err != nil {
			return true, p.stay(r, err, "another label has its new name")
		}
		return true, nil
	case n == nil:
		return true, p.stay(r, nil, "another label has its new name")
	case gone(n.err) && known != nil:
		p.labels.drop(known)
		return true, p.stay(r, nil, "")
	case n.err != nil:
		return true, p.stay(r, n.err, "Gmail does not take its new name")
	}
	p.nodes[pathKey(r.path)] = n
	return true, nil
}

// aside lets a label that waits for its new name give up its old one.
func (p *placer) aside(ctx context.Context, l *label) error {
	n, _ := p.claim(ctx, l.id, &node{}, l.name, "", 2)
	return n.err
}

// leaves says whether a label may still give its name away.
func (p *placer) leaves(l *label) bool {
	for _, r := range p.renamed {
		if r.id == l.id {
			return p.waits(r.path)
		}
	}
	return false
}

// stay leaves a label what it is called, unless err is no matter of names. One
// that a person deleted just now is made anew with the labels of new folders.
func (p *placer) stay(r *renamed, err error, why string) error {
	if e, ok := errors.AsType[*migrate.Error](err); err != nil && (!ok || e.Class != migrate.Permanent) {
		return err
	}
	known := p.labels.byID[r.id]
	if known == nil {
		delete(p.renamed, pathKey(r.path))
		return nil
	}
	p.nodes[pathKey(r.path)] = &node{up: &node{}, label: known, note: why}
	return nil
}
