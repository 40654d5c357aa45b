package graphsim

import (
	"fmt"
	"strings"
	"testing"
)

func (c *client) dated(folder string, day int, more string) answer {
	c.t.Helper()
	return c.importMIME(folder, fmt.Sprintf("From: a@b.c\r\nDate: %d Mar 2009 08:00:00 +0000\r\nMessage-ID: <%d@b.c>\r\n%s\r\nx", day, day, more))
}

func ids(a answer) string {
	var out []string
	for _, m := range a.values() {
		id, _, _ := strings.Cut(strings.TrimPrefix(str(m["internetMessageId"]), "<"), "@")
		out = append(out, id)
	}
	return strings.Join(out, " ")
}

func TestMessagesAreListedNewestFirstInPages(t *testing.T) {
	c := newClient(t, Options{})
	for day := 1; day <= 12; day++ {
		c.dated("inbox", day, "")
	}
	a := c.want(200, "GET", "/mailFolders/inbox/messages?$select=internetMessageId", nil)
	if got := ids(a); got != "12 11 10 9 8 7 6 5 4 3" {
		t.Errorf("page 1 is %s", got)
	}
	if _, ok := a.values()[0]["subject"]; ok {
		t.Error("a member is there that was not selected")
	}
	c.dated("inbox", 20, "") // comes in meanwhile and shifts nothing
	if got := ids(c.want(200, "GET", a.str("@odata.nextLink"), nil)); got != "2 1" {
		t.Errorf("page 2 is %s", got)
	}
	a = c.want(200, "GET", "/mailFolders/inbox/messages?$top=5&$orderby=receivedDateTime&$count=true", nil)
	if got := ids(a); got != "1 2 3 4 5" || a.json["@odata.count"] != 13.0 {
		t.Errorf("page is %s of %v", got, a.json["@odata.count"])
	}
	if got := ids(c.want(200, "GET", a.str("@odata.nextLink"), nil)); got != "6 7 8 9 10" {
		t.Errorf("page 2 is %s", got)
	}
}

func TestFilters(t *testing.T) {
	c := newClient(t, Options{})
	c.dated("inbox", 1, "Subject: It's one\r\n")
	c.dated("inbox", 2, "Subject: two\r\nImportance: high\r\n")
	id := c.dated("inbox", 3, "Subject: three\r\n").str("id")
	c.want(200, "PATCH", "/messages/"+id, map[string]any{"isRead": true, "categories": []string{"red"}, "flag": map[string]any{"flagStatus": "flagged"},
		"singleValueExtendedProperties": []any{single(keyID, "AbC"), single("Integer {66f5a359-4659-4830-9070-00047ec6ac6e} Name N", "12")}})
	key := "ep/id eq 'String {66F5A359-4659-4830-9070-00047EC6AC6E} Name MigrationKey'"
	for filter, want := range map[string]string{
		"internetMessageId eq '<2@b.c>'":           "2",
		"subject eq 'It''s one'":                   "1",
		"receivedDateTime ge 2009-03-02T08:00:00Z": "3 2",
		"receivedDateTime gt 2009-03-02T08:00:00Z and createdDateTime ge 2009-01-01T00:00:00Z": "3",
		"createdDateTime ge 2100-01-01T00:00:00Z":                                              "",
		"isRead eq false": "2 1",
		"not (isRead eq false) or importance eq 'high'":                                                                "3 2",
		"contains(subject,'T')":                                                                                        "3 2 1",
		"startswith(subject,'t')":                                                                                      "3 2",
		"from/emailAddress/address eq 'A@B.C' and flag/flagStatus eq 'flagged'":                                        "3",
		"categories/any(x:x eq 'red')":                                                                                 "3",
		"singleValueExtendedProperties/Any(ep: " + key + " and ep/value eq 'aBc')":                                     "3",
		"singleValueExtendedProperties/any(ep: " + key + " and contains(ep/value,'b'))":                                "3",
		"singleValueExtendedProperties/Any(ep: " + key + " and ep/value eq 'x')":                                       "",
		"singleValueExtendedProperties/Any(ep: " + strings.Replace(key, "Migr", "migr", 1) + " and ep/value eq 'abc')": "",
		"singleValueExtendedProperties/Any(ep: ep/id eq 'Integer {66f5a359-4659-4830-9070-00047ec6ac6e} Name N' and cast(ep/value, Edm.Int32) eq 12)": "3",
		"singleValueExtendedProperties/Any(ep: ep/id eq 'SystemTime 0x0E06' and ep/value eq '2009-03-02T08:00:00Z')":                                  "2",
	} {
		if got := ids(c.want(200, "GET", "/mailFolders/inbox/messages?$filter="+escape(filter), nil)); got != want {
			t.Errorf("%s gives %q, want %q", filter, got, want)
		}
	}
	for _, filter := range []string{
		"internetMessageId", "internetMessageId eq", "internetMessageId eq 'a", "body eq 'a'", "isRead eq 1", "receivedDateTime ge 'x'",
		"internetMessageId eq 'it's'", "(isRead eq true", strings.Repeat("(", 1000), strings.Repeat("a", 9000),
		"singleValueExtendedProperties/Any(ep: ep/id eq 'x' and ep/value eq 'y')",
	} {
		c.refused(400, "BadRequest", "GET", "/mailFolders/inbox/messages?$filter="+escape(filter), nil)
	}
}

