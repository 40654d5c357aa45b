package document

import (
	"archive/zip"
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate/locale"
)

// maxRows is how many rows a sheet has at most (the specification of Excel).
const maxRows = 1 << 20

// WriteXLSX writes the document as a workbook (ISO/IEC 29500-1, Office Open
// XML). Its first sheet has the figures, the notices and a list of the other
// sheets: one for each table, those that are urgent first, and one for each
// chart. Hidden tables and columns are there too. A table that is longer than a
// sheet goes on in another one.
//
// Values are numbers and dates that can be computed with, in formats that
// follow the settings of the program that shows them. Strings are always text,
// never a formula or a link. Times are in the document's zone.
//
// It is written as it is read. Nothing is kept, as libraries do, in memory or in
// files that a killed program leaves behind. The bytes depend on nothing but the
// document.
func (d *Document) WriteXLSX(w io.Writer) error {
	return d.writeXLSX(w, maxRows)
}

func (d *Document) writeXLSX(w io.Writer, rows int) error {
	words, err := locale.Load(texts, d.Language)
	if err != nil {
		return err
	}
	b := &book{d: d, texts: words, zone: cmp.Or(d.Zone, time.UTC), zip: zip.NewWriter(w), rows: rows, taken: map[string]bool{"history": true}}
	// What looks for the kind of a file finds that of a workbook in the names of
	// its first parts.
	if err := b.part("_rels/.rels", packageRels); err != nil {
		return err
	}
	if err := b.part("docProps/core.xml", fmt.Sprintf(coreProperties,
		escaped(shown(d.Title)), d.Made.UTC().Format(time.RFC3339))); err != nil {
		return err
	}
	b.name(words.Text("xlsx_summary")) // is written last, as it lists the others
	if err := b.tables(); err != nil {
		return err
	}
	if err := b.summary(); err != nil {
		return err
	}
	for _, p := range []struct{ name, text string }{
		{"xl/workbook.xml", b.workbook()},
		{"xl/_rels/workbook.xml.rels", b.rels()},
		{"xl/styles.xml", b.styles.xml()},
		{"[Content_Types].xml", b.types()},
	} {
		if err := b.part(p.name, p.text); err != nil {
			return err
		}
	}
	return b.zip.Close()
}

// A book is a workbook that is being written.
type book struct {
	d      *Document
	texts  locale.Texts
	zone   *time.Location
	zip    *zip.Writer
	rows   int // of a sheet at most
	styles styles
	taken  map[string]bool // names of sheets, in lower case. Excel keeps "History" for itself
	sheets []entry
}

// An entry is one of the book's list of sheets.
type entry struct {
	name   string
	note   string
	rows   int64  // without heading and total
	filter string // the range that can be filtered: $A$1:$C$9; empty for none
}

// tables writes the sheets of the tables and charts.
func (b *book) tables() error {
	var urgent, others []*Table
	for _, s := range b.d.Sections {
		for _, block := range s.Blocks {
			switch block := block.(type) {
			case *Table:
				if block.Urgent {
					urgent = append(urgent, block)
				} else {
					others = append(others, block)
				}
			case *Chart:
				if err := block.check(); err != nil {
					return err
				}
				others = append(others, block.table(b.texts))
			}
		}
	}
	for _, t := range append(urgent, others...) {
		if err := b.table(t); err != nil {
			return err
		}
	}
	return nil
}

// name lists a sheet under a name that no other has, and returns its index.
func (b *book) name(title string) int {
	name := sheetName(title, "")
	for n := 2; b.taken[strings.ToLower(name)]; n++ {
		name = sheetName(title, fmt.Sprintf(" %d", n))
	}
	b.taken[strings.ToLower(name)] = true
	b.sheets = append(b.sheets, entry{name: name})
	return len(b.sheets) - 1
}

