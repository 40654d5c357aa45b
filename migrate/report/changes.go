package report

import (
	"slices"
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/locale"
)

// Notes that records may have. What they mean is in the texts "note.<name>".
var (
	// altering say that the message itself was changed.
	altering = []string{
		"addresses-repaired", "attached-message-as-file", "charset-guessed", "charset-guessed-and-original-attached",
		"content-type-repaired", "control-characters-dropped", "damaged-mime-attached", "date-repaired", "from-repaired",
		"header-encoded", "import-refused", "inner-signature-broken-and-original-attached", "line-ends-repaired",
		"long-lines-broken", "long-text-attached", "message-id-invented", "message-id-missing", "message-id-repaired",
		"mime-structure-rebuilt", "nul-octets-removed", "protected-attached", "receipt-request-disarmed",
		"signature-broken", "too-large-to-import", "unparsed-as-text",
	}
	// lacking say that the new system holds less of it, or in another way.
	lacking = []string{
		"alternative-text-dropped", "authors-shortened", "date-differs", "date-is-import-time", "dates-unknown",
		"deleted-flag-dropped", "draft-as-message", "draft-flag-kept", "flags-dropped", "flags-not-followed", "flags-refused",
		"forwarded-flag-dropped", "header-shortened", "inserted", "keyword-dropped", "not-placed", "received-date-from-header",
		"recipients-shortened", "references-shortened", "sent-by-insert", "sent-date-missing", "sent-label-kept",
		"sent-label-refused", "subject-shortened",
	}
)

// Meanings says in a language what each note in a record means.
func Meanings(l *locale.Language) (map[string]string, error) {
	w, err := newWords(l)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, n := range slices.Concat(altering, lacking) {
		all[n] = w.say("note." + n)
	}
	return all, nil
}

// changes are what was changed in messages, and which ones.
func (r *report) changes() document.Section {
	return document.Section{Key: "changes", Title: r.say("changes.title"), Page: true, Blocks: []document.Block{
		document.Text{r.say("changes.text")}, r.noteTable("changes", isAltering), r.changedTable(),
	}}
}

func isAltering(note string) bool { return slices.Contains(altering, note) }

// noteTable counts messages by note.
func (r *report) noteTable(key string, has func(note string) bool) *document.Table {
	counts := map[string]int64{}
	for _, a := range r.accounts {
		for n, messages := range a.notes {
			if has(n) {
				counts[n] += messages
			}
		}
	}
	var rows [][]document.Value
	for _, n := range byCount(counts) {
		rows = append(rows, []document.Value{n, r.term("note", n), counts[n]})
	}
	return &document.Table{Key: key, Title: r.say("table." + key), Empty: r.say(key + ".none"), Rows: rowsOf(rows),
		Columns: []document.Column{r.hidden("note"), r.column("meaning"), r.column("messages")}}
}

// changedTable has a row for each message with a note.
func (r *report) changedTable() *document.Table {
	return &document.Table{Key: "changed", Title: r.say("table.changed"), Note: r.say("changed.note"), Most: 100,
		Columns: append(r.messageColumns(), r.column("bytes"), r.column("meaning"), r.hidden("notes"), r.hidden("message_id")),
		Rows: r.messages(func(a *account, rec migrate.Record) []document.Value {
			if rec.Outcome == migrate.Failed {
				return nil
			}
			meanings := make([]string, len(rec.Notes))
			for i, n := range rec.Notes {
				meanings[i] = r.term("note", n)
			}
			return append(r.message(a, rec.Folder, rec.UID, rec.Head), document.Bytes(rec.Size), strings.Join(meanings, " "), document.List(rec.Notes),
				some(r.Privacy.MessageID(rec.MessageID)))
		})}
}
