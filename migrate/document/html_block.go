package document

import (
	"fmt"
	"html"
)

// mostParagraph is how many characters of a paragraph are on the page. They are
// the document's own words.
const mostParagraph = 10 * most

func (p *page) block(b Block) error {
	switch b := b.(type) {
	case Text:
		for _, s := range b {
			p.put("<p class=\"text\">%s</p>\n", paragraph(s))
		}
	case Notice:
		p.put("<p class=\"notice %s\">%s<span>%s</span></p>\n", markup(b.Mood.class()), p.sign(b.Mood), paragraph(b.Text))
	case Figures:
		return p.figures(b)
	case *Table:
		return p.table(b)
	case *Chart:
		return p.chart(b)
	case Signatures:
		p.signatures(b)
	default:
		return fmt.Errorf("document: there is no block %T", b)
	}
	return nil
}

func paragraph(s string) markup { return markup(html.EscapeString(visible(s, mostParagraph))) }

// class is that of an element of this mood, whatever the model has.
func (m Mood) class() string {
	switch m {
	case Good, Warn, Bad:
		return string(m)
	}
	return string(Neutral)
}

// signs are drawn in a square of 16 by 16.
var signs = map[Mood]markup{
	Neutral: `<circle cx="8" cy="8" r="7"/><path d="M8 7v5M8 4v1.2"/>`,
	Good:    `<circle cx="8" cy="8" r="7"/><path d="M4.5 8.3l2.4 2.5 4.6-5.2"/>`,
	Warn:    `<path d="M8 1.5L15 14.5H1z"/><path d="M8 6v4M8 11.6v1.2"/>`,
	Bad:     `<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z"/><path d="M5 5l6 6M11 5l-6 6"/>`,
}

// sign draws a mood, and says it to those who do not see it.
func (p *page) sign(m Mood) markup {
	m = Mood(m.class())
	said := ""
	if m != Neutral {
		said = `<span class="hidden">` + string(escape(p.text(string(m)))) + ` </span>`
	}
	return `<svg class="sign" viewBox="0 0 16 16" aria-hidden="true">` + signs[m] + `</svg>` + markup(said)
}

func (p *page) figures(f Figures) error {
	class := markup("facts")
	if f.Large {
		class = "facts large"
	}
	p.put("<dl class=\"%s\">\n", class)
	for _, fact := range f.Facts {
		c, err := p.inline(fact.Value)
		if err != nil {
			return fmt.Errorf("document: %s: %s: %w", f.Key, fact.Key, err)
		}
		if fact.Value == nil {
			c.html = "–"
		}
		sign := markup("")
		if fact.Mood != "" && fact.Mood != Neutral {
			sign = p.sign(fact.Mood)
		}
		p.put("<div class=\"%s\"><dt>%s</dt><dd>%s%s</dd>", markup(fact.Mood.class()), fact.Label, sign, c.html)
		if fact.Note != "" {
			p.put("<dd class=\"note\">%s</dd>", fact.Note)
		}
		p.put("</div>\n")
	}
	p.put("</dl>\n")
	return nil
}

func (p *page) signatures(s Signatures) {
	p.put("<div class=\"signatures\">\n")
	for _, purpose := range s {
		p.put("<div><p class=\"purpose\">%s</p><p>%s</p><p>%s</p><p>%s</p></div>\n",
			purpose, p.text("name"), p.text("place"), p.text("signature"))
	}
	p.put("</div>\n")
}