// sheetName makes of a title what Excel takes as the name of a sheet: at most 31
// characters in UTF-16, none of which is one of []:*?/\, and no apostrophe at
// either end. Without underscores it has no _x0041_ either.
func sheetName(title, suffix string) string {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`[]:*?/\_`, r) {
			return '-'
		}
		return r
	}, shown(title))
	name = strings.Trim(name, "' ")
	if room := 31 - len(suffix); cut(name, room) != name {
		name = cut(name, room-1) + "…"
	}
	if name == "" {
		name = "-"
	}
	return name + suffix
}

// part writes a part of the package.
func (b *book) part(name, text string) error {
	w, err := b.zip.Create(name)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	return err
}

func (b *book) workbook() string {
	var sheets, names strings.Builder
	for i, s := range b.sheets {
		fmt.Fprintf(&sheets, `<sheet name="%s" sheetId="%d" r:id="rId%[2]d"/>`, escaped(s.name), i+1)
		if s.filter == "" {
			continue
		}
		quoted := escaped("'" + strings.ReplaceAll(s.name, "'", "''") + "'")
		fmt.Fprintf(&names, `<definedName name="_xlnm._FilterDatabase" localSheetId="%d" hidden="1">%s!%s</definedName>`, i, quoted, s.filter)
		fmt.Fprintf(&names, `<definedName name="_xlnm.Print_Titles" localSheetId="%d">%s!$1:$1</definedName>`, i, quoted)
	}
	text := xmlHeader + `<workbook xmlns="` + mainNamespace + `" xmlns:r="` + relsNamespace + `">` +
		`<bookViews><workbookView/></bookViews><sheets>` + sheets.String() + `</sheets>`
	if names.Len() > 0 {
		text += `<definedNames>` + names.String() + `</definedNames>`
	}
	return text + `</workbook>`
}

func (b *book) rels() string {
	var rels strings.Builder
	for i := range b.sheets {
		fmt.Fprintf(&rels, `<Relationship Id="rId%d" Type="%s/worksheet" Target="worksheets/sheet%[1]d.xml"/>`, i+1, relsNamespace)
	}
	fmt.Fprintf(&rels, `<Relationship Id="rId%d" Type="%s/styles" Target="styles.xml"/>`, len(b.sheets)+1, relsNamespace)
	return xmlHeader + `<Relationships xmlns="` + packageNamespace + `/relationships">` + rels.String() + `</Relationships>`
}

func (b *book) types() string {
	var sheets strings.Builder
	for i := range b.sheets {
		fmt.Fprintf(&sheets, `<Override PartName="/xl/worksheets/sheet%d.xml" ContentType="%s.worksheet+xml"/>`, i+1, mainType)
	}
	return xmlHeader + `<Types xmlns="` + packageNamespace + `/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Default Extension="xml" ContentType="application/xml"/>` +
		`<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="` + mainType + `.sheet.main+xml"/>` +
		`<Override PartName="/xl/styles.xml" ContentType="` + mainType + `.styles+xml"/>` + sheets.String() + `</Types>`
}

const (
	xmlHeader        = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	mainNamespace    = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	relsNamespace    = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	packageNamespace = "http://schemas.openxmlformats.org/package/2006"
	mainType         = "application/vnd.openxmlformats-officedocument.spreadsheetml"

	packageRels = xmlHeader + `<Relationships xmlns="` + packageNamespace + `/relationships">` +
		`<Relationship Id="rId1" Type="` + relsNamespace + `/officeDocument" Target="xl/workbook.xml"/>` +
		`<Relationship Id="rId2" Type="` + packageNamespace + `/relationships/metadata/core-properties" Target="docProps/core.xml"/>` +
		`</Relationships>`

	coreProperties = xmlHeader + `<cp:coreProperties xmlns:cp="` + packageNamespace + `/metadata/core-properties"` +
		` xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"` +
		` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>%s</dc:title><dc:creator>mailhaul</dc:creator>` +
		`<dcterms:created xsi:type="dcterms:W3CDTF">%s</dcterms:created></cp:coreProperties>`
)
