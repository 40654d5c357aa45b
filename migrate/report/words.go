package report

import (
	"embed"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/locale"
)

//go:embed texts
var texts embed.FS

// words are what a report says, in one language.
type words struct {
	language *locale.Language
	texts    locale.Texts
}

func newWords(l *locale.Language) (words, error) {
	t, err := locale.Load(texts, l)
	return words{l, t}, err
}

func (w words) say(key string, pairs ...any) string { return w.texts.Text(key, pairs...) }

// term is one of a few words. One that is not known, of a later version of
// mailhaul, stands for itself.
func (w words) term(kind, key string) string {
	if kind += "." + key; w.texts.Has(kind) {
		return w.say(kind)
	}
	return key
}

func (w words) column(key string) document.Column {
	return document.Column{Key: key, Title: w.say("column." + key)}
}

func (w words) hidden(key string) document.Column {
	c := w.column(key)
	c.Hidden = true
	return c
}

func (w words) fact(key string, v document.Value) document.Fact {
	return document.Fact{Key: key, Label: w.say("fact." + key), Value: v}
}

// quoted is a text of another program.
func (w words) quoted(s string) string { return w.say("quoted", "text", s) }

// author is whom a message is from, as far as the privacy allows.
func (r *report) author(h migrate.Head) document.Value {
	if h.From == "" {
		return nil
	}
	return r.Privacy.Address(h.From)
}

// day is that of a message, or nil if it is not known.
func (r *report) day(t time.Time) document.Value {
	if t.IsZero() {
		return nil
	}
	return document.Date(t.In(r.Zone))
}

// when is a time, or nil if it is not known.
func when(t time.Time) document.Value {
	if t.IsZero() {
		return nil
	}
	return t
}

// path names a folder as far as the privacy allows. What a folder is for says
// nothing of the person. The inbox is not called INBOX by people.
func (r *report) path(f migrate.Folder) string {
	if role := roleOf(f); role == migrate.RoleInbox || role != migrate.RoleNone && !r.Privacy.Everything() {
		return r.term("role", string(role))
	}
	return strings.Join(r.Privacy.Folder(f.Path), " / ")
}

// roleOf knows the inbox by its name too (RFC 3501 section 5.1).
func roleOf(f migrate.Folder) migrate.Role {
	if len(f.Path) == 1 && strings.EqualFold(f.Path[0], "INBOX") {
		return migrate.RoleInbox
	}
	return f.Role
}

// nonce is that of a name, or nil if there are none.
func (r *report) nonce(kind, value string) document.Value {
	if r.Nonce == nil {
		return nil
	}
	return r.Nonce(kind, value)
}
