package graph

import (
	"context"
	"maps"
	"sync"

	"github.com/mailhaul/mailhaul/migrate"
)

// A trash remembers which folders are in the trash, as it was when they were
// first asked about, or since Place last moved one. Its zero value is ready for
// use.
type trash struct {
	mu    sync.Mutex
	known map[migrate.FolderID]bool // well-known folders, which never move
	in    map[migrate.FolderID]bool // others
}

// deleted says whether the folder is Deleted Items or below it, or holds what
// can be recovered after that.
func (t *Target) deleted(ctx context.Context, folder migrate.FolderID) (bool, error) {
	known, err := t.trashRoots(ctx)
	if err != nil {
		return false, err
	}
	path := map[migrate.FolderID]bool{}
	deleted := false
	for at := folder; at != "" && len(path) < folderDepth; {
		there := false
		if deleted, there = known[at]; there {
			break
		}
		if deleted, there = t.trash.lookup(at); there {
			break
		}
		path[at] = false
		f, err := t.folder(ctx, at)
		if err != nil {
			return false, err
		}
		at = f.ParentFolderID
	}
	for id := range path {
		path[id] = deleted
	}
	t.trash.remember(path)
	return deleted, nil
}

// trashRoots returns which well-known folders are in the trash. Nothing is
// locked while Graph is asked.
func (t *Target) trashRoots(ctx context.Context) (map[migrate.FolderID]bool, error) {
	t.trash.mu.Lock()
	known := t.trash.known
	t.trash.mu.Unlock()
	if known != nil {
		return known, nil
	}
	known = map[migrate.FolderID]bool{}
	for name, deleted := range map[migrate.FolderID]bool{"deleteditems": true, "recoverableitemsdeletions": true, "msgfolderroot": false} {
		f, err := t.folder(ctx, name)
		if err != nil {
			return nil, err
		}
		known[f.ID] = deleted
	}
	t.trash.mu.Lock()
	defer t.trash.mu.Unlock()
	t.trash.known = known
	return known, nil
}

func (tr *trash) lookup(folder migrate.FolderID) (deleted, there bool) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	deleted, there = tr.in[folder]
	return deleted, there
}

func (tr *trash) remember(in map[migrate.FolderID]bool) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if tr.in == nil {
		tr.in = map[migrate.FolderID]bool{}
	}
	maps.Copy(tr.in, in)
}

// forget is for when folders have moved.
func (tr *trash) forget() {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.in = nil
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
