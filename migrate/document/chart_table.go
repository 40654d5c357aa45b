package document

import (
	"fmt"

	"github.com/mailhaul/mailhaul/migrate/locale"
)

// table returns the figures of c: a row for each label or time, or for each
// span of a Gantt. A point that a series does not have is nil.
func (c *Chart) table(texts locale.Texts) *Table {
	t := &Table{Key: c.Key, Title: c.Title, Note: c.Note}
	if c.Kind == Gantt {
		t.Columns = []Column{
			{Key: "row", Title: texts.Text("row")}, {Key: "series", Title: texts.Text("series")},
			{Key: "start", Title: texts.Text("start")}, {Key: "end", Title: texts.Text("end")}, {Key: "text", Title: texts.Text("text")},
		}
		t.Rows = func(yield func([]Value, error) bool) {
			for _, s := range c.Spans {
				if !yield([]Value{c.Labels[s.Row], c.Series[s.Series].Name, s.Start, s.End, s.Text}, nil) {
					return
				}
			}
		}
		return t
	}
	t.Columns = []Column{{Key: "label", Title: texts.Text("label")}}
	if c.Times != nil {
		t.Columns[0] = Column{Key: "time", Title: texts.Text("time")}
	}
	for i, s := range c.Series {
		title := s.Name
		if c.Unit != "" {
			title = fmt.Sprintf("%s (%s)", title, c.Unit)
		}
		t.Columns = append(t.Columns, Column{Key: fmt.Sprintf("series_%d", i+1), Title: title})
	}
	t.Rows = func(yield func([]Value, error) bool) {
		for i := range c.points() {
			row := make([]Value, 0, len(t.Columns))
			if c.Times != nil {
				row = append(row, c.Times[i])
			} else {
				row = append(row, c.Labels[i])
			}
			for _, s := range c.Series {
				if i < len(s.Values) {
					row = append(row, s.Values[i])
				} else {
					row = append(row, nil)
				}
			}
			if !yield(row, nil) {
				return
			}
		}
	}
	return t
}

// points is how many points the axis of c has.
func (c *Chart) points() int {
	if c.Times != nil {
		return len(c.Times)
	}
	return len(c.Labels)
}

// check returns an error if c cannot be drawn as its kind is.
func (c *Chart) check() error {
	switch c.Kind {
	case Bars, Stacked, Line:
		for _, s := range c.Series {
			if len(s.Values) > c.points() {
				return fmt.Errorf("document: %s: %d values at %d points", c.Key, len(s.Values), c.points())
			}
		}
		return nil
	case Gantt:
		for _, s := range c.Spans {
			if s.Row < 0 || s.Row >= len(c.Labels) || s.Series < 0 || s.Series >= len(c.Series) {
				return fmt.Errorf("document: %s: a span in row %d of series %d, which are not there", c.Key, s.Row, s.Series)
			}
		}
		return nil
	}
	return fmt.Errorf("document: %s: there is no chart of kind %q", c.Key, c.Kind)
}
