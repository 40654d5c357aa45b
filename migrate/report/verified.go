package report

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

// kinds are all that a verification finds, in the order in which they are shown.
var kinds = []migrate.Kind{migrate.KindMissing, migrate.KindDeleted, migrate.KindMisplaced, migrate.KindDoubled,
	migrate.KindFlags, migrate.KindDate, migrate.KindContent, migrate.KindExtra}

// verified is what the latest verification of each mailbox came to.
func (r *report) verified() document.Section {
	t := &document.Table{Key: "verifications", Title: r.say("table.verifications"), Empty: r.say("verified.none")}
	var folders []migrate.FolderVerification
	found := map[migrate.Kind]int64{}
	for _, a := range r.accounts {
		folders = append(folders, a.verification.Folders...)
		for k, n := range a.found {
			found[k] += n
		}
	}
	all := compared(folders)
	occurred := func(key string, n int64) document.Column {
		c := r.column(key)
		c.Hidden = n == 0
		return c
	}
	t.Columns = []document.Column{r.number(), r.column("source"), r.column("depth"), r.hidden("sample"), r.column("verified_at"), r.hidden("ended"),
		r.hidden("outdated"), r.column("statement"), r.column("verified"), r.column("present")}
	for _, k := range kinds {
		t.Columns = append(t.Columns, occurred("found_"+string(k), found[k]))
	}
	t.Columns = append(t.Columns, r.hidden("compared"), occurred("explained", all.Explained), occurred("unread", all.Unread), occurred("new", all.New))
	t.Rows = func(yield func([]document.Value, error) bool) {
		for _, a := range r.accounts {
			v := a.verification
			if v.Started.IsZero() {
				continue
			}
			c := compared(v.Folders)
			row := []document.Value{a.number, r.Privacy.Address(a.Source), document.Term{Key: v.Depth, Text: r.term("depth", v.Depth)}, some(v.Sample),
				when(v.Started), when(v.Ended), a.outdated(), r.statement(a), c.Arrived, c.Present}
			for _, k := range kinds {
				row = append(row, a.found[k])
			}
			if !yield(append(row, c.Compared, c.Explained, c.Unread, c.New), nil) {
				return
			}
		}
	}
	depths := document.Text{r.say("verified.text")}
	for _, d := range []verify.Depth{verify.Counts, verify.Metadata, verify.Sampled, verify.Content} {
		depths = append(depths, r.say("verified."+string(d)))
	}
	return document.Section{Key: "verification", Title: r.say("verified.title"), Page: true, Blocks: []document.Block{depths, t, document.Text{r.say("verified.unread")}}}
}

// statement says in a sentence what a verification tells.
func (r *report) statement(a *account) string {
	v := a.verification
	c := compared(v.Folders)
	different := a.found[migrate.KindContent]
	switch {
	case v.Ended.IsZero():
		return r.say("statement.stopped")
	case v.Depth == string(verify.Sampled):
		return r.bound(verify.Statement(v.Folders, different, func(n int64) string { return strconv.FormatInt(n, 10) }))
	case v.Depth == string(verify.Content):
		return r.say("statement.content", "compared", c.Compared, "n", different)
	case a.different() == 0:
		return r.say("statement.none")
	}
	return r.say("statement.some", "n", a.different())
}

// What verify.Statement says.
var (
	bounded = regexp.MustCompile(`^(\d+) differences? in (\d+) of (\d+): with 95 % confidence under ([\d.]+) % differ$`)
	whole   = regexp.MustCompile(`^(\d+) differences? in (\d+) of \d+, which is all$`)
)

// bound says a statement of package verify in the language of the report.
func (r *report) bound(s string) string {
	number := func(s string) int64 { n, _ := strconv.ParseInt(s, 10, 64); return n }
	if m := bounded.FindStringSubmatch(s); m != nil {
		point := strings.Trim(r.language.Number(0.5), "05")
		return r.say("statement.bound", "n", number(m[1]), "compared", number(m[2]), "all", number(m[3]), "share", strings.Replace(m[4], ".", point, 1))
	}
	if m := whole.FindStringSubmatch(s); m != nil {
		return r.say("statement.content", "n", number(m[1]), "compared", number(m[2]))
	}
	return r.say("statement.nothing")
}
