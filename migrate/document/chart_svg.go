package document

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// chart writes a chart, what its looks mean, and its figures. Without any it
// writes nothing.
func (p *page) chart(c *Chart) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.Kind == Gantt && len(c.Spans) == 0 || c.Kind != Gantt && c.points()*len(c.Series) == 0 {
		return nil
	}
	title, desc, heading := p.id(), p.id(), p.id()
	p.put("<figure>\n<figcaption><h3 id=\"%s\">%s</h3>", heading, c.Title)
	if c.Note != "" {
		p.put("<p class=\"note\">%s</p>", paragraph(c.Note))
	}
	height := chartHeight
	if c.Kind == Gantt {
		height = marginTop + marginBelow + rowHeight*c.rows()
	}
	p.legend(c)
	p.put("</figcaption>\n<div class=\"region\" role=\"region\" tabindex=\"0\" aria-labelledby=\"%s\">\n", heading)
	p.put("<svg class=\"chart\" viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"%s %s\">\n<title id=\"%s\">%s</title>\n<desc id=\"%s\">%s</desc>\n",
		chartWidth, height, title, desc, title, c.Title, desc, p.describe(c))
	more := ""
	switch c.Kind {
	case Gantt:
		more = p.gantt(c)
	case Line:
		more = p.lines(c)
	default:
		more = p.bars(c)
	}
	p.put("</svg>\n</div>\n")
	if more != "" {
		p.put("<p class=\"note\">%s</p>\n", more)
	}
	p.put("<details class=\"data\">\n<summary>%s</summary>\n", p.text("figures"))
	if err := p.parts(c.table(p.texts), c.Title+", "+p.text("figures"), func() {}); err != nil {
		return err
	}
	p.put("</details>\n</figure>\n")
	return nil
}

// legend says which look is which series.
func (p *page) legend(c *Chart) {
	p.put("<ul class=\"legend\">\n")
	for i, s := range c.Series {
		p.put("<li><svg viewBox=\"0 0 28 14\" aria-hidden=\"true\">")
		switch {
		case s.Limit:
			p.put("<path class=\"limit\" d=\"M0 7h28\"/>")
		case c.Kind == Line:
			p.put("<path class=\"line line%d\" d=\"M0 7h28\"/>%s", shade(i), marker(i, 14, 7))
		default:
			p.area(i, 1, 1, 26, 13)
		}
		p.put("</svg><bdi>%s</bdi></li>\n", s.Name)
	}
	p.put("</ul>\n")
}

// describe says in words what is drawn: from which value to which each series
// goes, or how many spans there are.
func (p *page) describe(c *Chart) string {
	if c.Kind == Gantt {
		start, end := c.ends()
		return p.text("describe_spans", "n", len(c.Spans), "start", p.l.Time(p.zoned(start)), "end", p.l.Time(p.zoned(end)))
	}
	var all []string
	for _, s := range c.Series {
		if at := (bucket{0, len(s.Values)}).extremes(s.Values); at != nil {
			a, b := s.Values[at[0]], s.Values[at[len(at)-1]]
			all = append(all, p.text("describe_series", "series", s.Name,
				"least", p.l.Number(min(a, b)), "greatest", p.l.Number(max(a, b))))
		}
	}
	return strings.Join(all, " ")
}

// values draws the axis of the values, its grid and the unit.
func (p *page) values(c *Chart, s scale) {
	for _, v := range s.ticks() {
		y := s.y(v)
		p.put("<path class=\"grid\" d=\"M%s %sH%d\"/><text class=\"end\" x=\"%d\" y=\"%s\">%s</text>\n",
			at(marginLeft), at(y), chartWidth-marginRight, marginLeft-8, at(y+4), p.l.Number(v))
	}
	p.put("<text x=\"0\" y=\"12\">%s</text>\n", fit(c.Unit, chartWidth))
}

// times draws an axis of time below bottom.
func (p *page) times(s timeScale, left, bottom float64) {
	ticks, days := s.ticks()
	for i, t := range ticks {
		x := s.x(t, left, chartWidth-marginRight)
		p.put("<path class=\"grid\" d=\"M%s %sV%s\"/>", at(x), at(marginTop), at(bottom))
		p.instant(t, x, bottom, days, i == 0 || t.Hour() == 0 && t.Minute() == 0)
	}
}

// instant names a time below bottom: its day, or its hour and the day if dated.
func (p *page) instant(t time.Time, x, bottom float64, day, dated bool) {
	y := bottom + 17
	if !day {
		p.put("<text class=\"middle\" x=\"%s\" y=\"%s\">%s</text>", at(x), at(y), t.Format("15:04"))
		y += 15
	}
	if day || dated {
		const half = 40 // of a date
		p.put("<text class=\"middle\" x=\"%s\" y=\"%s\">%s</text>", at(min(x, chartWidth-half)), at(y), p.l.Date(t))
	}
	p.put("\n")
}

// at writes a place in the box.
func at(v float64) markup { return markup(strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")) }

// fit cuts a text that is wider than width, by a guess.
func fit(s string, width float64) string { return visible(s, int(math.Max(3, width/7.2))) }

// marker draws the point of a line.
func marker(i int, x, y float64) markup {
	shape := []string{
		"m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0", "m-3-3h6v6h-6z", "m0-4l4 7h-8z", "m0-4.5l4.5 4.5-4.5 4.5-4.5-4.5z",
		"m-4-3h8l-4 7z", "m-3.5-3.5l7 7m0-7l-7 7", "m-4 0h8m-4-4v8", "m-2-4h4v8h-4z",
	}[i%shades]
	return markup(fmt.Sprintf("<path class=\"marker mark%d\" d=\"M%s %s%s\"/>", shade(i), at(x), at(y), shape))
}
