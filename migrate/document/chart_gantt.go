package document

import "time"

// Of a Gantt.
const (
	rowHeight   = 16
	labelsWidth = 216
	mostRows    = 40
)

// rows is how many rows of a Gantt are drawn.
func (c *Chart) rows() int { return min(len(c.Labels), mostRows) }

// ends are the first start and the last end of all spans.
func (c *Chart) ends() (start, end time.Time) {
	start, end = c.Spans[0].Start, c.Spans[0].End
	for _, s := range c.Spans {
		if s.Start.Before(start) {
			start = s.Start
		}
		if s.End.After(end) {
			end = s.End
		}
	}
	return start, end
}

// gantt draws spans of time in rows. It returns what is to be said of it.
func (p *page) gantt(c *Chart) string {
	start, end := c.ends()
	s := timeScale{p.zoned(start), p.zoned(end)}
	bottom := float64(marginTop + rowHeight*c.rows())
	p.times(s, labelsWidth, bottom)
	for i, l := range c.Labels[:c.rows()] {
		y := marginTop + rowHeight*i
		p.put("<path class=\"grid\" d=\"M0 %dH%d\"/><text x=\"0\" y=\"%d\">%s</text>\n", y, chartWidth, y+12, fit(l, labelsWidth-8))
	}
	for _, span := range c.Spans {
		if span.Row >= mostRows {
			continue
		}
		y := float64(marginTop + rowHeight*span.Row + 3)
		left := s.x(span.Start, labelsWidth, chartWidth-marginRight)
		width := max(s.x(span.End, labelsWidth, chartWidth-marginRight)-left, 2)
		p.put("<g><title>%s</title>", span.Text)
		p.area(span.Series, left, y, width, y+rowHeight-6)
		p.put("</g>\n")
	}
	if n := len(c.Labels) - mostRows; n > 0 {
		return p.text("more", "n", n)
	}
	return ""
}
