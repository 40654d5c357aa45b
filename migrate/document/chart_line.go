package document

import (
	"fmt"
	"strings"
)

// mostMarked is how many points of a line are marked: enough to tell it from
// others.
const mostMarked = 20

// lines draws a line for each series, over time or labels. Of points that are
// put together the least and the greatest are drawn, so that no peak is lost. It
// returns what is to be said of it.
func (p *page) lines(c *Chart) string {
	low, high := 0.0, 0.0
	for _, s := range c.Series {
		for _, v := range s.Values {
			if drawable(v) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	sc := newScale(low, high)
	p.values(c, sc)
	x := p.along(c)
	all := buckets(c.points(), mostPoints/2) // two of each
	marked := (len(all) + mostMarked - 1) / mostMarked
	for j, s := range c.Series {
		var d, markers strings.Builder
		pen := "M"
		for n, b := range all {
			drawn := b.extremes(s.Values)
			if drawn == nil {
				pen = "M" // a gap
			}
			for k, i := range drawn {
				fmt.Fprintf(&d, "%s%s %s", pen, at(x(i)), at(sc.y(s.Values[i])))
				pen = "L"
				if n%marked == 0 && k == 0 && !s.Limit {
					markers.WriteString(string(marker(j, x(i), sc.y(s.Values[i]))))
				}
			}
		}
		class := markup(fmt.Sprintf("line line%d", shade(j)))
		if s.Limit {
			class = "limit"
		}
		p.put("<path class=\"%s\" d=\"%s\"/>%s\n", class, markup(d.String()), markup(markers.String()))
	}
	if all[0].to > 1 {
		return p.text("extremes", "n", all[0].to)
	}
	return ""
}

// along draws the axis below the lines and returns where on it a point is.
func (p *page) along(c *Chart) func(i int) float64 {
	const bottom = chartHeight - marginBelow
	if c.Times == nil {
		width := float64(chartWidth-marginLeft-marginRight) / float64(len(c.Labels))
		p.categories(c, buckets(len(c.Labels), len(c.Labels)), width)
		return func(i int) float64 { return marginLeft + width*(float64(i)+0.5) }
	}
	s := timeScale{p.zoned(c.Times[0]), p.zoned(c.Times[0])}
	for _, t := range c.Times {
		if t.Before(s.start) {
			s.start = p.zoned(t)
		}
		if t.After(s.end) {
			s.end = p.zoned(t)
		}
	}
	p.times(s, marginLeft, bottom)
	return func(i int) float64 { return s.x(c.Times[i], marginLeft, chartWidth-marginRight) }
}
