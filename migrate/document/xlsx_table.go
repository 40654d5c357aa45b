package document

import (
	"fmt"
	"strings"
	"time"
)

// sampled is how many rows of a table say how wide its columns are and what
// they hold.
const sampled = 200

// table writes a table to a sheet, or to several if one has no more room.
func (b *book) table(t *Table) error {
	heads, widths, err := b.columns(t)
	if err != nil {
		return err
	}
	rows := 0
	s, err := b.begin(t, heads, widths)
	if err != nil {
		return err
	}
	next := func(cells []cell, look look) error {
		if s.next > b.rows {
			if err := s.close(rows); err != nil {
				return err
			}
			if s, err = b.begin(t, heads, widths); err != nil {
				return err
			}
			rows = 0
		}
		return s.row(look, cells...)
	}
	for row, err := range t.Rows {
		if err != nil {
			return err
		}
		cells, err := b.cells(t, row)
		if err != nil {
			return err
		}
		if err := next(cells, plainLook); err != nil {
			return err
		}
		rows++
	}
	if t.Total != nil {
		cells, err := b.cells(t, t.Total)
		if err != nil {
			return err
		}
		s.next++ // what is empty ends the range that a program sorts
		if err := next(cells, totalLook); err != nil {
			return err
		}
	}
	return s.close(rows)
}

// begin opens the next sheet of a table.
func (b *book) begin(t *Table, heads []cell, widths []int) (*sheet, error) {
	i := b.name(t.Title)
	if e := &b.sheets[i]; e.name == t.Title {
		e.note = t.Note
	} else {
		e.note = strings.TrimSpace(t.Title + ". " + t.Note)
	}
	s, err := b.open(i, widths, true)
	if err != nil {
		return nil, err
	}
	return s, s.row(headLook, heads...)
}

// columns returns the headings of a table, with units, and the widths.
func (b *book) columns(t *Table) (heads []cell, widths []int, err error) {
	if len(t.Columns) == 0 {
		return nil, nil, fmt.Errorf("document: %s: a table without columns", t.Key)
	}
	heads, widths = make([]cell, len(t.Columns)), make([]int, len(t.Columns))
	for i, c := range t.Columns {
		heads[i] = textCell(c.Title)
	}
	measure := func(row []Value) error {
		cells, err := b.cells(t, row)
		if err != nil {
			return err
		}
		for i, c := range cells {
			widths[i] = max(widths[i], c.width())
			if c.kind != isEmpty {
				heads[i] = textCell(b.withUnit(t.Columns[i].Title, row[i]))
			}
			if c.kind == isNumber {
				heads[i].kind = isHeading
			}
		}
		return nil
	}
	n := 0
	for row, err := range t.Rows {
		if err == nil {
			err = measure(row)
		}
		if err != nil {
			return nil, nil, err
		}
		if n++; n == sampled {
			break
		}
	}
	if t.Total != nil {
		if err := measure(t.Total); err != nil {
			return nil, nil, err
		}
	}
	for i := range widths {
		button := 5 // of the filter
		widths[i] = min(max(widths[i]+3, heads[i].width()+button), 60)
	}
	return heads, widths, nil
}

// withUnit names the unit of a number beside what the number is.
func (b *book) withUnit(title string, v Value) string {
	switch v.(type) {
	case Bytes:
		return b.texts.Text("xlsx_bytes", "title", title)
	case time.Duration:
		return b.texts.Text("xlsx_duration", "title", title)
	}
	return title
}

func (b *book) cells(t *Table, row []Value) ([]cell, error) {
	if err := t.fits(row); err != nil {
		return nil, err
	}
	cells := make([]cell, len(row))
	for i, v := range row {
		var err error
		if cells[i], err = b.cell(v); err != nil {
			return nil, fmt.Errorf("document: %s: %s: %w", t.Key, t.Columns[i].Key, err)
		}
	}
	return cells, nil
}
