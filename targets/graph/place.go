package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"github.com/mailhaul/mailhaul/migrate"
)

// Place implements [migrate.Target]. Folders with a role take the well-known
// folder for it, wherever that is and whatever its name. Other folders keep
// their path; one with the same name that is there already is adopted. Names
// that differ only in case, which Exchange takes for one, get a number. A
// folder that was renamed keeps its old name where the new one is taken, and
// well-known folders keep theirs.
func (t *Target) Place(ctx context.Context, fs []migrate.Folder) ([]migrate.Placement, error) {
	tr, err := t.readTree(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.clearProbes(ctx, tr); err != nil {
		return nil, err
	}
	if err := t.closeOutbox(ctx, tr); err != nil {
		return nil, err
	}
	p := &placing{t: t, tree: tr, fs: fs, got: make([]*node, len(fs)), at: map[string]*node{}, errs: map[string]error{}}
	if err := p.claimKnown(ctx); err != nil {
		return nil, err
	}
	// Parents first, whatever the order of fs.
	order := make([]int, len(fs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return len(fs[a].Path) - len(fs[b].Path) })
	for _, i := range order {
		if n := p.got[i]; n == nil {
			err = p.place(ctx, fs[i].Path)
			p.got[i] = p.at[pathKey(fs[i].Path)]
		} else if n.to != nil {
			err = p.rename(ctx, n)
		}
		if err != nil {
			return nil, err
		}
	}
	result := make([]migrate.Placement, len(fs))
	for i, f := range fs {
		if n := p.got[i]; n != nil {
			result[i] = migrate.Placement{ID: n.id, Name: n.path(), Note: p.noteOf(f.Path, n)}
		} else {
			result[i].Err = p.errs[pathKey(f.Path)]
		}
	}
	return result, nil
}

// placing is the state of one Place.
type placing struct {
	t       *Target
	tree    *tree
	fs      []migrate.Folder
	got     []*node                   // for each of fs
	at      map[string]*node          // by path of the source
	errs    map[string]error          // likewise
	builtIn map[migrate.FolderID]bool // well-known folders; nil until they are read
}

// pathKey joins with a character that IMAP allows in no name.
func pathKey(path []string) string { return strings.Join(path, "\x00") }

// claimKnown gives folders what they had before, and then roles their folders,
// before any folder can take those by its name.
func (p *placing) claimKnown(ctx context.Context) error {
	var roles []int
	for i, f := range p.fs {
		if n := p.tree.byID[f.Placed]; n != nil && !n.claimed && !n.closed {
			p.claim(i, n)
			if f.Renamed && len(f.Path) > 0 {
				n.to = f.Path
			}
		} else if roleOf(f) != migrate.RoleNone {
			roles = append(roles, i)
		}
	}
	for _, i := range roles {
		f := p.fs[i]
		n, err := p.t.special(ctx, p.tree, roleOf(f))
		if err != nil {
			return err
		}
		if n != nil && !n.claimed && !f.NoSelect {
			p.claim(i, n)
		}
	}
	return nil
}

// roleOf knows the inbox by its name too (RFC 3501 section 5.1).
func roleOf(f migrate.Folder) migrate.Role {
	if len(f.Path) == 1 && strings.EqualFold(f.Path[0], "INBOX") {
		return migrate.RoleInbox
	}
	if wellKnown(f.Role) == "" {
		return migrate.RoleNone
	}
	return f.Role
}

func (p *placing) claim(i int, n *node) {
	n.claimed = true
	p.got[i] = n
	if k := pathKey(p.fs[i].Path); p.at[k] == nil {
		p.at[k] = n
	}
}

// noteOf says why a folder is not called as at the source, "" if it is.
func (p *placing) noteOf(path []string, n *node) string {
	last := len(path) - 1
	switch name := n.path(); {
	case name == strings.Join(path, "/"):
		return n.note
	case n.kept != "":
		return "placed as " + name + ": " + n.kept
	case n.note != "":
		return n.note
	case n.special:
		return "the mailbox's own folder " + name
	case last > 0 && n.name == path[last] && n.parent == p.at[pathKey(path[:last])]:
		return "the folder above it is " + n.parent.path()
	default:
		return "placed as " + name
	}
}

// place finds or makes the folder for path, and those above it. It returns
// errors that stop everything, and keeps those of one folder.
func (p *placing) place(ctx context.Context, path []string) error {
	k := pathKey(path)
	if p.at[k] != nil || p.errs[k] != nil {
		return nil
	}
	if len(path) == 0 {
		p.errs[k] = &migrate.Error{Op: "place a folder", Class: migrate.Permanent, Refused: true, Err: errors.New("the folder has no name")}
		return nil
	}
	parent, err := p.above(ctx, path)
	if err != nil {
		return err
	}
	if parent == nil {
		p.errs[k] = p.errs[pathKey(path[:len(path)-1])]
		return nil
	}
	name := path[len(path)-1]
	if err := p.vacate(ctx, parent, name); err != nil || p.at[k] != nil {
		return err
	}
	n, note, err := p.child(ctx, parent, name)
	if err != nil {
		if classOf(err) != migrate.Permanent {
			return named("make folder "+strings.Join(path, "/"), err)
		}
		e, _ := errors.AsType[*migrate.Error](named("make folder "+strings.Join(path, "/"), err))
		if e.Hint == "" {
			e.Hint = "Rename the folder at the source, or map it to another one."
		}
		p.errs[k] = e
		return nil
	}
	n.claimed, n.note = true, note
	p.at[k] = n
	return nil
}

// above returns the folder for what is above path, or nil if it has no place.
func (p *placing) above(ctx context.Context, path []string) (*node, error) {
	up := path[:len(path)-1]
	if len(up) == 0 {
		return p.tree.root, nil
	}
	err := p.place(ctx, up)
	return p.at[pathKey(up)], err
}

// maxSuffix bounds the numbers that are tried for a name that is taken.
const maxSuffix = 1000

// child returns the folder of that name below parent, or of the first
// numbered name that is free or left from an earlier run.
func (p *placing) child(ctx context.Context, parent *node, name string) (*node, string, error) {
	wanted, note := FolderName(name)
	for i := 1; i <= maxSuffix; i++ {
		try := numbered(wanted, i)
		n := parent.children[FolderKey(try)]
		if n == nil {
			var err error
			n, err = p.create(ctx, parent, try)
			if plain := plainName(wanted); refused(err).status == http.StatusBadRequest && plain != wanted {
				wanted, note = plain, "characters that Exchange refused were replaced"
				i = 0
				continue
			}
			if err != nil {
				return nil, "", err
			}
		}
		if n.claimed || n.closed {
			if note == "" {
				note = "another folder has this name; Exchange ignores case"
			}
			continue
		}
		if note == "" && n.name != name {
			note = "there was a folder " + n.name
		}
		return n, note, nil
	}
	return nil, "", &migrate.Error{Op: "make folder", Class: migrate.Permanent, Refused: true, Err: errors.New("too many folders of the same name")}
}

// numbered returns the ith name of those to try for one that may be taken.
func numbered(name string, i int) string {
	if i == 1 {
		return name
	}
	suffix := fmt.Sprintf(" (%d)", i)
	return shorten(name, maxName-len(suffix)) + suffix
}

// create makes a folder, or finds the one that took the name meanwhile or
// that no list had shown.
func (p *placing) create(ctx context.Context, parent *node, name string) (*node, error) {
	f := models.NewMailFolder()
	f.SetDisplayName(&name)
	var made models.MailFolderable
	var err error
	if parent == p.tree.root {
		made, err = p.t.user.MailFolders().Post(ctx, f, nil)
	} else {
		made, err = p.t.user.MailFolders().ByMailFolderId(string(parent.id)).ChildFolders().Post(ctx, f, nil)
	}
	if refused(err).code == "ErrorFolderExists" {
		if _, err := p.t.readChildren(ctx, p.tree, parent); err != nil {
			return nil, err
		}
		if n := parent.children[FolderKey(name)]; n != nil {
			return n, nil
		}
		// Its holder is invisible; the next number may be free.
		n := &node{name: name, parent: parent, closed: true}
		parent.children[FolderKey(name)] = n
		return n, nil
	}
	if err != nil {
		return nil, err
	}
	return p.tree.add(parent, made)
}

// plainName returns name with letters, digits, spaces and hyphens only.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '_' || unicode.In(r, unicode.L, unicode.M, unicode.N) {
			return r
		}
		return '_'
	}, name)
}

// FolderName returns the name as Exchange can hold it, and why it differs.
// What Exchange allows is not documented; this is the careful side.
func FolderName(name string) (allowed, note string) {
	allowed = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "\uFFFD"))
	if allowed != name {
		note = "control characters replaced"
	}
	if s := strings.TrimSpace(allowed); s != allowed {
		allowed, note = s, "spaces at the ends removed"
	}
	if allowed == "" {
		return "Unnamed", "the name is empty"
	}
	if len(utf16.Encode([]rune(allowed))) > maxName {
		allowed, note = strings.TrimSpace(shorten(allowed, maxName)), "the name is too long"
	}
	return allowed, note
}
