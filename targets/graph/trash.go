package graph

import (
	"context"
	"sync"

	"github.com/mailhaul/mailhaul/migrate"
)

// A trash remembers which folders are in the trash, as it was when they were
// first asked about. Its zero value is ready for use.
type trash struct {
	mu sync.Mutex
	in map[migrate.FolderID]bool
}

// deleted says whether the folder is Deleted Items or below it, or holds what
// can be recovered after that.
func (t *Target) deleted(ctx context.Context, folder migrate.FolderID) (bool, error) {
	t.trash.mu.Lock()
	defer t.trash.mu.Unlock()
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
	for at := folder; at != "" && len(path) < folderDepth; {
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

type place struct{ ID, ParentFolderID migrate.FolderID }

// folder returns a folder, or nothing if there is none, as above all others.
func (t *Target) folder(ctx context.Context, id migrate.FolderID) (f place, err error) {
	err = t.client.read(ctx, t.folderURL(id)+"?$select=id,parentFolderId", &f)
	if err != nil && classOf(err) == migrate.Permanent {
		return place{}, nil
	}
	return f, err
}
