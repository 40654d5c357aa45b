package graphsim

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestADumpHoldsEverything(t *testing.T) {
	c := newClient(t, Options{})
	folder := c.want(201, "POST", "/mailFolders/inbox/childFolders", map[string]any{"displayName": "2019/20"}).str("id")
	c.importMIME(folder, sample)
	c.want(201, "POST", "/mailFolders/inbox/messages", with(fullMessage(), "attachments", []any{fileAttachment("a.pdf", "AAEC")}))
	c.want(201, "POST", "/messages", b64(sample))
	c.user = ".."
	c.want(201, "POST", "/v1.0/users/%2E%2E/messages", b64(sample))
	dir := t.TempDir()
	if err := c.sim.Dump(dir); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index []struct {
		User     string
		Folders  []map[string]any
		Messages []Message
	}
	if err := json.Unmarshal(b, &index); err != nil {
		t.Fatal(err)
	}
	if len(index) != 2 || index[1].User != "adele@contoso.com" || len(index[1].Messages) != 3 || len(index[1].Folders) < 8 {
		t.Fatalf("the index is %s", b)
	}
	if outside, _ := filepath.Glob(filepath.Join(dir, "..", "*.eml")); outside != nil {
		t.Error("the dump left its folder")
	}
	for i, m := range index[1].Messages {
		path := filepath.Join(dir, m.File)
		b, err := os.ReadFile(path)
		if err != nil || sum(b) != m.SHA256 || int64(len(b)) != m.Size {
			t.Errorf("message %d: %v, %+v", i, err, m)
		}
		if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v", info.Mode())
		}
		if m.Route != RouteJSON && string(b) != sample {
			t.Errorf("message %d is not as received", i)
		}
	}
	first, second := index[1].Messages[0], index[1].Messages[1]
	if fmt.Sprint(first.Folder) != "[Inbox 2019/20]" || first.Route != RouteImport || len(first.Attachments) != 1 {
		t.Errorf("message 1: %+v", first)
	}
	if second.Route != RouteJSON || second.IsDraft || second.Flag != "flagged" || second.SingleValue[keyID] != "9f00" || fmt.Sprint(second.Categories) != "[work]" {
		t.Errorf("message 2: %+v", second)
	}
	body, err := os.ReadFile(filepath.Join(dir, "adele@contoso.com", "2.json"))
	if o, perr := parseObject(body); err != nil || perr != nil || o["subject"] != "Quarterly figures" {
		t.Errorf("create body: %v %v %s", err, perr, body)
	}
}

func TestTheFileIsPrivateAndRemovedAtClose(t *testing.T) {
	sim, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	name := sim.octets.file.Name()
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if err := sim.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(name); !os.IsNotExist(err) {
		t.Errorf("after Close: %v", err)
	}
}

func TestWritersDoNotDisturbEachOther(t *testing.T) {
	c := newClient(t, Options{})
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			for i := range 20 {
				text := fmt.Sprintf("Message-ID: <%d.%d@b.c>\r\n\r\n%d %d", w, i, w, i)
				a, err := c.try("POST", "/beta/users/adele@contoso.com/mailFolders/inbox/importMime", b64(text))
				if err != nil || a.status != 201 {
					t.Error(a.status, err)
				}
				for _, path := range []string{"/messages?$top=3", "/mailFolders", "/mailFolders/inbox/messages/delta"} {
					if a, err := c.try("GET", path, nil); err != nil || a.status != 200 {
						t.Error(a.status, err)
					}
				}
				if _, err := c.try("PATCH", "/messages/"+a.str("id"), map[string]any{"isRead": true}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, m := range c.sim.Messages(c.user) {
		b, _ := m.Octets()
		p := parsePart(b)
		if m.InternetMessageID != p.get("Message-ID") || !m.IsRead {
			t.Errorf("%s holds %s", m.InternetMessageID, b)
		}
		seen[string(b)] = true
	}
	if len(seen) != 120 {
		t.Errorf("%d messages, want 120", len(seen))
	}
}
