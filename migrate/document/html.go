package document

import (
	"bufio"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"regexp"

	"github.com/mailhaul/mailhaul/migrate/locale"
)

//go:embed style.css
var stylesheet string

// WriteHTML writes the document as a page of one file. It has no script, asks
// the network for nothing, and its policy (CSP) forbids both to whatever might
// get into it. Rows of tables are written as they are read.
//
// A brand that is not as it should be, or a model that does not fit together,
// is an error; what was written by then is of no use.
func (d *Document) WriteHTML(w io.Writer) error {
	texts, err := d.texts()
	if err != nil {
		return err
	}
	p := &page{w: bufio.NewWriter(w), d: d, l: d.Language, texts: texts}
	if err := p.write(); err != nil {
		return err
	}
	return p.w.Flush()
}

// A page is an HTML page that is being written.
type page struct {
	w     *bufio.Writer // keeps its first error
	d     *Document
	l     *locale.Language
	texts locale.Texts
	ids   int
}

// A markup is HTML that is already escaped.
type markup string

// put writes HTML. Its arguments are escaped: strings as people may be shown
// them. Only a markup and an int are put in as they are.
func (p *page) put(format string, args ...any) {
	for i, a := range args {
		switch a := a.(type) {
		case string:
			args[i] = escape(a)
		case markup, int:
		default:
			panic(fmt.Sprintf("%T in a page", a))
		}
	}
	fmt.Fprintf(p.w, format, args...)
}

// escape returns s as people may be shown it, in HTML or in the value of an
// attribute.
func escape(s string) markup { return markup(html.EscapeString(shown(s))) }

// text returns one of the page's own texts.
func (p *page) text(key string, pairs ...any) string { return p.texts.Text(key, pairs...) }

// id returns one that no other element has. Keys of sections have no digits.
func (p *page) id() markup {
	p.ids++
	return markup(fmt.Sprintf("p%d", p.ids))
}

func (p *page) write() error {
	colour, err := p.d.Brand.colour()
	if err != nil {
		return err
	}
	logo, err := p.d.Brand.logo()
	if err != nil {
		return err
	}
	foreword, err := p.d.Brand.foreword()
	if err != nil {
		return err
	}
	main := p.id()
	style := ":root{--brand:" + colour + "}\n" + stylesheet
	if p.d.Draft != "" {
		style += fmt.Sprintf("@page{@top-center{content:%q;font:700 10pt system-ui,sans-serif;color:#8a4b00}}\n", p.text("draft"))
	}
	p.head(style)
	p.put("<body>\n<a class=\"skip\" href=\"#%s\">%s</a>\n", main, p.text("skip"))
	p.header(logo)
	if err := p.contents(); err != nil {
		return err
	}
	p.put("<main id=\"%s\" tabindex=\"-1\">\n", main)
	if foreword != "" {
		p.put("<div class=\"foreword\">\n%s</div>\n", foreword)
	}
	for _, s := range p.d.Sections {
		if err := p.section(s); err != nil {
			return err
		}
	}
	p.put("</main>\n<footer><p>%s · %s</p></footer>\n</body>\n</html>\n", p.d.Title, p.made())
	return nil
}

// head writes what comes before the body. The policy allows this style alone.
func (p *page) head(style string) {
	sum := sha256.Sum256([]byte(style))
	p.put(`<!doctype html>
<html lang="%s">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-%s'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>%s</title>
<style>%s</style>
</head>
`, p.l.Tag(), markup(base64.StdEncoding.EncodeToString(sum[:])), p.d.Title, markup(style))
}

// header writes what the document is, by whom and of when.
func (p *page) header(logo string) {
	p.put("<header>\n")
	if p.d.Draft != "" {
		p.put("<p class=\"watermark\" aria-hidden=\"true\">%s</p>\n", p.text("draft"))
		p.put("<p class=\"draft\"><strong>%s.</strong> %s</p>\n", p.text("draft"), p.d.Draft)
	}
	if b := p.d.Brand; logo != "" || b.Name != "" {
		p.put("<div class=\"brand\">")
		if logo != "" {
			p.put("<img src=\"%s\" alt=\"\">", markup(logo))
		}
		p.put("<span>%s</span></div>\n", b.Name)
	}
	p.put("<h1><bdi>%s</bdi></h1>\n", p.d.Title)
	if p.d.Subtitle != "" {
		p.put("<p class=\"subtitle\"><bdi>%s</bdi></p>\n", p.d.Subtitle)
	}
	p.put("<p class=\"made\">%s</p>\n</header>\n", p.made())
}

// made says when the document was made.
func (p *page) made() string { return p.text("made", "time", p.l.Time(p.zoned(p.d.Made))) }

var anchor = regexp.MustCompile(`^[a-z-]+$`)

// contents writes the links to the sections.
func (p *page) contents() error {
	id, seen := p.id(), map[string]bool{}
	p.put("<nav aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n<ol>\n", id, id, p.text("contents"))
	for _, s := range p.d.Sections {
		if !anchor.MatchString(s.Key) || seen[s.Key] {
			return fmt.Errorf("document: section %q: its key is there twice, or not of a to z and hyphens", s.Key)
		}
		seen[s.Key] = true
		p.put("<li><a href=\"#%s\">%s</a></li>\n", s.Key, s.Title)
	}
	p.put("</ol>\n</nav>\n")
	return nil
}

func (p *page) section(s Section) error {
	class := markup("")
	if s.Page {
		class = " class=\"page\""
	}
	p.put("<section id=\"%s\"%s>\n<h2>%s</h2>\n", s.Key, class, s.Title)
	for _, b := range s.Blocks {
		if err := p.block(b); err != nil {
			return err
		}
	}
	p.put("</section>\n")
	return nil
}
