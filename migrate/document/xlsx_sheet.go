package document

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
)

// pageWidth is how many digits are side by side on a page that can be read.
const pageWidth = 200

// A sheet is one of a workbook that is being written, row by row.
type sheet struct {
	b      *book
	w      *bufio.Writer
	index  int      // in the book's list
	next   int      // row, from 1
	names  []string // of columns: "A"
	widths []int    // of columns, in digits
}

// open begins the sheet with that index, whose columns are that wide. With
// heading its first row stays in sight.
func (b *book) open(index int, widths []int, heading bool) (*sheet, error) {
	w, err := b.zip.Create(fmt.Sprintf("xl/worksheets/sheet%d.xml", index+1))
	if err != nil {
		return nil, err
	}
	s := &sheet{b: b, w: bufio.NewWriterSize(w, 64<<10), index: index, next: 1, widths: widths}
	s.w.WriteString(xmlHeader + `<worksheet xmlns="` + mainNamespace + `"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>` +
		`<sheetViews><sheetView workbookViewId="0"`)
	if heading {
		s.w.WriteString(`><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView>`)
	} else {
		s.w.WriteString(` showGridLines="0" tabSelected="1"/>`)
	}
	s.w.WriteString(`</sheetViews><sheetFormatPr defaultRowHeight="15"/><cols>`)
	for i, width := range widths {
		s.names = append(s.names, columnName(i))
		fmt.Fprintf(s.w, `<col min="%d" max="%[1]d" width="%d" customWidth="1"/>`, i+1, width)
	}
	_, err = s.w.WriteString(`</cols><sheetData>`)
	return s, err
}

// row writes cells, all with the same look.
func (s *sheet) row(look look, cells ...cell) error {
	lines := s.lines(cells)
	if look == plainLook && lines > 1 {
		look, lines = longLook, min(lines, 6) // enough for sentences
	}
	height := looks[look].height
	if looks[look].wrap && lines > 1 { // not all programs find that out by themselves
		height = min(15*lines, 409) // more is not allowed
	}
	n := strconv.Itoa(s.next)
	s.next++
	s.w.WriteString(`<row r="` + n)
	if height > 0 {
		fmt.Fprintf(s.w, `" ht="%d" customHeight="1`, height)
	}
	s.w.WriteString(`">`)
	for i, c := range cells {
		if c.kind == isEmpty && look == plainLook {
			continue
		}
		s.w.WriteString(`<c r="`)
		s.w.WriteString(s.names[i])
		s.w.WriteString(n)
		s.w.WriteString(`" s="`)
		s.w.WriteString(strconv.Itoa(s.b.styles.of(style{c.format, c.kind, look})))
		switch c.kind {
		case isEmpty:
			s.w.WriteString(`"/>`)
		case isText, isHeading:
			s.w.WriteString(`" t="inlineStr"><is><t xml:space="preserve">`)
			s.w.WriteString(escaped(c.text))
			s.w.WriteString(`</t></is></c>`)
		case isNumber:
			s.w.WriteString(`"><v>` + c.text + `</v></c>`)
		}
	}
	_, err := s.w.WriteString(`</row>`)
	return err
}

// lines is how many a row takes.
func (s *sheet) lines(cells []cell) int {
	lines := 1
	for i, c := range cells {
		if len(c.text) > s.widths[i] { // no character is wider than it has octets
			lines = max(lines, 1+c.width()*11/10/s.widths[i]) // words leave room at the ends of lines
		}
	}
	return lines
}

// close ends the sheet, of whose rows the first, and as many as are given, can
// be filtered.
func (s *sheet) close(rows int) error {
	s.w.WriteString(`</sheetData>`)
	if e := &s.b.sheets[s.index]; s.index > 0 {
		last := s.names[len(s.names)-1]
		fmt.Fprintf(s.w, `<autoFilter ref="A1:%s%d"/>`, last, rows+1)
		e.rows, e.filter = int64(rows), fmt.Sprintf("$A$1:$%s$%d", last, rows+1)
	}
	total := 0
	for _, w := range s.widths {
		total += w
	}
	fmt.Fprintf(s.w, `<pageSetup orientation="landscape" fitToWidth="%d" fitToHeight="0"/><headerFooter>`, 1+total/pageWidth)
	if s.b.d.Draft != "" {
		fmt.Fprintf(s.w, `<oddHeader>%s</oddHeader>`, inMargin(s.b.texts.Text("draft")+": "+s.b.d.Draft))
	}
	fmt.Fprintf(s.w, `<oddFooter>%s&amp;R&amp;P / &amp;N</oddFooter></headerFooter></worksheet>`, inMargin(s.b.d.Title))
	return s.w.Flush()
}

// inMargin is a text at the left of a header or footer, which has 255
// characters in all, and where & begins a command.
func inMargin(s string) string {
	return escaped("&L" + strings.ReplaceAll(cut(shown(s), 100), "&", "&&"))
}

// columnName is A for 0, and AA for 26.
func columnName(i int) string {
	name := string(rune('A' + i%26))
	if i < 26 {
		return name
	}
	return columnName(i/26-1) + name
}
