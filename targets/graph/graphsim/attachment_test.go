package graphsim

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func (c *client) put(url string, status int, octets []byte, first, total int) answer {
	c.t.Helper()
	return c.want(status, "PUT", url, octets, "Authorization", fmt.Sprintf("Content-Range: bytes %d-%d/%d", first, first+len(octets)-1, total))
}

func TestAttachmentsOfMessages(t *testing.T) {
	c := newClient(t, Options{})
	id := c.want(201, "POST", "/mailFolders/inbox/messages", with(fullMessage(), "attachments", []any{fileAttachment("a.pdf", "AAEC")})).str("id")
	path := "/messages/" + id + "/attachments"
	made := c.want(201, "POST", path, with(fileAttachment("b.png", "AwQF"), "contentId", "c1"))
	made.expect(t, map[string]any{"contentId": "c1", "contentBytes": "AwQF", "@odata.type": "#microsoft.graph.fileAttachment"})
	if size := made.json["size"].(float64); size <= 3 {
		t.Errorf("the size is %v, without overhead", size)
	}
	list := c.want(200, "GET", path+"?$select=name", nil).values()
	if len(list) != 2 || list[0]["name"] != "a.pdf" || list[1]["name"] != "b.png" || list[0]["contentBytes"] != nil {
		t.Errorf("got %v", list)
	}
	if got := c.want(200, "GET", path+"/"+made.str("id")+"/$value", nil).octets; !bytes.Equal(got, []byte{3, 4, 5}) {
		t.Errorf("content is %v", got)
	}
	c.want(204, "DELETE", path+"/"+made.str("id"), nil)
	c.refused(404, "ErrorItemNotFound", "GET", path+"/"+made.str("id"), nil)
	c.refused(400, "ErrorInvalidIdMalformed", "GET", path+"/x", nil)
	stored := c.sim.Messages(c.user)[0].Attachments
	if len(stored) != 1 || stored[0].Size != 3 || stored[0].SHA256 != sum([]byte{0, 1, 2}) {
		t.Errorf("stored %+v", stored)
	}
}

func TestAttachmentsOfMIMEAreFoundInIt(t *testing.T) {
	c := newClient(t, Options{})
	id := c.importMIME("inbox", sample).str("id")
	list := c.want(200, "GET", "/messages/"+id+"/attachments", nil).values()
	if len(list) != 1 || list[0]["name"] != "a.pdf" || list[0]["contentBytes"] != "AAEC" {
		t.Fatalf("got %v", list)
	}
	c.want(200, "GET", "/messages/"+id+"/attachments/"+str(list[0]["id"]), nil)
	c.refused(501, "NotImplemented", "POST", "/messages/"+id+"/attachments", fileAttachment("b", "AAEC"))
}

func TestAnAttachedMessageIsKept(t *testing.T) {
	c := newClient(t, Options{})
	id := c.want(201, "POST", "/messages", map[string]any{}).str("id")
	item := with(fullMessage(), "@odata.type", "#microsoft.graph.message")
	a := c.want(201, "POST", "/messages/"+id+"/attachments", map[string]any{"@odata.type": "#microsoft.graph.itemAttachment", "name": "fwd", "item": item})
	got := string(c.want(200, "GET", "/messages/"+id+"/attachments/"+a.str("id")+"/$value", nil).octets)
	if !strings.Contains(got, "Subject: Quarterly figures\r\n") || !strings.Contains(got, "Date: Sun, 01 Mar 2009 08:14:57 +0000\r\n") {
		t.Errorf("got %s", got)
	}
}

func TestAttachmentsToNonDraftsAreRefusedBySwitch(t *testing.T) {
	for sealed, status := range map[bool]int{false: 201, true: 403} {
		c := newClient(t, Options{SealedAttachments: sealed})
		id := c.want(201, "POST", "/mailFolders/inbox/messages", fullMessage()).str("id")
		c.want(status, "POST", "/messages/"+id+"/attachments", fileAttachment("a", "AAEC"))
		draft := c.want(201, "POST", "/messages", map[string]any{}).str("id")
		c.want(201, "POST", "/messages/"+draft+"/attachments", fileAttachment("a", "AAEC"))
	}
}

