package document

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // for machines that have none
	"unicode/utf8"

	"golang.org/x/net/html"
)

// drawing returns the chart of a page.
func drawing(t *testing.T, root *html.Node) *html.Node {
	t.Helper()
	for _, n := range find(root, "svg") {
		if attribute(n, "class") == "chart" {
			return n
		}
	}
	t.Fatal("there is no chart")
	return nil
}

// paths returns what is drawn with that class.
func paths(n *html.Node, class string) []*html.Node {
	return slices.DeleteFunc(find(n, "path"), func(p *html.Node) bool { return !slices.Contains(strings.Fields(attribute(p, "class")), class) })
}

var number2 = regexp.MustCompile(`-?\d+(\.\d+)?`)

// places returns the numbers in what a path draws.
func places(p *html.Node) (all []float64) {
	for _, s := range number2.FindAllString(attribute(p, "d"), -1) {
		v, _ := strconv.ParseFloat(s, 64)
		all = append(all, v)
	}
	return all
}

// inside checks that nothing is drawn outside of the box of a chart.
func inside(t *testing.T, root *html.Node, name string) {
	t.Helper()
	svg := drawing(t, root)
	var width, height float64
	fmt.Sscanf(attribute(svg, "viewbox")+attribute(svg, "viewBox"), "0 0 %g %g", &width, &height)
	if width != chartWidth || height > 1200 || height < 100 {
		t.Errorf("%s: the box is %g by %g", name, width, height)
	}
	for _, p := range find(svg, "path") {
		if d := attribute(p, "d"); strings.ContainsAny(d, "NIen") {
			t.Errorf("%s: a path is %s", name, d)
		}
		for _, v := range places(p) {
			if most := max(width, height); v < -most || v > most {
				t.Errorf("%s: a path leads to %g", name, v)
			}
		}
	}
	for _, p := range paths(svg, "line") {
		if all := places(p); slices.Min(all) < 0 || slices.Max(all) > width {
			t.Errorf("%s: a line goes from %g to %g", name, slices.Min(all), slices.Max(all))
		}
	}
	for _, p := range paths(svg, "area") {
		if a := places(p); a[0] < 0 || a[2] < 0 || a[0]+a[2] > width {
			t.Errorf("%s: an area goes from %g for %g", name, a[0], a[2])
		}
	}
	for _, n := range find(svg, "text") {
		left, _ := strconv.ParseFloat(attribute(n, "x"), 64)
		long := 7.2 * float64(utf8.RuneCountInString(content(n)))
		switch attribute(n, "class") {
		case "end":
			left -= long
		case "middle":
			left -= long / 2
		}
		if left < 0 || left+long > width {
			t.Errorf("%s: the text %q goes from %g for %g", name, content(n), left, long)
		}
	}
	if n := len(find(svg, "text")); n > 150 {
		t.Errorf("%s: %d texts", name, n)
	}
}

func TestAScaleHasRoundTicksAroundItsValues(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{0, 0, "[0 0.2 0.4 0.6 0.8 1]"},
		{0, 1, "[0 0.2 0.4 0.6 0.8 1]"},
		{0, 5e-324, "[0 0.2 0.4 0.6 0.8 1]"},
		{0, 1000, "[0 200 400 600 800 1000]"},
		{3, 7, "[0 2 4 6 8]"},
		{0, 10, "[0 2 4 6 8 10]"},
		{0, 11, "[0 5 10 15]"},
		{0, 1893, "[0 500 1000 1500 2000]"},
		{-5, 5, "[-6 -4 -2 0 2 4 6]"},
		{-100, -20, "[-100 -80 -60 -40 -20 0]"},
		{0, 26000, "[0 10000 20000 30000]"},
	} {
		var ticks []float64
		s := newScale(c.low, c.high)
		for _, v := range s.ticks() {
			ticks = append(ticks, math.Round(v*1e6)/1e6)
		}
		if got := fmt.Sprint(ticks); got != c.want {
			t.Errorf("from %g to %g: %s, want %s", c.low, c.high, got, c.want)
		}
		if s.y(s.high) != marginTop || s.y(s.low) != chartHeight-marginBelow {
			t.Errorf("from %g to %g: the ends are at %g and %g", c.low, c.high, s.y(s.high), s.y(s.low))
		}
	}
}

