package document

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate/locale"
)

// language returns one that is there.
func language(t testing.TB, tag string) *locale.Language {
	t.Helper()
	l, err := locale.New(tag)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// pageOf returns the page of d.
func pageOf(t testing.TB, d *Document) string {
	t.Helper()
	var b bytes.Buffer
	if err := d.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// golden compares text with a file. With MAILHAUL_GOLDEN=write it writes it.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("MAILHAUL_GOLDEN") == "write" {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s has changed (MAILHAUL_GOLDEN=write accepts it):\n%s", path, text)
	}
}

// generated yields n rows.
func generated(n int, row func(i int) []Value) func(yield func([]Value, error) bool) {
	return func(yield func([]Value, error) bool) {
		for i := range n {
			if !yield(row(i), nil) {
				return
			}
		}
	}
}

// dot is a picture of one pixel.
var dot, _ = base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgGPiPHQADLwGKxwuFZAAAAABJRU5ErkJggg==")

// sample is a document with every kind of block and value. Its one long table
// has that many rows.
func sample(t testing.TB, tag string, rows int) *Document {
	start := time.Date(2026, 11, 20, 17, 0, 0, 0, time.UTC)
	var hours []time.Time
	var messages, limit []float64
	for i := range 60 {
		hours = append(hours, start.Add(time.Duration(i)*time.Hour))
		messages = append(messages, float64(500+(i*i*37)%1400))
		limit = append(limit, 2000)
	}
	days := []string{"Fri", "Sat", "Sun"}
	return &Document{
		Format: "mailhaul-test", Version: 1, Language: language(t, tag), Zone: berlin,
		Title: "Moving the mail of Example Ltd to Microsoft 365", Subtitle: "mail.example.com to example.onmicrosoft.com",
		Made:  time.Date(2026, 11, 22, 14, 17, 0, 0, time.UTC),
		Brand: Brand{Name: "Harbour Consulting", Logo: dot, Colour: "#7a1f5c", Foreword: "# Dear client\n\nAll mail has been moved. **Please read** [our page](https://example.com/).\n"},
		Sections: []Section{
			{Key: "summary", Title: "Summary", Blocks: []Block{
				Notice{Good, "52,310 messages were in the old system; 52,297 are in the new one; 13 are not, and each is listed with the reason and what you can do."},
				Figures{Key: "summary", Large: true, Facts: []Fact{
					{Key: "mailboxes", Label: "Mailboxes complete", Value: int64(48), Note: "of 50", Mood: Warn},
					{Key: "messages", Label: "Messages in the new system", Value: int64(52297), Note: "99.98% of all", Mood: Good},
					{Key: "missing", Label: "Messages not there", Value: int64(13), Note: "each is listed", Mood: Bad},
					{Key: "size", Label: "Size", Value: Bytes(18_200_000_000)},
				}},
				Figures{Key: "facts", Facts: []Fact{
					{Key: "from", Label: "Moved from", Value: "mail.example.com (IMAP)"},
					{Key: "began", Label: "First pass", Value: start},
					{Key: "took", Label: "Time that passes took", Value: 200 * time.Minute},
					{Key: "share", Label: "Verified by content", Value: Percent(0.9998), Note: "a sample of 1 in 20"},
					{Key: "day", Label: "Cutover", Value: Date(start)},
					{Key: "cost", Label: "Cost of licences", Value: Money{123450, "EUR"}},
					{Key: "rate", Label: "Messages a second", Value: 4.25},
					{Key: "signed", Label: "Signed", Value: true, Mood: Good},
					{Key: "ports", Label: "Waves", Value: List{"pilot", "office", "field"}},
					{Key: "unknown", Label: "Host"},
				}},
				Text{"Each message that was listed in the old system has exactly one outcome. The sums close for every folder.", "What an outcome means is explained where it first occurs."},
				Signatures{"For the client", "For Harbour Consulting"},
			}},
			{Key: "mailboxes", Title: "Mailboxes", Page: true, Blocks: []Block{
				&Table{Key: "mailboxes", Title: "Mailboxes and their sums", Note: "A mailbox is complete when nothing is pending.", Columns: []Column{
					{Key: "mailbox", Title: "No.", Hidden: true}, {Key: "name", Title: "Mailbox"}, {Key: "grade", Title: "Grade"}, {Key: "listed", Title: "Listed"},
					{Key: "copied", Title: "Copied"}, {Key: "adopted", Title: "Found there"}, {Key: "merged", Title: "Merged"}, {Key: "excluded", Title: "Left out"}, {Key: "failed", Title: "Failed"}, {Key: "size", Title: "Size"}, {Key: "last", Title: "Last pass"},
				}, Rows: generated(8, func(i int) []Value {
					mood, word := Good, "complete"
					if i == 3 {
						mood, word = Warn, "with failures"
					}
					return []Value{int64(i), fmt.Sprintf("person.number%d@example.com", i), Term{"a", word, mood}, int64(6537 + i), int64(6400 + i), int64(100), int64(20), int64(10), int64(i % 2), Bytes(1_234_567_890), start.Add(50 * time.Hour)}
				}), Total: []Value{nil, "Total", nil, int64(52310), int64(51228), int64(800), int64(160), int64(80), int64(13), Bytes(18_200_000_000), nil}},
				&Table{Key: "none", Title: "Mailboxes that were not moved", Columns: []Column{{Key: "name", Title: "Mailbox"}}, Rows: generated(0, nil), Empty: "There are none."},
				&Table{Key: "left_out", Title: "Left out without rows", Columns: []Column{{Key: "name", Title: "Mailbox"}}, Rows: generated(0, nil)},
				&Table{Key: "hidden", Title: "Hidden table", Hidden: true, Columns: []Column{{Key: "name", Title: "Mailbox"}}, Rows: generated(1, func(int) []Value { return []Value{"x"} })},
			}},
			{Key: "exceptions", Title: "Messages that are not in the new system", Page: true, Blocks: []Block{
				Notice{Bad, "These messages could not be copied. They are still in the old system."},
				&Table{Key: "exceptions", Title: "Exceptions", Urgent: true, Columns: []Column{
					{Key: "folder", Title: "Folder"}, {Key: "date", Title: "Date"}, {Key: "from", Title: "From"}, {Key: "subject", Title: "Subject"}, {Key: "size", Title: "Size"}, {Key: "reason", Title: "Reason and what you can do"},
				}, Rows: generated(rows, func(i int) []Value {
					return []Value{"Projects/2019/Harbour", start.Add(-time.Duration(i) * time.Hour), "a***@example.com", fmt.Sprintf("Re: Offer %d for the new quay", i+1), Bytes(151_000_000), "The message is larger than the 150 MB that the new system takes. Save its attachments elsewhere."}
				})},
			}},
			{Key: "timeline", Title: "Timeline", Page: true, Blocks: []Block{
				&Chart{Key: "speed", Kind: Line, Title: "Messages written in each hour", Note: "The limit is that of the vendor.", Times: hours, Unit: "messages an hour", Series: []Series{{Name: "Written", Values: messages}, {Name: "Limit", Values: limit, Limit: true}}},
				&Chart{Key: "daily", Kind: Stacked, Title: "Messages by day", Labels: days, Unit: "messages", Series: []Series{{Name: "Copied", Values: []float64{17000, 20000, 12228}}, {Name: "Found there", Values: []float64{300, 400, 100}}, {Name: "Failed", Values: []float64{400, 300, 1300}}}},
				&Chart{Key: "sizes", Kind: Bars, Title: "Messages by size", Labels: []string{"up to 10 kB", "up to 100 kB", "up to 1 MB", "up to 10 MB", "larger"}, Unit: "messages", Series: []Series{{Name: "Old system", Values: []float64{20000, 18000, 9000, 5000, 310}}, {Name: "New system", Values: []float64{20000, 18000, 9000, 5000, 297}}}},
				&Chart{Key: "passes", Kind: Gantt, Title: "Passes", Labels: []string{"anna.berg@example.com", "bruno.keller@example.com", "chiyo.tanabe@example.com"}, Series: []Series{{Name: "First pass"}, {Name: "Later passes"}}, Spans: []Span{
					{0, 0, start, start.Add(9 * time.Hour), "a"}, {1, 0, start.Add(2 * time.Hour), start.Add(20 * time.Hour), "b"}, {2, 0, start.Add(9 * time.Hour), start.Add(15 * time.Hour), "c"},
					{0, 1, start.Add(30 * time.Hour), start.Add(31 * time.Hour), "d"}, {1, 1, start.Add(40 * time.Hour), start.Add(50 * time.Hour), "e"},
				}},
			}},
		},
	}
}

