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
