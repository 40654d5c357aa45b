package document

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate/document/browsertest"
)

// file writes the page of d and returns its path.
func file(t *testing.T, d *Document) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, []byte(pageOf(t, d)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The page is looked at by a person with MAILHAUL_PICTURES=DIR, which keeps
// pictures and a PDF of it.
func TestABrowserShowsThePageWithoutComplaintOrRequest(t *testing.T) {
	b := browsertest.Open(t)
	d := sample(t, "en", 500)
	d.Draft = "A run is at work."
	v := b.Load(file(t, d))
	if len(v.Console) > 0 || len(v.Requests) > 0 {
		t.Errorf("the console says %q; asked for were %q", v.Console, v.Requests)
	}
	t.Logf("it took %s", v.Took)
	for _, width := range []int64{375, 1440} {
		b.Resize(width)
		if w := browsertest.Evaluate[int64](b, "document.documentElement.scrollWidth"); w > width {
			t.Errorf("at %d pixels the page is %d wide", width, w)
		}
		if dir := os.Getenv("MAILHAUL_PICTURES"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("page-%d.png", width)), b.Screenshot(width), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := browsertest.Evaluate[int](b, `[...document.styleSheets].length * [...document.images].filter(i => i.naturalWidth > 0).length`); n != 1 {
		t.Error("the style or the logo is not there")
	}
}

func TestAxeHasNothingAgainstThePage(t *testing.T) {
	b := browsertest.Open(t)
	for _, tag := range []string{"en", "de"} {
		d := sample(t, tag, 55)
		d.Draft = "A run is at work."
		b.Load(file(t, d))
		browsertest.Evaluate[bool](b, `document.querySelectorAll("details").forEach(d => d.open = true), true`)
		for _, width := range []int64{375, 1440} {
			b.Resize(width)
			for _, v := range b.Axe() {
				t.Errorf("%s at %d pixels: %s", tag, width, v)
			}
		}
	}
}

func TestTheKeyboardReachesEverything(t *testing.T) {
	b := browsertest.Open(t)
	b.Load(file(t, sample(t, "en", 170)))
	b.Resize(375)
	want := browsertest.Evaluate[[]string](b, `[...document.querySelectorAll("a, summary, .region")].filter(e => e.checkVisibility()).map((e, i) => e.dataset.stop = String(i))`)
	var got []string
	for range want {
		b.Press("\t")
		got = append(got, browsertest.Evaluate[string](b, `document.activeElement.dataset.stop || document.activeElement.outerHTML.slice(0, 80)`))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the stops are %q, want %q", got, want)
	}
	// The last stop is the summary of a chart's figures.
	b.Press("\r")
	if !browsertest.Evaluate[bool](b, `document.activeElement.parentElement.open`) {
		t.Error("a part cannot be opened by the keyboard")
	}
}

// printed returns the text of each page of d on paper.
func printed(t *testing.T, d *Document) []string {
	t.Helper()
	program, err := exec.LookPath("pdftotext")
	if err != nil {
		browsertest.Missing(t, "poppler", "pdftotext is not installed")
	}
	b := browsertest.Open(t)
	b.Load(file(t, d))
	pdf := b.PDF(browsertest.A4)
	if dir := os.Getenv("MAILHAUL_PICTURES"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, t.Name()+".pdf"), pdf, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command(program, "-layout", "-", "-")
	c.Stdin = bytes.NewReader(pdf)
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\f"), "\f")
}

func TestThePrintedPageHasEveryRowWhole(t *testing.T) {
	d := sample(t, "en", 500)
	d.Draft = "A run is at work."
	pages := printed(t, d)
	rows, heads := 0, 0
	for i, page := range pages {
		if !strings.Contains(page, "Draft") {
			t.Errorf("page %d does not say that it is a draft", i+1)
		}
		if !strings.Contains(page, fmt.Sprintf("%d / %d", i+1, len(pages))) {
			t.Errorf("page %d has not its number", i+1)
		}
		if strings.Contains(page, "Contents") {
			t.Errorf("page %d has the contents", i+1)
		}
		begun, ended := strings.Count(page, "Re: Offer"), strings.Count(page, "elsewhere.")
		rows += begun
		if begun != ended {
			t.Errorf("page %d begins %d rows and ends %d:\n%s", i+1, begun, ended, page)
		}
		if begun > 0 && strings.Contains(page, "Reason and what you can do") {
			heads++
		} else if begun > 0 {
			t.Errorf("page %d has rows and no heading", i+1)
		}
	}
	if rows != 500 || heads < 10 {
		t.Errorf("%d rows on %d pages", rows, heads)
	}
}

func TestNoHeadingIsLeftAloneAtTheEndOfAPrintedPage(t *testing.T) {
	d := &Document{Language: language(t, "en"), Title: "Pages"}
	for i := range 30 {
		table := numbers(5)
		table.Title, table.Total = fmt.Sprintf("Heading %d.", i), []Value{int64(0), nil, nil}
		d.Sections = append(d.Sections, Section{Key: strings.Repeat("a", i+1), Title: "Section", Page: true, Blocks: []Block{
			Text(slices.Repeat([]string{"A paragraph."}, 20+i)), table,
		}})
	}
	found := 0
	for i, page := range printed(t, d) {
		page = strings.TrimSpace(page)
		if head := strings.Index(page, "Heading "); head >= 0 {
			found++
			if !strings.Contains(page[head:], "yes") {
				t.Errorf("page %d ends with a heading:\n%s", i+1, page[head:])
			}
		}
		if strings.Contains(page, "Odd") && !strings.Contains(page, "yes") && !strings.Contains(page, "no") {
			t.Errorf("page %d has columns without rows", i+1)
		}
	}
	if found != 30 {
		t.Errorf("%d headings", found)
	}
}

func TestAWideTableIsNotCutOnPaper(t *testing.T) {
	table := &Table{Key: "t", Title: "Wide"}
	for i := range 16 {
		table.Columns = append(table.Columns, Column{Key: fmt.Sprintf("c%d", i), Title: fmt.Sprintf("Column %d", i)})
	}
	table.Rows = generated(1, func(int) []Value {
		var row []Value
		for i := range 16 {
			row = append(row, fmt.Sprintf("c%d. anna.katharina.berg@example.com", i))
		}
		return row
	})
	page := printed(t, &Document{Language: language(t, "en"), Title: "Pages", Sections: []Section{{Key: "a", Blocks: []Block{table}}}})[0]
	for i := range 16 {
		if !strings.Contains(page, fmt.Sprintf("c%d.", i)) {
			t.Errorf("column %d is cut off:\n%s", i, page)
		}
	}
}