func TestTicksOfTimeAreFullAndFew(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 10, 24, 17, 5, 0, 0, berlin) // the clocks go back the night after
	for _, c := range []struct {
		length time.Duration
		want   string
		days   bool
	}{
		{0, "[24 17:05]", false},
		{time.Minute, "[24 17:05 24 17:06]", false},
		{time.Hour, "[24 17:15 24 17:30 24 17:45 24 18:00]", false},
		{8*time.Hour - time.Minute, "[24 18:00 24 19:00 24 20:00 24 21:00 24 22:00 24 23:00 25 00:00 25 01:00]", false},
		{8 * time.Hour, "[24 18:00 24 20:00 24 22:00 25 00:00]", false},
		{46 * time.Hour, "[24 18:00 25 00:00 25 06:00 25 12:00 25 18:00 26 00:00 26 06:00 26 12:00]", false},
		{6 * 24 * time.Hour, "[25 00:00 26 00:00 27 00:00 28 00:00 29 00:00 30 00:00]", true},
		{30 * 24 * time.Hour, "[31 00:00 07 00:00 14 00:00 21 00:00]", true},
	} {
		ticks, days := timeScale{start, start.Add(c.length)}.ticks()
		var got []string
		for _, at := range ticks {
			got = append(got, at.Format("02 15:04"))
		}
		if fmt.Sprint(got) != c.want || days != c.days {
			t.Errorf("%s: %v, %t", c.length, got, days)
		}
	}
	for years := 1; years < 9000; years *= 3 {
		ticks, _ := timeScale{start, start.AddDate(years, 0, 0)}.ticks()
		if len(ticks) < 2 || len(ticks) > mostTicks+1 {
			t.Errorf("%d ticks in %d years", len(ticks), years)
		}
	}
}

func TestPointsThatAreManyArePutTogether(t *testing.T) {
	for n, want := range map[int]string{0: "[]", 1: "[{0 1}]", 3: "[{0 1} {1 2} {2 3}]", 4: "[{0 2} {2 4}]", 7: "[{0 3} {3 6} {6 7}]"} {
		if got := fmt.Sprint(buckets(n, 3)); got != want {
			t.Errorf("%d points: %s, want %s", n, got, want)
		}
	}
	values := []float64{math.NaN(), 3, 9, math.Inf(1), 1, 5}
	if got := (bucket{0, 6}).mean(values); got != 4.5 {
		t.Errorf("the mean is %g", got)
	}
	if got := (bucket{0, 1}).mean(values); !math.IsNaN(got) {
		t.Errorf("the mean of nothing is %g", got)
	}
	for b, want := range map[bucket]string{{0, 6}: "[2 4]", {0, 2}: "[1]", {0, 1}: "[]", {4, 6}: "[4 5]", {1, 3}: "[1 2]", {5, 9}: "[5]", {7, 9}: "[]"} {
		if got := fmt.Sprint(b.extremes(values)); got != want {
			t.Errorf("the extremes of %v are %s, want %s", b, got, want)
		}
	}
}

func TestColumnsStandSideBySideOrOnTopOfEachOther(t *testing.T) {
	c := &Chart{Key: "c", Kind: Bars, Title: "C", Labels: []string{"a", "b"}, Series: []Series{{Name: "one", Values: []float64{10, 5}}, {Name: "limit", Values: []float64{8, 9}, Limit: true}, {Name: "two", Values: []float64{4, math.NaN()}}}}
	areas := func() (all [][]float64) {
		for _, p := range paths(drawing(t, only(t, c)), "area") {
			all = append(all, places(p))
		}
		return all
	}
	// Each is left, top, width, bottom and -width.
	bars := areas()
	if len(bars) != 3 || bars[0][2] != 121.8 || bars[0][0]+bars[0][2] != bars[1][0] || bars[0][1] != marginTop || bars[1][1] != marginTop+230*0.6 || bars[0][3] != 256 || bars[1][3] != 256 || bars[2][1] != marginTop+115 {
		t.Errorf("side by side: %v", bars)
	}
	c.Kind = Stacked
	stack := areas()
	if len(stack) != 3 || stack[0][1] != 102.7 || stack[0][0] != stack[1][0] || stack[0][3] != 256 || stack[1][3] != stack[0][1] || stack[1][1] >= stack[0][1] {
		t.Errorf("on top of each other: %v", stack)
	}
	limit := paths(drawing(t, only(t, c)), "limit")
	if len(limit) != 1 || len(places(limit[0])) != 6 {
		t.Errorf("the limit is %v", limit)
	}
}

