package proposal

import (
	"embed"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document"
)

//go:embed texts/*.toml
var texts embed.FS

func (p *proposal) say(key string, pairs ...any) string { return p.texts.Text(key, pairs...) }

func (p *proposal) column(key string) document.Column {
	return document.Column{Key: key, Title: p.say("column." + key)}
}

func (p *proposal) hidden(key string) document.Column {
	c := p.column(key)
	c.Hidden = true
	return c
}

// wave is a column that is left out if all mailboxes move together.
func (p *proposal) wave() document.Column {
	c := p.column("wave")
	c.Hidden = !slices.ContainsFunc(p.Mailboxes, func(m Mailbox) bool { return m.Wave != p.Mailboxes[0].Wave })
	return c
}

func (p *proposal) fact(key string, v document.Value) document.Fact {
	return document.Fact{Key: key, Label: p.say("fact." + key), Value: v}
}

// day is that of a time, or nil if it is not known.
func (p *proposal) day(t time.Time) document.Value {
	if t.IsZero() {
		return nil
	}
	return document.Date(t.In(p.Zone))
}

// path names a folder as far as the privacy allows. What a folder is for says
// nothing of the person.
func (p *proposal) path(path []string) string {
	if len(path) == 1 && strings.EqualFold(path[0], "INBOX") { // RFC 3501 section 5.1
		return p.say("role." + string(migrate.RoleInbox))
	}
	return strings.Join(p.Privacy.Folder(path), " / ")
}

// rule says plainly what a rule leaves out, as far as the privacy allows: a
// pattern holds names of folders.
func (p *proposal) rule(s string) string {
	if pattern, ok := strings.CutPrefix(s, "exclude_folders "); ok {
		return p.say("rule.folders", "pattern", strings.Join(p.Privacy.Folder(strings.Split(pattern, "/")), "/"))
	}
	return p.say("rule.deleted")
}

// some is n, or nil if there are none.
func some(n int64) document.Value {
	if n == 0 {
		return nil
	}
	return n
}

// rowsOf yields rows that are few.
func rowsOf(rows [][]document.Value) iter.Seq2[[]document.Value, error] {
	return func(yield func([]document.Value, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}
