package document

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// numbers is a table of that many numbered rows.
func numbers(rows int) *Table {
	return &Table{Key: "numbers", Title: "Numbers", Columns: []Column{{Key: "n", Title: "N"}, {Key: "odd", Title: "Odd"}, {Key: "secret", Title: "Secret", Hidden: true}},
		Rows: generated(rows, func(i int) []Value { return []Value{int64(i + 1), i%2 == 0, "hidden words"} })}
}

// only returns a page with these blocks and nothing else.
func only(t *testing.T, blocks ...Block) *html.Node {
	t.Helper()
	return sound(t, pageOf(t, &Document{Language: language(t, "en"), Sections: []Section{{Key: "only", Title: "Only", Blocks: blocks}}}))
}

func TestRowsAreOpenUpToFiftyThenByTheHundred(t *testing.T) {
	for _, c := range []struct {
		rows, most int
		parts      []int
		more       string
	}{
		{1, 0, []int{1}, ""},
		{50, 0, []int{50}, ""},
		{51, 0, []int{50, 1}, ""},
		{150, 0, []int{50, 100}, ""},
		{151, 0, []int{50, 100, 1}, ""},
		{500, 0, []int{50, 100, 100, 100, 100, 50}, ""},
		{501, 0, []int{50, 100, 100, 100, 100, 50}, "One more row is not shown here. The workbook has them in the sheet “Numbers”."},
		{1742, 0, []int{50, 100, 100, 100, 100, 50}, "1,242 more rows are not shown here. The workbook has them in the sheet “Numbers”."},
		{1742, 10, []int{10}, "1,732 more rows are not shown here. The workbook has them in the sheet “Numbers”."},
		{700, 1000, []int{50, 100, 100, 100, 100, 100, 100, 50}, ""},
	} {
		table := numbers(c.rows)
		table.Most = c.most
		root := only(t, table)
		var parts []int
		row := 0
		for i, part := range find(root, "table") {
			rows := find(find(part, "tbody")[0], "tr")
			parts = append(parts, len(rows))
			for _, r := range rows {
				row++
				if got := strings.ReplaceAll(content(find(r, "td")[0]), ",", ""); got != fmt.Sprint(row) {
					t.Errorf("row %d is %s", row, got)
				}
			}
			which := fmt.Sprintf("Rows %d to %d", row-len(rows)+1, row)
			caption := content(find(part, "caption")[0])
			if i == 0 && caption != "Numbers" || i > 0 && caption != "Numbers, "+which {
				t.Errorf("part %d has the caption %s", i, caption)
			}
			if d := part.Parent.Parent; i > 0 && (d.Data != "details" || attribute(d, "open") != "" || content(find(d, "summary")[0]) != which) {
				t.Errorf("part %d is in %s %s", i, d.Data, content(find(d, "summary")[0]))
			} else if i == 0 && d.Data == "details" {
				t.Error("the first rows are closed")
			}
		}
		if fmt.Sprint(parts) != fmt.Sprint(c.parts) {
			t.Errorf("%d rows are in parts of %v", c.rows, parts)
		}
		more := ""
		for _, p := range find(root, "p") {
			if attribute(p, "class") == "more" {
				more = content(p)
			}
		}
		if more != c.more {
			t.Errorf("%d rows: %q", c.rows, more)
		}
	}
}

func TestATableHasItsHeadingNoteAndTotalOnce(t *testing.T) {
	table := numbers(70)
	table.Note, table.Total = "What they are.", []Value{int64(2485), nil, "hidden words"}
	root := only(t, table)
	if got := strings.TrimSpace(content(find(root, "tfoot")[0])); len(find(root, "tfoot")) != 1 || got != "2,485" {
		t.Errorf("the total is %q", got)
	}
	text := content(root)
	if strings.Count(text, "What they are.") != 1 || len(find(root, "h3")) != 1 || content(find(root, "h3")[0]) != "Numbers" {
		t.Errorf("the heading is not there once")
	}
	if strings.Contains(text, "hidden words") || strings.Contains(text, "Secret") {
		t.Error("a hidden column is shown")
	}
}

