package document

import (
	"fmt"
	"math"
	"strings"
)

// bars draws a column for each label or time and series, side by side or on top
// of each other, and limits as lines. It returns what is to be said of it.
func (p *page) bars(c *Chart) string {
	all := buckets(c.points(), mostBars)
	sc := c.reach(all)
	p.values(c, sc)
	width := float64(chartWidth-marginLeft-marginRight) / float64(len(all))
	for i, b := range all {
		p.columns(c, b, sc, marginLeft+width*(float64(i)+0.15), width*0.7)
	}
	for _, s := range c.Series {
		if s.Limit {
			p.limit(s, all, sc, width)
		}
	}
	p.categories(c, all, width)
	if all[0].to > 1 {
		return p.text("mean", "n", all[0].to)
	}
	return ""
}

// reach is the scale of columns and limits.
func (c *Chart) reach(all []bucket) scale {
	low, high := 0.0, 0.0
	for _, b := range all {
		sum := 0.0
		for _, s := range c.Series {
			v := b.mean(s.Values)
			if !drawable(v) {
				continue
			}
			if c.Kind == Stacked && !s.Limit {
				sum += max(v, 0)
				v = sum
			}
			low, high = min(low, v), max(high, v)
		}
	}
	return newScale(low, high)
}

// columns draws those of one bucket. What is below nothing cannot be stacked,
// and is left out there.
func (p *page) columns(c *Chart, b bucket, sc scale, left, width float64) {
	var areas []int
	for i, s := range c.Series {
		if !s.Limit {
			areas = append(areas, i)
		}
	}
	foot := 0.0
	for n, i := range areas {
		v := b.mean(c.Series[i].Values)
		if !drawable(v) {
			continue
		}
		x, w := left, width
		if c.Kind == Stacked {
			v = foot + max(v, 0)
		} else {
			w /= float64(len(areas))
			x += w * float64(n)
		}
		if v != foot {
			p.area(i, x, sc.y(v), w, sc.y(foot))
			p.put("\n")
		}
		if c.Kind == Stacked {
			foot = v
		}
	}
}

// limit draws a line over the columns, with a step wherever it changes.
func (p *page) limit(s Series, all []bucket, sc scale, width float64) {
	var d strings.Builder
	pen := "M"
	for i, b := range all {
		v := b.mean(s.Values)
		if !drawable(v) {
			pen = "M"
			continue
		}
		left := marginLeft + width*float64(i)
		fmt.Fprintf(&d, "%s%s %sH%s", pen, at(left), at(sc.y(v)), at(left+width))
		pen = "L"
	}
	p.put("<path class=\"limit\" d=\"%s\"/>\n", markup(d.String()))
}

// categories names the columns, as many as there is room for.
func (p *page) categories(c *Chart, all []bucket, width float64) {
	const room = 84
	days := true
	for _, t := range c.Times {
		t = p.zoned(t)
		days = days && t.Hour() == 0 && t.Minute() == 0
	}
	each := int(math.Ceil(room / width))
	for i := 0; i < len(all); i += each {
		x, from := marginLeft+width*(float64(i)+0.5), all[i].from
		if c.Times != nil {
			p.instant(p.zoned(c.Times[from]), x, chartHeight-marginBelow, days, true)
			continue
		}
		p.put("<text class=\"middle\" x=\"%s\" y=\"%d\">%s</text>\n", at(x), chartHeight-marginBelow+17, fit(c.Labels[from], width*float64(each)))
	}
}
