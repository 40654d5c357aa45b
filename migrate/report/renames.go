package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document"
)

// whys are what targets say of a folder that has another name there. The texts
// are "renamed.<key>".
var whys = []saying{
	{"own", "Gmail's own place for it"},
	{"own", "the mailbox's own folder {name}"},
	{"archive", "archived mail has no label at Gmail"},
	{"nested", `Gmail nests labels at "/"`},
	{"characters", "the name holds control characters"},
	{"characters", "characters that Exchange refused were replaced"},
	{"characters", "control characters replaced"},
	{"spaces", "the name begins or ends with a space"},
	{"spaces", "spaces at the ends removed"},
	{"empty", "the name is empty"},
	{"long", "the path is longer than Gmail allows"},
	{"long", "the name is too long"},
	{"reserved", "Gmail reserves the name"},
	{"reserved", "Gmail does not take its new name"},
	{"reserved", "placed as {name}: Microsoft 365 refused its new name ({code})"},
	{"taken", "Gmail holds the name to be the same as another label's"},
	{"taken", "another label has its new name"},
	{"taken", "another folder has this name; Exchange ignores case"},
	{"taken", "there was a folder {name}"},
	{"taken", "placed as {name}: there is a folder {other}"},
	{"above", "there is no label above it"},
	{"above", "the folder above it is {name}"},
	{"above", "placed as {name}: the folder above it cannot be made"},
	{"above", "placed as {name}: it cannot be below itself"},
	{"kept", "placed as {name}"},
}

var whyBook = newBook(whys)

// renames are the folders that have another name at the target.
func (r *report) renames() document.Section {
	t := &document.Table{Key: "renames", Title: r.say("table.renames"), Empty: r.say("renames.none"),
		Columns: []document.Column{r.number(), r.column("source"), r.hidden("folder"), r.column("path"), r.column("new_path"), r.column("reason")}}
	t.Rows = func(yield func([]document.Value, error) bool) {
		for _, a := range r.accounts {
			for _, f := range a.Tallies {
				if renamed(f) && !yield([]document.Value{a.number, r.Privacy.Address(a.Source), f.ID, r.path(f.Folder), r.newPath(f), r.why(f.Note)}, nil) {
					return
				}
			}
		}
	}
	return document.Section{Key: "renames", Title: r.say("renames.title"), Blocks: []document.Block{document.Text{r.say("renames.text", "target", r.target())}, t}}
}

// renamed says whether people find a folder under another name. The inbox is
// where everybody looks for it.
func renamed(f migrate.Tally) bool { return f.Note != "" && roleOf(f.Folder) != migrate.RoleInbox }

// newPath names a folder at the target as far as the privacy allows. The
// target's own names say nothing of the person.
func (r *report) newPath(f migrate.Tally) string {
	if whyBook.key(f.Note) == "own" {
		return f.Target
	}
	return strings.Join(r.Privacy.Folder(strings.Split(f.Target, "/")), " / ")
}

// why says in plain words why a folder has another name. A note may be several,
// with semicolons between them.
func (r *report) why(note string) string {
	keys := []string{whyBook.key(note)}
	if keys[0] == "" {
		keys = nil
		for one := range strings.SplitSeq(note, "; ") {
			if key := cmp.Or(whyBook.key(one), "kept"); !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	for i, key := range keys {
		keys[i] = r.say("renamed." + key)
	}
	return strings.Join(keys, " ")
}