func TestATableWithoutRowsSaysSoOrIsNotThere(t *testing.T) {
	table := numbers(0)
	if root := only(t, table); strings.Contains(content(root), "Numbers") || len(find(root, "table")) > 0 {
		t.Error("a table without rows is there")
	}
	table.Empty = "There are none."
	if root := only(t, table); !strings.Contains(content(root), "Numbers\nThere are none.") || len(find(root, "table")) > 0 {
		t.Errorf("a table without rows does not say so: %s", content(root))
	}
	table = numbers(5)
	table.Hidden = true
	if root := only(t, table); strings.Contains(content(root), "Numbers") {
		t.Error("a hidden table is there")
	}
}

func TestNumbersStandAtTheRight(t *testing.T) {
	table := &Table{Key: "t", Title: "T", Columns: []Column{{Key: "a", Title: "A"}, {Key: "b", Title: "B"}, {Key: "c", Title: "C"}, {Key: "d", Title: "D"}},
		Rows: generated(2, func(i int) []Value { return []Value{[]Value{nil, int64(1)}[i], "x", nil, nil} }), Total: []Value{nil, nil, int64(3), nil}}
	root := only(t, table)
	for i, want := range []string{"number", "words", "number", ""} {
		for _, row := range find(root, "tr") {
			cells := append(find(row, "th"), find(row, "td")...)
			if got := attribute(cells[i], "class"); got != want {
				t.Errorf("a cell of column %d is %s, want %s", i, got, want)
			}
		}
	}
}

func TestAColumnOfLongTextsHasRoom(t *testing.T) {
	for n, want := range map[int]string{60: "words", 61: "words prose"} {
		table := &Table{Key: "t", Title: "T", Columns: []Column{{Key: "a", Title: "A"}}, Rows: generated(3, func(i int) []Value {
			return []Value{[]Value{"short", strings.Repeat("é", n), int64(1)}[i]}
		})}
		if got := attribute(find(only(t, table), "td")[0], "class"); got != want {
			t.Errorf("a column with a text of %d characters is %s", n, got)
		}
	}
}

func TestATableTooWideForPaperIsMarked(t *testing.T) {
	wide := func(columns int, value Value, title string, hidden bool) bool {
		table := &Table{Key: "t", Title: "T", Rows: generated(1, func(int) []Value { return slices.Repeat([]Value{value}, columns) })}
		for range columns {
			table.Columns = append(table.Columns, Column{Key: "a", Title: title, Hidden: hidden})
		}
		return attribute(find(only(t, table), "table")[0], "class") == "wide"
	}
	for _, c := range []struct {
		columns int
		value   Value
		title   string
		hidden  bool
		want    bool
	}{
		{6, "anna.berg@example.com and more", "A", false, false}, // 18 and 2 of each
		{7, "anna.berg@example.com and more", "A", false, true},
		{20, "anna", "A", false, false},
		{21, "anna", "A", false, true},
		{21, "an n a", "A title", false, true},
		{21, int64(1234), "A", false, true},
		{21, Term{Text: "anna"}, "A", false, true},
		{21, List{"an", "anna"}, "A", false, true},
		{21, "anna", "A", true, false},
	} {
		if got := wide(c.columns, c.value, c.title, c.hidden); got != c.want {
			t.Errorf("%d columns of %v: %t", c.columns, c.value, got)
		}
	}
}

func TestARowMayBeUsedAgainByItsSource(t *testing.T) {
	row := make([]Value, 1)
	table := &Table{Key: "t", Title: "T", Columns: []Column{{Key: "a", Title: "A"}}, Rows: generated(3, func(i int) []Value { row[0] = int64(i); return row })}
	if got := content(find(only(t, table), "tbody")[0]); strings.Join(strings.Fields(got), " ") != "0 1 2" {
		t.Errorf("the rows are %s", got)
	}
}

func TestAPageOfAHundredThousandRowsTakesNoMemory(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const rows = 100_000
	var early, late uint64
	table := numbers(rows)
	table.Most = rows
	table.Rows = generated(rows, func(i int) []Value {
		switch i {
		case 500:
			early = heap()
		case rows - 1:
			late = heap()
		}
		return []Value{int64(i), true, strings.Repeat("x", 100)}
	})
	d := &Document{Language: language(t, "en"), Sections: []Section{{Key: "only", Blocks: []Block{table}}}}
	if err := d.WriteHTML(io.Discard); err != nil {
		t.Fatal(err)
	}
	if late > early+1<<20 {
		t.Errorf("%d octets after 500 rows, %d after %d", early, late, rows)
	}
}
