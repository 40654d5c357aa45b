package document

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// What a brand may have at most.
const (
	mostLogo     = 1 << 20
	mostForeword = 64 << 10
)

var hexColour = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

// colour returns the brand's colour, or that of a document without one.
func (b Brand) colour() (string, error) {
	switch {
	case b.Colour == "":
		return "#1f4e79", nil
	case !hexColour.MatchString(b.Colour):
		return "", fmt.Errorf("the colour %q of the brand has not the form #1f4e79", b.Colour)
	}
	return b.Colour, nil
}

// logo returns a URI that holds the brand's logo, or "" without one. As an
// image, an SVG runs no script and fetches nothing.
func (b Brand) logo() (string, error) {
	if len(b.Logo) == 0 {
		return "", nil
	}
	if len(b.Logo) > mostLogo {
		return "", fmt.Errorf("the logo has %d bytes: more than %d are too many", len(b.Logo), mostLogo)
	}
	kind := "svg+xml"
	if !isSVG(b.Logo) {
		var err error
		if _, kind, err = image.DecodeConfig(bytes.NewReader(b.Logo)); err != nil {
			return "", errors.New("the logo is no picture in PNG, JPEG or SVG")
		}
	}
	return "data:image/" + kind + ";base64," + base64.StdEncoding.EncodeToString(b.Logo), nil
}

// isSVG says whether data is XML whose root is svg.
func isSVG(data []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		switch t, err := d.RawToken(); t := t.(type) {
		case xml.StartElement:
			return t.Name.Local == "svg"
		default:
			if err != nil {
				return false
			}
		}
	}
}

var allowedLink = regexp.MustCompile(`^(?i:https?://|mailto:)`)

// foreword returns the foreword as HTML, without pictures, HTML of its own, and
// links that lead elsewhere than to the web and to mail. Its headings stand below
// the document's title, and none is left out between two levels.
func (b Brand) foreword() (markup, error) {
	if len(b.Foreword) > mostForeword {
		return "", fmt.Errorf("the foreword has %d bytes: more than %d are too many", len(b.Foreword), mostForeword)
	}
	source := []byte(b.Foreword)
	tree := goldmark.DefaultParser().Parse(text.NewReader(source))
	var nodes []ast.Node
	err := ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			nodes = append(nodes, n)
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return "", err
	}
	level := 1
	for _, n := range nodes {
		switch n := n.(type) {
		case *ast.Heading:
			level = min(n.Level+1, level+1, 6)
			n.Level = level
		case *ast.HTMLBlock, *ast.RawHTML:
			n.Parent().RemoveChild(n.Parent(), n)
		case *ast.Image:
			unwrap(n)
		case *ast.Link:
			if !allowedLink.Match(n.Destination) {
				unwrap(n)
			}
		case *ast.AutoLink:
			if n.AutoLinkType == ast.AutoLinkURL && !allowedLink.Match(n.URL(source)) {
				n.Parent().ReplaceChild(n.Parent(), n, ast.NewString(n.Label(source)))
			}
		}
	}
	var out strings.Builder
	if err := goldmark.DefaultRenderer().Render(&out, source, tree); err != nil {
		return "", err
	}
	return markup(withoutHidden(out.String())), nil
}

// unwrap puts in the place of n what it holds.
func unwrap(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = n.FirstChild() {
		n.Parent().InsertBefore(n.Parent(), n, c)
	}
	n.Parent().RemoveChild(n.Parent(), n)
}

// withoutHidden shows in HTML what shown shows in a text. References to
// characters are resolved in it.
func withoutHidden(s string) string {
	var b strings.Builder
	for _, r := range s {
		if hides(r) && r != '\n' {
			fmt.Fprintf(&b, "&lt;U+%04X&gt;", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
