package targettest

import (
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

// Where a folder with a role has a place of the target's own, those below it
// still stand below each other.
func belowASpecialFolder(t *testing.T, m Mailbox) {
	for _, role := range []migrate.Role{migrate.RoleSent, migrate.RoleTrash, migrate.RoleInbox} {
		top := map[migrate.Role]string{migrate.RoleInbox: "INBOX"}[role]
		if top == "" {
			top = "Own " + string(role)
		}
		places := place(t, m.Open(t), []migrate.Folder{
			{Path: []string{top}, Role: role}, {Path: []string{top, "2019"}}, {Path: []string{top, "2019", "Clients"}},
		})
		for i, p := range places {
			if p.Err != nil {
				t.Fatalf("%s, folder %d: %v", role, i, p.Err)
			}
		}
		if year, clients := places[1].Name, places[2].Name; !strings.HasSuffix(year, "/2019") || clients != year+"/Clients" {
			t.Errorf("%s: its folders are %q and %q", role, year, clients)
		}
	}
}

// A server may learn what a folder is for, and the order of folders may change:
// what was placed stays where it is.
func rolesChange(t *testing.T, m Mailbox) {
	before := []migrate.Folder{{Path: []string{"Outgoing"}}, {Path: []string{"Gesendet"}, Role: migrate.RoleSent}, {Path: []string{"Bin"}}}
	first := place(t, m.Open(t), before)
	after := []migrate.Folder{
		{Path: []string{"Bin"}, Role: migrate.RoleTrash, Placed: first[2].ID},
		{Path: []string{"Gesendet"}, Placed: first[1].ID},
		{Path: []string{"Outgoing"}, Role: migrate.RoleSent, Placed: first[0].ID},
	}
	for i, p := range place(t, m.Open(t), after) {
		if was := first[len(first)-1-i]; p.ID != was.ID {
			t.Errorf("%s moved from %q, %q to %q, %q", after[i], was.ID, was.Name, p.ID, p.Name)
		}
	}
}
