package assess

import (
	"slices"
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
)

// Names are a target's rules on the names of folders. Paths are given to them
// as Clean leaves their names.
type Names struct {
	Homes    map[migrate.Role]string    // of roles that have a place of their own: its name, or "" if other folders cannot have that anyway
	Clean    func(name string) string   // the name as the target holds it
	Key      func(path []string) string // equal for paths that the target cannot tell apart
	Reserved func(path []string) bool   // the target keeps the name for itself
	TooLong  func(path []string) bool   // or cannot hold one so long
	Most     int                        // folders that a mailbox may have; 0 for any number
	Siblings int                        // or that one folder may have in it
	Depth    int                        // how deep they may be
}

// A Renaming is a folder that gets another name.
type Renaming struct {
	Path []string
	Risk string // why: the key of a Risk
}

// Renamings returns which folders get another name than they have. The first of
// several that cannot be told apart keeps its own.
func (n Names) Renamings(fs []Folder) (all []Renaming) {
	taken := map[string][]string{} // the path that has it, by key
	var homed []int                // folders that get the place of their role
	var roles []migrate.Role
	for i, f := range fs {
		role := f.role()
		if home, ok := n.Homes[role]; ok && f.read() && !slices.Contains(roles, role) {
			homed, roles = append(homed, i), append(roles, role)
			if home != "" {
				taken[n.Key([]string{home})] = f.Path
			}
		}
	}
	for i, f := range fs {
		if f.Rule != "" || len(f.Path) == 0 || slices.Contains(homed, i) {
			continue
		}
		clean := make([]string, len(f.Path))
		for i, name := range f.Path {
			clean[i] = n.Clean(name)
		}
		last := len(clean) - 1
		key := n.Key(clean)
		if other, ok := taken[key]; ok && !slices.Equal(other, f.Path) {
			all = append(all, Renaming{f.Path, FolderCollision})
			continue
		}
		taken[key] = f.Path
		switch {
		case n.Reserved(clean):
			all = append(all, Renaming{f.Path, FolderReserved})
		case clean[last] != f.Path[last] || n.TooLong(clean):
			all = append(all, Renaming{f.Path, FolderRenamed})
		}
	}
	return all
}

// role knows the inbox by its name too (RFC 3501 section 5.1).
func (f Folder) role() migrate.Role {
	if len(f.Path) == 1 && strings.EqualFold(f.Path[0], "INBOX") {
		return migrate.RoleInbox
	}
	return f.Role
}

// crowd returns how many folders a mailbox has, how many the fullest folder has
// in it, and which is the deepest.
func crowd(fs []Folder) (all, siblings int, deepest []string) {
	in := map[string]int{}
	for _, f := range fs {
		if f.Rule != "" || len(f.Path) == 0 {
			continue
		}
		up := strings.Join(f.Path[:len(f.Path)-1], "\x00")
		in[up]++
		all, siblings = all+1, max(siblings, in[up])
		if len(f.Path) > len(deepest) {
			deepest = f.Path
		}
	}
	return all, siblings, deepest
}
