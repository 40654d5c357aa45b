package graphsim

import (
	"strings"
	"testing"
)

const immutable = `Prefer: IdType="ImmutableId"`

func TestMoveChangesTheIDUnlessImmutableIDsAreAskedFor(t *testing.T) {
	c := newClient(t, Options{})
	old := c.importMIME("inbox", sample).str("id")
	lasting := c.want(200, "GET", "/messages/"+old, nil, immutable).str("id")
	moved := c.want(201, "POST", "/messages/"+old+"/move", map[string]any{"destinationId": "sentitems"}).str("id")
	if moved == old {
		t.Error("the id stayed")
	}
	c.refused(404, "ErrorItemNotFound", "GET", "/messages/"+old, nil)
	if got := c.want(201, "POST", "/messages/"+lasting+"/move", map[string]any{"DestinationId": "junkemail"}, immutable).str("id"); got != lasting {
		t.Error("the immutable id changed")
	}
	c.refused(404, "ErrorItemNotFound", "GET", "/messages/"+moved, nil)
	if n := len(c.sim.Messages(c.user)); n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
}

func TestSomeIDsDifferByCaseOnly(t *testing.T) {
	c := newClient(t, Options{})
	seen := map[string]bool{}
	clash := false
	for range 4 {
		key := strings.ToLower(c.importMIME("inbox", sample).str("id"))
		clash = clash || seen[key]
		seen[key] = true
	}
	if !clash {
		t.Error("no two ids are equal without case")
	}
}

func TestIDsOfNoMessageAreRefused(t *testing.T) {
	c := newClient(t, Options{})
	id := c.importMIME("inbox", sample).str("id")
	c.refused(400, "ErrorInvalidIdMalformed", "GET", "/messages/AAMkAD", nil)
	c.refused(400, "ErrorInvalidIdMalformed", "GET", "/messages/"+strings.ToUpper(id), nil)
	c.refused(400, "ErrorInvalidIdMalformed", "GET", "/mailFolders/"+id, nil)
	c.user = "bo@contoso.com"
	c.refused(404, "ErrorItemNotFound", "GET", "/messages/"+id, nil)
}

func TestPatchChangesTheFreeProperties(t *testing.T) {
	c := newClient(t, Options{})
	id := c.importMIME("inbox", sample).str("id")
	a := c.want(200, "PATCH", "/messages/"+id, map[string]any{
		"isRead": true, "importance": "low", "flag": map[string]any{"flagStatus": "complete"}, "categories": []string{"a", "b"},
		"singleValueExtendedProperties": []any{single(keyID, "k")}, "multiValueExtendedProperties": []any{map[string]any{
			"id": "StringArray {00020329-0000-0000-C000-000000000046} Name Keywords", "value": []string{"x", "y"}}},
	})
	a.expect(t, map[string]any{"isRead": true, "importance": "low", "id": id})
	if a.json["flag"].(map[string]any)["flagStatus"] != "complete" || len(a.json["categories"].([]any)) != 2 {
		t.Errorf("got %s", a.octets)
	}
	c.want(200, "GET", "/mailFolders/inbox", nil).expect(t, map[string]any{"unreadItemCount": 0.0, "totalItemCount": 1.0})
	expand := "multiValueExtendedProperties($filter=id%20eq%20'StringArray%20%7B00020329-0000-0000-c000-000000000046%7D%20Name%20Keywords')"
	a = c.want(200, "GET", "/messages/"+id+"?$expand="+expand, nil)
	if got := listMembers(a.json["multiValueExtendedProperties"]); len(got) != 1 || len(got[0]["value"].([]any)) != 2 {
		t.Errorf("got %v", got)
	}
	c.refused(400, "UnableToDeserializePostBody", "PATCH", "/messages/"+id, map[string]any{"id": id})
	c.refused(400, "UnableToDeserializePostBody", "PATCH", "/messages/"+id, map[string]any{"internetMessageHeaders": []any{}})
	c.refused(400, "UnableToDeserializePostBody", "PATCH", "/messages/"+id, map[string]any{})
}

func TestARefusedPatchChangesNothing(t *testing.T) {
	c := newClient(t, Options{})
	id := c.importMIME("inbox", sample).str("id")
	c.refused(400, "ErrorInvalidArgument", "PATCH", "/messages/"+id, map[string]any{
		"isRead": true, "singleValueExtendedProperties": []any{single("Integer 0x1081", "x")}})
	c.want(200, "GET", "/messages/"+id, nil).expect(t, map[string]any{"isRead": false})
}

