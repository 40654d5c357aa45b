package document

import (
	"fmt"
	"math"
	"strings"
)

// shades is how many looks of series there are: a colour of Okabe and Ito with
// lines over it, a dash and a marker of its own each, so that nobody needs the
// colour.
const shades = 8

// shade is that of the series with index i, from 1 on.
func shade(i int) int { return i%shades + 1 }

// hatches are how far the lines over areas are apart; 0 for none.
var hatches = [shades]struct{ level, upright, rising, falling float64 }{
	{}, {rising: 8}, {rising: 4}, {level: 4}, {rising: 8, falling: 8}, {upright: 4}, {falling: 8}, {level: 8, upright: 8},
}

// area draws a rectangle of the series with index i. Its lines are drawn, and no
// pattern of SVG: browsers print each area with a pattern as a large picture.
func (p *page) area(i int, x, y, width, foot float64) {
	p.put("<path class=\"area ground%d\" d=\"M%s %sh%sV%sh-%sz\"/>", shade(i), at(x), at(y), at(width), at(foot), at(width))
	const edge = 0.5 // keeps the lines off the outline
	if d := hatch(shade(i), x+edge, min(y, foot)+edge, x+width-edge, max(y, foot)-edge); d != "" {
		p.put("<path class=\"lines\" d=\"%s\"/>", d)
	}
}

// hatch is the lines of a shade within a rectangle. They are where they would be
// if they went over the whole chart.
func hatch(shade int, left, top, right, bottom float64) markup {
	if left >= right || top >= bottom {
		return ""
	}
	var d strings.Builder
	line := func(x1, y1, x2, y2 float64) { fmt.Fprintf(&d, "M%s %sL%s %s", at(x1), at(y1), at(x2), at(y2)) }
	every := func(each, from, to float64, draw func(at float64)) {
		for v := math.Ceil(from/each) * each; each > 0 && v < to; v += each {
			draw(v)
		}
	}
	h := hatches[shade-1]
	every(h.level, top, bottom, func(y float64) { line(left, y, right, y) })
	every(h.upright, left, right, func(x float64) { line(x, top, x, bottom) })
	every(h.rising, left+top, right+bottom, func(sum float64) {
		from, to := max(left, sum-bottom), min(right, sum-top)
		line(from, sum-from, to, sum-to)
	})
	every(h.falling, left-bottom, right-top, func(difference float64) {
		from, to := max(left, difference+top), min(right, difference+bottom)
		line(from, from-difference, to, to-difference)
	})
	return markup(d.String())
}
