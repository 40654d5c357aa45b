package graphsim

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// gist is what must not change when a message is written anew: unfolded fields
// without boundaries, and the decoded leaves.
func gist(p *part) string {
	var b strings.Builder
	for _, f := range p.fields {
		value := f.value
		if old := p.params["boundary"]; old != "" && strings.EqualFold(f.name, "Content-Type") {
			value = strings.Replace(strings.ReplaceAll(value, `"`, ""), old, "B", 1)
		}
		b.WriteString(f.name + ":" + value + "\n")
	}
	for _, c := range p.children {
		b.WriteString("[" + gist(c) + "]")
	}
	if len(p.children) == 0 {
		b.Write(p.decoded())
	}
	return b.String()
}

func TestValueHasOtherOctetsAndTheSameContent(t *testing.T) {
	c := newClient(t, Options{})
	text := strings.Replace(sample, "Quarterly figures", strings.Repeat("quarterly figures ", 8)+"end", 1)
	id := c.importMIME("inbox", text).str("id")
	got := c.want(200, "GET", "/messages/"+id+"/$value", nil).octets
	if bytes.Contains(got, []byte("b1")) || !bytes.Contains(got, []byte("figures\r\n quarterly")) {
		t.Errorf("folding or boundary stayed:\n%s", got)
	}
	if want, got := gist(parsePart([]byte(text))), gist(parsePart(got)); got != want {
		t.Errorf("the content changed:\n%s\nto\n%s", want, got)
	}
}

func TestValueLeavesSignedPartsAlone(t *testing.T) {
	signed := "Content-Type: multipart/signed; boundary=b1\r\n\r\n--b1\r\nContent-Type: text/plain\r\nX-Long: " + strings.Repeat("word ", 30) +
		"\r\n\r\nHello\r\n--b1\r\nContent-Type: application/pkcs7-signature\r\n\r\nAA\r\n--b1--\r\n"
	if got := reserialise([]byte(signed)); string(got) != signed {
		t.Errorf("got\n%s", got)
	}
}

func TestValueKeepsTheContentOfEveryCorpusMessage(t *testing.T) {
	files := 0
	err := filepath.WalkDir(filepath.Join(needShared(t), "corpus"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), "LICENSE") || d.Name() == "COPYING" || strings.HasSuffix(path, ".tsv") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		if want, got := gist(parsePart(b)), gist(parsePart(reserialise(b))); got != want {
			t.Errorf("%s changed", d.Name())
		}
		return nil
	})
	if err != nil || files < 100 {
		t.Errorf("%d files, %v", files, err)
	}
}

func TestEveryCorpusMessageIsKeptAndRendered(t *testing.T) {
	c := newClient(t, Options{})
	files, err := filepath.Glob(filepath.Join(needShared(t), "corpus", "*", "*", "*.eml"))
	if err != nil || len(files) < 50 {
		t.Fatal(len(files), err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) == 0 {
			continue
		}
		id := c.importMIME("inbox", string(b)).str("id")
		c.want(200, "GET", "/messages/"+id+"?$expand=attachments", nil)
		all := c.sim.Messages(c.user)
		if got, _ := all[len(all)-1].Octets(); !bytes.Equal(got, b) {
			t.Errorf("%s is not what was sent", path)
		}
		c.want(204, "POST", "/messages/"+id+"/permanentDelete", nil)
	}
}

func FuzzReserialise(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n--a\n--a--"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := parsePart(b)
		contentOfMIME(b)
		got := parsePart(reserialise(b))
		if len(p.children) != len(got.children) {
			t.Errorf("%d children became %d", len(p.children), len(got.children))
		}
	})
}

func TestMIMEOfAMessageFromJSONIsRebuilt(t *testing.T) {
	for show, custom := range map[bool]bool{false: false, true: true} {
		c := newClient(t, Options{TransportHeaders: show})
		id := c.want(201, "POST", "/mailFolders/inbox/messages", with(fullMessage(), "attachments", []any{fileAttachment("ä.pdf", "AAEC")})).str("id")
		b := c.want(200, "GET", "/messages/"+id+"/$value", nil).octets
		p := parsePart(b)
		for name, want := range map[string]string{
			"From": "Bo <bo@fabrikam.com>", "Message-ID": "<20090301081457.1@fabrikam.com>", "Date": "Sun, 01 Mar 2009 08:14:57 +0000",
			"In-Reply-To": "<parent@fabrikam.com>", "References": "<root@fabrikam.com> <parent@fabrikam.com>", "Subject": "Quarterly figures",
		} {
			if got := p.get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if got := p.get("X-Spam") == "no" && p.get("x-a") == "1"; got != custom {
			t.Errorf("with TransportHeaders %v:\n%s", show, b)
		}
		if len(p.children) != 2 || p.children[0].text() != "<html><p>Hello &amp; good day</p></html>" ||
			p.children[1].name() != "ä.pdf" || !bytes.Equal(p.children[1].decoded(), []byte{0, 1, 2}) {
			t.Errorf("got\n%s", b)
		}
	}
}

func TestNoFieldCanBeSmuggledIntoRebuiltMIME(t *testing.T) {
	c := newClient(t, Options{})
	o := map[string]any{"subject": "a\r\nBcc: x@y.z", "toRecipients": []any{address("n\r\nX-A: 1", "a@b.c\r\nX-B: 1")}}
	id := c.want(201, "POST", "/messages", o).str("id")
	p := parsePart(c.want(200, "GET", "/messages/"+id+"/$value", nil).octets)
	if p.get("Bcc") != "" || p.get("X-A") != "" || p.get("X-B") != "" {
		t.Errorf("got %v", p.fields)
	}
}

func TestBodiesComeInPlainTextIfPreferred(t *testing.T) {
	c := newClient(t, Options{})
	id := c.want(201, "POST", "/messages", fullMessage()).str("id")
	a := c.want(200, "GET", "/messages/"+id+"?$select=body", nil, `Prefer: outlook.body-content-type="text"`)
	body := a.json["body"].(map[string]any)
	if body["contentType"] != "text" || strings.Contains(str(body["content"]), "<") {
		t.Errorf("got %v", body)
	}
}

func TestHugeHeadersAndNestingAreBounded(t *testing.T) {
	blanks := "Subject: " + strings.Repeat(" ", 1_000_000) + "a" + strings.Repeat(" ", 1_000_000)
	if n := len(reserialise([]byte(blanks))); n < 2_000_000 {
		t.Errorf("%d octets are left", n)
	}
	folded := "Subject: a\n" + strings.Repeat(" b\n", 1_000_000)
	if n := len(reserialise([]byte(folded))); n < 2_000_000 { // takes hours if a line is copied for each one after it
		t.Errorf("%d octets are left", n)
	}
	var b strings.Builder
	for range 20_000 {
		b.WriteString("Content-Type: multipart/mixed; boundary=a\n\n--a\n")
	}
	parsePart([]byte(b.String()))
	many := "Content-Type: multipart/mixed; boundary=a\n\n" + strings.Repeat("--a\n\nx\n", 100_000)
	if n := len(parsePart([]byte(many)).children); n >= maxParts {
		t.Errorf("%d parts", n)
	}
}
