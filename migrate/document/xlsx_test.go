package document

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// reread opens the workbook of d, in sheets of at most that many rows.
func reread(t *testing.T, d *Document, rows int) *excelize.File {
	t.Helper()
	var b bytes.Buffer
	if err := d.writeXLSX(&b, rows); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// part returns a part of the workbook of d.
func part(t *testing.T, d *Document, name string) string {
	t.Helper()
	var b bytes.Buffer
	if err := d.WriteXLSX(&b); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	text, err := fs.ReadFile(z, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// raw returns the cells of a sheet, numbers without their formats.
func raw(t *testing.T, f *excelize.File, sheet string) [][]string {
	t.Helper()
	rows, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// format is the style of a cell.
func format(t *testing.T, f *excelize.File, sheet, cell string) *excelize.Style {
	t.Helper()
	id, err := f.GetCellStyle(sheet, cell)
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.GetStyle(id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// table is a document of nothing but a table of one column.
func table(t *testing.T, title string, rows ...Value) *Document {
	d := workings(t)
	many := make([][]Value, len(rows))
	for i, v := range rows {
		many[i] = []Value{v}
	}
	d.Sections = []Section{{Key: "section", Title: "Section", Blocks: []Block{
		&Table{Key: "t", Title: title, Columns: []Column{{Key: "a", Title: "A"}}, Rows: rowsOf(many...)},
	}}}
	return d
}

func TestAWorkbookBeginsWithWhatNeedsAPerson(t *testing.T) {
	f := reread(t, workings(t), maxRows)
	if got, want := f.GetSheetList(), []string{"Summary", "Exceptions", "Folders", "Speed", "Waves", "Raw"}; !slices.Equal(got, want) {
		t.Errorf("its sheets are %q, want %q", got, want)
	}
	if f.GetActiveSheetIndex() != 0 || !strings.Contains(part(t, workings(t), "xl/worksheets/sheet1.xml"), `tabSelected="1"`) {
		t.Error("it does not open with the first")
	}
}

func TestTheFirstSheetHasFiguresNoticesAndSheets(t *testing.T) {
	f := reread(t, workings(t), maxRows)
	var got strings.Builder
	rows, err := f.GetRows("Summary")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		got.WriteString(strings.TrimRight(strings.Join(row, " | "), " |") + "\n")
	}
	golden(t, "summary.txt", got.String())
	for cell, colour := range map[string]string{"A3": "FBE0DD", "C3": "FBE0DD", "B8": "FBE0DD", "B9": "E7EBEF"} {
		id, err := f.GetCellStyle("Summary", cell)
		if err != nil {
			t.Fatal(err)
		}
		fill := f.Styles.Fills.Fill[*f.Styles.CellXfs.Xf[id].FillID]
		if got := fill.PatternFill.FgColor.RGB; got != "FF"+colour {
			t.Errorf("%s has the colour %q, want %s", cell, got, colour)
		}
	}
	if s := format(t, f, "Summary", "B10"); s.Alignment.Horizontal != "left" {
		t.Errorf("a figure is %+v", s.Alignment)
	}
	if s := format(t, f, "Summary", "Z99"); s.Font.Bold || s.NumFmt != 0 {
		t.Errorf("a cell that was never written is %+v", s)
	}
	if h, _ := f.GetRowHeight("Summary", 8); h < 45 {
		t.Errorf("a notice of three lines is %v points high", h)
	}
}

func TestWhatADocumentLacksTakesNoRow(t *testing.T) {
	d := table(t, "Rows")
	d.Subtitle, d.Draft = "", ""
	if rows := raw(t, reread(t, d, maxRows), "Summary"); rows[1][0] != "Made" || rows[4][0] != "Sheet" {
		t.Errorf("rows are %q", rows)
	}
}

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

func TestValuesHaveFormatsThatFollowTheProgram(t *testing.T) {
	for _, tag := range []string{"en", "de"} {
		d := workings(t)
		d.Language = language(t, tag)
		f := reread(t, d, maxRows)
		euro := map[string]string{"en": `[$EUR] #,##0.00`, "de": `#,##0.00 [$EUR]`}[tag]
		yen := map[string]string{"en": `[$JPY] #,##0`, "de": `#,##0 [$JPY]`}[tag]
		for _, c := range []struct {
			cell, value string
			known       int
			own         string
		}{
			{"A2", "INBOX", 49, ""},
			{"B2", "1234567", 3, ""},
			{"C2", "98765432109", 3, ""},
			{"D2", "12.5", 4, ""},
			{"E2", "0.125", 10, ""},
			{"F2", "46349.021006944444", 22, ""},
			{"G2", "46348", 14, ""},
			{"H2", "1.0855208333333333", 46, ""},
			{"I2", "1234.56", -1, euro},
			{"J2", "5000", -1, yen},
			{"K2", "complete", 49, ""},
			{"L2", "a; b, c", 49, ""},
			{"M2", map[string]string{"en": "yes", "de": "ja"}[tag], 49, ""},
		} {
			value, err := f.GetCellValue("Folders", c.cell, excelize.Options{RawCellValue: true})
			if err != nil {
				t.Fatal(err)
			}
			s, own := format(t, f, "Folders", c.cell), ""
			if s.CustomNumFmt != nil {
				own = *s.CustomNumFmt
			}
			if value != c.value || own != c.own || c.own == "" && s.NumFmt != c.known {
				t.Errorf("%s: %s is %q in format %d %q, want %q in %d %q", tag, c.cell, value, s.NumFmt, own, c.value, c.known, c.own)
			}
		}
		want := map[string]string{"en": "Size (bytes)", "de": "Size (Byte)"}[tag]
		if heads := raw(t, f, "Folders")[0]; heads[2] != want || heads[7] != "Took (h:mm:ss)" {
			t.Errorf("%s: headings are %q", tag, heads)
		}
	}
}

func TestATimeThatASheetCannotHaveIsAText(t *testing.T) {
	d := table(t, "Times",
		time.Date(1900, 2, 28, 22, 59, 59, 0, time.UTC), // in Berlin it is still February
		time.Date(1900, 2, 28, 23, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 22, 59, 59, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 0, 0, 0, time.UTC),
		time.Time{},
		Date(time.Date(1900, 2, 28, 12, 0, 0, 0, time.UTC)),
		Date(time.Date(1900, 3, 1, 12, 0, 0, 0, time.UTC)),
	)
	var got []string
	for _, row := range raw(t, reread(t, d, maxRows), "Times") {
		got = append(got, row...)
	}
	want := []string{"A", "1900-02-28 23:59:59", "61", "2958465.999988426", "10000-01-01 00:00:00", "0001-01-01 01:00:00", "1900-02-28", "61"}
	if !slices.Equal(got, want) {
		t.Errorf("times are %q, want %q", got, want)
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

func TestAWorkbookWithoutTablesHasNoNames(t *testing.T) {
	d := workings(t)
	d.Sections = d.Sections[:1]
	d.Zone = nil
	f := reread(t, d, maxRows)
	if f.WorkBook.DefinedNames != nil || len(f.GetSheetList()) != 1 {
		t.Errorf("its sheets are %q, and names %+v", f.GetSheetList(), f.WorkBook.DefinedNames)
	}
	if zone, _ := f.GetCellValue("Summary", "B5"); zone != "UTC" {
		t.Errorf("its times are of the zone %q", zone)
	}
}

func TestAWorkbookSaysWhoseItIsAndNoMore(t *testing.T) {
	f := reread(t, workings(t), maxRows)
	p, err := f.GetDocProps()
	if err != nil {
		t.Fatal(err)
	}
	if want := (excelize.DocProperties{Title: "Report & more", Creator: "mailhaul", Created: "2026-11-22T23:30:15Z"}); *p != want {
		t.Errorf("properties are %+v", p)
	}
}

func TestEachPrintedPageSaysThatItIsADraft(t *testing.T) {
	d := table(t, "Rows", "x")
	d.Title, d.Draft = "A & B", strings.Repeat("&", 1000)
	f := reread(t, d, maxRows)
	for _, sheet := range f.GetSheetList() {
		h, err := f.GetHeaderFooter(sheet)
		if err != nil {
			t.Fatal(err)
		}
		if h.OddHeader != "&LDraft: "+strings.Repeat("&&", 93) || h.OddFooter != "&LA && B&R&P / &N" {
			t.Errorf("%s: %q, %q", sheet, h.OddHeader, h.OddFooter)
		}
	}
	d.Draft = ""
	if h, _ := reread(t, d, maxRows).GetHeaderFooter("Rows"); h.OddHeader != "" {
		t.Errorf("no draft, and the header is %q", h.OddHeader)
	}
}

func TestAWorkbookIsTheSameEachTime(t *testing.T) {
	var first, second bytes.Buffer
	for _, w := range []io.Writer{&first, &second} {
		if err := workings(t).WriteXLSX(w); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("it is not")
	}
}

func TestWhatStopsAWorkbookIsReturned(t *testing.T) {
	broken := errors.New("broken")
	var whole bytes.Buffer
	if err := workings(t).WriteXLSX(&whole); err != nil {
		t.Fatal(err)
	}
	for room := 0; room < whole.Len(); room += 100 {
		if err := workings(t).WriteXLSX(&failing{broken, room}); !errors.Is(err, broken) {
			t.Fatalf("of a writer with room for %d octets: %v", room, err)
		}
	}
	for after := range 250 { // in the sample of rows, and behind it
		d := table(t, "Rows")
		d.Sections[0].Blocks[0].(*Table).Rows = func(yield func([]Value, error) bool) {
			for range after {
				if !yield([]Value{"x"}, nil) {
					return
				}
			}
			yield(nil, broken)
		}
		if err := d.WriteXLSX(io.Discard); !errors.Is(err, broken) {
			t.Fatalf("of rows, after %d: %v", after, err)
		}
	}
	for want, v := range map[string]Value{
		"document: t: a: a value cannot be a int":            7,
		`document: t: a: a currency cannot be "E]1"`:         Money{1, "E]1"},
		"document: t: a: a value cannot be a *time.Location": time.UTC,
	} {
		if err := table(t, "Rows", v).WriteXLSX(io.Discard); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		d := table(t, "Rows")
		d.Sections[0].Blocks = []Block{Figures{Key: "t", Facts: []Fact{{Key: "a", Value: v}}}}
		if err := d.WriteXLSX(io.Discard); err == nil || err.Error() != want {
			t.Errorf("of a fact: %v, want %s", err, want)
		}
		d = table(t, "Rows")
		d.Sections[0].Blocks[0].(*Table).Total = []Value{v}
		if err := d.WriteXLSX(io.Discard); err == nil || err.Error() != want {
			t.Errorf("of a total: %v, want %s", err, want)
		}
	}
	d := table(t, "Rows")
	d.Sections[0].Blocks[0].(*Table).Rows = rowsOf([]Value{"a", "b"})
	if err := d.WriteXLSX(io.Discard); err == nil {
		t.Error("a row has more values than there are columns")
	}
	d.Sections[0].Blocks = []Block{&Table{Key: "t", Rows: rowsOf()}}
	if err := d.WriteXLSX(io.Discard); err == nil || !strings.Contains(err.Error(), "without columns") {
		t.Errorf("of a table without columns: %v", err)
	}
	d.Sections[0].Blocks = []Block{&Chart{Key: "c", Kind: Gantt, Spans: []Span{{Row: 1}}}}
	if err := d.WriteXLSX(io.Discard); err == nil {
		t.Error("a chart has a span in no row")
	}
}

func TestWhatASheetHasNoNumberForIsEmpty(t *testing.T) {
	d := table(t, "Rows", math.NaN(), math.Inf(-1), Percent(math.Inf(1)), nil, "", List{}, 1.5)
	f := reread(t, d, maxRows)
	rows := raw(t, f, "Rows")
	if got := fmt.Sprint(rows); got != "[[A] [] [] [] [] [] [] [1.5]]" {
		t.Errorf("rows are %s", got)
	}
	for row := 2; row < 8; row++ {
		if kind, err := f.GetCellType("Rows", fmt.Sprint("A", row)); kind != excelize.CellTypeUnset || err != nil {
			t.Errorf("row %d has a cell of type %d, %v", row, kind, err)
		}
	}
}

func TestColumnsGoOnBehindZ(t *testing.T) {
	for i, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 51: "AZ", 52: "BA", 701: "ZZ", 702: "AAA", 16383: "XFD"} {
		if got := columnName(i); got != want {
			t.Errorf("column %d is %s, want %s", i, got, want)
		}
	}
}
