package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/document"
	"github.com/mailhaul/mailhaul/migrate/privacy"
)

// everyText returns all texts of a document, wherever a face may show them.
func everyText(t testing.TB, d *document.Document) []string {
	all := []string{d.Title, d.Subtitle, d.Draft}
	value := func(v document.Value) {
		switch v := v.(type) {
		case string:
			all = append(all, v)
		case document.List:
			all = append(all, v...)
		case document.Term:
			all = append(all, v.Key, v.Text)
		}
	}
	for _, s := range d.Sections {
		all = append(all, s.Key, s.Title)
		for _, b := range s.Blocks {
			switch b := b.(type) {
			case document.Text:
				all = append(all, b...)
			case document.Signatures:
				all = append(all, b...)
			case document.Notice:
				all = append(all, b.Text)
			case document.Figures:
				for _, f := range b.Facts {
					all = append(all, f.Key, f.Label, f.Note)
					value(f.Value)
				}
			case *document.Chart:
				all = append(append(all, b.Title, b.Note, b.Unit), b.Labels...)
				for _, s := range b.Series {
					all = append(all, s.Name)
				}
			case *document.Table:
				all = append(all, b.Key, b.Title, b.Note, b.Empty)
				for _, c := range b.Columns {
					all = append(all, c.Key, c.Title)
				}
				_, rows := table(t, d, b.Key)
				for _, row := range append(rows, b.Total) {
					for _, v := range row {
						value(v)
					}
				}
			default:
				t.Fatalf("a block of type %T", b)
			}
		}
	}
	return all
}

// canaries is a migration with a word of its own in each field that may hold
// something private.
func canaries(t testing.TB) (m Migration, words []string) {
	word := func(name string) string {
		words = append(words, "canary"+name)
		return "canary" + name
	}
	m = sample(t, "en")
	m.Mailboxes = m.Mailboxes[2:3]
	box := &m.Mailboxes[0]
	box.Source, box.Target = word("source")+"@example.com", word("target")+"@example.com"
	l := box.Ledger.(*memory)
	box.Tallies = append(box.Tallies, tally(7, word("folder")+"/"+word("below"), "", migrate.Failed, 1, migrate.Excluded, 1))
	l.verification.Folders = append(l.verification.Folders, migrate.FolderVerification{Folder: 7})
	box.Tallies[1].Target, box.Tallies[1].Note = word("there"), "placed as "+word("place")+": there is a folder "+word("other")
	box.Tallies[0].Folder.Path = []string{word("inbox")}
	l.excluded = map[string]int64{"exclude_folders " + word("rule") + "/*": 1}
	m.Rules = []string{"exclude_folders " + word("pattern"), word("strange") + " rule"}
	l.state.Error, l.state.Hint, l.state.Complete = "folder "+word("stopped")+": no", "Ask "+word("hint"), false
	for i := range l.passes {
		l.passes[i].Error = word(fmt.Sprint("pass", i))
	}
	l.passes = slices.Clone(l.passes)
	for i := range l.notable {
		n := &l.notable[i]
		n.Folder, n.MessageID = 7, "<"+word(fmt.Sprint("id", i))+"@"+word(fmt.Sprint("host", i))+">"
		n.Head.From, n.Head.Subject = word(fmt.Sprint("from", i))+"@client.example", word(fmt.Sprint("subject", i))
		n.Reason += " " + word(fmt.Sprint("reason", i))
	}
	l.notable = append(l.notable, migrate.Record{Folder: 7, UID: 1, Outcome: migrate.Failed, Reason: word("unknown"), Hint: word("todo")},
		migrate.Record{Folder: 7, UID: 2, Outcome: migrate.Copied, Notes: []string{"flags-dropped"}, MessageID: word("noted"),
			Head: migrate.Head{From: word("author"), Subject: word("about")}})
	for i := range l.findings {
		f := &l.findings[i]
		if f.Kind == migrate.KindExtra {
			continue // it is not listed
		}
		f.From, f.Subject, f.MessageID, f.Detail = word(fmt.Sprint("finder", i)), word(fmt.Sprint("found", i)), word(fmt.Sprint("fid", i)), "is in "+word(fmt.Sprint("detail", i))
	}
	return m, words
}

