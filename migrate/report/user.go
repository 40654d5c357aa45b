package report

import (
	"context"
	"slices"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/privacy"
)

// seen are the differences that a user may notice, and the notes by which they
// are known. The texts "seen.<key>" say what they look like.
var seen = []struct {
	key   string
	notes []string
}{
	{"marks", []string{"flags-dropped", "forwarded-flag-dropped", "flags-refused", "flags-not-followed", "deleted-flag-dropped"}},
	{"tags", []string{"flags-dropped", "keyword-dropped"}},
	{"dates", []string{"date-is-import-time", "date-differs", "dates-unknown", "sent-date-missing", "received-date-from-header"}},
	{"sent", []string{"sent-label-refused", "sent-label-kept"}},
	{"drafts", []string{"draft-as-message", "draft-flag-kept"}},
	{"places", []string{"not-placed"}},
	{"original", []string{"damaged-mime-attached", "charset-guessed-and-original-attached", "inner-signature-broken-and-original-attached",
		"protected-attached", "unparsed-as-text", "long-text-attached"}},
	{"attached", []string{"attached-message-as-file"}},
	{"signature", []string{"signature-broken", "inner-signature-broken-and-original-attached"}},
	{"heads", []string{"from-repaired", "addresses-repaired", "authors-shortened", "recipients-shortened", "subject-shortened"}},
	{"letters", []string{"charset-guessed", "control-characters-dropped", "header-encoded"}},
}

// UserPage returns a page for the user of m.Mailboxes[i], in everyday words and
// with full names, since it is about nobody else's mail. Of m.Privacy nothing
// counts.
func UserPage(ctx context.Context, m Migration, i int) (*document.Document, error) {
	m.Mailboxes, m.Privacy = m.Mailboxes[i:i+1], privacy.Policy{Level: privacy.Full}
	r, err := newReport(ctx, m)
	if err != nil {
		return nil, err
	}
	a, title := r.accounts[0], "user.title"
	if a.grade == gradeD {
		title = "user.title_moving"
	}
	d := r.document(r.say(title), a.Target)
	d.Format = Format + "-user"
	d.Sections = []document.Section{r.welcome(a), r.missing(a), r.elsewhere(a), r.looks(a)}
	d.Sections = slices.DeleteFunc(d.Sections, func(s document.Section) bool { return len(s.Blocks) == 0 })
	return d, nil
}

// welcome says what moved.
func (r *report) welcome(a *account) document.Section {
	s := document.Section{Key: "moved", Title: r.say("user.moved")}
	n := a.total.Count
	text := document.Text{}
	say := func(n int64, key string, pairs ...any) {
		if n > 0 {
			text = append(text, r.say("user."+key, append([]any{"n", n}, pairs...)...))
		}
	}
	mood := document.Notice{Mood: document.Good, Text: r.say("user.good", "n", a.total.Arrived(), "target", r.target())}
	switch {
	case a.grade == gradeD:
		mood = document.Notice{Mood: document.Warn, Text: r.say("user.unfinished", "n", a.total.Arrived(), "target", r.target())}
	case n[migrate.Failed] > 0 || a.different() > 0:
		mood = document.Notice{Mood: document.Neutral, Text: r.say("user.most", "n", a.total.Arrived(), "target", r.target())}
	}
	text = append(text, r.say("user.addresses", "source", a.Source, "target", a.Target))
	say(n[migrate.Pending], "pending")
	say(n[migrate.Excluded], "excluded")
	say(n[migrate.Gone]+n[migrate.Removed], "deleted")
	say(a.total.Left, "left")
	s.Blocks = []document.Block{mood, text}
	return s
}

// missing lists what could not be copied, or was not found again.
func (r *report) missing(a *account) (s document.Section) {
	failed := a.total.Count[migrate.Failed]
	if failed+a.different() == 0 {
		return s
	}
	s = document.Section{Key: "missing", Title: r.say("user.missing"), Blocks: []document.Block{document.Text{r.say("user.ask")}}}
	columns := []document.Column{r.column("path"), r.column("date"), r.column("from"), r.column("subject"), r.column("reason")}
	row := func(f migrate.Folder, h migrate.Head, why string) []document.Value {
		return []document.Value{r.path(f), r.day(h.Date), r.author(h), some(h.Subject), why}
	}
	s.Blocks = append(s.Blocks,
		&document.Table{Key: "missing", Title: r.say("table.user_missing"), Columns: columns,
			Rows: r.messages(func(a *account, rec migrate.Record) []document.Value {
				if rec.Outcome != migrate.Failed {
					return nil
				}
				why := r.say("case." + caseOf(rec.Reason, rec.Hint) + ".why")
				return row(a.folder(rec.Folder), rec.Head, why)
			})},
		&document.Table{Key: "different", Title: r.say("table.user_different"), Columns: columns,
			Rows: func(yield func([]document.Value, error) bool) {
				if a.different() == 0 {
					return
				}
				for f, err := range a.Ledger.Findings(r.ctx) {
					if err != nil {
						yield(nil, err)
						return
					}
					if f.Kind != migrate.KindExtra && !yield(row(a.folder(f.Folder), migrate.Head{From: f.From, Date: f.Date, Subject: f.Subject}, r.term("kind", string(f.Kind))), nil) {
						return
					}
				}
			}})
	return s
}

// elsewhere lists folders that have another name now.
func (r *report) elsewhere(a *account) (s document.Section) {
	var rows [][]document.Value
	for _, f := range a.Tallies {
		if renamed(f) && f.Listed > 0 {
			rows = append(rows, []document.Value{r.path(f.Folder), r.newPath(f)})
		}
	}
	if len(rows) == 0 {
		return s
	}
	return document.Section{Key: "folders", Title: r.say("user.folders"), Blocks: []document.Block{document.Text{r.say("user.folders_text", "target", r.target())},
		&document.Table{Key: "folders", Title: r.say("table.user_folders"), Columns: []document.Column{r.column("path"), r.column("new_path")}, Rows: rowsOf(rows)}}}
}

// looks says what looks different.
func (r *report) looks(a *account) (s document.Section) {
	var text document.Text
	for _, d := range seen {
		if slices.ContainsFunc(d.notes, func(n string) bool { return a.notes[n] > 0 }) {
			text = append(text, r.say("seen."+d.key))
		}
	}
	if r.Target == "gmail" && a.total.Count[migrate.Merged] > 0 {
		text = append(text, r.say("seen.labels"))
	}
	if len(text) == 0 {
		return s
	}
	return document.Section{Key: "different", Title: r.say("user.different"), Blocks: []document.Block{text}}
}
