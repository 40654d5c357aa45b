package graphsim

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// movable returns a message in a new folder with everything that can be set.
func (c *client) movable(folder string) string {
	c.t.Helper()
	id := c.want(201, "POST", "/mailFolders/"+folder+"/messages", fullMessage(), immutable).str("id")
	c.want(201, "POST", "/messages/"+id+"/attachments", fileAttachment("a", "AAEC"))
	c.want(200, "PATCH", "/messages/"+id, map[string]any{"isRead": false, "singleValueExtendedProperties": []any{single("Integer 0x1081", "102")}})
	return id
}

func TestAMoveKeepsEverythingButTheFolderAndTheChangeKey(t *testing.T) {
	for _, resets := range []bool{false, true} {
		clock := newClock()
		c := newClient(t, Options{Now: clock.Now, MoveResetsCreated: resets})
		id := c.movable("inbox")
		path := "/messages/" + id + "?$expand=attachments,singleValueExtendedProperties($filter=id%20eq%20'Integer%200x1081'%20or%20id%20eq%20'" +
			strings.ReplaceAll(keyID, " ", "%20") + "'%20or%20id%20eq%20'SystemTime%200x0E06')"
		before := c.want(200, "GET", path, nil, immutable)
		_, inbox := c.all("/mailFolders/inbox/messages/delta")
		clock.add(time.Hour)
		moved := c.want(201, "POST", "/messages/"+id+"/move", map[string]any{"destinationId": "junkemail"}, immutable)
		after := c.want(200, "GET", path, nil, immutable)
		changed := []string{"@odata.etag", "changeKey", "lastModifiedDateTime", "parentFolderId"}
		if resets {
			changed = append(changed, "createdDateTime")
		}
		for name, v := range before.json {
			if is := slices.Contains(changed, name); is == sameJSON(v, after.json[name]) {
				t.Errorf("%s was %v and is %v", name, v, after.json[name])
			}
		}
		if !slices.Equal(slices.Sorted(maps.Keys(before.json)), slices.Sorted(maps.Keys(after.json))) {
			t.Error("other members are there after the move")
		}
		moved.expect(t, map[string]any{"id": id, "changeKey": after.str("changeKey"), "lastModifiedDateTime": "2026-11-21T13:00:00Z"})
		c.want(200, "GET", "/mailFolders/inbox", nil).expect(t, map[string]any{"totalItemCount": 0.0, "unreadItemCount": 0.0})
		c.want(200, "GET", "/mailFolders/junkemail", nil).expect(t, map[string]any{"totalItemCount": 1.0, "unreadItemCount": 1.0})
		if told, _ := c.all(inbox); len(told) != 1 || told[0]["@removed"] == nil {
			t.Errorf("the inbox tells %v", told)
		}
	}
}

func sameJSON(a, b any) bool {
	x, ok := a.([]any)
	if !ok {
		m, ok := a.(map[string]any)
		if !ok {
			return a == b
		}
		n, ok := b.(map[string]any)
		for k := range m {
			ok = ok && sameJSON(m[k], n[k])
		}
		return ok && len(m) == len(n)
	}
	y, ok := b.([]any)
	return ok && slices.EqualFunc(x, y, sameJSON)
}

func TestAMoveToWhereAMessageOrFolderIsMayBeRefused(t *testing.T) {
	for refuses, status := range map[bool]int{false: 201, true: 400} {
		c := newClient(t, Options{MoveRefusesSame: refuses})
		id := c.importMIME("inbox", sample).str("id")
		folder := c.want(201, "POST", "/mailFolders/inbox/childFolders", map[string]any{"displayName": "a"}).str("id")
		a := c.want(status, "POST", "/mailFolders/"+folder+"/move", map[string]any{"destinationId": "inbox"})
		b := c.want(status, "POST", "/messages/"+id+"/move", map[string]any{"destinationId": "inbox"})
		if refuses {
			for _, a := range []answer{a, b} {
				if e, _ := a.json["error"].(map[string]any); e["code"] != "ErrorMoveCopyFailed" {
					t.Errorf("refused with %s", a.octets)
				}
			}
		} else if b.str("id") == id || a.str("id") != folder {
			t.Errorf("the ids are %s and %s", b.str("id"), a.str("id"))
		}
		if n := len(c.sim.Messages(c.user)); n != 1 {
			t.Errorf("there are %d messages", n)
		}
	}
}

