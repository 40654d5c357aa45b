package graph

import (
	"context"
	"errors"
	"net/http"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/mailhaul/mailhaul/migrate"
)

// A node is a folder of the mailbox.
type node struct {
	id       migrate.FolderID
	name     string           // as Graph shows it
	parent   *node            // nil for the root
	children map[string]*node // by FolderKey of their names
	closed   bool             // hidden, or a search folder: takes its name, but no mail
	special  bool             // well known
	claimed  bool             // by a folder of the source

	note string   // why its name is not the source's
	to   []string // the path that it shall get; nil if it shall get none, or its turn has come
	busy bool     // on its way there
	kept string   // why it cannot get there
}

// path returns the names from below the root, joined with slashes.
func (n *node) path() string {
	if n.parent == nil || n.parent.parent == nil {
		return n.name
	}
	return n.parent.path() + "/" + n.name
}

// FolderKey is the form in which Exchange tells names apart: without case.
func FolderKey(name string) string { return cases.Fold().String(norm.NFC.String(name)) }

// A tree is all folders of the mailbox.
type tree struct {
	root *node
	byID map[migrate.FolderID]*node
}

// Bounds on a hostile or broken server.
const (
	folderPage     = 250
	maxFolders     = 100_000
	MaxFolderDepth = 300 // Exchange's own
)

// readTree lists the folders of the mailbox, level by level.
func (t *Target) readTree(ctx context.Context) (*tree, error) {
	tr := &tree{root: &node{children: map[string]*node{}}, byID: map[migrate.FolderID]*node{}}
	level := []*node{tr.root}
	for range MaxFolderDepth {
		var next []*node
		for _, n := range level {
			parents, err := t.readChildren(ctx, tr, n)
			if err != nil {
				return nil, named("list folders", err)
			}
			next = append(next, parents...)
		}
		if level = next; len(level) == 0 {
			break
		}
	}
	return tr, nil
}

// readChildren lists the folders below n into the tree, and returns those that
// have children themselves.
func (t *Target) readChildren(ctx context.Context, tr *tree, n *node) (parents []*node, err error) {
	var page models.MailFolderCollectionResponseable
	top, hidden := new(int32(folderPage)), new("true")
	if n == tr.root {
		page, err = t.user.MailFolders().Get(ctx, &users.ItemMailFoldersRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.ItemMailFoldersRequestBuilderGetQueryParameters{Top: top, IncludeHiddenFolders: hidden}})
	} else {
		page, err = t.user.MailFolders().ByMailFolderId(string(n.id)).ChildFolders().Get(ctx, &users.ItemMailFoldersItemChildFoldersRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.ItemMailFoldersItemChildFoldersRequestBuilderGetQueryParameters{Top: top, IncludeHiddenFolders: hidden}})
	}
	for {
		if err != nil {
			return nil, err
		}
		for _, f := range page.GetValue() {
			child, err := tr.add(n, f)
			if err != nil {
				return nil, err
			}
			if c := f.GetChildFolderCount(); c != nil && *c > 0 && !child.closed {
				parents = append(parents, child)
			}
		}
		if page.GetOdataNextLink() == nil {
			return parents, nil
		}
		page, err = t.user.MailFolders().WithUrl(*page.GetOdataNextLink()).Get(ctx, nil)
	}
}

// add puts a folder that Graph has shown below parent.
func (tr *tree) add(parent *node, f models.MailFolderable) (*node, error) {
	if f.GetId() == nil || len(tr.byID) >= maxFolders {
		return nil, &migrate.Error{Op: "list folders", Err: errors.New("the list of folders makes no sense")}
	}
	id := migrate.FolderID(*f.GetId())
	if n, ok := tr.byID[id]; ok {
		return n, nil // it moved from one page to the next
	}
	n := &node{id: id, parent: parent, children: map[string]*node{}}
	if f.GetDisplayName() != nil {
		n.name = *f.GetDisplayName()
	}
	_, search := f.(models.MailSearchFolderable)
	n.closed = search || f.GetIsHidden() != nil && *f.GetIsHidden()
	tr.byID[id] = n
	parent.children[FolderKey(n.name)] = n
	return n, nil
}

// wellKnown returns Graph's name of the folder for a role, "" if there is none:
// display names are in the language of the mailbox.
func wellKnown(r migrate.Role) string {
	switch r {
	case migrate.RoleInbox:
		return "inbox"
	case migrate.RoleSent:
		return "sentitems"
	case migrate.RoleDrafts:
		return "drafts"
	case migrate.RoleJunk:
		return "junkemail"
	case migrate.RoleTrash:
		return "deleteditems"
	case migrate.RoleArchive:
		return "archive"
	}
	return ""
}

// special returns the folder for a role, or nil if the mailbox has none.
func (t *Target) special(ctx context.Context, tr *tree, role migrate.Role) (*node, error) {
	f, err := t.user.MailFolders().ByMailFolderId(wellKnown(role)).Get(ctx, nil)
	if r := refused(err); r.status == http.StatusNotFound && role != migrate.RoleInbox {
		return nil, nil
	}
	if err != nil {
		return nil, named("find the "+string(role)+" folder", err)
	}
	if f.GetId() == nil {
		return nil, &migrate.Error{Op: "find the " + string(role) + " folder", Err: errNoID}
	}
	n, ok := tr.byID[migrate.FolderID(*f.GetId())]
	if !ok { // below a hidden folder, or made just now
		if n, err = tr.add(tr.root, f); err != nil {
			return nil, err
		}
	}
	n.special, n.closed = true, false
	return n, nil
}

// closeOutbox keeps mail out of the outbox, where Exchange would take it for
// mail that waits to be sent.
func (t *Target) closeOutbox(ctx context.Context, tr *tree) error {
	f, err := t.user.MailFolders().ByMailFolderId("outbox").Get(ctx, nil)
	if refused(err).status == http.StatusNotFound {
		return nil
	}
	if err != nil {
		return named("find the outbox", err)
	}
	if id := f.GetId(); id != nil && tr.byID[migrate.FolderID(*id)] != nil {
		tr.byID[migrate.FolderID(*id)].closed = true
	}
	return nil
}
