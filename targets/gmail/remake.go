package gmail

import (
	"context"
	"errors"
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
)

// labelled calls do with the label of folder. If Gmail does not know that
// label, because a person deleted it during the run, the label is made again
// and do is called once more. Mail that carried it before stays without it.
func (t *Target) labelled(ctx context.Context, folder migrate.FolderID, do func(label migrate.FolderID) error) error {
	label := t.labelNow(folder)
	err := do(label)
	if !unknownLabel(err) {
		return err
	}
	again, remakeErr := t.remake(ctx, folder, label)
	switch {
	case remakeErr != nil:
		return remakeErr
	case again == label:
		return err // it is there, whatever Gmail says
	}
	return do(again)
}

// unknownLabel says whether a write was refused because a label is not there.
func unknownLabel(err error) bool {
	e, ok := errors.AsType[*migrate.Error](err)
	return ok && e.Class == migrate.Fatal && strings.Contains(strings.ToLower(e.Err.Error()), "labelid not found")
}

// labelNow returns the label that stands for folder.
func (t *Target) labelNow(folder migrate.FolderID) migrate.FolderID {
	t.placing.Lock()
	defer t.placing.Unlock()
	if label, ok := t.remade[folder]; ok {
		return label
	}
	return folder
}

// remake returns the label that stands for folder instead of one that is gone,
// under the old name if that is still free.
func (t *Target) remake(ctx context.Context, folder, gone migrate.FolderID) (migrate.FolderID, error) {
	t.placing.Lock()
	defer t.placing.Unlock()
	if label, ok := t.remade[folder]; ok && label != gone {
		return label, nil // another call was first
	}
	name := t.names[folder]
	p, err := t.newPlacer(ctx)
	if err != nil {
		return "", notWritten(err)
	}
	if p.labels.byID[string(gone)] != nil || name == "" {
		return gone, nil
	}
	up := &node{}
	parts := strings.Split(name, "/")
	for i, part := range parts {
		full := strings.Join(parts[:i+1], "/")
		if known := p.labels.byKey[LabelKey(full)]; known != nil && known.name == full && i < len(parts)-1 {
			up = &node{label: known}
			continue
		}
		if up = p.create(ctx, up, part, ""); up.err != nil {
			return "", notWritten(up.err)
		}
		if i < len(parts)-1 {
			delete(t.taken, migrate.FolderID(up.label.id)) // the folder above may want it back
		}
	}
	label := migrate.FolderID(up.label.id)
	delete(t.taken, gone)
	t.remade[folder], t.replaced[folder] = label, true
	if folder == t.fallback {
		t.fallback, t.names[label] = label, up.label.name
	}
	return label, nil
}

// notWritten is an error from before the message was sent once more.
func notWritten(err error) error {
	if e, ok := errors.AsType[*migrate.Error](err); ok {
		refused := *e
		refused.Refused = true
		return &refused
	}
	return err
}