func TestAMoveIntoAFullFolderIsRefused(t *testing.T) {
	c := newClient(t, Options{MaxFolderMessages: 1, MaxMailbox: 1 << 20})
	c.importMIME("inbox", sample)
	id := c.importMIME("junkemail", sample).str("id")
	c.refused(400, "ErrorMessagePerFolderCountReceiveQuotaExceeded", "POST", "/messages/"+id+"/move", map[string]any{"destinationId": "inbox"})
	c.want(200, "GET", "/messages/"+id, nil)
}

func TestFiltersMaySeeWhatAPropertyWas(t *testing.T) {
	filter := func(value string) string {
		return "/mailFolders/inbox/messages?$filter=" + escape("singleValueExtendedProperties/Any(ep: ep/id eq '"+keyID+"' and ep/value eq '"+value+"')")
	}
	for _, stale := range []bool{false, true} {
		clock := newClock()
		c := newClient(t, Options{Now: clock.Now, FilterDelay: time.Minute, FilterStale: stale})
		id := c.movable("inbox")
		bare := c.importMIME("inbox", sample).str("id")
		clock.add(time.Hour)
		sees := func(value string, want int) {
			t.Helper()
			if n := len(c.want(200, "GET", filter(value), nil).values()); n != want {
				t.Errorf("stale %v: %d messages have %s, want %d", stale, n, value, want)
			}
		}
		set := func(id, value string) {
			c.want(200, "PATCH", "/messages/"+id, map[string]any{"singleValueExtendedProperties": []any{single(keyID, value)}})
		}
		lag := map[bool]int{true: 1}[stale]
		sees("9f00", 1)
		set(id, "aa")
		set(id, "bb")
		set(bare, "cc")
		sees("9f00", lag)
		sees("aa", 0)
		sees("bb", 1-lag)
		sees("cc", 1-lag)
		a := c.want(200, "GET", "/messages/"+id+"?$expand=singleValueExtendedProperties($filter=id%20eq%20'"+strings.ReplaceAll(keyID, " ", "%20")+"')", nil)
		if got := listMembers(a.json["singleValueExtendedProperties"]); len(got) != 1 || got[0]["value"] != "bb" {
			t.Errorf("stale %v: read as %v", stale, got)
		}
		clock.add(time.Hour)
		sees("9f00", 0)
		sees("bb", 1)
		sees("cc", 1)
	}
}

func TestFoldersMoveWithinTheLimits(t *testing.T) {
	c := newClient(t, Options{})
	add := func(parent, name string) string {
		t.Helper()
		return c.want(201, "POST", "/mailFolders/"+parent+"/childFolders", map[string]any{"displayName": name}).str("id")
	}
	to := func(id string) map[string]any { return map[string]any{"destinationId": id} }
	a, b := add("msgfolderroot", "a"), add("msgfolderroot", "b")
	add(b, "A")
	c.refused(409, "ErrorFolderExists", "POST", "/mailFolders/"+a+"/move", to(b))
	c.refused(400, "ErrorMoveCopyFailed", "POST", "/mailFolders/"+a+"/move", to(a))
	c.refused(404, "ErrorItemNotFound", "POST", "/mailFolders/"+a+"/move", to("archive"))
	c.refused(400, "ErrorInvalidFolderId", "POST", "/mailFolders/"+a+"/move", to("searchfolders"))
	c.refused(400, "ErrorInvalidOperation", "POST", "/mailFolders/drafts/move", to(b))
	c.refused(409, "ErrorFolderExists", "PATCH", "/mailFolders/"+a, map[string]any{"displayName": "B"})
	c.want(200, "PATCH", "/mailFolders/"+a, map[string]any{"displayName": "A"}).expect(t, map[string]any{"displayName": "A", "id": a})
	deep := "inbox"
	for range maxFolderDepth - 2 {
		deep = add(deep, "d")
	}
	add(a, "below")
	c.refused(400, "ErrorFolderHierarchyLimit", "POST", "/mailFolders/"+a+"/move", to(deep))
	c.want(201, "POST", "/mailFolders/"+add("inbox", "leaf")+"/move", to(deep))
}
