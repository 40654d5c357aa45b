package gmail

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
)

// Place maps folders to labels. Inbox, Sent, Drafts, Spam and Trash have their
// system labels, and the archive has none. Every other folder has a user label
// named by its path, and so have the folders above it, because Gmail's pages
// nest a label only if its parents exist. The label of a folder that was renamed
// gets its new name, unless another label has it; labels above the old one stay.
// The result depends on fs and on the labels that exist, not on chance, so that
// a second call finds the same.
func (t *Target) Place(ctx context.Context, fs []migrate.Folder) ([]migrate.Placement, error) {
	t.placing.Lock()
	defer t.placing.Unlock()
	t.forgetPlaces()
	if t.fallback != "" {
		t.taken[t.fallback] = true
	}
	p, err := t.newPlacer(ctx)
	if err != nil {
		return nil, err
	}
	placements := make([]migrate.Placement, len(fs))
	done := make([]bool, len(fs))
	// Places from earlier passes first, so that no new folder takes one.
	for i, f := range fs {
		placements[i], done[i] = p.keep(f)
	}
	if err := p.rename(ctx); err != nil {
		return nil, err
	}
	for i, f := range fs {
		if done[i] {
			continue
		}
		if p.renamed[pathKey(f.Path)] == nil {
			if placements[i], done[i] = p.special(f); done[i] {
				continue
			}
		}
		n := p.node(ctx, f.Path)
		if e, ok := errors.AsType[*migrate.Error](n.err); ok && e.Class == migrate.Permanent {
			placements[i] = migrate.Placement{Err: n.err}
			continue
		}
		if n.err != nil {
			return nil, n.err
		}
		placements[i] = migrate.Placement{ID: migrate.FolderID(n.label.id), Name: n.label.name, Note: n.note}
	}
	if known := p.labels.byKey[LabelKey(sentName)]; known != nil && known.name == sentName && !p.taken[migrate.FolderID(known.id)] {
		t.fallback = migrate.FolderID(known.id) // of an earlier run
	}
	t.names[t.fallback] = sentName
	for i, at := range placements {
		t.names[at.ID], t.replaced[at.ID] = at.Name, fs[i].Placed != "" && fs[i].Placed != at.ID
	}
	return placements, nil
}

func (t *Target) forgetPlaces() {
	t.taken, t.names = map[migrate.FolderID]bool{}, map[migrate.FolderID]string{}
	t.remade, t.replaced = map[migrate.FolderID]migrate.FolderID{}, map[migrate.FolderID]bool{}
}

// sentName is the label for sent mail that Gmail refuses to hold to be sent.
const sentName = "Sent (migrated)"

// sentLabel returns the label called sentName, made if need be. No folder
// shares it.
func (t *Target) sentLabel(ctx context.Context) (migrate.FolderID, error) {
	t.placing.Lock()
	defer t.placing.Unlock()
	if t.fallback != "" {
		return t.fallback, nil
	}
	p, err := t.newPlacer(ctx)
	if err != nil {
		return "", err
	}
	n := p.create(ctx, &node{}, sentName, "")
	if n.err != nil {
		return "", n.err
	}
	t.fallback = migrate.FolderID(n.label.id)
	t.names[t.fallback] = n.label.name
	return t.fallback, nil
}

// A placer places the folders of one mailbox.
type placer struct {
	t      *Target
	labels *labels
	taken  map[migrate.FolderID]bool // stands for a folder already
	nodes  map[string]*node          // by path

	renamed map[string]*renamed // folders that had another path when they were placed, by path
}

// A node is a path of the source and the user label that stands for it.
type node struct {
	up    *node // nil at the root, which has no label
	label *label
	note  string
	err   error
}

func (t *Target) newPlacer(ctx context.Context) (*placer, error) {
	labels, err := t.listLabels(ctx)
	if err != nil {
		return nil, err
	}
	if t.taken == nil {
		t.forgetPlaces()
	}
	return &placer{t, labels, t.taken, map[string]*node{}, map[string]*renamed{}}, nil
}

// pathKey joins path without loss.
func pathKey(path []string) string {
	var b strings.Builder
	for _, s := range path {
		fmt.Fprintf(&b, "%d:%s", len(s), s)
	}
	return b.String()
}

// keep leaves a folder where it was placed before, whatever that is called now.
// A user label that is to be renamed is only taken.
func (p *placer) keep(f migrate.Folder) (migrate.Placement, bool) {
	if f.Placed == "" || p.taken[f.Placed] {
		return migrate.Placement{}, false
	}
	if name := specialName(f.Placed); name != "" {
		p.taken[f.Placed] = true
		return specialPlacement(f, f.Placed), true
	}
	known, ok := p.labels.byID[string(f.Placed)]
	if !ok || known.system {
		return migrate.Placement{}, false
	}
	p.taken[f.Placed] = true
	if f.Renamed {
		p.renamed[pathKey(f.Path)] = &renamed{path: f.Path, id: known.id}
		return migrate.Placement{}, false
	}
	note := ""
	if known.name != strings.Join(f.Path, "/") {
		note = "placed here by an earlier pass"
	}
	p.nodes[pathKey(f.Path)] = &node{up: &node{}, label: known, note: note}
	return migrate.Placement{ID: f.Placed, Name: known.name, Note: note}, true
}

// node returns the label for path, made if need be, its parents first.
func (p *placer) node(ctx context.Context, path []string) *node {
	if n, ok := p.nodes[pathKey(path)]; ok {
		return n
	}
	up := &node{}
	if len(path) > 1 {
		up = p.node(ctx, path[:len(path)-1])
	}
	var n *node
	if up.err != nil {
		n = &node{err: up.err}
	} else {
		name := ""
		if len(path) > 0 {
			name = path[len(path)-1]
		}
		clean, note := LabelName(name)
		n = p.create(ctx, up, clean, note)
	}
	p.nodes[pathKey(path)] = n
	return n
}
