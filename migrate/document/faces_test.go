package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/net/html"
)

// agree compares each cell and each fact of the three faces of d. Sheets have at
// most that many rows.
func agree(t *testing.T, d *Document, rows int) {
	t.Helper()
	var b bytes.Buffer
	if err := d.WriteJSON(&b, nil, nil); err != nil {
		t.Fatal(err)
	}
	var data map[string]json.RawMessage
	if err := json.Unmarshal(b.Bytes(), &data); err != nil {
		t.Fatal(err)
	}
	f := &faces{t: t, d: d, data: data, page: rowsOfPage(t, pageOf(t, d)), book: reread(t, d, rows)}
	f.names = f.book.GetSheetList()[1:]
	f.facts()
	var urgent, others []*Table
	for _, s := range d.Sections {
		for _, b := range s.Blocks {
			switch b := b.(type) {
			case *Table:
				if b.Urgent {
					urgent = append(urgent, b)
				} else {
					others = append(others, b)
				}
			case *Chart:
				others = append(others, nil)
			}
		}
	}
	for _, table := range append(urgent, others...) {
		if table == nil { // a chart
			f.names = f.names[1:]
			continue
		}
		f.table(table)
	}
	if len(f.names) > 0 {
		t.Errorf("there are more sheets: %q", f.names)
	}
	if f.compared == 0 {
		t.Error("nothing was compared")
	}
}

// faces are what was read back of a document.
type faces struct {
	t        *testing.T
	d        *Document
	data     map[string]json.RawMessage
	page     map[string][][]string // by title
	book     *excelize.File
	names    []string // of sheets that were not compared yet
	compared int
}

func (f *faces) facts() {
	summary := raw(f.t, f.book, "Summary")
	for _, s := range f.d.Sections {
		for _, b := range s.Blocks {
			figures, ok := b.(Figures)
			if !ok {
				continue
			}
			var data map[string]any
			f.decode(figures.Key, &data)
			if len(data) != len(figures.Facts) {
				f.t.Errorf("%s has %d facts in JSON", figures.Key, len(data))
			}
			for _, fact := range figures.Facts {
				found := false
				for _, row := range summary {
					if len(row) > 0 && strings.HasPrefix(row[0], fact.Label) {
						found = true
						f.same(figures.Key+"."+fact.Key, fact.Value, data[fact.Key], column(row, 1))
					}
				}
				if !found {
					f.t.Errorf("%s.%s is not in the summary", figures.Key, fact.Key)
				}
			}
		}
	}
}

func (f *faces) table(table *Table) {
	var data []map[string]any
	f.decode(table.Key, &data)
	var sheet [][]string
	n := 0
	for row, err := range table.Rows {
		if err != nil {
			f.t.Fatal(err)
		}
		if len(sheet) == 0 {
			sheet = raw(f.t, f.book, f.names[0])[1:]
			f.names = f.names[1:]
		}
		if n >= len(data) {
			f.t.Fatalf("%s has %d rows in JSON", table.Key, len(data))
		}
		var page []string
		if rows := f.page[table.Title]; n < len(rows) {
			page = rows[n]
		}
		for i, c := range table.Columns {
			where := fmt.Sprintf("%s, row %d, %s", table.Key, n, c.Key)
			f.same(where, row[i], data[n][c.Key], column(sheet[0], i))
			if !table.Hidden && !c.Hidden && n < defaultMost {
				if len(page) == 0 {
					f.t.Fatalf("%s is not on the page", where)
				}
				f.shows(where, row[i], data[n][c.Key], page[0])
				page = page[1:]
			}
		}
		if len(data[n]) != len(table.Columns) {
			f.t.Errorf("%s has %d columns in JSON", table.Key, len(data[n]))
		}
		sheet = sheet[1:]
		n++
	}
	if n == 0 {
		f.names = f.names[1:]
	}
	if n != len(data) {
		f.t.Errorf("%s has %d rows in JSON, and not %d", table.Key, len(data), n)
	}
}

func (f *faces) decode(key string, v any) {
	if err := json.Unmarshal(f.data[key], v); err != nil {
		f.t.Fatalf("%s: %v", key, err)
	}
}

// column is empty for cells at the end of a row that are.
func column(row []string, i int) string {
	if i < len(row) {
		return row[i]
	}
	return ""
}

