package report

import (
	"slices"
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document"
)

// outcomes are all there are, in the order in which people are told.
var outcomes = []migrate.Outcome{migrate.Copied, migrate.Merged, migrate.Adopted, migrate.Moved, migrate.Removed,
	migrate.Excluded, migrate.Gone, migrate.Failed, migrate.Pending}

// sums are what became of the messages: in all, and folder by folder.
func (r *report) sums() document.Section {
	_, further := r.identity(r.total, r.unfound())
	text := append(document.Text{r.say("sums.identity"), r.say("sums.listed")}, further...)
	return document.Section{Key: "sums", Title: r.say("sums.title"), Page: true, Blocks: []document.Block{text, r.outcomeTable(), r.folderTable()}}
}

// outcomeTable says what each outcome means, so that other tables need not.
func (r *report) outcomeTable() *document.Table {
	var rows [][]document.Value
	for _, o := range outcomes {
		if r.total.Count[o] > 0 || o == migrate.Copied || o == migrate.Failed {
			rows = append(rows, []document.Value{document.Term{Key: o.String(), Text: r.say("column." + o.String())},
				r.total.Count[o], document.Bytes(r.total.Bytes[o]), r.say("outcome." + o.String())})
		}
	}
	var bytes int64
	for _, n := range r.total.Bytes {
		bytes += n
	}
	return &document.Table{Key: "outcomes", Title: r.say("table.outcomes"), Rows: rowsOf(rows),
		Columns: []document.Column{r.column("outcome"), r.column("messages"), r.column("bytes"), r.column("meaning")},
		Total:   []document.Value{r.say("column.listed"), r.total.Listed, document.Bytes(bytes), nil}}
}

// outcomeColumns are those of a table with outcomeCounts. The page shows the
// named ones.
func (r *report) outcomeColumns(shown ...migrate.Outcome) (columns []document.Column) {
	for _, o := range outcomes {
		c := r.column(o.String())
		c.Hidden = !slices.Contains(shown, o)
		columns = append(columns, c)
	}
	return columns
}

func outcomeCounts(t migrate.Tally) (counts []document.Value) {
	for _, o := range outcomes {
		counts = append(counts, t.Count[o])
	}
	return counts
}

// occurred are the outcomes that a table of folders has to show.
func (r *report) occurred() (all []migrate.Outcome) {
	for _, o := range outcomes {
		if r.total.Count[o] > 0 || o == migrate.Copied || o == migrate.Failed {
			all = append(all, o)
		}
	}
	return all
}

func (r *report) folderTable() *document.Table {
	t := &document.Table{Key: "folders", Title: r.say("table.folders")}
	t.Columns = append([]document.Column{r.hidden("folder"), r.column("mailbox"), r.column("source"), r.column("path"), r.column("listed")},
		r.outcomeColumns(r.occurred()...)...)
	t.Columns = append(t.Columns, r.column("bytes"))
	t.Total = append([]document.Value{nil, nil, r.say("total"), nil, r.total.Listed}, outcomeCounts(r.total)...)
	t.Total = append(t.Total, document.Bytes(arrivedBytes(r.total)))
	named := r.Privacy.Everything()
	if named { // and so can be checked against the log
		for _, key := range []string{"source_name", "source_nonce", "target_name", "target_nonce", "path_name", "path_nonce"} {
			t.Columns, t.Total = append(t.Columns, r.hidden(key)), append(t.Total, nil)
		}
	}
	t.Rows = func(yield func([]document.Value, error) bool) {
		for _, a := range r.accounts {
			for _, f := range a.Tallies {
				row := append([]document.Value{f.ID, a.number, r.Privacy.Address(a.Source), r.path(f.Folder), f.Listed}, outcomeCounts(f)...)
				row = append(row, document.Bytes(arrivedBytes(f)))
				if named {
					path := strings.Join(f.Folder.Path, "\x00")
					row = append(row, a.Source, r.nonce("source", a.Source), a.Target, r.nonce("target", a.Target),
						document.List(f.Folder.Path), r.nonce("path", path))
				}
				if !yield(row, nil) {
					return
				}
			}
		}
	}
	return t
}
