package graphsim

import (
	"bytes"
	"testing"
)

func TestImportKeepsOctetsAndDatesAndMakesNoDraft(t *testing.T) {
	c := newClient(t, Options{})
	a := c.importMIME("inbox", sample)
	for name, want := range map[string]any{
		"isDraft": false, "isRead": false, "receivedDateTime": "2009-03-01T08:15:00Z", "sentDateTime": "2009-03-01T08:14:57Z",
		"internetMessageId": "<1@fabrikam.com>", "subject": "Quarterly figures", "hasAttachments": true, "bodyPreview": "Hello",
	} {
		if a.json[name] != want {
			t.Errorf("%s is %v, want %v", name, a.json[name], want)
		}
	}
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
