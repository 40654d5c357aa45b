package graphsim

import (
	"strings"
	"testing"
)

func names(a answer) []string {
	var out []string
	for _, f := range a.values() {
		out = append(out, str(f["displayName"]))
	}
	return out
}

func TestFoldersAreListedTenAtATimeWithOpaqueLinks(t *testing.T) {
	c := newClient(t, Options{})
	for _, n := range strings.Split("abcdefg", "") {
		c.want(201, "POST", "/mailFolders", map[string]any{"displayName": n})
	}
	a := c.want(200, "GET", "/mailFolders?$select=displayName", nil)
	next := a.str("@odata.nextLink")
	if len(a.values()) != 10 || strings.Contains(next, "skip=") || !strings.Contains(next, "$skiptoken=") {
		t.Fatalf("%d folders, next %s", len(a.values()), next)
	}
	b := c.want(200, "GET", next, nil)
	if got := names(b); len(got) != 5 || got[4] != "Unread Mail" || b.values()[0]["totalItemCount"] != nil || b.str("@odata.nextLink") != "" {
		t.Errorf("the second page is %s", b.octets)
	}
	c.refused(400, "BadRequest", "GET", next+"x", nil)
	c.refused(400, "BadRequest", "GET", next+"&$top=5", nil)
}

func TestHiddenAndSearchFoldersAreInTheTree(t *testing.T) {
	c := newClient(t, Options{})
	plain := names(c.want(200, "GET", "/mailFolders?$top=100", nil))
	all := c.want(200, "GET", "/mailFolders?$top=100&includeHiddenFolders=true", nil)
	if len(names(all)) <= len(plain) {
		t.Error("there is no hidden folder")
	}
	root := c.want(200, "GET", "/mailFolders/msgfolderroot", nil).str("id")
	for _, f := range all.values() {
		if f["@odata.type"] == "#microsoft.graph.mailSearchFolder" {
			if f["parentFolderId"] == root {
				t.Error("the search folder's parent is the root")
			}
			c.refused(400, "ErrorInvalidFolderId", "POST", "/beta/users/"+c.user+"/mailFolders/"+str(f["id"])+"/importMime", b64(sample))
			return
		}
	}
	t.Error("there is no search folder")
}

func TestFolderNamesAreTakenWithoutCase(t *testing.T) {
	c := newClient(t, Options{})
	c.want(201, "POST", "/mailFolders", map[string]any{"displayName": "Straße"})
	for _, taken := range []string{"Straße", "straße", "INBOX", "files", "Unread mail"} {
		c.refused(409, "ErrorFolderExists", "POST", "/mailFolders", map[string]any{"displayName": taken})
	}
	c.want(201, "POST", "/mailFolders/inbox/childFolders", map[string]any{"displayName": "straße"})
	newClient(t, Options{Status: map[string]int{"ErrorFolderExists": 400}}).refused(400, "ErrorFolderExists", "POST", "/mailFolders", map[string]any{"displayName": "inbox"})
	c = newClient(t, Options{CaseSensitiveNames: true})
	c.want(201, "POST", "/mailFolders", map[string]any{"displayName": "inbox"})
	c.refused(409, "ErrorFolderExists", "POST", "/mailFolders", map[string]any{"displayName": "Inbox"})
}

func TestFolderNameSwitches(t *testing.T) {
	create := func(o Options, name string, status int) string {
		t.Helper()
		return newClient(t, o).want(status, "POST", "/mailFolders", map[string]any{"displayName": name}).str("displayName")
	}
	create(Options{}, "", 400)
	create(Options{}, strings.Repeat("ä", 256), 400)
	create(Options{MaxName: 300}, strings.Repeat("ä", 256), 201)
	create(Options{MaxName: 5}, "123456", 400)
	create(Options{ForbiddenInNames: "/"}, "2019/20", 400)
	if got := create(Options{}, " 2019/20 ", 201); got != " 2019/20 " {
		t.Errorf("the name became %q", got)
	}
	if got := create(Options{TrimNames: true}, " a ", 201); got != "a" {
		t.Errorf("the name became %q", got)
	}
	create(Options{TrimNames: true}, "  ", 400)
}

