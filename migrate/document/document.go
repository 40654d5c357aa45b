// Package document holds what a client is given to read, as one model with
// three faces: a page of HTML that needs nothing else, an XLSX workbook and
// JSON for machines. A figure is in the model once, so that the faces agree.
//
// Texts and cells may hold anything that was in mail. Each face escapes them,
// bounds their length, and shows characters that control or reorder text.
package document

import (
	"iter"
	"time"

	"github.com/mailhaul/mailhaul/migrate/locale"
)

// A Document is a report or a plan.
type Document struct {
	Format   string // of the JSON: "mailhaul-report"
	Version  int    // of that format
	Language *locale.Language
	Zone     *time.Location // in which times are shown; those in JSON are in UTC
	Title    string
	Subtitle string
	Made     time.Time
	Draft    string // why it is one, on every page; empty if it is none
	Brand    Brand
	Sections []Section
}

// A Brand is the look that a consultant gives it.
type Brand struct {
	Name     string // of the company
	Logo     []byte // PNG, JPEG or SVG; at most 1 MiB
	Colour   string // "#1f4e79"; of lines, never of a text or what is behind one
	Foreword string // Markdown: paragraphs, headings, lists, emphasis and links
}

// A Section has a heading and what stands below it.
type Section struct {
	Key    string // anchor: letters a to z and hyphens
	Title  string
	Blocks []Block
	Page   bool // begins a new page in print
}

// A Block is a [Text], [Notice], [Figures], [Table], [Chart] or [Signatures].
type Block interface{ block() }

// A Text is paragraphs of plain text. It is in no other face than the page.
type Text []string

// A Notice says in a sentence or two how something is, with a sign and a colour.
type Notice struct {
	Mood Mood
	Text string
}

// A Mood is how good news is.
type Mood string

const (
	Neutral Mood = "neutral"
	Good    Mood = "good"
	Warn    Mood = "warn"
	Bad     Mood = "bad"
)

// Figures are facts side by side: an object in JSON, rows of the first sheet in
// the workbook.
type Figures struct {
	Key   string // of the object in JSON
	Facts []Fact
	Large bool // to be seen first
}

// A Fact is one figure with its label.
type Fact struct {
	Key   string // of the member in JSON
	Label string
	Value Value
	Note  string // in small letters below
	Mood  Mood
}

// A Table is an array of objects in JSON and a sheet of its own in the workbook.
// The page shows its first rows, some at a time.
type Table struct {
	Key     string // in JSON: letters a to z and underscores
	Title   string // also of the sheet
	Note    string // a sentence below the title
	Columns []Column
	Rows    iter.Seq2[[]Value, error] // a value for each column; may be used several times, and gives the same each time
	Total   []Value                   // last row of page and workbook; nil for none
	Empty   string                    // what the page says if there are no rows; without it, it leaves the table out
	Urgent  bool                      // its sheet comes before those that are not
	Hidden  bool                      // not on the page
	Most    int                       // rows on the page; 0 for 500
}

// A Column is one column of a table.
type Column struct {
	Key    string // of the member in JSON: letters a to z, digits and underscores
	Title  string
	Hidden bool // not on the page
}

// A Value is what a cell or a fact holds: a string, bool, int64 (a count),
// [Bytes], float64, [Percent], time.Time, [Date], time.Duration, [Money], [Term],
// [List] or nil for none.
type Value any

type (
	Bytes   int64     // octets
	Percent float64   // 0.5 is 50 %
	Date    time.Time // a day
	List    []string
)

// Money is an amount in the smallest unit of its currency.
type Money struct {
	Minor    int64
	Currency string // ISO 4217
}

// A Term is one of a few words: Key in JSON, Text for people.
type Term struct {
	Key  string
	Text string
	Mood Mood
}

// A Chart is drawn from rows of figures that a table of the document has too,
// or from its own, which the page then offers as a table below it.
type Chart struct {
	Key    string // of the data in JSON
	Kind   Kind
	Title  string
	Note   string
	Labels []string    // of the points along the axis, or of the rows of a Gantt
	Times  []time.Time // instead of Labels
	Series []Series
	Spans  []Span // of a Gantt
	Unit   string // of the values, for people: "messages an hour"
}

// A Kind is how a chart is drawn.
type Kind string

const (
	Bars    Kind = "bars"    // a column for each label, series side by side
	Stacked Kind = "stacked" // or on top of each other
	Line    Kind = "line"    // over Times
	Gantt   Kind = "gantt"   // Spans in rows
)

// A Series is the values of a chart at its points.
type Series struct {
	Name   string
	Values []float64
	Limit  bool // a line that is not to be crossed
}

// A Span is a bar of a Gantt.
type Span struct {
	Row        int // of Labels
	Series     int // which gives it its colour
	Start, End time.Time
	Text       string
}

// Signatures are lines to sign on.
type Signatures []string // what each is for: "For the client"

func (Text) block()       {}
func (Notice) block()     {}
func (Figures) block()    {}
func (*Table) block()     {}
func (*Chart) block()     {}
func (Signatures) block() {}
