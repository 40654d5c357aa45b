package document

import (
	"fmt"
	"slices"
)

// The rows of a table that are open, those of each part that can be opened, and
// those on the page if the table does not say.
const (
	openRows    = 50
	partRows    = 100
	defaultMost = 500
)

// onSheet is how many characters stand side by side on paper, more or less.
const onSheet = 120

// table writes a table in parts, as it reads it. To have a part in memory and
// no more is what lets a table be of any length.
func (p *page) table(t *Table) error {
	if t.Hidden {
		return nil
	}
	return p.parts(t, t.Title, func() {
		p.put("<h3>%s</h3>\n", t.Title)
		if t.Note != "" {
			p.put("<p class=\"note\">%s</p>\n", paragraph(t.Note))
		}
	})
}

// parts writes the rows of a table after its heading. Without rows it writes
// what the table says then, or nothing at all.
func (p *page) parts(t *Table, caption string, heading func()) error {
	limit := t.Most
	if limit == 0 {
		limit = defaultMost
	}
	var part [][]Value
	n, written := 0, 0
	write := func() error {
		if written == 0 {
			heading()
		}
		from := written + 1
		written += len(part)
		err := p.part(t, part, caption, from)
		part = part[:0]
		return err
	}
	for row, err := range t.Rows {
		if err != nil {
			return err
		}
		if err := t.fits(row); err != nil {
			return err
		}
		if n++; n > limit {
			continue // only counted
		}
		part = append(part, slices.Clone(row))
		if len(part) == openRows && written == 0 || len(part) == partRows {
			if err := write(); err != nil {
				return err
			}
		}
	}
	switch {
	case n == 0 && t.Empty == "":
		return nil
	case n == 0:
		heading()
		p.put("<p class=\"empty\">%s</p>\n", t.Empty)
		return nil
	case len(part) > 0:
		if err := write(); err != nil {
			return err
		}
	}
	if n > limit {
		p.put("<p class=\"more\">%s %s</p>\n", p.text("more", "n", n-limit), p.text("workbook", "sheet", sheetName(t.Title, "")))
	}
	return nil
}

// part writes rows of a table as one of its own, which scrolls by itself. All
// but the first part of a table are closed; the total is in the first.
func (p *page) part(t *Table, rows [][]Value, caption string, from int) error {
	first := from == 1
	cells, err := p.cells(t, rows)
	if err != nil {
		return err
	}
	var total [][]inline
	if first && t.Total != nil {
		if err := t.fits(t.Total); err != nil {
			return err
		}
		if total, err = p.cells(t, [][]Value{t.Total}); err != nil {
			return err
		}
	}
	kinds, class := t.layout(append(cells, total...))

	id := p.id()
	if !first {
		which := p.text("rows", "from", from, "to", from+len(rows)-1)
		caption += ", " + which
		p.put("<details>\n<summary>%s</summary>\n", which)
	}
	p.put("<div class=\"region\" role=\"region\" tabindex=\"0\" aria-labelledby=\"%s\">\n<table%s>\n", id, class)
	p.put("<caption id=\"%s\"><span class=\"hidden\">%s</span></caption>\n<thead><tr>", id, caption)
	for i, c := range t.Columns {
		if !c.Hidden {
			p.put("<th scope=\"col\" class=\"%s\">%s</th>", kinds[i], c.Title)
		}
	}
	p.put("</tr></thead>\n<tbody>\n")
	p.rows(t, cells, kinds)
	p.put("</tbody>\n")
	if total != nil {
		p.put("<tfoot>\n")
		p.rows(t, total, kinds)
		p.put("</tfoot>\n")
	}
	p.put("</table>\n</div>\n")
	if !first {
		p.put("</details>\n")
	}
	return nil
}

// cells returns the rows as the page shows them.
func (p *page) cells(t *Table, rows [][]Value) ([][]inline, error) {
	cells := make([][]inline, len(rows))
	for i, row := range rows {
		cells[i] = make([]inline, len(row))
		for j, v := range row {
			var err error
			if cells[i][j], err = p.inline(v); err != nil {
				return nil, fmt.Errorf("document: %s: %s: %w", t.Key, t.Columns[j].Key, err)
			}
		}
	}
	return cells, nil
}

// layout returns the kind of each column, which is that of its first value or of
// a later one that needs more room, and the class of a table that is too wide for
// paper.
func (t *Table) layout(rows [][]inline) (kinds []markup, class markup) {
	kinds = make([]markup, len(t.Columns))
	sum := 0
	for i, column := range t.Columns {
		width := unbroken(column.Title)
		for _, row := range rows {
			if c := row[i]; kinds[i] == "" || kinds[i] == textColumn && c.kind == proseColumn {
				kinds[i] = c.kind
			}
			width = max(width, row[i].width)
		}
		if !column.Hidden {
			sum += width + 2 // for what is between columns
		}
	}
	if sum > onSheet {
		class = ` class="wide"`
	}
	return kinds, class
}

func (p *page) rows(t *Table, rows [][]inline, kinds []markup) {
	for _, row := range rows {
		p.put("<tr>")
		for i, c := range row {
			if !t.Columns[i].Hidden {
				p.put("<td class=\"%s\">%s</td>", kinds[i], c.html)
			}
		}
		p.put("</tr>\n")
	}
}
