package graph

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/mailhaul/mailhaul/migrate"
)

// rename gives a folder that was placed before the name and the place of its
// new path, unless another folder has them, or it is the mailbox's own: then it
// stays as it is. What is below it goes along. Like place, it returns errors
// that stop everything.
//
// Whatever names folders have when a run dies, the next Place goes on from
// there: it knows them by their IDs.
func (p *placing) rename(ctx context.Context, n *node) error {
	path := n.to
	n.to = nil
	if p.builtIn == nil {
		if err := p.readBuiltIn(ctx); err != nil {
			return err
		}
	}
	if n.special = p.builtIn[n.id]; n.special {
		return nil
	}
	n.busy = true
	defer func() { n.busy = false }()
	parent, err := p.above(ctx, path)
	if err != nil {
		return err
	}
	if parent == nil {
		n.kept = "the folder above it cannot be made"
		return nil
	}
	name := path[len(path)-1]
	wanted, note := FolderName(name)
	for _, try := range slices.Compact([]string{wanted, plainName(wanted)}) {
		if free, err := p.ready(ctx, n, parent, try); err != nil || !free {
			return err
		}
		err := p.put(ctx, n, parent, try)
		r := refused(err)
		switch {
		case err == nil:
			if n.kept, n.note = "", note; note == "" && try != name {
				n.note = "characters that Exchange refused were replaced"
			}
			return nil
		case r.status == http.StatusNotFound && classOf(err) == migrate.Permanent:
			return &migrate.Error{Op: "rename folder " + n.path(), Class: migrate.Transient, Err: errors.New("the folders changed meanwhile")}
		case !keeps(err):
			return named("rename folder "+n.path(), err)
		}
		n.kept = "Microsoft 365 refused its new name (" + r.code + ")"
		if r.status != http.StatusBadRequest || r.code == "ErrorFolderExists" {
			return nil
		}
	}
	return nil
}

// keeps says whether err only means that a folder keeps its name. One that may
// not be renamed is no reason to stop: the app can do the rest.
func keeps(err error) bool {
	return classOf(err) == migrate.Permanent || refused(err).status == http.StatusForbidden
}

// ready says whether a folder can get its place, and if not, notes why.
func (p *placing) ready(ctx context.Context, n, parent *node, name string) (bool, error) {
	if n.parent == parent && n.name == name {
		return true, nil
	}
	if parent.children[FolderKey(name)] != n {
		if err := p.vacate(ctx, parent, name); err != nil {
			return false, err
		}
	}
	if other := parent.children[FolderKey(name)]; other != nil && other != n {
		n.kept = "there is a folder " + other.path()
		return false, nil
	}
	for up := parent; up != nil; up = up.parent {
		if up == n {
			n.kept = "it cannot be below itself"
			return false, nil
		}
	}
	return true, nil
}

// readBuiltIn asks which folders are the mailbox's own. v1.0 does not tell it
// of a folder, but finds them by these names.
func (p *placing) readBuiltIn(ctx context.Context) error {
	p.builtIn = map[migrate.FolderID]bool{}
	for _, name := range []migrate.FolderID{
		"archive", "clutter", "conflicts", "conversationhistory", "deleteditems", "drafts", "inbox", "junkemail",
		"localfailures", "outbox", "scheduled", "sentitems", "serverfailures", "syncissues",
	} {
		f, err := p.t.folder(ctx, name)
		if err != nil {
			return named("find the "+string(name)+" folder", err)
		}
		p.builtIn[f.ID] = true
	}
	return nil
}

// vacate takes a name from the folder that has it, if that is to have another.
func (p *placing) vacate(ctx context.Context, parent *node, name string) error {
	name, _ = FolderName(name)
	n := parent.children[FolderKey(name)]
	switch {
	case n == nil:
		return nil
	case n.to != nil:
		return p.rename(ctx, n)
	case n.busy: // folders that change their names in a circle
		err := p.setName(ctx, n, freeName(name, parent))
		if err != nil && !keeps(err) {
			return named("rename folder "+n.path(), err)
		}
	}
	return nil
}

// put moves a folder and gives it its name. On the way it must not meet another
// one of its old name there, nor of its new name here.
func (p *placing) put(ctx context.Context, n, parent *node, name string) error {
	if other := parent.children[FolderKey(n.name)]; other != nil && other != n {
		via := name
		if other := n.parent.children[FolderKey(name)]; other != nil && other != n {
			via = freeName(name, parent, n.parent)
		}
		if err := p.setName(ctx, n, via); err != nil {
			return err
		}
	}
	if err := p.setParent(ctx, n, parent); err != nil {
		return err
	}
	return p.setName(ctx, n, name)
}

// freeName returns the first numbered name that no folder below parents has.
func freeName(name string, parents ...*node) string {
	for i := 2; ; i++ {
		try := numbered(name, i)
		if !slices.ContainsFunc(parents, func(n *node) bool { return n.children[FolderKey(try)] != nil }) {
			return try
		}
	}
}

func (p *placing) setName(ctx context.Context, n *node, name string) error {
	if n.name == name {
		return nil
	}
	f := models.NewMailFolder()
	f.SetDisplayName(&name)
	got, err := p.t.user.MailFolders().ByMailFolderId(string(n.id)).Patch(ctx, f, nil)
	if err != nil {
		return err
	}
	if got != nil && got.GetDisplayName() != nil {
		name = *got.GetDisplayName()
	}
	n.leave()
	n.name = name
	n.parent.children[FolderKey(name)] = n
	return nil
}

func (p *placing) setParent(ctx context.Context, n, parent *node) error {
	if n.parent == parent {
		return nil
	}
	to := "msgfolderroot"
	if parent != p.tree.root {
		to = string(parent.id)
	}
	body := users.NewItemMailFoldersItemMovePostRequestBody()
	body.SetDestinationId(&to)
	if _, err := p.t.user.MailFolders().ByMailFolderId(string(n.id)).Move().Post(ctx, body, nil); err != nil {
		return err
	}
	if err := p.t.trash.forget(ctx); err != nil {
		return err
	}
	n.leave()
	n.parent = parent
	parent.children[FolderKey(n.name)] = n
	return nil
}

// leave takes a folder from its name.
func (n *node) leave() {
	if k := FolderKey(n.name); n.parent.children[k] == n {
		delete(n.parent.children, k)
	}
}
