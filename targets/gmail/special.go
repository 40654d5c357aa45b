package gmail

import (
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
)

// System labels, as far as folders and flags map to them.
const (
	inbox   migrate.FolderID = "INBOX"
	sent    migrate.FolderID = "SENT"
	draft   migrate.FolderID = "DRAFT"
	junk    migrate.FolderID = "SPAM"
	trash   migrate.FolderID = "TRASH"
	archive migrate.FolderID = "(none)" // no label at all: "All Mail"

	unread  = "UNREAD"
	starred = "STARRED"
)

// special places a folder that Gmail has a place of its own for. A second
// folder of the same role gets a label like any other.
func (p *placer) special(f migrate.Folder) (migrate.Placement, bool) {
	id := map[migrate.Role]migrate.FolderID{
		migrate.RoleInbox:   inbox,
		migrate.RoleSent:    sent,
		migrate.RoleDrafts:  draft,
		migrate.RoleJunk:    junk,
		migrate.RoleTrash:   trash,
		migrate.RoleArchive: archive,
	}[f.Role]
	if len(f.Path) == 1 && strings.EqualFold(f.Path[0], "INBOX") { // RFC 3501 section 5.1
		id = inbox
	}
	if id == "" || p.taken[id] {
		return migrate.Placement{}, false
	}
	p.taken[id] = true
	return specialPlacement(f, id), true
}

func specialPlacement(f migrate.Folder, id migrate.FolderID) migrate.Placement {
	place := migrate.Placement{ID: id, Name: specialName(id)}
	switch {
	case id == archive:
		place.Note = "archived mail has no label at Gmail"
	case len(f.Path) != 1 || f.Path[0] != place.Name:
		place.Note = "Gmail's own place for it"
	}
	return place
}

// specialName returns what Gmail shows for a system label; "" if id is none.
func specialName(id migrate.FolderID) string {
	switch id {
	case inbox:
		return "INBOX"
	case sent:
		return "Sent"
	case draft:
		return "Drafts"
	case junk:
		return "Spam"
	case trash:
		return "Trash"
	case archive:
		return "All Mail"
	}
	return ""
}
