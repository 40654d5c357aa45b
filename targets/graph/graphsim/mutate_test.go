package graphsim

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestADamagedMailboxShowsTheDamageAndNothingElse(t *testing.T) {
	c := newClient(t, Options{})
	lasting := func() string {
		return c.want(200, "GET", "/messages/"+c.importMIME("inbox", sample).str("id"), nil, immutable).str("id")
	}
	first, other := lasting(), lasting()
	key := "String {6f0a3c58-2d4b-4c8e-9d57-b1e2a90c7f64} Name MigrationKey"
	c.want(200, "PATCH", "/messages/"+first, map[string]any{
		"categories": []string{"work"}, "singleValueExtendedProperties": []any{single(key, "k")},
	})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	second, err := c.sim.Double(c.user, first)
	must(err)
	expand := "?$expand=singleValueExtendedProperties($filter=id%20eq%20'" + strings.ReplaceAll(key, " ", "%20") + "')"
	a, b := c.want(200, "GET", "/messages/"+first+expand, nil, immutable), c.want(200, "GET", "/messages/"+second+expand, nil, immutable)
	for _, member := range []string{"internetMessageId", "receivedDateTime", "parentFolderId", "subject"} {
		if a.str(member) != b.str(member) || a.str(member) == "" {
			t.Errorf("%s is %q in the double, %q before", member, b.str(member), a.str(member))
		}
	}
	if v := listMembers(b.json["singleValueExtendedProperties"]); len(v) != 1 || v[0]["value"] != "k" || second == first {
		t.Errorf("the double %s has the properties %v", second, v)
	}

	must(c.sim.SetReceived(c.user, second, time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)))
	must(c.sim.Mark(c.user, second, Marks{Read: true, Flagged: true, Categories: []string{"play"}}))
	must(c.sim.Move(c.user, second, "junkemail"))
	junk := c.want(200, "GET", "/mailFolders/junkemail", nil)
	junk.expect(t, map[string]any{"totalItemCount": 1.0, "unreadItemCount": 0.0})
	c.want(200, "GET", "/messages/"+second, nil).expect(t, map[string]any{
		"receivedDateTime": "2001-02-03T04:05:06Z", "isRead": true, "parentFolderId": junk.str("id"),
	})
	for _, m := range c.sim.Messages(c.user) {
		flag, categories := "notFlagged", map[string]string{first: "work", second: "play"}[m.ImmutableID]
		if m.ImmutableID == second {
			flag = "flagged"
		}
		if m.Flag != flag || strings.Join(m.Categories, ",") != categories {
			t.Errorf("%s has the flag %s and the categories %q", m.ImmutableID, m.Flag, m.Categories)
		}
	}

	must(c.sim.Rewrite(c.user, second, func(b []byte) []byte { return append(b, "more\r\n"...) }))
	if b := c.want(200, "GET", "/messages/"+second+"/$value", nil).octets; !bytes.HasSuffix(b, []byte("more\r\n")) {
		t.Errorf("$value ends in %q", b[max(0, len(b)-20):])
	}
	if b := c.want(200, "GET", "/messages/"+first+"/$value", nil).octets; bytes.HasSuffix(b, []byte("more\r\n")) {
		t.Error("the message that was doubled is damaged too")
	}

	must(c.sim.Drop(c.user, first))
	c.refused(404, "ErrorItemNotFound", "GET", "/messages/"+first, nil)
	c.want(200, "GET", "/messages/"+other, nil).expect(t, map[string]any{"isRead": false})
	c.want(200, "GET", "/mailFolders/inbox", nil).expect(t, map[string]any{"totalItemCount": 1.0, "unreadItemCount": 1.0})
	if c.sim.Drop(c.user, first) == nil || c.sim.Drop("nobody@contoso.com", other) == nil || c.sim.Move(c.user, other, "nowhere") == nil {
		t.Error("damage to what is not there is no error")
	}
}

func TestAMessageFromJSONIsDamagedInItsTextOrAnAttachment(t *testing.T) {
	c := newClient(t, Options{})
	id := c.want(201, "POST", "/mailFolders/inbox/messages", map[string]any{
		"subject": "s", "body": map[string]any{"contentType": "html", "content": "<p>one</p>"},
		"attachments": []any{
			map[string]any{"@odata.type": "#microsoft.graph.fileAttachment", "name": "a.bin", "contentBytes": "YWJj"},
			map[string]any{"@odata.type": "#microsoft.graph.fileAttachment", "name": "b.bin", "contentBytes": "ZGVm"},
		},
	}, immutable).str("id")
	double, err := c.sim.Double(c.user, id)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.sim.Rewrite(c.user, id, func(b []byte) []byte { return bytes.Replace(b, []byte("one"), []byte("two"), 1) }); err != nil {
		t.Fatal(err)
	}
	if err := c.sim.RewriteAttachment(c.user, id, 1, func(b []byte) []byte { return b[:2] }); err != nil {
		t.Fatal(err)
	}
	if c.sim.RewriteAttachment(c.user, id, 2, bytes.Clone) == nil {
		t.Error("damage to an attachment that is not there is no error")
	}
	for id, want := range map[string][]string{id: {"<p>two</p>", "YWJj", "ZGU="}, double: {"<p>one</p>", "YWJj", "ZGVm"}} {
		got := c.want(200, "GET", "/messages/"+id+"/$value", nil).octets
		for _, s := range want {
			if !bytes.Contains(got, []byte(s)) {
				t.Errorf("$value lacks %q: %s", s, got)
			}
		}
	}
}