// same says whether a cell of a sheet is what JSON has. Of the value it takes no
// more than its kind, and the words of a term.
func (f *faces) same(where string, v Value, data any, cell string) {
	f.t.Helper()
	f.compared++
	var want any = cell
	number, _ := strconv.ParseFloat(cell, 64)
	serial := func(layout string) string {
		at := time.Date(1899, 12, 30, 0, 0, 0, 0, f.d.Zone).Add(time.Duration(math.Round(number*86400)) * time.Second)
		if layout == time.RFC3339 {
			at = at.UTC()
		}
		return at.Format(layout)
	}
	switch v := v.(type) {
	case nil:
		want, data = cell == "", data == nil
	case string:
		data = shown(data.(string))
	case bool:
		want = cell == "yes"
	case int64, Bytes, float64, Percent:
		want = number
	case time.Time:
		want = serial(time.RFC3339)
	case Date:
		want = serial(time.DateOnly)
	case time.Duration:
		want, data = math.Round(number*86400), math.Round(data.(float64))
	case Money:
		m := data.(map[string]any)
		decimals := map[any]float64{"EUR": 100, "JPY": 1}[m["currency"]]
		want, data = math.Round(number*decimals), m["minor"]
	case Term:
		want, data = cell == v.Text, data == v.Key
	case List:
		var items []string
		for _, s := range data.([]any) {
			items = append(items, s.(string))
		}
		data = shown(strings.Join(items, "; "))
	}
	if data != want {
		f.t.Errorf("%s: JSON has %v and the workbook %v", where, data, want)
	}
}

// shows says whether the page shows what JSON has.
func (f *faces) shows(where string, v Value, data any, cell string) {
	f.t.Helper()
	f.compared++
	l, want := f.d.Language, ""
	switch v := v.(type) {
	case string:
		want = shown(data.(string))
	case bool:
		want = map[any]string{true: "yes", false: "no"}[data]
	case int64:
		want = l.Count(int64(data.(float64)))
	case Bytes:
		want = l.Bytes(int64(data.(float64)))
	case float64:
		want = l.Number(data.(float64))
	case Percent:
		want = l.Percent(data.(float64))
	case time.Time:
		at, err := time.Parse(time.RFC3339, data.(string))
		if err != nil {
			f.t.Fatal(err)
		}
		want = l.Time(at.In(f.d.Zone))
	case Date:
		at, err := time.Parse(time.DateOnly, data.(string))
		if err != nil {
			f.t.Fatal(err)
		}
		want = l.Date(at)
	case time.Duration:
		want = l.Duration(time.Duration(data.(float64) * float64(time.Second)))
	case Money:
		m := data.(map[string]any)
		want = l.Money(int64(m["minor"].(float64)), m["currency"].(string))
	case Term:
		cell, want = strconv.FormatBool(strings.HasSuffix(cell, v.Text)), "true"
	case List:
		var items []string
		for _, s := range data.([]any) {
			items = append(items, shown(s.(string)))
		}
		want = strings.Join(items, ", ")
	}
	if cell != want {
		f.t.Errorf("%s: the page has %q, and it is %q by JSON", where, cell, want)
	}
}

// rowsOfPage returns the cells of all tables of a page, by the tables' titles.
func rowsOfPage(t *testing.T, page string) map[string][][]string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string][][]string{}
	title, body := "", false
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "caption":
			title, _, _ = strings.Cut(words(n), ", Rows ")
		case "thead", "tfoot":
			body = false
		case "tbody":
			body = true
		case "tr":
			if body {
				tables[title] = append(tables[title], nil)
			}
		case "td", "th":
			if body {
				last := len(tables[title]) - 1
				tables[title][last] = append(tables[title][last], words(n))
			}
		}
	}
	return tables
}

func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func TestTheThreeFacesAgree(t *testing.T) {
	agree(t, workings(t), maxRows)
	agree(t, sample(t, "en", 120), 100)
}

func TestTheThreeFacesOfLongTablesAgree(t *testing.T) {
	d := workings(t)
	d.Sections[1].Blocks = []Block{messages("one", 1234)}
	d.Sections[2].Blocks = []Block{messages("two", 999)}
	d.Sections[1].Blocks[0].(*Table).Title = "One"
	agree(t, d, 500)
}

func TestTheThreeFacesOfHostileTextsAgree(t *testing.T) {
	d := table(t, "Texts")
	rows := make([][]Value, len(hostile))
	for i, s := range hostile {
		rows[i] = []Value{s}
	}
	d.Sections[0].Blocks[0].(*Table).Rows = rowsOf(rows...)
	agree(t, d, maxRows)
}
