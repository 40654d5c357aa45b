package browsertest

import (
	"bytes"
	"context"
	"encoding/xml"
	"os/exec"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// A Paper is the size of a sheet.
type Paper = chromedp.PaperSize

// The sheets that pages are printed on.
var (
	A4     = chromedp.PaperA4
	Letter = chromedp.PaperLetter
)

// PDF prints the page, as a person does: without its backgrounds unless it asks
// for them.
func (b *Browser) PDF(on Paper) []byte {
	b.tb.Helper()
	return do(b, chromedp.PrintToPDF(chromedp.PDFPaper(on), chromedp.PDFPreferCSSPageSize()))
}

// Print shows the page as it is printed, on a sheet without end.
func (b *Browser) Print() {
	b.tb.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	b.check(err)
}

// A Sheet is a printed page. Its words are in the order in which they were
// printed, with places in points from its left and top.
type Sheet struct {
	Width  float64 `xml:"width,attr"`
	Height float64 `xml:"height,attr"`
	Words  []Word  `xml:"word"`
}

// A Word is text without a space, and where it is.
type Word struct {
	Left   float64 `xml:"xMin,attr"`
	Top    float64 `xml:"yMin,attr"`
	Right  float64 `xml:"xMax,attr"`
	Bottom float64 `xml:"yMax,attr"`
	Text   string  `xml:",chardata"`
}

// Sheets prints the page and reads what is on paper then. Without pdftotext the
// test is skipped, or fails if MAILHAUL_REQUIRE names poppler.
func (b *Browser) Sheets(on Paper) []Sheet {
	b.tb.Helper()
	program, err := exec.LookPath("pdftotext")
	if err != nil {
		Missing(b.tb, "poppler", "pdftotext is not installed")
	}
	c := exec.Command(program, "-bbox", "-raw", "-", "-")
	c.Stdin = bytes.NewReader(b.PDF(on))
	out, err := c.Output()
	b.check(err)
	var read struct {
		Sheets []Sheet `xml:"body>doc>page"`
	}
	b.check(xml.Unmarshal(out, &read))
	return read.Sheets
}
