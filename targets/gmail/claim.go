package gmail

import (
	"context"
	"fmt"
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
)

// tries bounds how many names are tried for one folder.
const tries = 100

// create finds or makes the label name beneath up under the first name that is
// free: a label of exactly that spelling is adopted unless it stands for
// another folder, and one that Gmail only holds to be the same is not.
func (p *placer) create(ctx context.Context, up *node, name, note string) *node {
	n, _ := p.claim(ctx, "", up, name, note, 1)
	return n
}

// claim does so for a new label, if id is empty, or gives the name to the label
// with that id. It begins with a suffix; 1 is none, and means for an existing
// label that it shall have the name itself: if that is another label's, there
// is no node, and it returns that label, or an unknown one.
func (p *placer) claim(ctx context.Context, id string, up *node, name, note string, suffix int) (n *node, holder *label) {
	for up.label != nil && length(up.label.name)+1+min(length(name), 40)+len(" (100)") > maxName {
		up = up.up
		note = join(note, "the path is longer than Gmail allows")
	}
	if up.label == nil && ReservedLabel(name) {
		name, note = name+" (migrated)", join(note, "Gmail reserves the name")
	}
	original, renames, only := name, 0, id != "" && suffix == 1
	for range tries {
		full, short := fit(up, name, suffix)
		reason := note
		if short {
			reason = join(reason, "the path is longer than Gmail allows")
		}
		if suffix > 1 {
			reason = join(reason, "Gmail holds the name to be the same as another label's")
		}
		if known, ok := p.labels.byKey[LabelKey(full)]; ok && known.id != id {
			switch taken := p.taken[migrate.FolderID(known.id)]; {
			case only:
				return nil, known
			case id == "" && p.leaves(known):
				if err := p.aside(ctx, known); err != nil {
					return &node{err: err}, nil
				}
				continue
			case id != "" || known.name != full || known.system || taken:
				suffix++
				continue
			}
			p.taken[migrate.FolderID(known.id)] = true
			return &node{up, known, join(up.note, reason), nil}, nil
		}
		made, exists, refused, err := p.write(ctx, id, full)
		switch {
		case err == nil:
			p.taken[migrate.FolderID(made.id)] = true
			return &node{up, made, join(up.note, reason), nil}, nil
		case exists:
			labels, err := p.t.listLabels(ctx)
			if err != nil {
				return &node{err: err}, nil
			}
			p.labels = labels
			if known, ok := labels.byKey[LabelKey(full)]; !ok || known.id == id { // Gmail's rule is stricter than ours
				if only {
					return nil, &label{}
				}
				suffix++
			}
		case refused && renames < 2:
			name = []string{original + " (migrated)", "_" + original}[renames]
			if renames++; renames == 1 {
				note = join(note, "Gmail reserves the name")
			}
		default:
			return &node{err: err}, nil
		}
	}
	return &node{err: &migrate.Error{
		Op: costLabelsCreate.op, Class: migrate.Permanent, Refused: true,
		Err:  fmt.Errorf("no free name for label %q after %d tries", original, tries),
		Hint: "Give the folder another name.",
	}}, nil
}

// write makes a label, or renames the one with that id if it is called otherwise.
func (p *placer) write(ctx context.Context, id, name string) (made *label, exists, refused bool, err error) {
	made = p.labels.byID[id]
	switch {
	case id == "" || made == nil:
		made, exists, refused, err = p.t.createLabel(ctx, name)
	case made.name != name:
		exists, refused, err = p.t.renameLabel(ctx, id, name)
	}
	if err != nil {
		return nil, exists, refused, err
	}
	p.labels.drop(made)
	made.name = name
	p.labels.add(made)
	return made, false, false, nil
}

// fit returns the full name of a label beneath up, cut to what Gmail allows.
func fit(up *node, name string, suffix int) (full string, short bool) {
	prefix, end := "", ""
	if up.label != nil {
		prefix = up.label.name + "/"
	}
	if suffix > 1 {
		end = fmt.Sprintf(" (%d)", suffix)
	}
	cut := shorten(name, maxName-length(prefix)-len(end))
	return prefix + cut + end, cut != name
}

func join(notes ...string) string {
	var all []string
	for _, n := range notes {
		if n != "" && !strings.Contains(strings.Join(all, "; "), n) {
			all = append(all, n)
		}
	}
	return strings.Join(all, "; ")
}
