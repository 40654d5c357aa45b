package document

import (
	"iter"
	"testing"
	"time"
)

// berlin is a zone in which days begin an hour earlier.
var berlin = time.FixedZone("CET", 3600)

// workings is a document with every kind of block and of value.
func workings(tb testing.TB) *Document {
	tb.Helper()
	day := time.Date(2026, 11, 22, 23, 30, 15, 0, time.UTC) // the next day in Berlin
	return &Document{
		Format: "mailhaul-report", Version: 1, Language: language(tb, "en"), Zone: berlin,
		Title: "Report & more", Subtitle: "of example.com", Made: day.In(berlin), Draft: "a run is at work",
		Sections: []Section{
			{Key: "first", Title: "At a glance", Blocks: []Block{
				Text{"Only on the page."},
				Notice{Bad, "One message did not come over. It was larger than what the new system takes, and it is listed in the table of exceptions with what you can do about it yourself."},
				Notice{"", "Nothing else is known."},
				Figures{Key: "summary", Large: true, Facts: []Fact{
					{Key: "listed", Label: "In the old system", Value: int64(52310), Note: "all folders"},
					{Key: "size", Label: "Size", Value: Bytes(1 << 40)},
					{Key: "since", Label: "First pass", Value: day},
					{Key: "deepest", Label: "Depth", Value: Term{"content", "whole content", Good}},
					{Key: "unknown", Label: "Not known", Value: nil},
				}},
			}},
			{Key: "rest", Title: "The rest", Blocks: []Block{
				&Table{Key: "folders", Title: "Folders", Note: "As they are called.", Columns: []Column{
					{Key: "name", Title: "Name"},
					{Key: "messages", Title: "Messages"},
					{Key: "octets", Title: "Size"},
					{Key: "rate", Title: "Rate"},
					{Key: "share", Title: "Share"},
					{Key: "seen", Title: "Seen"},
					{Key: "day", Title: "Day"},
					{Key: "took", Title: "Took"},
					{Key: "price", Title: "Price"},
					{Key: "yen", Title: "Yen", Hidden: true},
					{Key: "state", Title: "State"},
					{Key: "labels", Title: "Labels"},
					{Key: "whole", Title: "Whole"},
				}, Rows: rowsOf(
					[]Value{"INBOX", int64(1234567), Bytes(98765432109), 12.5, Percent(0.125), day.In(berlin), Date(day), 26*time.Hour + 3*time.Minute + 9*time.Second,
						Money{123456, "EUR"}, Money{5000, "JPY"}, Term{"done", "complete", Good}, List{"a", "b, c"}, true},
					[]Value{"Sent", int64(0), Bytes(0), 0.0, Percent(1), day.AddDate(-20, 0, 0), Date(day.AddDate(-20, 0, 0)), time.Duration(0),
						Money{-5, "EUR"}, Money{0, "JPY"}, Term{"open", "not complete", Warn}, List{}, false},
					make([]Value, 13),
				), Total: []Value{"Total", int64(1234567), Bytes(98765432109), nil, nil, nil, nil, nil, Money{123451, "EUR"}, nil, nil, nil, nil}},
				&Chart{Key: "speed", Kind: Line, Title: "Speed", Unit: "messages an hour",
					Times:  []time.Time{day, day.Add(time.Hour)},
					Series: []Series{{Name: "Moved", Values: []float64{100, 250.5}}, {Name: "Limit", Values: []float64{300, 300}, Limit: true}}},
				&Chart{Key: "waves", Kind: Gantt, Title: "Waves", Labels: []string{"pilot", "all"},
					Series: []Series{{Name: "Copying"}},
					Spans:  []Span{{Row: 1, Start: day, End: day.Add(3 * time.Hour), Text: "the rest"}}},
			}},
			{Key: "end", Title: "To do", Blocks: []Block{
				&Table{Key: "exceptions", Title: "Exceptions", Urgent: true, Columns: []Column{{Key: "subject", Title: "Subject"}},
					Rows: rowsOf([]Value{"offer"})},
				&Table{Key: "raw", Title: "Raw", Hidden: true, Columns: []Column{{Key: "uid", Title: "UID"}}, Rows: rowsOf()},
				Signatures{"For the client"},
			}},
		},
	}
}

// rowsOf yields rows in one slice, as a ledger may.
func rowsOf(rows ...[]Value) iter.Seq2[[]Value, error] {
	return func(yield func([]Value, error) bool) {
		var row []Value
		for _, r := range rows {
			row = append(row[:0], r...)
			if !yield(row, nil) {
				return
			}
		}
	}
}
