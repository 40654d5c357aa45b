package document

import (
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// changed returns v with every string in it changed that is not empty, but for
// anchors, kinds of charts, colour and foreword, which are not free.
func changed(v reflect.Value, change func(string) string) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	switch v.Kind() {
	case reflect.String:
		if _, ok := v.Interface().(Kind); !ok && v.String() != "" {
			c.SetString(change(v.String()))
		}
	case reflect.Interface:
		if !v.IsNil() {
			c.Set(changed(v.Elem(), change))
		}
	case reflect.Pointer:
		if !v.IsNil() && v.Type().Elem().PkgPath() == reflect.TypeFor[Table]().PkgPath() {
			c.Set(reflect.New(v.Type().Elem()))
			c.Elem().Set(changed(v.Elem(), change))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			switch f := v.Type().Field(i); {
			case !f.IsExported(), v.Type() == reflect.TypeFor[Section]() && f.Name == "Key", f.Name == "Colour", f.Name == "Foreword":
			default:
				c.Field(i).Set(changed(v.Field(i), change))
			}
		}
	case reflect.Slice:
		if v.IsNil() || v.Type().Elem().Kind() == reflect.Uint8 {
			break
		}
		c.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			c.Index(i).Set(changed(v.Index(i), change))
		}
	case reflect.Func:
		rows := v.Interface().(iter.Seq2[[]Value, error])
		c.Set(reflect.ValueOf(iter.Seq2[[]Value, error](func(yield func([]Value, error) bool) {
			for row, err := range rows {
				if !yield(changed(reflect.ValueOf(row), change).Interface().([]Value), err) {
					return
				}
			}
		})))
	}
	return c
}

// hostileSample is the sample with every string set to s.
func hostileSample(t *testing.T, s string) *Document {
	d := sample(t, "en", 3)
	d.Draft = "x"
	d.Sections[0].Blocks = append(d.Sections[0].Blocks, Figures{Facts: []Fact{{Value: Term{"x", "x", Bad}, Mood: "x"}}})
	return changed(reflect.ValueOf(d), func(string) string { return s }).Interface().(*Document)
}

// skeleton is the elements of a page with the names of their attributes, but for
// places to break and whether a table is wide.
func skeleton(t *testing.T, page string) []string {
	t.Helper()
	var all []string
	for n := range sound(t, page).Descendants() {
		if n.Type == html.CommentNode {
			t.Errorf("a comment: %s", n.Data)
		}
		if n.Type != html.ElementNode || n.Data == "wbr" {
			continue
		}
		s := n.Data
		for _, a := range n.Attr {
			if n.Data != "table" {
				s += " " + a.Key
			}
		}
		all = append(all, s)
	}
	return all
}

func TestHostileStringsAreOnlyText(t *testing.T) {
	want := skeleton(t, pageOf(t, hostileSample(t, strings.Repeat("x", 61))))
	if len(want) < 500 {
		t.Fatalf("only %d elements", len(want))
	}
	for _, s := range []string{
		`<script>alert(1)</script>`,
		`"><img src=x onerror=alert(1)>`,
		`' onmouseover='alert(1)' x='`,
		"` onclick=alert(1) `",
		`</title></style></svg></td></tr></table></details><h1>x</h1>`,
		`<!-- x`, `]]>`, `<![CDATA[`, `<?xml`, `&lt;script&gt;&#60;b&#62;`,
		`=HYPERLINK("http://example.com","x")`,
		`javascript:alert(1)`, `%s %d %!v(MISSING)`, `{n} {from} {series}`,
		"\u202egnp.exe\u202c\u2066\u2069\u200e\u200f\u061c",
		"\x00\x01\x1b[2J\x7f\u0085\u2028\ufeff\uffff",
		"\xff\xfe\xc3(", "a\r\n\tb",
		"z" + strings.Repeat("\u0301", 5000),
		strings.Repeat("A", 10_000), strings.Repeat("\u202e", 10_000), strings.Repeat("<b>", 10_000),
	} {
		s += strings.Repeat(" x", 31) // as long as prose
		page := pageOf(t, hostileSample(t, s))
		if got := skeleton(t, page); !slices.Equal(got, want) {
			t.Errorf("%.40q changes the page", s)
		}
		if i := strings.IndexFunc(page, func(r rune) bool { return hides(r) && r != '\n' }); i >= 0 || !utf8.ValidString(page) || strings.ContainsRune(page, '\r') {
			t.Errorf("%.40q comes through as it is: %q", s, page[max(i, 0):][:20])
		}
		if len(page) > 12<<20 {
			t.Errorf("%.40q makes a page of %d octets", s, len(page))
		}
	}
}

func TestEveryStringOfTheModelIsBounded(t *testing.T) {
	long := strings.Repeat("A", 10_000)
	for n := range sound(t, pageOf(t, hostileSample(t, long))).Descendants() {
		if n.Type == html.TextNode && strings.Count(n.Data, "A") > most && n.Parent.Data != "p" && n.Parent.Data != "span" {
			t.Errorf("%s has %d characters", n.Parent.Data, len(n.Data))
		}
	}
}

func TestAHostileKeyOfASectionOrColourIsRefused(t *testing.T) {
	d := sample(t, "en", 1)
	d.Brand.Colour = "red;} body{display:none"
	if err := d.WriteHTML(new(strings.Builder)); err == nil {
		t.Error("a hostile colour makes a page")
	}
	d = sample(t, "en", 1)
	d.Sections[0].Key = `x" onclick="alert(1)`
	if err := d.WriteHTML(new(strings.Builder)); err == nil {
		t.Error("a hostile anchor makes a page")
	}
}

func TestHostileFiguresOfAChartAreDrawnInItsBox(t *testing.T) {
	huge := []float64{1e308, -1e308, 0, 1, 5e-324}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	times := []time.Time{at, at.AddDate(7000, 0, 0), at.AddDate(-2000, 0, 0), at, at}
	for _, kind := range []Kind{Bars, Stacked, Line} {
		c := &Chart{Key: "c", Kind: kind, Title: "C", Times: times, Series: []Series{{Name: "a", Values: huge}, {Name: "b", Values: []float64{0, 0}}}}
		inside(t, only(t, c), fmt.Sprint(kind))
	}
	gantt := &Chart{Key: "c", Kind: Gantt, Title: "C", Labels: make([]string, 3000), Series: []Series{{Name: "a"}}, Spans: []Span{
		{0, 0, times[1], times[2], "back"}, {1, 0, times[2], times[1], "forth"}, {2, 0, time.Time{}, time.Time{}, "zero"}, {2999, 0, at, at, "last"},
	}}
	inside(t, only(t, gantt), "gantt")
}