func TestNothingPrivateComesThrough(t *testing.T) {
	m, words := canaries(t)
	folders := []string{"canaryfolder", "canarybelow", "canarythere", "canaryrule", "canarypattern"} // are hidden by hashes alone
	for _, p := range []privacy.Policy{{Level: privacy.Masked}, {}, {Level: privacy.Hashed}, {Level: privacy.Hashed, Key: []byte("key")}} {
		m.Privacy = p
		for _, s := range everyText(t, made(t, m)) {
			for _, word := range words {
				if strings.Contains(strings.ToLower(s), word) && (len(p.Key) > 0 || !slices.Contains(folders, word)) {
					t.Errorf("%+v: %q has %s", p, s, word)
				}
			}
		}
	}
}

func TestAFullReportShowsEverything(t *testing.T) {
	m, words := canaries(t)
	m.Privacy.Level = privacy.Full
	all := strings.Join(everyText(t, made(t, m)), "\n")
	for _, word := range words {
		if word != "canarysource" && !strings.Contains(all, word) && !slices.Contains([]string{"canaryplace", "canaryother"}, word) {
			t.Errorf("%s is not in it", word)
		}
	}
}

func TestOnlyAFullReportHasNamesAndNonces(t *testing.T) {
	m := sample(t, "en")
	for _, level := range []privacy.Level{privacy.Masked, privacy.Hashed, privacy.Full} {
		m.Privacy = privacy.Policy{Level: level, Key: []byte("key")}
		folders, rows := table(t, made(t, m), "folders")
		has := slices.ContainsFunc(folders.Columns, func(c document.Column) bool {
			return strings.HasSuffix(c.Key, "_nonce") || strings.HasSuffix(c.Key, "_name")
		})
		if has != (level == privacy.Full) {
			t.Errorf("%s: names or nonces: %v", level, has)
		}
		if level != privacy.Full {
			continue
		}
		for key, want := range map[string]string{
			"source_name": "anna.berg@example.com", "source_nonce": fmt.Sprintf("%x", "sourceanna.berg@example.com"),
			"target_name": "anna.berg@example.com", "target_nonce": fmt.Sprintf("%x", "targetanna.berg@example.com"),
			"path_nonce": fmt.Sprintf("%x", "pathClients\x002019\u202e"),
		} {
			if got := cell(t, folders, rows[2], key); got != want {
				t.Errorf("%s is %q, want %q", key, got, want)
			}
		}
		if got := cell(t, folders, rows[2], "path_name"); !slices.Equal(got.(document.List), document.List{"Clients", "2019\u202e"}) {
			t.Errorf("path_name is %q", got)
		}
	}
	m.Nonce = nil
	folders, rows := table(t, made(t, m), "folders")
	if got := cell(t, folders, rows[0], "path_nonce"); got != nil {
		t.Errorf("without nonces there is %v", got)
	}
}

func TestTheInboxIsKnownWithoutNames(t *testing.T) {
	r := &report{words: spoken(t, "en")}
	for _, c := range []struct {
		folder       migrate.Folder
		hidden, full string
	}{
		{folder: migrate.Folder{Path: []string{"Inbox"}}, hidden: "Inbox", full: "Inbox"},
		{folder: migrate.Folder{Path: []string{"Posteingang"}, Role: migrate.RoleInbox}, hidden: "Inbox", full: "Inbox"},
		{folder: migrate.Folder{Path: []string{"Gesendet"}, Role: migrate.RoleSent}, hidden: "Sent", full: "Gesendet"},
		{folder: migrate.Folder{Path: []string{"Clients", "Smith & Sons"}}, hidden: "Clients / Smith & Sons", full: "Clients / Smith & Sons"},
		{folder: migrate.Folder{Path: []string{"Clients", "INBOX"}}, hidden: "Clients / INBOX", full: "Clients / INBOX"},
	} {
		r.Privacy.Level = privacy.Masked
		if got := r.path(c.folder); got != c.hidden {
			t.Errorf("%v is shown as %q, want %q", c.folder.Path, got, c.hidden)
		}
		r.Privacy.Level = privacy.Full
		if got := r.path(c.folder); got != c.full {
			t.Errorf("%v is shown as %q, want %q", c.folder.Path, got, c.full)
		}
	}
}
