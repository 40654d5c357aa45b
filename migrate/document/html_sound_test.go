package document

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// find returns the elements of that name below n, or all if it is empty.
func find(n *html.Node, name string) []*html.Node {
	var all []*html.Node
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && (name == "" || d.Data == name) {
			all = append(all, d)
		}
	}
	return all
}

// attribute returns an attribute of n, or "".
func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// content returns the text below n.
func content(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// sound parses a page and checks what holds for every one.
func sound(t *testing.T, page string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	balanced(t, page)
	ids := map[string]bool{}
	for _, n := range find(root, "") {
		if id := attribute(n, "id"); id != "" {
			if ids[id] {
				t.Errorf("the id %s is there twice", id)
			}
			ids[id] = true
		}
	}
	level := 0
	for _, n := range find(root, "") {
		if slices.Contains([]string{"script", "iframe", "object", "embed", "link", "base", "form", "input", "button", "audio", "video", "foreignObject", "animate", "set"}, n.Data) {
			t.Errorf("an element %s", n.Data)
		}
		for _, a := range n.Attr {
			switch {
			case strings.HasPrefix(a.Key, "on") || a.Key == "style":
				t.Errorf("an attribute %s", a.Key)
			case a.Key == "src" && !strings.HasPrefix(a.Val, "data:image/"),
				a.Key == "href" && a.Val[0] != '#' && !strings.HasPrefix(a.Val, "https://") && !strings.HasPrefix(a.Val, "http://") && !strings.HasPrefix(a.Val, "mailto:"):
				t.Errorf("%s is %s", a.Key, a.Val)
			case a.Key == "href" && a.Val[0] == '#' && !ids[a.Val[1:]]:
				t.Errorf("a link leads to %s", a.Val)
			case a.Key == "aria-labelledby":
				for id := range strings.FieldsSeq(a.Val) {
					if !ids[id] {
						t.Errorf("a label is %s", id)
					}
				}
			}
		}
		switch n.Data {
		case "h1", "h2", "h3", "h4", "h5", "h6":
			if l := int(n.Data[1] - '0'); l > level+1 {
				t.Errorf("a heading of level %d after one of %d: %s", l, level, content(n))
			} else {
				level = l
			}
		case "table":
			if c := find(n, "caption"); len(c) != 1 || content(c[0]) == "" {
				t.Error("a table without a caption")
			}
			if r := n.Parent; attribute(r, "role") != "region" || attribute(r, "tabindex") != "0" || attribute(r, "aria-labelledby") != attribute(find(n, "caption")[0], "id") {
				t.Error("a table that cannot be scrolled by everybody")
			}
		case "th":
			if attribute(n, "scope") != "col" {
				t.Error("a heading of what?")
			}
		case "svg":
			switch {
			case attribute(n, "aria-hidden") == "true":
			case attribute(n, "role") != "img" || len(find(n, "title")) == 0 || len(find(n, "desc")) != 1:
				t.Error("a picture without words")
			}
		}
	}
	return root
}

// balanced checks that every element that needs it is closed, in order.
func balanced(t *testing.T, page string) {
	t.Helper()
	void := []string{"meta", "img", "wbr", "br", "hr"}
	var open []string
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("not closed: %q", open)
			}
			return
		case html.StartTagToken, html.EndTagToken:
			name, _ := z.TagName()
			switch {
			case slices.Contains(void, string(name)):
			case kind == html.StartTagToken:
				open = append(open, string(name))
			case len(open) == 0 || open[len(open)-1] != string(name):
				t.Fatalf("%s closes %q", name, open)
			default:
				open = open[:len(open)-1]
			}
		}
	}
}
