package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document"
)

// summary is page one.
func (r *report) summary() document.Section {
	s := document.Section{Key: "summary", Title: r.say("summary.title")}
	accounted, _ := r.identity(r.total, r.unfound())
	s.Blocks = []document.Block{r.verdict(), r.moved(), r.totals(), document.Text(accounted)}
	if r.Endpoint != "" {
		s.Blocks = append(s.Blocks, document.Notice{Mood: document.Warn, Text: r.say("summary.endpoint", "endpoint", r.Endpoint, "target", r.target())})
	}
	s.Blocks = append(s.Blocks, r.gradeTable(), r.mailboxTable())
	if r.Draft == Final {
		s.Blocks = append(s.Blocks, document.Text{r.say("summary.signing")},
			document.Signatures{r.say("summary.client"), r.say("summary.contractor")})
	}
	return s
}

// verdict says in a sentence how the migration stands.
func (r *report) verdict() document.Notice {
	var unfinished, open int64
	for _, a := range r.accounts {
		switch a.grade {
		case gradeD:
			unfinished++
		case gradeC:
			open++
		}
	}
	switch {
	case unfinished > 0:
		return document.Notice{Mood: document.Bad, Text: r.say("verdict.unfinished", "n", unfinished)}
	case open > 0:
		return document.Notice{Mood: document.Warn, Text: r.say("verdict.open", "n", open)}
	}
	return document.Notice{Mood: document.Good, Text: r.say("verdict.good")}
}

// moved says what was moved, from where to where, and when.
func (r *report) moved() (text document.Text) {
	var begun int64
	for _, a := range r.accounts {
		if a.passes > 0 {
			begun++
		}
	}
	if begun > 0 {
		first, last := r.span()
		text = append(text, r.say("summary.moved", "n", begun, "source", r.Source, "target", r.target(),
			"first", r.language.Date(first.In(r.Zone)), "last", r.language.Date(last.In(r.Zone))))
	}
	if left := int64(len(r.accounts)) - begun; left > 0 {
		text = append(text, r.say("summary.not_begun", "n", left, "source", r.Source, "target", r.target()))
	}
	return text
}

// span is from the beginning of the first pass to the latest time at which a
// pass is known to have been at work.
func (r *report) span() (first, last time.Time) {
	for _, a := range r.accounts {
		if !a.first.IsZero() && (first.IsZero() || a.first.Before(first)) {
			first = a.first
		}
		for _, t := range []time.Time{a.state.Started, a.state.Ended} {
			if t.After(last) {
				last = t
			}
		}
	}
	return first, last
}

func (r *report) totals() document.Figures {
	var complete int64
	for _, a := range r.accounts {
		if a.state.Complete {
			complete++
		}
	}
	mailboxes := r.fact("complete", complete)
	mailboxes.Note = r.say("fact.of_mailboxes", "n", int64(len(r.accounts)))
	arrived := r.fact("arrived", r.total.Arrived())
	arrived.Note = r.language.Bytes(arrivedBytes(r.total))
	failed := r.fact("failed", r.total.Count[migrate.Failed])
	if failed.Mood = document.Good; r.total.Count[migrate.Failed] > 0 {
		failed.Mood = document.Warn
	}
	return document.Figures{Key: "totals", Large: true, Facts: []document.Fact{
		r.fact("there", r.total.Listed-r.total.Count[migrate.Moved]), arrived, failed, mailboxes,
	}}
}

// gradeTable has the rule of each grade.
func (r *report) gradeTable() *document.Table {
	var rows [][]document.Value
	for _, g := range grades {
		var n int64
		for _, a := range r.accounts {
			if a.grade == g {
				n++
			}
		}
		rows = append(rows, []document.Value{g.term(), n, r.say("grade." + string(g))})
	}
	return &document.Table{Key: "grades", Title: r.say("table.grades"), Rows: rowsOf(rows),
		Columns: []document.Column{r.column("grade"), r.column("mailboxes"), r.column("rule")}}
}

// mailboxTable begins with the mailboxes that need a person.
func (r *report) mailboxTable() *document.Table {
	t := &document.Table{Key: "mailboxes", Title: r.say("table.mailboxes"), Note: r.say("table.mailboxes_note")}
	t.Columns = append([]document.Column{r.column("mailbox"), r.column("source"), r.column("target"), r.column("grade"), r.column("why"),
		r.column("listed"), r.column("arrived")}, r.outcomeColumns(migrate.Failed)...)
	t.Columns = append(t.Columns, r.hidden("bytes"), r.hidden("passes"), r.hidden("first_pass"), r.hidden("last_pass"), r.hidden("cutover"))
	sorted := slices.SortedStableFunc(slices.Values(r.accounts), func(a, b *account) int { return cmp.Compare(b.grade, a.grade) })
	t.Rows = func(yield func([]document.Value, error) bool) {
		for _, a := range sorted {
			row := []document.Value{a.number, r.Privacy.Address(a.Source), r.Privacy.Address(a.Target), a.grade.term(), r.because(a), a.total.Listed, a.total.Arrived()}
			row = append(row, outcomeCounts(a.total)...)
			row = append(row, document.Bytes(arrivedBytes(a.total)), a.passes, when(a.first), when(a.state.Ended), when(a.state.Cutover))
			if !yield(row, nil) {
				return
			}
		}
	}
	if len(r.accounts) > 1 {
		t.Total = append([]document.Value{nil, r.say("total"), nil, nil, nil, r.total.Listed, r.total.Arrived()}, outcomeCounts(r.total)...)
		t.Total = append(t.Total, document.Bytes(arrivedBytes(r.total)), nil, nil, nil, nil)
	}
	return t
}

// rowsOf yields rows that are few.
func rowsOf(rows [][]document.Value) func(yield func([]document.Value, error) bool) {
	return func(yield func([]document.Value, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}
