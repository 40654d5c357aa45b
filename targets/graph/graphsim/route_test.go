package graphsim

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func (a answer) expect(t *testing.T, members map[string]any) {
	t.Helper()
	for name, want := range members {
		if a.json[name] != want {
			t.Errorf("%s is %v, want %v", name, a.json[name], want)
		}
	}
}

// at is a clock that stands still.
func at(s string) func() time.Time {
	t, _ := time.Parse(time.RFC3339, s)
	return func() time.Time { return t }
}

const noon = "2026-11-21T12:00:00Z"

func TestImportKeepsOctetsAndDatesAndMakesNoDraft(t *testing.T) {
	c := newClient(t, Options{Now: at(noon)})
	c.importMIME("inbox", sample).expect(t, map[string]any{
		"isDraft": false, "isRead": false, "receivedDateTime": "2009-03-01T08:15:00Z", "sentDateTime": "2009-03-01T08:14:57Z",
		"internetMessageId": "<1@fabrikam.com>", "subject": "Quarterly figures", "hasAttachments": true, "bodyPreview": "Hello",
		"createdDateTime": noon,
	})
	all := c.sim.Messages(c.user)
	if len(all) != 1 {
		t.Fatal(all)
	}
	if b, err := all[0].Octets(); err != nil || !bytes.Equal(b, []byte(sample)) {
		t.Errorf("stored %q, %v", b, err)
	}
	if all[0].Route != RouteImport || len(all[0].Folder) != 1 || all[0].Folder[0] != "Inbox" {
		t.Errorf("stored %+v", all[0])
	}
}

func TestImportSwitches(t *testing.T) {
	path := "/beta/users/adele@contoso.com/mailFolders/inbox/importMime"
	newClient(t, Options{Now: at(noon), ImportNow: true}).importMIME("inbox", sample).expect(t, map[string]any{"receivedDateTime": noon, "sentDateTime": "2009-03-01T08:14:57Z"})
	newClient(t, Options{ImportRead: true}).importMIME("inbox", sample).expect(t, map[string]any{"isRead": true})
	newClient(t, Options{NoImport: true}).refused(400, "BadRequest", "POST", path, b64(sample))
	newClient(t, Options{}).refused(400, "BadRequest", "POST", "/mailFolders/inbox/importMime", b64(sample))
	newClient(t, Options{ImportV1: true}).want(201, "POST", "/mailFolders/inbox/importMime", b64(sample))
	newClient(t, Options{MaxImport: 100}).want(413, "POST", path, b64(sample))
	newClient(t, Options{MaxRequest: 100, MaxImport: 10_000}).want(201, "POST", path, b64(sample))
	newClient(t, Options{}).want(201, "POST", path, b64("no header"))
	newClient(t, Options{RefuseBroken: true}).refused(400, "ErrorMimeContentInvalid", "POST", path, b64("no header"))
	lines := b64(sample)[:76] + "\r\n" + b64(sample)[76:]
	newClient(t, Options{}).refused(400, "ErrorMimeContentInvalidBase64String", "POST", path, lines)
	newClient(t, Options{Base64Lines: true}).want(201, "POST", path, lines)
}

func TestImportRefusesWhatIsNoBase64Text(t *testing.T) {
	c := newClient(t, Options{})
	path := "/beta/users/adele@contoso.com/mailFolders/inbox/importMime"
	c.refused(400, "ErrorMimeContentInvalidBase64String", "POST", path, sample)
	c.refused(400, "ErrorMimeContentInvalidBase64String", "POST", path, "AAE")
	c.refused(400, "UnableToDeserializePostBody", "POST", path, "")
	c.refused(400, "UnableToDeserializePostBody", "POST", path, b64(sample), "Content-Type: message/rfc822")
	c.refused(400, "UnableToDeserializePostBody", "POST", path, b64(sample), "Content-Type")
	c.refused(404, "ErrorItemNotFound", "POST", strings.Replace(path, "inbox", "archive", 1), b64(sample))
	if n := len(c.sim.Messages(c.user)); n != 0 {
		t.Errorf("%d messages were stored", n)
	}
}