// The style is left out of the golden files: it is in style.css.
func TestThePageReadsAsItDidInEveryLanguage(t *testing.T) {
	for _, tag := range locale.Tags() {
		d := sample(t, tag, 3)
		d.Draft = "A run is at work."
		page := pageOf(t, d)
		page = regexp.MustCompile(`(?s)<style>.*</style>`).ReplaceAllString(page, "<style></style>")
		page = regexp.MustCompile(`sha256-[^']*`).ReplaceAllString(page, "sha256-")
		golden(t, "page."+tag+".html", page)
	}
}

func TestTheTextsOfTheFacesAreWhole(t *testing.T) {
	if err := locale.Check(texts); err != nil {
		t.Error(err)
	}
}

func TestThePageIsSoundAndAsksForNothing(t *testing.T) {
	for _, tag := range locale.Tags() {
		page := pageOf(t, sample(t, tag, 120))
		root := sound(t, page)
		if got := attribute(find(root, "html")[0], "lang"); got != tag {
			t.Errorf("the language is %q", got)
		}
		for element, n := range map[string]int{"h1": 1, "header": 1, "nav": 1, "main": 1, "footer": 1, "section": 4, "img": 1, "figure": 4} {
			if got := len(find(root, element)); got != n {
				t.Errorf("%d elements %s, want %d", got, element, n)
			}
		}
		if skip := find(root, "a")[0]; attribute(skip, "href") != "#"+attribute(find(root, "main")[0], "id") {
			t.Error("the first link does not lead to the content")
		}
		for i, a := range find(find(root, "nav")[0], "a") {
			if want := []string{"#summary", "#mailboxes", "#exceptions", "#timeline"}[i]; attribute(a, "href") != want {
				t.Errorf("link %d of the contents leads to %s", i, attribute(a, "href"))
			}
		}
	}
}

