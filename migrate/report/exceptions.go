package report

import (
	"iter"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document"
)

// exceptions are what needs a person, message by message.
func (r *report) exceptions() document.Section {
	s := document.Section{Key: "exceptions", Title: r.say("exceptions.title"), Page: true}
	s.Blocks = append(s.Blocks, document.Text{r.say("exceptions.text")})
	if !r.Privacy.Everything() {
		s.Blocks = append(s.Blocks, document.Text{r.say("exceptions.privacy")})
	}
	s.Blocks = append(s.Blocks, r.caseTable(), r.failedTable(), r.differenceTable())
	return s
}

// caseTable counts failures by what is to be done.
func (r *report) caseTable() *document.Table {
	counts := map[string]int64{}
	for _, a := range r.accounts {
		for key, n := range a.cases {
			counts[key] += n
		}
	}
	var rows [][]document.Value
	for _, key := range byCount(counts) {
		rows = append(rows, []document.Value{document.Term{Key: key, Text: r.say("case." + key + ".why")}, r.say("case." + key + ".do"), counts[key]})
	}
	return &document.Table{Key: "reasons", Title: r.say("table.reasons"), Rows: rowsOf(rows), Urgent: true,
		Columns: []document.Column{r.column("reason"), r.column("remedy"), r.column("messages")}}
}

// failedTable has a row for each message that failed.
func (r *report) failedTable() *document.Table {
	return &document.Table{Key: "exceptions", Title: r.say("table.exceptions"), Empty: r.say("exceptions.none"), Urgent: true,
		Columns: append(r.messageColumns(), r.column("bytes"), r.column("reason"), r.column("remedy"), r.hidden("message_id"), r.hidden("doubt"), r.hidden("words")),
		Rows: r.messages(func(a *account, rec migrate.Record) []document.Value {
			if rec.Outcome != migrate.Failed {
				return nil
			}
			why, do := r.explain(rec)
			return append(r.message(a, rec.Folder, rec.UID, rec.Head), document.Bytes(rec.Size), why, do,
				some(r.Privacy.MessageID(rec.MessageID)), rec.Doubt, r.said(rec.Reason))
		})}
}

// messageColumns are those of message.
func (r *report) messageColumns() []document.Column {
	source := r.column("source")
	source.Hidden = !r.Privacy.Everything() // the number says more, and there is little room
	return []document.Column{r.number(), source, r.hidden("folder"), r.hidden("uid"), r.column("path"), r.column("date"), r.column("from"), r.column("subject")}
}

// number is the column of mailboxes' numbers, which people need where names are
// not shown.
func (r *report) number() document.Column {
	c := r.column("mailbox")
	c.Hidden = r.Privacy.Everything()
	return c
}

// message names a message as far as the privacy allows.
func (r *report) message(a *account, folder int64, uid migrate.UID, h migrate.Head) []document.Value {
	return []document.Value{a.number, r.Privacy.Address(a.Source), folder, int64(uid), r.path(a.folder(folder)), r.day(h.Date),
		r.author(h), some(r.Privacy.Subject(h.Subject))}
}

// messages yields a row for each record that is notable and of which row makes one.
func (r *report) messages(row func(*account, migrate.Record) []document.Value) iter.Seq2[[]document.Value, error] {
	return func(yield func([]document.Value, error) bool) {
		for _, a := range r.accounts {
			if a.Ledger == nil {
				continue
			}
			for rec, err := range a.Ledger.Notable(r.ctx) {
				if err != nil {
					yield(nil, err)
					return
				}
				if values := row(a, rec); values != nil && !yield(values, nil) {
					return
				}
			}
		}
	}
}

// differenceTable has a row for each difference that the latest verification
// found.
func (r *report) differenceTable() *document.Table {
	return &document.Table{Key: "differences", Title: r.say("table.differences"), Urgent: true,
		Columns: append(r.messageColumns(), r.column("difference"), r.column("remedy"), r.hidden("message_id"), r.hidden("words")),
		Rows: func(yield func([]document.Value, error) bool) {
			for _, a := range r.accounts {
				if a.different() == 0 {
					continue
				}
				for f, err := range a.Ledger.Findings(r.ctx) {
					if err != nil {
						yield(nil, err)
						return
					}
					if f.Kind == migrate.KindExtra {
						continue
					}
					row := append(r.message(a, f.Folder, f.UID, migrate.Head{From: f.From, Date: f.Date, Subject: f.Subject}),
						document.Term{Key: string(f.Kind), Text: r.term("kind", string(f.Kind))}, r.term("kind_do", string(f.Kind)),
						some(r.Privacy.MessageID(f.MessageID)), r.said(f.Detail))
					if !yield(row, nil) {
						return
					}
				}
			}
		}}
}

// said is a text of mailhaul or a server as it was written, which may hold
// anything.
func (r *report) said(s string) document.Value {
	if !r.Privacy.Everything() {
		return nil
	}
	return some(s)
}

// some is s, or nil if there is none.
func some(s string) document.Value {
	if s == "" {
		return nil
	}
	return s
}
