package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

func TestJSONIsAsItsSchemaSays(t *testing.T) {
	var got bytes.Buffer
	more := []Member{{"log", map[string]any{"file": "report.log.gz", "entries": 7}}, {"heads", []string{"a\n<b>"}}}
	if err := workings(t).WriteJSON(&got, more, nil); err != nil {
		t.Fatal(err)
	}
	golden(t, "workings.json", got.String())
	if !json.Valid(got.Bytes()) {
		t.Error("it is not valid")
	}
	d := workings(t)
	d.Draft = ""
	got.Reset()
	if err := d.WriteJSON(&got, nil, nil); err != nil || strings.Contains(got.String(), "draft") {
		t.Errorf("of what is no draft: %v, %s", err, got.String())
	}
}

func TestASealIsAskedForWhenAllElseIsWritten(t *testing.T) {
	d := workings(t)
	var got bytes.Buffer
	var before string
	err := d.WriteJSON(&got, []Member{{"files", []string{}}}, func() (string, error) {
		before = got.String()
		return `"head":"note"}`, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(before, "\"files\":[],\n") {
		t.Errorf("the seal saw %q at the end", before[max(0, len(before)-40):])
	}
	if want := before + "\"head\":\"note\"}\n"; got.String() != want {
		t.Errorf("JSON ends with %q", got.String()[len(before):])
	}
	if !json.Valid(got.Bytes()) {
		t.Error("it is not valid")
	}
}

func TestWhatStopsJSONIsReturned(t *testing.T) {
	broken := errors.New("broken")
	d := workings(t)
	if err := d.WriteJSON(io.Discard, nil, func() (string, error) { return "", broken }); !errors.Is(err, broken) {
		t.Errorf("of the seal: %v", err)
	}
	sealed := false
	err := d.WriteJSON(&failing{broken, 0}, nil, func() (string, error) { sealed = true; return "}", nil })
	if !errors.Is(err, broken) || sealed {
		t.Errorf("of the writer: %v, and it was sealed: %v", err, sealed)
	}
	if err := d.WriteJSON(io.Discard, []Member{{"file", make(chan int)}}, nil); err == nil {
		t.Error("a channel was written")
	}
	rows := 0
	d.Sections[0].Blocks = []Block{&Table{Key: "t", Columns: []Column{{Key: "a"}}, Rows: func(yield func([]Value, error) bool) {
		for rows < 3 && yield([]Value{"x"}, nil) && yield(nil, broken) {
			rows++
		}
	}}}
	if err := d.WriteJSON(io.Discard, nil, nil); !errors.Is(err, broken) || rows > 0 {
		t.Errorf("of the rows: %v, after which %d more were read", err, rows)
	}
}

// failing is a writer that has room for some octets.
type failing struct {
	err  error
	room int
}

func (f *failing) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, f.err
	}
	return len(p), nil
}

