package document

import (
	"fmt"
	"strings"
	"testing"
)

func TestATableCanBeFilteredAndItsHeadingStays(t *testing.T) {
	f := reread(t, workings(t), maxRows)
	panes, err := f.GetPanes("Folders")
	if err != nil {
		t.Fatal(err)
	}
	if !panes.Freeze || panes.YSplit != 1 || panes.TopLeftCell != "A2" {
		t.Errorf("panes are %+v", panes)
	}
	if panes, _ := f.GetPanes("Summary"); panes.Freeze {
		t.Error("the summary is frozen")
	}
	var names []string
	for _, n := range f.GetDefinedName() {
		names = append(names, n.Scope+" "+n.Name+" "+n.RefersTo)
	}
	want := "Folders _xlnm._FilterDatabase 'Folders'!$A$1:$M$4, Folders _xlnm.Print_Titles 'Folders'!$1:$1"
	if got := strings.Join(names, ", "); !strings.Contains(got, want) || strings.Contains(got, "Summary") {
		t.Errorf("names are %s, want %s", got, want)
	}
	if sheet := part(t, workings(t), "xl/worksheets/sheet3.xml"); !strings.Contains(sheet, `<autoFilter ref="A1:M4"/>`) {
		t.Error("the filter is not that of its name")
	}
	for column, want := range map[string]float64{"A": 9, "C": 17, "F": 19} {
		if got, _ := f.GetColWidth("Folders", column); got != want {
			t.Errorf("column %s is %v wide, want %v", column, got, want)
		}
	}
	if s := format(t, f, "Folders", "A1"); !s.Font.Bold || s.Alignment.Horizontal != "left" {
		t.Errorf("the heading of texts is %+v", s)
	}
	if s := format(t, f, "Folders", "B1"); !s.Font.Bold || s.Alignment.Horizontal != "right" {
		t.Errorf("the heading of numbers is %+v", s)
	}
	if s := format(t, f, "Folders", "B2"); s.Font.Bold || s.Alignment.Horizontal != "" {
		t.Errorf("a number is %+v", s)
	}
}

func TestAColumnIsAsWideAsItsFirstRowsAndItsTotal(t *testing.T) {
	long := strings.Repeat("x", 30)
	first, last := make([]Value, 200), make([]Value, 201)
	for i := range 200 {
		first[i], last[i] = "x", "x"
	}
	first[199], last[200] = long, long
	for _, c := range []struct {
		rows  []Value
		total []Value
		head  string
		want  float64
	}{
		{first, nil, "A", 33},
		{last, nil, "A", 6},
		{last, []Value{long}, "A", 33},
		{nil, []Value{Bytes(1)}, "A (bytes)", 14},
		{nil, nil, "A", 6},
		{[]Value{"üüüüüüüüüü"}, nil, "A", 13},
		{[]Value{"字字字字字字字字字字"}, nil, "A", 23},
	} {
		d := table(t, "Rows", c.rows...)
		d.Sections[0].Blocks[0].(*Table).Total = c.total
		f := reread(t, d, maxRows)
		got, err := f.GetColWidth("Rows", "A")
		if err != nil {
			t.Fatal(err)
		}
		if head := raw(t, f, "Rows")[0][0]; got != c.want || head != c.head {
			t.Errorf("%d rows, total %v: %q is %v wide, want %v", len(c.rows), c.total, head, got, c.want)
		}
	}
}

func TestATextThatIsLongerThanItsColumnHasMoreLines(t *testing.T) {
	d := table(t, "Texts", "short", strings.Repeat("word ", 36), strings.Repeat("word ", 200), strings.Repeat("字", 31), int64(1e17))
	f := reread(t, d, maxRows)
	for row, want := range map[int]float64{2: 15, 3: 60, 4: 90, 5: 30, 6: 15} {
		got, err := f.GetRowHeight("Texts", row)
		if err != nil {
			t.Fatal(err)
		}
		wrapped := format(t, f, "Texts", fmt.Sprint("A", row)).Alignment.WrapText
		if got != want || wrapped != (want > 15) {
			t.Errorf("row %d is %v points high, want %v, and its lines break: %v", row, got, want, wrapped)
		}
	}
	d.Draft, d.Title = strings.Repeat("字", 1000), strings.Repeat("word ", 30)
	f = reread(t, d, maxRows)
	if got, _ := f.GetRowHeight("Summary", 3); got != 409 {
		t.Errorf("a draft without end is %v points high", got)
	}
	if got, _ := f.GetRowHeight("Summary", 1); got != 26 {
		t.Errorf("a title, which has room at its right, is %v points high", got)
	}
}

func TestAWideTableIsPrintedOnSeveralPages(t *testing.T) {
	for columns, want := range map[int]int{3: 1, 4: 2, 10: 4} {
		d := table(t, "Wide")
		wide := &Table{Key: "t", Title: "Wide", Rows: rowsOf()}
		for i := range columns {
			wide.Columns = append(wide.Columns, Column{Key: fmt.Sprint("c", i), Title: strings.Repeat("x", 60)})
		}
		d.Sections[0].Blocks[0] = wide
		layout, err := reread(t, d, maxRows).GetPageLayout("Wide")
		if err != nil {
			t.Fatal(err)
		}
		if *layout.FitToWidth != want || *layout.FitToHeight != 0 || *layout.Orientation != "landscape" {
			t.Errorf("%d columns are on %d by %d pages, %s", columns, *layout.FitToWidth, *layout.FitToHeight, *layout.Orientation)
		}
	}
}

