package document

import (
	"fmt"
	"slices"
	"strings"
)

// A style is how a cell is shown.
type style struct {
	format string // of a number
	kind   kind
	look   look
}

// A look is the font, the colour, the lines and the alignment of a cell.
type look int

const (
	plainLook look = iota
	longLook       // of rows with texts that do not fit into a line
	headLook       // of a table
	totalLook
	titleLook
	sectionLook
	factLook
	neutralLook // of notices
	goodLook
	warnLook
	badLook
)

// looks are what a look is in XML, but for the alignment from left to right. The
// numbers are indexes in styleParts.
var looks = [...]struct {
	font, fill, border int
	wrap               bool
	height             int // of its rows, in points; 0 for that of a line
}{
	plainLook:   {},
	longLook:    {wrap: true},
	headLook:    {font: 1, fill: 2, border: 1, wrap: true},
	totalLook:   {font: 1, border: 2},
	titleLook:   {font: 2, height: 26},
	sectionLook: {font: 3, border: 1, height: 20},
	factLook:    {wrap: true},
	neutralLook: {fill: 2, wrap: true},
	goodLook:    {fill: 3, wrap: true},
	warnLook:    {fill: 4, wrap: true},
	badLook:     {fill: 5, wrap: true},
}

// styleParts are fonts, fills, of which the first two are the same in all
// workbooks, and borders.
const styleParts = `<fonts count="4">` +
	`<font><sz val="11"/><name val="Calibri"/></font>` +
	`<font><b/><sz val="11"/><name val="Calibri"/></font>` +
	`<font><b/><sz val="16"/><name val="Calibri"/></font>` +
	`<font><b/><sz val="12"/><name val="Calibri"/></font></fonts>` +
	`<fills count="6"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>` +
	`<fill><patternFill patternType="solid"><fgColor rgb="FFE7EBEF"/></patternFill></fill>` +
	`<fill><patternFill patternType="solid"><fgColor rgb="FFE2F0E2"/></patternFill></fill>` +
	`<fill><patternFill patternType="solid"><fgColor rgb="FFFFF1CC"/></patternFill></fill>` +
	`<fill><patternFill patternType="solid"><fgColor rgb="FFFBE0DD"/></patternFill></fill></fills>` +
	`<borders count="3"><border/><border><bottom style="thin"/></border><border><top style="thin"/></border></borders>` +
	`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>`

// horizontal keeps a text away from a number at its left, and the heading of
// numbers from the button of the filter.
func (s style) horizontal() string {
	switch {
	case s.kind == isHeading:
		return `horizontal="right" indent="2"`
	case s.kind == isText || s.look == factLook:
		return `horizontal="left" indent="1"`
	}
	return ""
}

// noticeLooks are of notices, by how good their news is.
var noticeLooks = map[Mood]look{Neutral: neutralLook, Good: goodLook, Warn: warnLook, Bad: badLook}

// styles are those that a workbook uses, by the index that cells have. The first
// is the one of cells that were never written.
type styles struct {
	all []style
}

func (s *styles) of(one style) int {
	if s.all == nil {
		s.all = []style{{}}
	}
	if i := slices.Index(s.all, one); i >= 0 {
		return i
	}
	s.all = append(s.all, one)
	return len(s.all) - 1
}

// formatNumbers are the numbers that codes of formats have everywhere; 49 is text.
var formatNumbers = map[string]int{"": 0, countFormat: 3, numberFormat: 4, percentFormat: 10, dayFormat: 14, timeFormat: 22, durationFormat: 46}

func (s *styles) xml() string {
	var formats []string
	var xfs strings.Builder
	for _, one := range s.all {
		id, ok := formatNumbers[one.format]
		if !ok {
			id, formats = 164+len(formats), append(formats, one.format) // where a workbook's own begin
		}
		if one.kind == isText {
			id = 49 // what it holds stays text when it is edited
		}
		l := looks[one.look]
		fmt.Fprintf(&xfs, `<xf numFmtId="%d" fontId="%d" fillId="%d" borderId="%d" xfId="0" applyNumberFormat="1" applyAlignment="1">`+
			`<alignment %s vertical="top" wrapText="%t"/></xf>`, id, l.font, l.fill, l.border, one.horizontal(), l.wrap)
	}
	text := xmlHeader + `<styleSheet xmlns="` + mainNamespace + `">`
	if len(formats) > 0 {
		text += fmt.Sprintf(`<numFmts count="%d">`, len(formats))
		for i, code := range formats {
			text += fmt.Sprintf(`<numFmt numFmtId="%d" formatCode="%s"/>`, 164+i, escaped(code))
		}
		text += `</numFmts>`
	}
	return text + styleParts + fmt.Sprintf(`<cellXfs count="%d">%s</cellXfs>`+
		`<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`, len(s.all), xfs.String())
}