func TestMistakesInADocumentAreErrors(t *testing.T) {
	cell := func(v Value) Block {
		return &Table{Key: "t", Columns: []Column{{Key: "a"}}, Rows: rowsOf([]Value{v})}
	}
	fact := func(key string) Block { return Figures{Key: "f", Facts: []Fact{{Key: "a"}, {Key: key}}} }
	for _, c := range []struct {
		name    string
		block   Block
		more    []Member
		want    string
		written bool // what comes before it
	}{
		{"a key of two blocks", Figures{Key: "summary"}, nil, `the document: key "summary" is there twice`, false},
		{"a key that is taken", Figures{Key: "made"}, nil, `the document: key "made" is there twice`, false},
		{"a key of more", Figures{Key: "log"}, []Member{{"log", 1}}, `the document: key "log" is there twice`, false},
		{"no key", Figures{}, nil, `the document: key "" is not of a to z, digits and underscores`, false},
		{"a key that ends the string", Figures{Key: `a"`}, nil, `key "a\"" is not of`, false},
		{"two facts", fact("a"), nil, `f: key "a" is there twice`, false},
		{"a fact's key", fact("A"), nil, `f: key "A" is not of`, false},
		{"two columns", &Table{Key: "t", Columns: []Column{{Key: "a"}, {Key: "a"}}, Rows: rowsOf()}, nil, `t: key "a" is there twice`, false},
		{"a chart", &Chart{Key: "c", Kind: Gantt, Spans: []Span{{Row: 1}}}, nil, "c: a span in row 1", false},
		{"a row too short", &Table{Key: "t", Columns: []Column{{Key: "a"}, {Key: "b"}}, Rows: rowsOf([]Value{1})}, nil, "t: a row of 1 values in 2 columns", true},
		{"a value of no kind", cell(7), nil, "t: a: a value cannot be a int", true},
	} {
		d := workings(t)
		d.Draft = ""
		d.Sections[2].Blocks = append(d.Sections[2].Blocks, c.block)
		var got bytes.Buffer
		err := d.WriteJSON(&got, c.more, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		if !c.written && got.Len() > 0 {
			t.Errorf("%s: %q was written", c.name, got.String())
		}
	}
}

func TestAnyStringIsDataInJSON(t *testing.T) {
	long := strings.Repeat("ü", 10_001)
	for in, want := range map[string]string{
		"<b>&amp;</b>":         `"<b>&amp;</b>"`,
		"\u2028\u2029":         `"\u2028\u2029"`,
		"a\x00b\n\r\t\"\\\x1f": `"a\u0000b\n\r\t\"\\\u001f"`,
		"\xff\xc3":             `"\ufffd\ufffd"`,
		"\u202egnp.exe":        "\"\u202egnp.exe\"",
		long:                   `"` + long[:20_000] + `"`,
		long[:20_000]:          `"` + long[:20_000] + `"`,
	} {
		d := workings(t)
		d.Title, d.Draft = in, in
		d.Sections = []Section{{Blocks: []Block{
			Figures{Key: "figures", Facts: []Fact{{Key: "fact", Value: in}}},
			&Table{Key: "rows", Columns: []Column{{Key: "text"}, {Key: "list"}}, Rows: rowsOf([]Value{in, List{in}})},
			&Chart{Key: "chart", Kind: Bars, Unit: in, Labels: []string{in}, Series: []Series{{Name: in}}},
			&Chart{Key: "gantt", Kind: Gantt, Labels: []string{"x"}, Series: []Series{{Name: "x"}}, Spans: []Span{{Text: in}}},
		}}}
		var got bytes.Buffer
		if err := d.WriteJSON(&got, nil, nil); err != nil {
			t.Fatal(err)
		}
		for _, member := range []string{`"title":`, `"draft":`, `"fact":`, `"text":`, `"list":[`, `"unit":`, `"labels":[`, `"name":`, `Z","text":`} {
			if !strings.Contains(got.String(), member+want) {
				t.Errorf("%.20q: %s is not %.40s in %.1500s", in, member, want, got.String())
			}
		}
		if n := bytes.Count(got.Bytes(), []byte("\n")); n != 12 {
			t.Errorf("%.20q: it has %d lines", in, n)
		}
	}
}

func TestWhatJSONHasNoNumberForIsNull(t *testing.T) {
	for _, v := range []Value{math.NaN(), math.Inf(1), math.Inf(-1), Percent(math.NaN()), nil} {
		if p, err := plain(v); p != nil || err != nil {
			t.Errorf("%v is %v, %v", v, p, err)
		}
	}
	var got bytes.Buffer
	d := workings(t)
	d.Sections = []Section{{Blocks: []Block{&Chart{Key: "c", Kind: Line, Times: []time.Time{{}}, Series: []Series{{Values: []float64{math.NaN()}}}}}}}
	if err := d.WriteJSON(&got, nil, nil); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got.String(), `"values":[null]`) {
		t.Errorf("JSON is %s", got.String())
	}
}
