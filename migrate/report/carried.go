package report

import (
	"slices"

	"github.com/mailhaul/mailhaul/migrate/document"
)

// losses are what a route loses without a note in the record of the message:
// the rows that docs/fidelity.md calls lost. The texts "loss.<key>" say what
// that means.
var losses = []struct {
	row    string // of the page
	key    string
	routes []Route
}{
	{"received date, to the second", "received", []Route{Gmail, Import}},
	{"received date, within an hour", "received_hour", []Route{Import}},
	{"the charset itself", "charset", []Route{JSON}},
	{"its octets, as mailhaul hands them over", "handed", []Route{JSON}},
	{"its octets, as the target gives them back", "octets", []Route{Import, JSON}},
}

// carried is what the way into the new system cannot carry.
func (r *report) carried() document.Section {
	text, routes := document.Text{r.say("carried.text", "target", r.target())}, r.taken()
	for _, route := range routes {
		text = append(text, r.say("route."+string(route)))
	}
	s := document.Section{Key: "carried", Title: r.say("carried.title"),
		Blocks: []document.Block{text, r.noteTable("lacking", func(note string) bool { return !isAltering(note) })}}
	var rows [][]document.Value
	for _, l := range losses {
		if slices.ContainsFunc(l.routes, func(route Route) bool { return slices.Contains(routes, route) }) {
			rows = append(rows, []document.Value{document.Term{Key: l.key, Text: r.say("loss." + l.key)}, r.total.Arrived()})
		}
	}
	s.Blocks = append(s.Blocks, &document.Table{Key: "losses", Title: r.say("table.losses"), Note: r.say("losses.note"), Rows: rowsOf(rows),
		Columns: []document.Column{r.column("meaning"), r.column("at_most")}})
	return s
}

// taken are the routes that messages took: those that were given, and the one
// that takes what an import does not.
func (r *report) taken() []Route {
	if slices.Contains(r.Routes, Import) && !slices.Contains(r.Routes, JSON) && slices.ContainsFunc(r.accounts, func(a *account) bool {
		return a.notes["too-large-to-import"]+a.notes["import-refused"] > 0
	}) {
		return append(slices.Clone(r.Routes), JSON)
	}
	return r.Routes
}
