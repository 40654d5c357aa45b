package imap

import (
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/mailhaul/mailhaul/migrate"
)

// specialUse returns the role that the server gives a folder (RFC 6154).
func specialUse(attrs []imap.MailboxAttr) migrate.Role {
	for _, a := range attrs {
		switch a {
		case imap.MailboxAttrSent:
			return migrate.RoleSent
		case imap.MailboxAttrDrafts:
			return migrate.RoleDrafts
		case imap.MailboxAttrJunk:
			return migrate.RoleJunk
		case imap.MailboxAttrTrash:
			return migrate.RoleTrash
		case imap.MailboxAttrArchive:
			return migrate.RoleArchive
		}
	}
	return migrate.RoleNone
}

// guessRoles gives roles by name to top-level folders, where the server gave a
// role to no folder. The first name of a list that is there wins.
func guessRoles(ls []listed) {
	for _, r := range roleNames {
		if slices.ContainsFunc(ls, func(l listed) bool { return l.folder.Role == r.role }) {
			continue
		}
		for _, name := range r.names {
			i := slices.IndexFunc(ls, func(l listed) bool {
				return len(l.folder.Path) == 1 && !l.folder.NoSelect && l.folder.Role == migrate.RoleNone &&
					strings.EqualFold(l.folder.Path[0], name)
			})
			if i >= 0 {
				ls[i].folder.Role = r.role
				break
			}
		}
	}
}

// roleNames are the names that mail programs make such folders with, in
// English, German, French, Spanish, Italian and Dutch.
var roleNames = []struct {
	role  migrate.Role
	names []string
}{
	{migrate.RoleSent, []string{"Sent", "Sent Items", "Sent Messages", "Sent Mail", "Gesendet", "Gesendete Elemente", "Gesendete Objekte",
		"Envoyés", "Éléments envoyés", "Messages envoyés", "Enviados", "Elementos enviados", "Mensajes enviados",
		"Inviati", "Inviata", "Posta inviata", "Elementi inviati", "Verzonden", "Verzonden items", "Verzonden berichten"}},
	{migrate.RoleDrafts, []string{"Drafts", "Entwürfe", "Brouillons", "Borradores", "Bozze", "Concepten"}},
	{migrate.RoleTrash, []string{"Trash", "Deleted Items", "Deleted Messages", "Papierkorb", "Gelöschte Elemente", "Gelöschte Objekte",
		"Corbeille", "Éléments supprimés", "Papelera", "Elementos eliminados", "Cestino", "Posta eliminata", "Elementi eliminati",
		"Prullenbak", "Verwijderde items"}},
	{migrate.RoleJunk, []string{"Junk", "Spam", "Junk E-mail", "Junk Email", "Junk-E-Mail", "Unerwünscht", "Courrier indésirable", "Indésirables",
		"Pourriel", "Correo no deseado", "Correo basura", "Posta indesiderata", "Ongewenste e-mail"}},
}