func TestContentOfNonDraftsIsSealed(t *testing.T) {
	for edit, status := range map[bool]int{false: 403, true: 200} {
		c := newClient(t, Options{EditSent: edit})
		id := c.want(201, "POST", "/mailFolders/inbox/messages", fullMessage()).str("id")
		c.want(status, "PATCH", "/messages/"+id, map[string]any{"subject": "new"})
		want := map[int]string{403: "Quarterly figures", 200: "new"}[status]
		c.want(200, "GET", "/messages/"+id+"?$select=subject", nil).expect(t, map[string]any{"subject": want})
	}
	c := newClient(t, Options{})
	draft := c.want(201, "POST", "/messages", map[string]any{"subject": "old"}).str("id")
	c.want(200, "PATCH", "/messages/"+draft, map[string]any{"subject": "new"}).expect(t, map[string]any{"subject": "new", "isDraft": true})
	c.refused(501, "NotImplemented", "PATCH", "/messages/"+c.want(201, "POST", "/messages", b64(sample)).str("id"), map[string]any{"subject": "new"})
}

func TestDatesArePatchedOnlyBySwitch(t *testing.T) {
	date := "2001-02-03T04:05:06Z"
	for patch, want := range map[bool]string{false: "2009-03-01T08:15:00Z", true: date} {
		c := newClient(t, Options{PatchDates: patch})
		id := c.importMIME("inbox", sample).str("id")
		c.want(200, "PATCH", "/messages/"+id, map[string]any{"singleValueExtendedProperties": []any{single("SystemTime 0x0E06", date)}}).
			expect(t, map[string]any{"receivedDateTime": want})
	}
}

func TestETagsAreEnforcedOnlyBySwitch(t *testing.T) {
	for enforce, status := range map[bool]int{false: 200, true: 412} {
		c := newClient(t, Options{CheckETag: enforce})
		a := c.importMIME("inbox", sample)
		id, tag := a.str("id"), a.str("@odata.etag")
		c.want(200, "PATCH", "/messages/"+id, map[string]any{"isRead": true}, "If-Match: "+tag)
		c.want(status, "PATCH", "/messages/"+id, map[string]any{"isRead": false}, "If-Match: "+tag)
	}
}

func TestDeleteMovesToDeletedItemsThenToWhatCanBeRecoveredAndThenAway(t *testing.T) {
	for _, hidden := range []bool{false, true} {
		c := newClient(t, Options{RecoverableHidden: hidden})
		id := c.importMIME("inbox", sample).str("id")
		lasting := c.want(200, "GET", "/messages/"+id, nil, immutable).str("id")
		for _, name := range []string{"deleteditems", "recoverableitemsdeletions"} {
			c.want(204, "DELETE", "/messages/"+lasting, nil)
			if name == "recoverableitemsdeletions" && hidden {
				break
			}
			folder := c.want(200, "GET", "/mailFolders/"+name, nil).str("id")
			c.want(200, "GET", "/messages/"+lasting, nil).expect(t, map[string]any{"parentFolderId": folder})
		}
		if n := len(c.want(200, "GET", "/mailFolders/recoverableitemsdeletions/messages", nil).values()); n != 1 {
			t.Errorf("%d messages can be recovered", n)
		}
		if n := len(c.want(200, "GET", "/messages", nil).values()); n != 0 {
			t.Errorf("the mailbox lists %d messages", n)
		}
		if !hidden {
			c.want(204, "DELETE", "/messages/"+lasting, nil)
		}
		c.refused(404, "ErrorItemNotFound", "GET", "/messages/"+lasting, nil)
		id = c.importMIME("inbox", sample).str("id")
		c.want(204, "POST", "/messages/"+id+"/permanentDelete", nil)
		if n := len(c.sim.Messages(c.user)); n != 0 {
			t.Errorf("%d messages are left", n)
		}
	}
}

func TestCopyIsAMessageOfItsOwn(t *testing.T) {
	c := newClient(t, Options{})
	id := c.importMIME("inbox", sample).str("id")
	copied := c.want(201, "POST", "/messages/"+id+"/copy", map[string]any{"destinationId": "sentitems"}).str("id")
	c.want(200, "PATCH", "/messages/"+copied, map[string]any{"isRead": true, "categories": []string{"a"}})
	c.want(200, "GET", "/messages/"+id, nil).expect(t, map[string]any{"isRead": false})
	c.refused(400, "UnableToDeserializePostBody", "POST", "/messages/"+id+"/copy", map[string]any{})
	c.refused(404, "ErrorItemNotFound", "POST", "/messages/"+id+"/move", map[string]any{"destinationId": "archive"})
}