func TestThePolicyAllowsTheStyleOfThePageAlone(t *testing.T) {
	page := pageOf(t, sample(t, "en", 1))
	style := find(sound(t, page), "style")[0].FirstChild.Data
	sum := sha256.Sum256([]byte(style))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; img-src data:; base-uri 'none'; form-action 'none'"
	if !strings.Contains(page, `<meta http-equiv="Content-Security-Policy" content="`+want+`">`) {
		t.Errorf("no policy %s", want)
	}
	if !strings.Contains(page, `<meta name="referrer" content="no-referrer">`) {
		t.Error("links tell where they were followed")
	}
	if !strings.HasPrefix(style, ":root{--brand:#7a1f5c}") {
		t.Errorf("the style begins with %.40s", style)
	}
}

func TestADocumentThatDoesNotFitTogetherIsNoPage(t *testing.T) {
	table := func(change func(t *Table)) Block {
		table := &Table{Key: "t", Title: "T", Columns: []Column{{Key: "a", Title: "A"}}, Rows: generated(60, func(int) []Value { return []Value{"x"} })}
		change(table)
		return table
	}
	for name, block := range map[string]Block{
		"a row too short":   table(func(t *Table) { t.Rows = generated(1, func(int) []Value { return nil }) }),
		"a row too long":    table(func(t *Table) { t.Rows = generated(1, func(int) []Value { return []Value{"a", "b"} }) }),
		"a long total":      table(func(t *Table) { t.Total = []Value{"a", "b"} }),
		"a strange value":   table(func(t *Table) { t.Rows = generated(1, func(int) []Value { return []Value{1} }) }),
		"a later one":       table(func(t *Table) { t.Rows = generated(55, func(i int) []Value { return []Value{[]Value{"a", 1}[i/54]} }) }),
		"a strange total":   table(func(t *Table) { t.Total = []Value{1} }),
		"an error":          table(func(t *Table) { t.Rows = func(yield func([]Value, error) bool) { yield(nil, io.ErrUnexpectedEOF) } }),
		"a strange fact":    Figures{Facts: []Fact{{Value: 1}}},
		"no block":          nil,
		"a kind of chart":   &Chart{Kind: "pie"},
		"too many values":   &Chart{Kind: Bars, Labels: []string{"a"}, Series: []Series{{Values: []float64{1, 2}}}},
		"a span of no row":  &Chart{Kind: Gantt, Labels: []string{"a"}, Series: []Series{{}}, Spans: []Span{{Row: 1}}},
		"a span below":      &Chart{Kind: Gantt, Labels: []string{"a"}, Series: []Series{{}}, Spans: []Span{{Row: -1}}},
		"a span, no series": &Chart{Kind: Gantt, Labels: []string{"a"}, Series: []Series{{}}, Spans: []Span{{Series: 1}}},
		"a series below":    &Chart{Kind: Gantt, Labels: []string{"a"}, Series: []Series{{}}, Spans: []Span{{Series: -1}}},
	} {
		d := &Document{Language: language(t, "en"), Sections: []Section{{Key: "a", Blocks: []Block{block}}}}
		if err := d.WriteHTML(io.Discard); err == nil {
			t.Errorf("%s makes a page", name)
		}
	}
	for _, keys := range [][]string{{""}, {"A"}, {"a b"}, {"p1"}, {"a\"b"}, {"a", "a"}} {
		d := &Document{Language: language(t, "en")}
		for _, k := range keys {
			d.Sections = append(d.Sections, Section{Key: k})
		}
		if err := d.WriteHTML(io.Discard); err == nil {
			t.Errorf("sections with the keys %q make a page", keys)
		}
	}
}

// full takes so many octets and no more.
type full int

func (f *full) Write(p []byte) (int, error) {
	if *f -= full(len(p)); *f < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestAnErrorOfTheWriterIsReturned(t *testing.T) {
	size := len(pageOf(t, sample(t, "en", 10)))
	for _, n := range []int{0, 5000, size - 1} {
		f := full(n)
		if err := sample(t, "en", 10).WriteHTML(&f); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("after %d octets: %v", n, err)
		}
	}
}
