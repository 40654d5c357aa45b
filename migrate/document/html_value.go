package document

import (
	"fmt"
	"html"
	"strings"
	"time"
	"unicode/utf8"
)

// mostItems is how many items of a list are on the page.
const mostItems = 20

// An inline is a value as the page shows it.
type inline struct {
	html  markup
	kind  markup // empty for no value
	width int    // in characters, of what is not broken on paper
}

// The kinds of values are classes of their columns.
const (
	numberColumn markup = "number"
	timeColumn   markup = "time"
	textColumn   markup = "words"
	proseColumn  markup = "words prose" // needs room
)

// mostWords is how many characters a text has that is no prose.
const mostWords = 60

// inline returns a value as the page shows it.
func (p *page) inline(v Value) (inline, error) {
	number := func(s string) (inline, error) { return inline{escape(s), numberColumn, unbroken(s)}, nil }
	words := func(s string) (inline, error) { return inline{escape(s), textColumn, unbroken(s)}, nil }
	instant := func(machine, people string) (inline, error) {
		day, hour, _ := strings.Cut(people, ", ")
		width := utf8.RuneCountInString(day)
		if hour != "" {
			day, hour = day+",", " "+hour
		}
		m := `<time datetime="` + escape(machine) + `"><span>` + escape(day) + `</span>` + escape(hour) + `</time>`
		return inline{m, timeColumn, width}, nil
	}
	switch v := v.(type) {
	case nil:
		return inline{}, nil
	case string:
		kind := textColumn
		if utf8.RuneCountInString(v) > mostWords {
			kind = proseColumn
		}
		return inline{bdi(v), kind, unbroken(v)}, nil
	case bool:
		if v {
			return words(p.text("yes"))
		}
		return words(p.text("no"))
	case int64:
		return number(p.l.Count(v))
	case Bytes:
		return number(p.l.Bytes(int64(v)))
	case float64:
		return number(p.l.Number(v))
	case Percent:
		return number(p.l.Percent(float64(v)))
	case time.Duration:
		return number(p.l.Duration(v))
	case Money:
		return number(p.l.Money(v.Minor, v.Currency))
	case time.Time:
		return instant(v.UTC().Format(time.RFC3339), p.l.Time(p.zoned(v)))
	case Date:
		return instant(time.Time(v).Format(time.DateOnly), p.l.Date(time.Time(v)))
	case Term:
		sign := markup("")
		if v.Mood != "" && v.Mood != Neutral {
			sign = p.sign(v.Mood)
		}
		return inline{`<span class="term ` + markup(v.Mood.class()) + `">` + sign + escape(v.Text) + `</span>`, textColumn, unbroken(v.Text)}, nil
	case List:
		return inline{p.list(v), textColumn, unbroken(strings.Join(v[:min(len(v), mostItems)], " "))}, nil
	}
	return inline{}, fmt.Errorf("a value cannot be a %T", v)
}

// How long a part of a word is at most: on a screen, where tables scroll, and on
// paper. Up to the third it is not broken on a screen at all.
const (
	onScreen = 36
	onPaper  = 18
	short    = 12
)

// bdi keeps the direction of foreign text from what stands around it, and says
// where a word may be broken: in addresses and paths, or somewhere if it is
// long.
func bdi(s string) markup {
	var b strings.Builder
	screen, paper := 0, 0 // characters since the last place to break
	breaks := func(anywhere bool) {
		if anywhere {
			b.WriteString("<wbr>")
			screen = 0
		} else {
			b.WriteString(`<wbr class="paper">`)
		}
		paper = 0
	}
	for _, r := range shown(s) {
		switch {
		case r == '@' && paper > 0:
			breaks(screen >= short)
		case paper >= onPaper:
			breaks(screen >= onScreen)
		}
		b.WriteString(html.EscapeString(string(r)))
		screen, paper = screen+1, paper+1
		switch r {
		case ' ':
			screen, paper = 0, 0
		case '/':
			breaks(screen >= short)
		}
	}
	return markup("<bdi>" + b.String() + "</bdi>")
}

// unbroken is how many characters of s stand together on paper at most.
func unbroken(s string) int {
	n := 0
	for word := range strings.SplitSeq(shown(s), " ") {
		n = max(n, utf8.RuneCountInString(word))
	}
	return min(n, onPaper)
}

// list returns the first items of v and how many more there are.
func (p *page) list(v List) markup {
	var m markup
	for i, s := range v[:min(len(v), mostItems)] {
		if i > 0 {
			m += ", "
		}
		m += bdi(s)
	}
	if n := len(v) - mostItems; n > 0 {
		m += " " + escape(p.text("others", "n", n))
	}
	return m
}

// zoned returns t in the zone of the document.
func (p *page) zoned(t time.Time) time.Time {
	if p.d.Zone == nil {
		return t.UTC()
	}
	return t.In(p.d.Zone)
}