func TestUploadSessionsTakeRangesInOrder(t *testing.T) {
	clock := newClock()
	c := newClient(t, Options{Now: clock.Now})
	id := c.want(201, "POST", "/mailFolders/inbox/messages", fullMessage()).str("id")
	path := "/messages/" + id + "/attachments/createUploadSession"
	const size = 3_483_322
	content := bytes.Repeat([]byte("0123456789"), size/10+1)[:size]
	session := c.want(201, "POST", path, uploadItem(size))
	if got := fmt.Sprint(session.json["nextExpectedRanges"]); got != "[0-]" {
		t.Errorf("nextExpectedRanges is %s", got)
	}
	u := session.str("uploadUrl")
	if a := c.put(u, 200, content[:2<<20], 0, size); fmt.Sprint(a.json["nextExpectedRanges"]) != "[2097152]" || a.json["ExpirationDateTime"] == nil {
		t.Errorf("got %s", a.octets)
	}
	c.put(u, 416, content[:100], 0, size)
	c.put(u, 416, content[3<<20:], 3<<20, size)
	c.put(u, 416, content[2<<20:], 2<<20, size+1)
	if n := len(c.sim.Messages(c.user)[0].Attachments); n != 0 {
		t.Error("the attachment is there before its last range")
	}
	a := c.put(u, 201, content[2<<20:], 2<<20, size)
	if len(a.octets) != 0 || !strings.Contains(a.header.Get("Location"), "/Attachments('AAMk") {
		t.Errorf("got %v %s", a.header, a.octets)
	}
	if got := c.sim.Messages(c.user)[0].Attachments; len(got) != 1 || got[0].SHA256 != sum(content) || !got[0].IsInline || got[0].ContentID != "c1" {
		t.Errorf("stored %+v", got)
	}
	c.want(404, "PUT", u, content[:1], "Authorization", "Content-Range: bytes 0-0/3483322")

	c.refused(400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize", "POST", path, uploadItem(minUpload-1))
	c.refused(400, "ErrorAttachmentSizeLimitExceeded", "POST", path, uploadItem(maxAttachment+1))
	c.refused(400, "ErrorMessageSizeExceeded", "POST", path, uploadItem(40<<20))
	c.refused(400, "UnableToDeserializePostBody", "POST", path, map[string]any{"attachmentItem": map[string]any{}})
	u = c.want(201, "POST", path, uploadItem(minUpload)).str("uploadUrl")
	c.refused(400, "ErrorInvalidRequest", "PUT", u, content[:1], "Authorization")
	c.want(204, "DELETE", u, nil, "Authorization")
	c.want(404, "GET", u, nil, "Authorization")
	newClient(t, Options{NoUploadSessions: true}).refused(400, "BadRequest", "POST", path, uploadItem(minUpload))
	u = c.want(201, "POST", path, uploadItem(minUpload)).str("uploadUrl")
	clock.add(uploadLife)
	c.put(u, 404, content[:10], 0, minUpload)
}

func TestUploadURLsTakeNoAuthorization(t *testing.T) {
	for ignored, status := range map[bool]int{false: 401, true: 200} {
		c := newClient(t, Options{UploadAuthIgnored: ignored})
		id := c.want(201, "POST", "/messages", map[string]any{}).str("id")
		u := c.want(201, "POST", "/messages/"+id+"/attachments/createUploadSession", uploadItem(minUpload)).str("uploadUrl")
		c.want(status, "PUT", u, []byte("x"), "Content-Range: bytes 0-0/3000000")
	}
}

func TestARangeThatIsCutIsNotStored(t *testing.T) {
	c := newClient(t, Options{Faults: faults(t, "cut@3,lost-reply@4")})
	id := c.want(201, "POST", "/messages", map[string]any{}).str("id")
	u := c.want(201, "POST", "/messages/"+id+"/attachments/createUploadSession", uploadItem(minUpload)).str("uploadUrl")
	headers := []string{"Authorization", "Content-Range: bytes 0-99/3000000"}
	progress := func() string {
		return fmt.Sprint(c.want(200, "GET", u, nil, "Authorization").json["nextExpectedRanges"])
	}
	if _, err := c.try("PUT", u, make([]byte, 100), headers...); !aborted(err) || progress() != "[0]" {
		t.Errorf("after a cut: %v, %s", err, progress())
	}
	if _, err := c.try("PUT", u, make([]byte, 100), headers...); !aborted(err) || progress() != "[100]" {
		t.Errorf("after a lost reply: %v, %s", err, progress())
	}
}

func TestABodyThatBreaksOffIsRefused(t *testing.T) {
	c := newClient(t, Options{})
	r := c.broken("/v1.0/users/a@b.c/messages", b64(sample))
	if !strings.Contains(r, " 400 ") || !strings.Contains(r, "IO error during request payload read.") {
		t.Errorf("got %s", r)
	}
	if n := len(c.sim.Messages("a@b.c")); n != 0 {
		t.Errorf("%d messages were stored", n)
	}
}
