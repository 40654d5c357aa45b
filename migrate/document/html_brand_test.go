package document

import (
	"bytes"
	"image"
	"image/jpeg"
	"io"
	"strings"
	"testing"
)

func TestALogoIsAPictureAndNothingElse(t *testing.T) {
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 1, 1)), nil); err != nil {
		t.Fatal(err)
	}
	for kind, data := range map[string]string{
		"png":     string(dot),
		"jpeg":    photo.String(),
		"svg+xml": "<?xml version=\"1.0\"?><!-- by hand -->\n<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>",
	} {
		page := pageOf(t, &Document{Language: language(t, "en"), Brand: Brand{Logo: []byte(data)}})
		if src := attribute(find(sound(t, page), "img")[0], "src"); !strings.HasPrefix(src, "data:image/"+kind+";base64,") {
			t.Errorf("%s: %.40s", kind, src)
		}
	}
	for name, data := range map[string]string{
		"GIF":     "GIF89a\x01\x00\x01\x00\x00\x00\x00;",
		"HTML":    "<html><svg></svg></html>",
		"text":    "svg",
		"a start": string(dot[:12]),
		"much":    string(dot) + strings.Repeat("x", mostLogo),
	} {
		if err := (&Document{Language: language(t, "en"), Brand: Brand{Logo: []byte(data)}}).WriteHTML(io.Discard); err == nil || !strings.Contains(err.Error(), "the logo") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAColourHasOneForm(t *testing.T) {
	for _, c := range []string{"", "#1f4e79", "#ABCDEF"} {
		if _, err := (Brand{Colour: c}).colour(); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []string{"red", "#fff", "#1f4e79;", "#1f4e7g", " #1f4e79", "#1f4e79\n"} {
		if err := (&Document{Language: language(t, "en"), Brand: Brand{Colour: c}}).WriteHTML(io.Discard); err == nil || !strings.Contains(err.Error(), "#1f4e79") {
			t.Errorf("%q: %v", c, err)
		}
	}
}

func TestAForewordHasTextAndLinksAndNothingElse(t *testing.T) {
	for source, want := range map[string]string{
		"One *two* **three**\n\n- four":                     "<p>One <em>two</em> <strong>three</strong></p>\n<ul>\n<li>four</li>\n</ul>\n",
		"[a](https://example.com/?a=1&b)":                   `<p><a href="https://example.com/?a=1&amp;b">a</a></p>` + "\n",
		"[a](MAILTO:a@example.com)":                         `<p><a href="MAILTO:a@example.com">a</a></p>` + "\n",
		"<https://example.com> <a@example.com>":             `<p><a href="https://example.com">https://example.com</a> <a href="mailto:a@example.com">a@example.com</a></p>` + "\n",
		"[a *b*](javascript:alert(1)) c":                    "<p>a <em>b</em> c</p>\n",
		"[a](file:///etc/passwd)":                           "<p>a</p>\n",
		"[a](data:text/html,x)":                             "<p>a</p>\n",
		"[a](other.html) [b](#summary)":                     "<p>a b</p>\n",
		"[a][1]\n\n[1]: ftp://example.com":                  "<p>a</p>\n",
		"<ftp://example.com/>":                              "<p>ftp://example.com/</p>\n",
		"![alt **x**](https://example.com/i.png)":           "<p>alt <strong>x</strong></p>\n",
		"[![alt](javascript:x)](javascript:y)":              "<p>alt</p>\n",
		"a <script>alert(1)</script> b":                     "<p>a alert(1) b</p>\n",
		"<div onclick=x>\na\n</div>\n\nb":                   "<p>b</p>\n",
		"<!-- x -->\n\nb":                                   "<p>b</p>\n",
		"# One\n\n### Two\n\n###### Six\n\n# Three":         "<h2>One</h2>\n<h3>Two</h3>\n<h4>Six</h4>\n<h2>Three</h2>\n",
		"a &#8238; b \u202e [x](https://e.org/ \"\u202e\")": `<p>a &lt;U+202E&gt; b &lt;U+202E&gt; <a href="https://e.org/" title="&lt;U+202E&gt;">x</a></p>` + "\n",
		"`<b>` &lt;b&gt;":                                   "<p><code>&lt;b&gt;</code> &lt;b&gt;</p>\n",
	} {
		if got, err := (Brand{Foreword: source}).foreword(); err != nil || string(got) != want {
			t.Errorf("%q: %q, %v", source, got, err)
		}
	}
	if _, err := (Brand{Foreword: strings.Repeat("a", mostForeword+1)}).foreword(); err == nil {
		t.Error("a book is a foreword")
	}
	page := pageOf(t, &Document{Language: language(t, "en"), Title: "T", Brand: Brand{Foreword: "### Deep\n\nText\n\n# Up"}, Sections: []Section{{Key: "a", Title: "A"}}})
	if root := sound(t, page); len(find(root, "h1")) != 1 {
		t.Error("the foreword has headings of the document's level")
	}
}
