package report

import (
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document"
)

// leftOut is what was not copied on purpose, by rule.
func (r *report) leftOut() document.Section {
	counts := map[string]int64{}
	for _, rule := range r.Rules {
		counts[rule] = 0
	}
	for _, a := range r.accounts {
		for rule, n := range a.excluded {
			counts[rule] += n
		}
	}
	var rows [][]document.Value
	for _, rule := range byCount(counts) {
		rows = append(rows, []document.Value{r.rule(rule), counts[rule]})
	}
	return document.Section{Key: "left-out", Title: r.say("left_out.title"), Blocks: []document.Block{
		document.Text{r.say("left_out.text")},
		&document.Table{Key: "rules", Title: r.say("table.rules"), Empty: r.say("left_out.none"), Rows: rowsOf(rows),
			Columns: []document.Column{r.column("rule"), r.column("messages")},
			Total:   []document.Value{r.say("total"), r.total.Count[migrate.Excluded]}},
	}}
}

// The rules, as records name them.
const (
	ruleFolders = "exclude_folders "
	ruleDeleted = `flagged \Deleted`
)

// rule says plainly what a rule leaves out, as far as the privacy allows: a
// pattern holds names of folders.
func (r *report) rule(s string) string {
	if s == ruleDeleted {
		return r.say("rule.deleted")
	}
	if pattern, ok := strings.CutPrefix(s, ruleFolders); ok {
		return r.say("rule.folders", "pattern", strings.Join(r.Privacy.Folder(strings.Split(pattern, "/")), "/"))
	}
	if !r.Privacy.Everything() {
		return r.say("rule.unknown")
	}
	return r.quoted(s)
}

// about is what an auditor asks for: with what it was made, and how to check it.
func (r *report) about() document.Section {
	s := document.Section{Key: "about", Title: r.say("about.title"), Page: true}
	facts := []document.Fact{r.fact("made", r.Made), r.fact("program", r.Program), r.fact("host", r.Host), r.fact("config", r.Config),
		r.fact("old_system", r.Source), r.fact("new_system", document.Term{Key: r.Target, Text: r.target()}),
		r.fact("endpoint", some(r.Endpoint)), r.fact("privacy", document.Term{Key: string(r.Privacy.Level), Text: r.term("privacy", string(r.Privacy.Level))}),
		r.fact("zone", zoneName(r.Made.In(r.Zone)))}
	if r.Draft != Final {
		s.Blocks = []document.Block{document.Figures{Key: "about", Facts: facts}, document.Text{r.say("proof.draft")}}
		return s
	}
	s.Blocks = []document.Block{document.Figures{Key: "about", Facts: append(facts, r.fact("key", r.Key))},
		document.Text{r.say("proof.what"), r.say("proof.how"), r.say("proof.one"), r.say("proof.limits")}}
	return s
}

// zoneName is the name of the zone of a time; of the machine's own zone it is how
// far that was from UTC.
func zoneName(t time.Time) string {
	if name := t.Location().String(); name != "Local" {
		return name
	}
	return t.Format("UTC-07:00")
}
