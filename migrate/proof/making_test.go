package proof

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/fstest"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/mailhaul/mailhaul/migrate"
)

// A row is one of a table of a report.
type row map[string]any

// A making is a report before it is signed, so that tests can change anything
// of it: what is written and signed is what a liar with the key would.
type making struct {
	*world
	members     row    // beside those below
	raw         string // more of them, as they stand
	mailboxRows []row
	folders     []row
	exceptions  []row
	texts       []string // of the log
	entries     int      // that the report says it has
	tree        tlog.Tree
	heads       []string
	names       []string // of files
	files       fstest.MapFS
	seal        func(h *Head)            // changes the head before it is signed
	last        func(line string) string // changes the last line
	after       func(files fstest.MapFS) // changes the files when all is done
	way         int                      // in which a lie is told
}

// make brings the log up to date and gathers a report on it.
func (w *world) make(t testing.TB) *making {
	t.Helper()
	w.update(t)
	var log bytes.Buffer
	tree, err := WriteLog(t.Context(), w.log, &log)
	if err != nil {
		t.Fatal(err)
	}
	m := &making{world: w, members: row{"format": Format, "version": Version, "language": "en", "title": "Umzug «Müller» & Söhne <1>"},
		tree: tree, entries: len(w.log.entries), heads: w.log.heads, names: []string{"report.html", "report.xlsx"}, files: fstest.MapFS{
			"report.html": {Data: []byte("<!doctype html>\n")}, "report.xlsx": {Data: []byte("PK\x03\x04")}, "report.log.gz": {Data: log.Bytes()}}}
	for _, e := range w.log.entries {
		m.texts = append(m.texts, e.Text)
	}
	secret, _ := w.log.Secret(t.Context())
	for i, mailbox := range w.mailboxes {
		of := row{"mailbox": i + 1, "listed": 0}
		for o := range migrate.Outcomes {
			of[o.String()] = 0
		}
		for _, f := range w.book(i).folders {
			path := Path(f.Folder.Path)
			r := row{"folder": f.ID, "mailbox": i + 1, "listed": len(w.book(i).records[f.ID]), "note": nil,
				"source_name": mailbox.Source, "source_nonce": Nonce(secret, KindSource, mailbox.Source),
				"target_name": mailbox.Target, "target_nonce": Nonce(secret, KindTarget, mailbox.Target),
				"path_name": f.Folder.Path, "path_nonce": Nonce(secret, KindPath, path)}
			for o := range migrate.Outcomes {
				r[o.String()] = 0
			}
			for _, record := range w.book(i).records[f.ID] {
				r.add(record.Outcome.String(), 1)
				if record.Outcome == migrate.Failed {
					m.exceptions = append(m.exceptions, row{"folder": f.ID, "uid": record.UID, "path": "x", "subject": "Grüße </script>"})
				}
			}
			for _, key := range sumKeys {
				of.add(key, r[key].(int))
			}
			m.folders = append(m.folders, r)
		}
		m.mailboxRows = append(m.mailboxRows, of)
	}
	return m
}

// retree makes the tree that is signed that of the texts, and their log.
func (m *making) retree() {
	var f frontier
	for _, text := range m.texts {
		f.add([]byte(text))
	}
	m.tree, m.entries = f.tree(), len(m.texts)
	m.repack()
}

// folder returns the row of a folder, owner that of the mailbox that it is of.
func (m *making) folder(id int64) row { return m.folders[id-1] }
func (m *making) owner(id int64) row  { return m.mailboxRows[m.folder(id)["mailbox"].(int)-1] }

func (r row) add(key string, n int) { r[key] = r[key].(int) + n }

// repack makes a log file of the texts.
func (m *making) repack() {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	for _, text := range m.texts {
		fmt.Fprintf(zip, "%s\n", text)
	}
	zip.Close()
	m.files["report.log.gz"] = &fstest.MapFile{Data: b.Bytes()}
}

// sign writes report.json, signed with the key of the world. It returns the
// files of the report.
func (m *making) sign(t testing.TB) fstest.MapFS {
	t.Helper()
	var b bytes.Buffer
	lead := "{"
	member := func(key string, value any) {
		encoded := &bytes.Buffer{}
		e := json.NewEncoder(encoded)
		e.SetEscapeHTML(false)
		if err := e.Encode(value); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s%q:%s", lead, key, bytes.TrimSuffix(encoded.Bytes(), []byte("\n")))
		lead = ",\n"
	}
	digest := func(name string) string {
		sum := sha256.Sum256(m.files[name].Data)
		return hex.EncodeToString(sum[:])
	}
	for _, key := range slices.Sorted(maps.Keys(m.members)) {
		member(key, m.members[key])
	}
	for _, table := range []struct {
		key  string
		rows []row
	}{{"mailboxes", m.mailboxRows}, {"folders", m.folders}, {"exceptions", m.exceptions}} {
		fmt.Fprintf(&b, "%s%q:[", lead, table.key)
		lead = ""
		for _, r := range table.rows {
			b.WriteString(lead + "\n")
			e := json.NewEncoder(&b)
			e.Encode(r)
			b.Truncate(b.Len() - 1)
			lead = ","
		}
		b.WriteString("\n]")
		lead = ",\n"
	}
	member("log", row{"file": "report.log.gz", "entries": m.entries, "sha256": digest("report.log.gz")})
	var files []row
	for _, name := range m.names {
		files = append(files, row{"name": name, "sha256": digest(name)})
	}
	if m.names != nil {
		member("files", files)
	}
	member("heads", m.heads)
	b.WriteString(m.raw + ",\n")
	signed, err := Sign(t.Context(), m.log, m.private, m.tree, sha256.Sum256(b.Bytes()), m.now)
	if err != nil {
		t.Fatal(err)
	}
	if m.seal != nil {
		h, _ := readHead(signed)
		m.seal(&h)
		if signed, err = h.sign(m.private); err != nil {
			t.Fatal(err)
		}
	}
	last := LastLine(signed) + "\n"
	if m.last != nil {
		last = m.last(last)
	}
	all := maps.Clone(m.files)
	all["report.json"] = &fstest.MapFile{Data: append(b.Bytes(), last...)}
	if m.after != nil {
		m.after(all)
	}
	return all
}

// listed is how many messages the report is about.
func (m *making) listed() (n int) {
	for _, r := range m.folders {
		n += r["listed"].(int)
	}
	return n
}
