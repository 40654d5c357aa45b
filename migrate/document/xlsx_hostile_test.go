package document

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// hostile are texts as mail may have them.
var hostile = []string{
	"=1+1", "+1+1", "-1+1", "@SUM(1+1)", "\t=1+1", "\n=1+1", " =1+1", "=HYPERLINK(\"http://evil.example\",\"click\")", "=cmd|'/c calc'!A1",
	"'quoted", "123", "1e9", "TRUE", "2026-11-22", "#REF!", "http://evil.example/", "mailto:a@evil.example",
	"<script>alert(1)</script>", "</t></is></c><c><f>1+1</f></c>", "]]>", "&amp;&#61;", `"'`, "<![CDATA[x]]>", "<!ENTITY x SYSTEM 'file:///etc/passwd'>&x;",
	"a\x00b\x01\x1b[31m\x7f\u0085", "\xff\xfe", "\ufffe\uffff", "\U0001f418", "\u202egnp.exe\u2066", "two\nlines\r\n", "  spaces  ",
	"_x0041_", "_x0041_x0042_", "_x005F_x0041_", "_x0000_", "__x003D_1", "_X0041_", "_x00g1_", "_x+041_", "_x00_", "_x0041",
	strings.Repeat("ü", 10_000), strings.Repeat("=", 10_000), strings.Repeat("🐘", 10_000),
}

// infested is a document that has hostile texts wherever it has texts.
func infested(t *testing.T) *Document {
	var d *Document
	for i, s := range hostile {
		next := workings(t)
		next.Title, next.Subtitle, next.Draft = s, s, s
		next.Sections = []Section{{Title: s, Blocks: []Block{
			Notice{Bad, s},
			Figures{Key: "f" + strconv.Itoa(i), Facts: []Fact{{Key: "a", Label: s, Value: s, Note: s}, {Key: "b", Value: Term{"a", s, Good}}, {Key: "c", Value: List{s, s}}}},
			&Table{Key: "t" + strconv.Itoa(i), Title: s, Note: s, Columns: []Column{{Key: "a", Title: s}, {Key: "b", Title: s}}, Rows: rowsOf([]Value{s, List{s}}), Total: []Value{s, Term{"a", s, Good}}},
			&Chart{Key: "c" + strconv.Itoa(i), Kind: Bars, Title: s, Unit: s, Labels: []string{s}, Series: []Series{{Name: s, Values: []float64{1}}}},
			&Chart{Key: "g" + strconv.Itoa(i), Kind: Gantt, Title: s, Labels: []string{s}, Series: []Series{{Name: s}}, Spans: []Span{{Text: s}}},
		}}}
		if d == nil {
			d = next
		} else {
			d.Sections = append(d.Sections, next.Sections...)
		}
	}
	d.Title = strings.Join(hostile, "")
	return d
}

func TestAHostileTextIsTextInAWorkbook(t *testing.T) {
	d := table(t, "Texts")
	rows := make([][]Value, len(hostile))
	for i, s := range hostile {
		rows[i] = []Value{s}
	}
	d.Sections[0].Blocks[0].(*Table).Rows = rowsOf(rows...)
	f := reread(t, d, maxRows)
	for i, s := range hostile {
		cell := "A" + strconv.Itoa(i+2)
		formula, err := f.GetCellFormula("Texts", cell)
		if formula != "" || err != nil {
			t.Errorf("%.40q has the formula %q, %v", s, formula, err)
		}
		if style := format(t, f, "Texts", cell); style.NumFmt != 49 {
			t.Errorf("%.40q has the format %d", s, style.NumFmt)
		}
	}
}

func TestAHostileTextBreaksNoPartOfAWorkbook(t *testing.T) {
	var b bytes.Buffer
	if err := infested(t).WriteXLSX(&b); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var elements []string
	for _, part := range z.File {
		r, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		x := xml.NewDecoder(r)
		for {
			token, err := x.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", part.Name, err)
			}
			switch token := token.(type) {
			case xml.StartElement:
				elements = append(elements, token.Name.Local)
			case xml.CharData:
				if strings.ContainsAny(string(token), "\x00\x1b\u202e\u2066\u0085\n\r\t") && string(token) != "\n" {
					t.Errorf("%s has %.60q", part.Name, token)
				}
				if n := utf8.RuneCountInString(strings.ReplaceAll(string(token), "_x005F_", "_")); n > 1001 {
					t.Errorf("%s has a text of %d characters", part.Name, n)
				}
			}
		}
	}
	slices.Sort(elements)
	got := strings.Join(slices.Compact(elements), " ")
	const want = "Default Override Relationship Relationships Types alignment autoFilter b bookViews border borders bottom c cellStyle cellStyleXfs cellStyles cellXfs " +
		"col cols coreProperties created creator definedName definedNames fgColor fill fills font fonts headerFooter is name oddFooter oddHeader pageSetUpPr pageSetup " +
		"pane patternFill row sheet sheetData sheetFormatPr sheetPr sheetView sheetViews sheets styleSheet sz t title top v workbook workbookView worksheet xf"
	if got != want {
		t.Errorf("its elements are %s", got)
	}
}

// unescaped reads text in XML as the standard says.
func unescaped(t *testing.T, s string) string {
	var v struct {
		Text string `xml:",chardata"`
	}
	if err := xml.Unmarshal([]byte("<t>"+s+"</t>"), &v); err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`_x[0-9A-Fa-f]{4}_`).ReplaceAllStringFunc(v.Text, func(x string) string {
		n, _ := strconv.ParseUint(x[2:6], 16, 16)
		return string(rune(n))
	})
}

func TestATextInXMLIsReadAsItWas(t *testing.T) {
	for _, s := range hostile {
		if s = shown(s); unescaped(t, escaped(s)) != s {
			t.Errorf("%.60q is read as %.60q", s, unescaped(t, escaped(s)))
		}
	}
}

func FuzzEscaped(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if s = shown(s); unescaped(t, escaped(s)) != s {
			t.Errorf("%q is read as %q", s, unescaped(t, escaped(s)))
		}
	})
}