func TestATotalIsApartFromWhatIsFiltered(t *testing.T) {
	f := reread(t, workings(t), maxRows)
	rows := raw(t, f, "Folders")
	if len(rows) != 6 || len(rows[4]) != 0 || rows[5][0] != "Total" || rows[5][1] != "1234567" {
		t.Errorf("rows are %q", rows)
	}
	if s := format(t, f, "Folders", "B6"); !s.Font.Bold || s.NumFmt != 3 || s.Border == nil {
		t.Errorf("the total is %+v", s)
	}
	if s := format(t, f, "Folders", "D6"); s.Border == nil {
		t.Error("its line has a gap")
	}
}

func TestATableThatIsLongerThanASheetGoesOnInAnother(t *testing.T) {
	for _, c := range []struct {
		rows  int
		total bool
		want  string // rows in each sheet, with heading and total
	}{
		{9, false, "10"},
		{10, false, "10 2"},
		{18, false, "10 10"},
		{7, true, "10"},
		{8, true, "9 2"},
		{9, true, "10 2"},
		{25, true, "10 10 10"},
	} {
		rows := make([]Value, c.rows)
		for i := range rows {
			rows[i] = int64(i + 1)
		}
		d := table(t, "Long", rows...)
		if c.total {
			d.Sections[0].Blocks[0].(*Table).Total = []Value{int64(c.rows)}
		}
		f := reread(t, d, 10)
		var got []string
		next := 1
		for _, sheet := range f.GetSheetList()[1:] {
			cells := raw(t, f, sheet)
			got = append(got, fmt.Sprint(len(cells)))
			if cells[0][0] != "A" {
				t.Errorf("%+v: %s begins with %q", c, sheet, cells[0])
			}
			for _, row := range cells[1:] {
				if len(row) == 1 && next <= c.rows && row[0] == fmt.Sprint(next) {
					next++
				}
			}
		}
		if strings.Join(got, " ") != c.want || next != c.rows+1 {
			t.Errorf("%+v: sheets have %q rows, and row %d is missing", c, got, next)
		}
	}
	d := table(t, "Long", make([]Value, 25)...)
	f := reread(t, d, 10)
	if got := fmt.Sprint(f.GetSheetList()); got != "[Summary Long Long 2 Long 3]" {
		t.Errorf("sheets are %s", got)
	}
	summary := raw(t, f, "Summary")
	if got := fmt.Sprint(summary[len(summary)-3:]); got != "[[Long 9] [Long 2 9 Long.] [Long 3 7 Long.]]" {
		t.Errorf("the summary lists %s", got)
	}
	filters := fmt.Sprint(f.GetDefinedName())
	for _, want := range []string{"'Long'!$A$1:$A$10", "'Long 2'!$A$1:$A$10", "'Long 3'!$A$1:$A$8"} {
		if !strings.Contains(filters, want) {
			t.Errorf("filters are %s, want %s", filters, want)
		}
	}
}

func TestNamesOfSheetsAreWhatExcelTakes(t *testing.T) {
	d := workings(t)
	titles := []string{
		"", "'", "a/b\\c[d]e:f*g?h", "'quoted'", " ' x ' ", "Folders", "FOLDERS", "folders", "Summary", "History",
		strings.Repeat("x", 40), strings.Repeat("x", 41), strings.Repeat("🐘", 20), strings.Repeat("x", 30) + "' '", "=1+1", "\u202e\x00", "it's & <b>", "_x0041_x0042_", strings.Repeat("ü", 31),
	}
	want := []string{
		"-", "- 2", "a-b-c-d-e-f-g-h", "quoted", "x", "Folders", "FOLDERS 2", "folders 3", "Summary 2", "History 2",
		strings.Repeat("x", 30) + "…", strings.Repeat("x", 28) + "… 2", strings.Repeat("🐘", 15) + "…", strings.Repeat("x", 30), "=1+1", "<U+202E><U+0000>", "it's & <b>", "-x0041-x0042-", strings.Repeat("ü", 31),
	}
	d.Sections = nil
	for i, title := range titles {
		d.Sections = append(d.Sections, Section{Blocks: []Block{
			&Table{Key: fmt.Sprintf("t%d", i), Title: title, Columns: []Column{{Key: "a", Title: "A"}}, Rows: rowsOf([]Value{"x"})},
		}})
	}
	f := reread(t, d, maxRows)
	got := f.GetSheetList()[1:]
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%q is called %q, want %q", titles[i], got[i], want[i])
		}
	}
	if names := fmt.Sprint(f.GetDefinedName()); !strings.Contains(names, "'it''s & <b>'!$A$1:$A$2") {
		t.Errorf("names are %s", names)
	}
}

func TestColumnsGoOnBehindZ(t *testing.T) {
	for i, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 51: "AZ", 52: "BA", 701: "ZZ", 702: "AAA", 16383: "XFD"} {
		if got := columnName(i); got != want {
			t.Errorf("column %d is %s, want %s", i, got, want)
		}
	}
}