func TestALineHasGapsAndKeepsItsPeaks(t *testing.T) {
	start := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	c := &Chart{Key: "c", Kind: Line, Title: "C", Series: []Series{{Name: "a"}, {Name: "limit", Limit: true}}}
	for i := range 5000 {
		c.Times = append(c.Times, start.Add(time.Duration(i)*time.Hour))
		c.Series[0].Values = append(c.Series[0].Values, 1)
		c.Series[1].Values = append(c.Series[1].Values, 50)
	}
	c.Series[0].Values[3333] = 100
	for i := 1000; i < 1100; i++ {
		c.Series[0].Values[i] = math.NaN()
	}
	root := only(t, c)
	line := paths(drawing(t, root), "line")[0]
	if d := attribute(line, "d"); strings.Count(d, "M") != 2 {
		t.Errorf("the line has %d parts", strings.Count(d, "M"))
	}
	if p := places(line); slices.Min(p[1:]) != marginTop || len(p) > 2*mostPoints {
		t.Errorf("the line has %d places, the highest %g", len(p)/2, slices.Min(p[1:]))
	}
	if n := len(paths(drawing(t, root), "marker")); n < 10 || n > mostMarked {
		t.Errorf("%d markers", n)
	}
	if !strings.Contains(content(root), "Of each 25 points the least and the greatest are drawn.") {
		t.Error("it is not said what is drawn")
	}
	if n := len(paths(drawing(t, root), "limit")); n != 1 {
		t.Errorf("%d limits", n)
	}
}

func TestOfManyColumnsTheMeansAreDrawn(t *testing.T) {
	c := &Chart{Key: "c", Kind: Bars, Title: "C", Unit: "messages", Series: []Series{{Name: "a"}}}
	for i := range 5000 {
		c.Labels = append(c.Labels, fmt.Sprintf("a label that is too long %d", i))
		c.Series[0].Values = append(c.Series[0].Values, float64(i%84))
	}
	root := only(t, c)
	if n := len(paths(drawing(t, root), "area")); n != 60 {
		t.Errorf("%d columns", n)
	}
	if !strings.Contains(content(root), "Each column is the mean of 84 points.") {
		t.Error("it is not said what is drawn")
	}
	if !strings.Contains(content(root), "4,500 more rows are not shown here. The workbook has them in the sheet “C”.") {
		t.Error("it is not said where all figures are")
	}
	for _, text := range find(drawing(t, root), "text") {
		if attribute(text, "class") == "middle" && len([]rune(content(text))) > 14 {
			t.Errorf("a label is %s", content(text))
		}
	}
	inside(t, root, "bars")
}

func TestAGanttDrawsItsFirstRowsAndSaysSo(t *testing.T) {
	start := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	c := &Chart{Key: "c", Kind: Gantt, Title: "C", Series: []Series{{Name: "a"}}}
	for i := range 45 {
		c.Labels = append(c.Labels, fmt.Sprintf("row %d", i))
		c.Spans = append(c.Spans, Span{i, 0, start.Add(time.Duration(i) * time.Hour), start.Add(time.Duration(i+1) * time.Hour), "x"})
	}
	slices.Reverse(c.Spans)
	root := only(t, c)
	if n := len(paths(drawing(t, root), "area")); n != 40 {
		t.Errorf("%d spans", n)
	}
	if !strings.Contains(content(root), "5 more rows are not shown here.") {
		t.Error("it is not said that rows are missing")
	}
	if rows := find(root, "tbody"); len(find(rows[0], "tr")) != 45 {
		t.Error("the figures are not whole")
	}
	first := places(paths(drawing(t, root), "area")[39])
	if first[0] != labelsWidth || math.Abs(first[2]-(chartWidth-marginRight-labelsWidth)/45.0) > 0.1 {
		t.Errorf("the first span is %v", first)
	}
}