func TestFoldersTakeTwoMembersOnly(t *testing.T) {
	c := newClient(t, Options{})
	for _, o := range []map[string]any{
		{"displayName": "a", "parentFolderId": "x"}, {"isHidden": true}, {"displayName": 1}, {"displayName": "a", "@odata.type": "#microsoft.graph.mailSearchFolder"},
	} {
		c.refused(400, "UnableToDeserializePostBody", "POST", "/mailFolders", o)
	}
	id := c.want(201, "POST", "/mailFolders", map[string]any{"displayName": "a", "isHidden": true, "@odata.type": "#microsoft.graph.mailFolder"}).str("id")
	c.refused(400, "UnableToDeserializePostBody", "PATCH", "/mailFolders/"+id, map[string]any{"isHidden": false})
	c.want(200, "PATCH", "/mailFolders/"+id, map[string]any{"displayName": "b"}).expect(t, map[string]any{"displayName": "b", "id": id})
	c.refused(400, "ErrorInvalidOperation", "PATCH", "/mailFolders/inbox", map[string]any{"displayName": "b2"})
}

func TestWellKnownNamesFindFoldersInAnyLanguage(t *testing.T) {
	c := newClient(t, Options{Localised: true})
	c.want(200, "GET", "/mailFolders/SentItems", nil).expect(t, map[string]any{"displayName": "Gesendete Elemente"})
	c.refused(404, "ErrorItemNotFound", "GET", "/mailFolders/archive", nil)
	newClient(t, Options{Archive: true}).want(200, "GET", "/mailFolders/archive", nil).expect(t, map[string]any{"displayName": "Archive"})
}

func TestFoldersMoveAndAreDeleted(t *testing.T) {
	c := newClient(t, Options{})
	a := c.want(201, "POST", "/mailFolders", map[string]any{"displayName": "a"}).str("id")
	b := c.want(201, "POST", "/mailFolders/"+a+"/childFolders", map[string]any{"displayName": "b"}).str("id")
	c.importMIME(b, sample)
	c.refused(400, "ErrorMoveCopyFailed", "POST", "/mailFolders/"+a+"/move", map[string]any{"destinationId": b})
	c.want(201, "POST", "/mailFolders/"+b+"/move", map[string]any{"destinationId": "inbox"}).expect(t, map[string]any{"id": b, "totalItemCount": 1.0})
	c.want(204, "DELETE", "/mailFolders/"+b, nil)
	deleted := c.want(200, "GET", "/mailFolders/deleteditems", nil).str("id")
	c.want(200, "GET", "/mailFolders/"+b, nil).expect(t, map[string]any{"parentFolderId": deleted})
	c.want(204, "POST", "/mailFolders/"+b+"/permanentDelete", nil)
	c.refused(404, "ErrorItemNotFound", "GET", "/mailFolders/"+b, nil)
	c.refused(403, "ErrorDeleteDistinguishedFolder", "DELETE", "/mailFolders/inbox", nil)
	if n := len(c.sim.Messages(c.user)); n != 0 {
		t.Errorf("%d messages are left", n)
	}
}

func TestFolderDeltaWalksTheTreeAndThenTellsChanges(t *testing.T) {
	c := newClient(t, Options{})
	a := c.want(201, "POST", "/mailFolders/inbox/childFolders", map[string]any{"displayName": "a"}).str("id")
	seen := map[string]bool{}
	page := c.want(200, "GET", "/mailFolders/delta?$select=displayName", nil, "Prefer: odata.maxpagesize=3")
	for page.str("@odata.nextLink") != "" {
		for _, n := range names(page) {
			seen[n] = true
		}
		page = c.want(200, "GET", page.str("@odata.nextLink"), nil, "Prefer: odata.maxpagesize=3")
	}
	for _, n := range names(page) {
		seen[n] = true
	}
	if !seen["a"] || !seen["Inbox"] || seen["Files"] {
		t.Errorf("saw %v", seen)
	}
	link := page.str("@odata.deltaLink")
	c.want(200, "PATCH", "/mailFolders/"+a, map[string]any{"displayName": "b"})
	page = c.want(200, "GET", link, nil)
	if got := names(page); len(got) != 1 || got[0] != "b" {
		t.Errorf("changed: %v", got)
	}
	c.want(204, "POST", "/mailFolders/"+a+"/permanentDelete", nil)
	page = c.want(200, "GET", page.str("@odata.deltaLink"), nil)
	if got := page.values(); len(got) != 1 || got[0]["@removed"] == nil {
		t.Errorf("removed: %v", got)
	}
}