func TestOrderMustBeginTheFilter(t *testing.T) {
	c := newClient(t, Options{})
	list := func(filter, order string) string {
		return "/messages?$filter=" + escape(filter) + "&$orderby=" + escape(order)
	}
	c.refused(400, "InefficientFilter", "GET", list("isRead eq false", "receivedDateTime desc"), nil)
	c.refused(400, "InefficientFilter", "GET", list("isRead eq false and receivedDateTime ge 2009-01-01T00:00:00Z", "receivedDateTime desc"), nil)
	c.want(200, "GET", list("receivedDateTime ge 2009-01-01T00:00:00Z and isRead eq false", "receivedDateTime desc"), nil)
}

func TestFiltersSeeANewMessageLateBySwitch(t *testing.T) {
	const byID = "/messages?$filter=internetMessageId%20eq%20'%3C1@b.c%3E'"
	const byDate = "/messages?$filter=receivedDateTime%20ge%202009-01-01T00:00:00Z"
	c := newClient(t, Options{FilterDelayRequests: 2})
	c.dated("inbox", 1, "")
	for i, want := range []string{"", "", "1"} {
		if got := ids(c.want(200, "GET", byID, nil)); got != want {
			t.Errorf("request %d: %q, want %q", i, got, want)
		}
	}
	clock := newClock()
	c = newClient(t, Options{FilterDelay: 30e9, Now: clock.Now})
	c.dated("inbox", 1, "")
	if ids(c.want(200, "GET", byID, nil)) != "" || ids(c.want(200, "GET", byDate, nil)) != "1" || ids(c.want(200, "GET", "/messages", nil)) != "1" {
		t.Error("the filter on a property sees it, or another listing does not")
	}
	clock.add(30e9)
	if ids(c.want(200, "GET", byID, nil)) != "1" {
		t.Error("the filter does not see it after the delay")
	}
	c = newClient(t, Options{FilterDelayRequests: 2, FilterDelayDates: true})
	c.dated("inbox", 1, "")
	if ids(c.want(200, "GET", byDate, nil)) != "" {
		t.Error("the filter on dates sees it")
	}
}

func TestExpandDropsSelectBySwitch(t *testing.T) {
	for drop, want := range map[bool]any{false: "<1@b.c>", true: nil} {
		c := newClient(t, Options{ExpandDropsSelect: drop})
		id := c.dated("inbox", 1, "").str("id")
		a := c.want(200, "GET", "/messages/"+id+"?$select=internetMessageId&$expand=singleValueExtendedProperties($filter=id%20eq%20'Integer%200xE07')", nil)
		if a.json["internetMessageId"] != want || len(listMembers(a.json["singleValueExtendedProperties"])) != 1 {
			t.Errorf("with %v: %s", drop, a.octets)
		}
	}
}