func TestAChartIsToldInWordsAndFigures(t *testing.T) {
	c := &Chart{Key: "c", Kind: Bars, Title: "By day", Note: "A note.", Labels: []string{"Fri", "Sat"}, Unit: "messages", Series: []Series{{Name: "Copied", Values: []float64{10, 5}}, {Name: "None"}}}
	root := only(t, c)
	svg := drawing(t, root)
	if content(find(svg, "title")[0]) != "By day" || content(find(svg, "desc")[0]) != "Copied: from 5 to 10." {
		t.Errorf("it is told as %s", content(svg))
	}
	table := find(root, "table")[0]
	if got := strings.Join(strings.Fields(content(find(table, "thead")[0])+" "+content(find(table, "tbody")[0])), " "); got != "LabelCopied (messages)None (messages) Fri10 Sat5" {
		t.Errorf("the figures are %s", got)
	}
	legend := find(root, "ul")[0]
	if got := strings.TrimSpace(content(legend)); got != "Copied\nNone" {
		t.Errorf("the legend is %q", got)
	}
	for _, empty := range []*Chart{
		{Key: "c", Kind: Bars, Title: "C", Labels: []string{"a"}},
		{Key: "c", Kind: Line, Title: "C", Series: []Series{{Name: "a"}}},
		{Key: "c", Kind: Gantt, Title: "C", Labels: []string{"a"}},
	} {
		if root := only(t, empty); len(find(root, "figure")) > 0 {
			t.Errorf("a chart without figures is drawn: %s", empty.Kind)
		}
	}
}

func TestTheLinesOfAnAreaStayWithinIt(t *testing.T) {
	for _, box := range [][4]float64{{10, 20, 40, 90}, {0, 0, 800, 300}, {3.3, 3.4, 3.5, 3.6}, {700, -50, 703, -20}, {5, 5, 5, 9}, {9, 5, 5, 9}, {5, 9, 9, 5}} {
		left, top, right, bottom := box[0], box[1], box[2], box[3]
		for i := range shades {
			d := string(hatch(i+1, left, top, right, bottom))
			if i > 0 && right-left > 20 && strings.Count(d, "M") < 3 || i == 0 && d != "" {
				t.Errorf("shade %d: %v has the lines %s", i+1, box, d)
			}
			for j, s := range number2.FindAllString(d, -1) {
				v, _ := strconv.ParseFloat(s, 64)
				if j%2 == 0 && (v < left-0.06 || v > right+0.06) || j%2 == 1 && (v < top-0.06 || v > bottom+0.06) {
					t.Errorf("shade %d: %v has the lines %s", i+1, box, d)
					break
				}
			}
		}
	}
}

func TestSeriesDifferByMoreThanTheirColours(t *testing.T) {
	c := &Chart{Key: "c", Kind: Line, Title: "C", Labels: []string{"a", "b"}}
	for i := range shades {
		c.Series = append(c.Series, Series{Name: fmt.Sprint(i), Values: []float64{1, 2}})
	}
	page := pageOf(t, &Document{Language: language(t, "en"), Sections: []Section{{Key: "only", Blocks: []Block{c}}}})
	seen := map[string]bool{}
	for _, m := range paths(drawing(t, sound(t, page)), "marker") {
		_, shape, _ := strings.Cut(attribute(m, "d"), "m")
		seen[shape] = true
	}
	if len(seen) != shades {
		t.Errorf("%d shapes of markers", len(seen))
	}
	looks := map[string]bool{}
	for i := range shades {
		looks[string(hatch(i+1, 0, 0, 30, 30))] = true
	}
	if len(looks) != shades {
		t.Errorf("%d looks of areas", len(looks))
	}
	dashes := map[string]bool{}
	for i := range shades {
		dash := ""
		if m := regexp.MustCompile(fmt.Sprintf(`\.line%d\{stroke-dasharray:([^}]*)\}`, i+1)).FindStringSubmatch(stylesheet); m != nil {
			dash = m[1]
		}
		dashes[dash] = true
	}
	if len(dashes) != shades {
		t.Errorf("%d dashes", len(dashes))
	}
}
