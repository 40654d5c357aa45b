package graph

import (
	"context"

	"golang.org/x/sync/semaphore"

	"github.com/mailhaul/mailhaul/migrate"
)

// A trash remembers which folders are in the trash, as it was when they were
// first asked about, or since Place last moved one.
type trash struct {
	turn *semaphore.Weighted // of one, who reads or changes what follows
	in   map[migrate.FolderID]bool
}

// deleted says whether the folder is Deleted Items or below it, or holds what
// can be recovered after that.
func (t *Target) deleted(ctx context.Context, folder migrate.FolderID) (bool, error) {
	if err := t.trash.turn.Acquire(ctx, 1); err != nil {
		return false, unsent(err)
	}
	defer t.trash.turn.Release(1)
	if t.trash.in == nil {
		in := map[migrate.FolderID]bool{}
		for name, deleted := range map[migrate.FolderID]bool{"deleteditems": true, "recoverableitemsdeletions": true, "msgfolderroot": false} {
			f, err := t.folder(ctx, name)
			if err != nil {
				return false, err
			}
			in[f.ID] = deleted
		}
		t.trash.in = in
	}
	var path []migrate.FolderID
	deleted := false
	for at := folder; at != "" && len(path) < MaxFolderDepth; {
		known := false
		if deleted, known = t.trash.in[at]; known {
			break
		}
		path = append(path, at)
		f, err := t.folder(ctx, at)
		if err != nil {
			return false, err
		}
		at = f.ParentFolderID
	}
	for _, id := range path {
		t.trash.in[id] = deleted
	}
	return deleted, nil
}

// forget is for when folders have moved.
func (tr *trash) forget(ctx context.Context) error {
	if err := tr.turn.Acquire(ctx, 1); err != nil {
		return unsent(err)
	}
	defer tr.turn.Release(1)
	tr.in = nil
	return nil
}

type place struct{ ID, ParentFolderID migrate.FolderID }

// folder returns a folder, or nothing if there is none, as above all others.
func (t *Target) folder(ctx context.Context, id migrate.FolderID) (f place, err error) {
	err = t.client.read(ctx, t.folderURL(id)+"?$select=id,parentFolderId", &f)
	if err != nil && classOf(err) == migrate.Permanent {
		return place{}, nil
	}
	return f, err
}