func TestMIMEPostMakesADraftForEver(t *testing.T) {
	c := newClient(t, Options{Now: at(noon)})
	a := c.want(201, "POST", "/messages", b64(sample))
	draft := map[string]any{"isDraft": true, "isRead": true, "receivedDateTime": noon, "sentDateTime": "2009-03-01T08:14:57Z", "internetMessageId": "<1@fabrikam.com>"}
	a.expect(t, draft)
	if drafts := c.want(200, "GET", "/mailFolders/drafts", nil); a.str("parentFolderId") != drafts.str("id") {
		t.Error("it is not in Drafts")
	}
	id := a.str("id")
	c.want(200, "PATCH", "/messages/"+id, map[string]any{"isDraft": false, "receivedDateTime": "2009-03-01T08:15:00Z",
		"singleValueExtendedProperties": []any{single("Integer 0x0E07", "1"), single("SystemTime 0x0E06", "2009-03-01T08:15:00Z")}}).expect(t, draft)
	c.want(201, "POST", "/messages/"+id+"/move", map[string]any{"destinationId": "inbox"}).expect(t, draft)
}

func TestMIMEPostToAFolderIsRefusedUnlessSwitchedOn(t *testing.T) {
	newClient(t, Options{}).refused(400, "UnableToDeserializePostBody", "POST", "/mailFolders/inbox/messages", b64(sample))
	newClient(t, Options{MIMEInFolder: true}).want(201, "POST", "/mailFolders/inbox/messages", b64(sample)).expect(t, map[string]any{"isDraft": true})
}

func TestJSONCreateHonoursMAPIProperties(t *testing.T) {
	c := newClient(t, Options{Now: at(noon)})
	a := c.want(201, "POST", "/mailFolders/inbox/messages", fullMessage())
	a.expect(t, map[string]any{
		"isDraft": false, "isRead": true, "receivedDateTime": "2009-03-01T08:15:00Z", "sentDateTime": "2009-03-01T08:14:57Z",
		"internetMessageId": "<20090301081457.1@fabrikam.com>", "importance": "high", "bodyPreview": "Hello & good day",
	})
	ids := "id%20eq%20'String%200x1042'%20or%20id%20eq%20'Integer%200x0e07'%20or%20id%20eq%20'String%200x7D'%20or%20id%20eq%20'" + escape(keyID) + "'"
	a = c.want(200, "GET", "/messages/"+a.str("id")+"?$select=internetMessageHeaders&$expand=singleValueExtendedProperties($filter="+ids+")", nil)
	got := map[string]string{}
	for _, p := range listMembers(a.json["singleValueExtendedProperties"]) {
		got[str(p["id"])] = str(p["value"])
	}
	if len(got) != 4 || got["String 0x1042"] != "<parent@fabrikam.com>" || got["Integer 0xe07"] != "1" || got[keyID] != "9f00" || !strings.HasPrefix(got["String 0x7d"], "Received") {
		t.Errorf("properties are %v", got)
	}
	if n := len(a.json["internetMessageHeaders"].([]any)); n != 4 {
		t.Errorf("%d headers, want 4", n)
	}
}

func TestJSONCreateWithoutMAPIPropertiesIsADraftOfNow(t *testing.T) {
	c := newClient(t, Options{Now: at(noon)})
	c.want(201, "POST", "/mailFolders/inbox/messages", map[string]any{
		"subject": "s", "isDraft": false, "receivedDateTime": "2009-03-01T08:15:00Z", "sentDateTime": "2009-03-01T08:15:00Z", "hasAttachments": true, "bodyPreview": "p",
	}).expect(t, map[string]any{"isDraft": true, "receivedDateTime": noon, "sentDateTime": noon, "hasAttachments": false, "bodyPreview": ""})
}

func TestJSONCreateSwitches(t *testing.T) {
	flags := func(v string) map[string]any {
		return map[string]any{"isRead": true, "singleValueExtendedProperties": []any{single("Integer 0x0E07", v)}}
	}
	post := func(o Options, v string, draft, read bool) {
		t.Helper()
		newClient(t, o).want(201, "POST", "/mailFolders/inbox/messages", flags(v)).expect(t, map[string]any{"isDraft": draft, "isRead": read})
	}
	post(Options{}, "1", false, true)
	post(Options{}, "4", false, false)
	post(Options{}, "9", true, true)
	post(Options{}, "0", false, false)
	post(Options{ZeroFlagsDraft: true}, "0", true, true)
	post(Options{FlagsIgnored: true}, "1", true, true)
	odd := map[string]any{"toRecipients": []any{address("x", "undisclosed")}}
	newClient(t, Options{}).want(201, "POST", "/messages", odd)
	newClient(t, Options{RefuseRecipients: true}).refused(400, "ErrorInvalidRecipients", "POST", "/messages", odd)
	id := newClient(t, Options{PropertyIDsAsSent: true})
	a := id.want(201, "POST", "/messages?$expand=singleValueExtendedProperties($filter=id%20eq%20'String%200x1039')", fullMessage())
	if got := str(listMembers(a.json["singleValueExtendedProperties"])[0]["id"]); got != "String 0x1039" {
		t.Errorf("the id is %s", got)
	}
}