func TestLargePagesTimeOutBySwitch(t *testing.T) {
	c := newClient(t, Options{SlowPage: 50})
	c.want(504, "GET", "/messages?$top=51", nil)
	c.want(200, "GET", "/messages?$top=50", nil)
}

// all follows the links of a delta round and returns what it tells, and the deltaLink.
func (c *client) all(path string, headers ...string) (values []map[string]any, delta string) {
	c.t.Helper()
	for {
		a := c.want(200, "GET", path, nil, headers...)
		values = append(values, a.values()...)
		if delta = a.str("@odata.deltaLink"); delta != "" {
			return values, delta
		}
		path = a.str("@odata.nextLink")
	}
}

func TestDeltaTellsEachChangeOnce(t *testing.T) {
	c := newClient(t, Options{})
	var made []string
	for day := range 25 {
		made = append(made, c.want(200, "GET", "/messages/"+c.dated("inbox", day+1, "").str("id"), nil, immutable).str("id"))
	}
	path := "/mailFolders/inbox/messages/delta?$select=isRead"
	values, link := c.all(path, "Prefer: odata.maxpagesize=7", immutable)
	seen := map[string]int{}
	for _, v := range values {
		seen[str(v["id"])]++
	}
	if len(values) != 25 || len(seen) != 25 {
		t.Fatalf("%d values, %d ids", len(values), len(seen))
	}
	c.want(200, "PATCH", "/messages/"+made[3], map[string]any{"isRead": true})
	c.want(204, "POST", "/messages/"+made[5]+"/permanentDelete", nil)
	c.want(201, "POST", "/messages/"+made[6]+"/move", map[string]any{"destinationId": "drafts"})
	c.want(204, "POST", "/messages/"+c.dated("inbox", 28, "").str("id")+"/permanentDelete", nil) // nobody saw it
	values, link = c.all(link, immutable)
	got := map[string]any{}
	for _, v := range values {
		got[str(v["id"])] = v["@removed"] != nil
	}
	if len(got) != 3 || got[made[3]] != false || got[made[5]] != true || got[made[6]] != true {
		t.Errorf("changes: %v", got)
	}
	if values, _ = c.all(link); len(values) != 0 {
		t.Errorf("told again: %v", values)
	}
}

func TestDeltaOptions(t *testing.T) {
	c := newClient(t, Options{})
	old := c.dated("inbox", 1, "").str("id")
	path := "/mailFolders/inbox/messages/delta"
	_, created := c.all(path + "?changeType=created")
	_, updated := c.all(path + "?changeType=updated")
	_, deleted := c.all(path + "?changeType=deleted")
	c.want(200, "PATCH", "/messages/"+old, map[string]any{"isRead": true})
	gone := c.dated("inbox", 2, "").str("id")
	if v, _ := c.all(created); len(v) != 1 || v[0]["internetMessageId"] != "<2@b.c>" {
		t.Errorf("created: %v", v)
	}
	if v, _ := c.all(updated); len(v) != 1 || v[0]["id"] != old {
		t.Errorf("updated: %v", v)
	}
	_, deleted = c.all(deleted)
	c.want(204, "DELETE", "/messages/"+gone, nil)
	if v, _ := c.all(deleted); len(v) != 1 || v[0]["id"] != gone {
		t.Errorf("deleted: %v", v)
	}
	if v, _ := c.all(path + "?$filter=" + escape("receivedDateTime ge 2009-03-02T00:00:00Z")); len(v) != 0 {
		t.Errorf("filtered: %v", v)
	}
	c.refused(400, "InefficientFilter", "GET", path+"?$filter="+escape("isRead eq true"), nil)
	c.refused(400, "BadRequest", "GET", path+"?$orderby=subject", nil)
	c.refused(400, "BadRequest", "GET", path+"?changeType=new", nil)
	c.refused(400, "SyncStateInvalid", "GET", created+"x", nil)
	c.refused(404, "ErrorSyncFolderNotFound", "GET", "/mailFolders/archive/messages/delta", nil)
}