func TestTranslateExchangeIDs(t *testing.T) {
	c := newClient(t, Options{})
	id := c.importMIME("inbox", sample).str("id")
	body := map[string]any{"inputIds": []string{id, "x"}, "sourceIdType": "restId", "targetIdType": "restImmutableEntryId"}
	got := c.want(200, "POST", "/translateExchangeIds", body).values()
	if want := c.want(200, "GET", "/messages/"+id, nil, immutable).str("id"); len(got) != 2 || got[0]["targetId"] != want || got[1]["errorDetails"] == nil {
		t.Errorf("got %v", got)
	}
	c.refused(400, "ErrorInvalidRequest", "POST", "/translateExchangeIds", with(body, "inputIds", make([]string, 1001)))
	c.refused(501, "NotImplemented", "POST", "/translateExchangeIds", with(with(body, "inputIds", []string{}), "targetIdType", "ewsId"))
}

func TestUnknownPathsAndMethodsAreRefused(t *testing.T) {
	c := newClient(t, Options{})
	id := c.importMIME("inbox", sample).str("id")
	for _, path := range []string{"/inferenceClassification", "/messages/" + id + "/forward", "/mailFolders/inbox/messageRules", "/v1.0/groups", "/v1.0/users", "/v1.0/me/messages"} {
		c.refused(400, "BadRequest", "GET", path, nil)
	}
	for _, path := range []string{"/messages/" + id, "/messages/" + id + "/$value", "/mailFolders/inbox", "/mailFolders/delta", "/mailboxSettings", ""} {
		c.refused(405, "Request_BadRequest", "PUT", path, []byte("x"))
	}
	for _, query := range []string{"$top=0", "$top=1001", "$foo=1", "$filter=x", "$select=colour", "$orderby=colour", "$expand=extensions", "$skiptoken=x", "$top=1&$top=2"} {
		c.refused(400, "BadRequest", "GET", "/messages?"+query, nil)
	}
	c.refused(501, "NotImplemented", "GET", "/messages?$search=x", nil)
}

func TestSettingsAndCategories(t *testing.T) {
	c := newClient(t, Options{Localised: true})
	if a := c.want(200, "GET", "/mailboxSettings", nil); a.json["language"].(map[string]any)["locale"] != "de-DE" {
		t.Errorf("got %s", a.octets)
	}
	c.want(200, "PATCH", "/mailboxSettings", map[string]any{"timeZone": "W. Europe Standard Time"}).expect(t, map[string]any{"timeZone": "W. Europe Standard Time"})
	c.refused(400, "InvalidTimeZone", "PATCH", "/mailboxSettings", map[string]any{"timeZone": "Nowhere"})
	a := c.want(201, "POST", "/outlook/masterCategories", map[string]any{"displayName": "work", "color": "preset4"})
	c.refused(409, "ErrorNameAlreadyExists", "POST", "/outlook/masterCategories", map[string]any{"displayName": "Work"})
	c.refused(400, "UnableToDeserializePostBody", "POST", "/outlook/masterCategories", map[string]any{"displayName": "x", "color": "preset25"})
	path := "/outlook/masterCategories/" + a.str("id")
	c.refused(400, "UnableToDeserializePostBody", "PATCH", path, map[string]any{"displayName": "x"})
	c.want(200, "PATCH", path, map[string]any{"color": "none"}).expect(t, map[string]any{"color": "none", "displayName": "work"})
	c.want(204, "DELETE", path, nil)
	c.refused(404, "ErrorItemNotFound", "GET", path, nil)
}

func TestChangesAreDatedAndTold(t *testing.T) {
	clock := newClock()
	c := newClient(t, Options{Now: clock.Now})
	id := c.want(201, "POST", "/mailFolders/inbox/messages", fullMessage()).str("id")
	_, link := c.all("/mailFolders/inbox/messages/delta")
	clock.add(1e9)
	c.want(201, "POST", "/messages/"+id+"/attachments", fileAttachment("a", "AAEC"))
	values, _ := c.all(link)
	if len(values) != 1 || values[0]["lastModifiedDateTime"] != "2026-11-21T12:00:01Z" || values[0]["createdDateTime"] != noon {
		t.Errorf("told %v", values)
	}
}

func TestHeadersCountAtCreateOnly(t *testing.T) {
	c := newClient(t, Options{})
	id := c.want(201, "POST", "/mailFolders/inbox/messages", fullMessage()).str("id")
	c.want(200, "PATCH", "/messages/"+id, map[string]any{"singleValueExtendedProperties": []any{single("String 0x1042", "<other@b.c>")}})
	a := c.want(200, "GET", "/messages/"+id+"?$expand=singleValueExtendedProperties($filter=id%20eq%20'String%200x1042')", nil)
	if got := listMembers(a.json["singleValueExtendedProperties"]); len(got) != 1 || got[0]["value"] != "<parent@fabrikam.com>" {
		t.Errorf("got %v", got)
	}
}