func TestJSONCreateRefusesWhatTheVendorRefuses(t *testing.T) {
	c := newClient(t, Options{})
	header := func(name string) map[string]any { return map[string]any{"name": name, "value": "1"} }
	for name, o := range map[string]map[string]any{
		"unknown member":         {"colour": "red"},
		"member in another case": {"Subject": "s"},
		"id":                     {"id": "AAMk"},
		"etag":                   {"@odata.etag": "W/x"},
		"created":                {"createdDateTime": noon},
		"enum in another case":   {"importance": "High"},
		"flag in another case":   {"flag": map[string]any{"flagStatus": "Flagged"}},
		"unknown nested member":  {"body": map[string]any{"contentType": "html", "charset": "utf-8"}},
		"wrong type":             {"isRead": "true"},
		"bad base64":             {"attachments": []any{fileAttachment("a", "A")}},
		"attachment sans type":   {"attachments": []any{map[string]any{"name": "a", "contentBytes": "AAEC"}}},
		"bad property id":        {"singleValueExtendedProperties": []any{single("0x0E07", "1")}},
		"tag of named property":  {"singleValueExtendedProperties": []any{single("Integer 0x8570", "1")}},
		"wrong odata type":       {"@odata.type": "#microsoft.graph.event"},
	} {
		t.Run(name, func(t *testing.T) {
			c := *c
			c.t = t
			c.refused(400, "UnableToDeserializePostBody", "POST", "/mailFolders/inbox/messages", o)
		})
	}
	c.refused(400, "InvalidInternetMessageHeader", "POST", "/messages", map[string]any{"internetMessageHeaders": []any{header("List-Id")}})
	six := []any{header("x-1"), header("x-2"), header("x-3"), header("x-4"), header("x-5"), header("x-6")}
	c.refused(400, "InvalidInternetMessageHeaderCollection", "POST", "/messages", map[string]any{"internetMessageHeaders": six})
	c.want(201, "POST", "/messages", map[string]any{"@odata.type": "#microsoft.graph.message", "internetMessageHeaders": six[:5]})
	c.refused(400, "ErrorInvalidArgument", "POST", "/messages", map[string]any{"singleValueExtendedProperties": []any{single("SystemTime 0x0E06", "yesterday")}})
	c.refused(400, "ErrorInvalidArgument", "POST", "/messages", map[string]any{"subject": strings.Repeat("ä", 256)})
	for _, text := range []string{"", "{", "[]", `{"subject":"a","subject":"b"}`, `{"subject":"a"} {}`, strings.Repeat(`{"a":`, 100)} {
		c.refused(400, "UnableToDeserializePostBody", "POST", "/messages", text, "Content-Type: application/json")
	}
	c.refused(400, "UnableToDeserializePostBody", "POST", "/messages", `{"subject":"a"}`, "Content-Type")
	if n := len(c.sim.Messages(c.user)); n != 1 {
		t.Errorf("%d messages were stored, want 1", n)
	}
}

func TestLimitsOnSizesAndCounts(t *testing.T) {
	c := newClient(t, Options{})
	c.want(413, "POST", "/messages", strings.Repeat("A", 4<<20+4))
	c.want(201, "POST", "/messages", strings.Repeat("A", 4<<20))
	newClient(t, Options{MaxRequest: 4_000_000}).want(413, "POST", "/messages", strings.Repeat("A", 4<<20))
	newClient(t, Options{MaxMessage: 100}).refused(400, "ErrorMessageSizeExceeded", "POST", "/messages", b64(sample))
	newClient(t, Options{MaxMailbox: 100}).refused(507, "ErrorQuotaExceeded", "POST", "/messages", b64(sample))
	newClient(t, Options{MaxMailbox: 100, Status: map[string]int{"ErrorQuotaExceeded": 400}}).refused(400, "ErrorQuotaExceeded", "POST", "/messages", b64(sample))
	c = newClient(t, Options{MaxFolderMessages: 1})
	c.importMIME("inbox", sample)
	c.refused(400, "ErrorMessagePerFolderCountReceiveQuotaExceeded", "POST", "/mailFolders/inbox/messages", map[string]any{})
}

func TestChunkedBodiesAreRefusedUnlessSwitchedOn(t *testing.T) {
	for accept, status := range map[bool]int{false: 411, true: 201} {
		c := newClient(t, Options{Chunked: accept})
		if got := c.chunked("/v1.0/users/a@b.c/messages", strings.NewReader(b64(sample))); got != status {
			t.Errorf("with Chunked %v: %d, want %d", accept, got, status)
		}
	}
}
