package proof

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

func (w *world) prove(t testing.TB, folder int64, uid migrate.UID, names *Names) []byte {
	t.Helper()
	proof, err := Prove(t.Context(), w.log, folder, uid, names)
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

func TestEveryMessageOfAReportCanBeProven(t *testing.T) {
	w := newWorld(t)
	w.publish(t)
	w.goOn(t, 1)
	w.publish(t)
	for i, m := range w.mailboxes {
		b := w.book(i)
		for _, f := range b.folders {
			for n, r := range b.records[f.ID] {
				names := &Names{m.Source, m.Target, f.Folder.Path}
				if n%2 == 0 {
					names = nil
				}
				v, err := CheckProof(w.prove(t, f.ID, r.UID, names), w.keys)
				if err != nil {
					t.Fatalf("folder %d, message %d: %v", f.ID, r.UID, err)
				}
				if v.Message.Folder != f.ID || v.Message.UID != r.UID || v.Message.Outcome != r.Outcome || v.Message.Target != r.Target {
					t.Errorf("%+v is proven of %+v", v.Message, r)
				}
				if v.Folder.ID != f.ID || v.Folder.UIDValidity != f.Folder.UIDValidity || v.Key.String() != w.public || w.log.entries[v.Index].Text != v.Message.String() {
					t.Errorf("%+v is proven", v)
				}
				if head, _ := readHead(w.log.heads[1]); v.Head != head {
					t.Errorf("proven against %+v, want %+v", v.Head, head)
				}
				if (v.Names == nil) != (names == nil) || names != nil && (v.Names.Source != m.Source || v.Names.Target != m.Target || !slices.Equal(v.Names.Path, f.Folder.Path)) {
					t.Errorf("with the names %+v", v.Names)
				}
			}
		}
	}
}

func TestAProofThatWasChangedIsNone(t *testing.T) {
	w := newWorld(t)
	w.publish(t)
	b := w.book(0)
	uid := b.records[2][3].UID
	whole := w.prove(t, 2, uid, &Names{w.mailboxes[0].Source, w.mailboxes[0].Target, b.folders[1].Folder.Path})
	if _, err := CheckProof(whole, w.keys); err != nil {
		t.Fatal(err)
	}
	var want, got bytes.Buffer
	if err := json.Compact(&want, whole); err != nil {
		t.Fatal(err)
	}
	for bit := range 8 * len(whole) {
		changed := slices.Clone(whole)
		changed[bit/8] ^= 1 << (bit % 8)
		got.Reset()
		if _, err := CheckProof(changed, w.keys); err == nil && (json.Compact(&got, changed) != nil || got.String() != want.String()) {
			t.Errorf("bit %d of octet %d, %q, was not noticed", bit%8, bit/8, whole[max(0, bit/8-20):bit/8+1])
		}
	}

	other := string(w.prove(t, 1, b.records[1][0].UID, nil))
	entry := func(proof string) string {
		_, rest, _ := strings.Cut(proof, `"folder_entry"`)
		return rest
	}
	for name, changed := range map[string]string{
		"a member twice":        strings.Replace(string(whole), `"version": 1,`, `"version": 1, "version": 1,`, 1),
		"another member":        strings.Replace(string(whole), `"version": 1,`, `"version": 1, "more": 1,`, 1),
		"another name":          strings.Replace(string(whole), `"names": {`, `"names": {"more": 1,`, 1),
		"another version":       strings.Replace(string(whole), `"version": 1,`, `"version": 2,`, 1),
		"another format":        strings.Replace(string(whole), ProofFormat, Format, 1),
		"another folder":        strings.Replace(string(whole), entry(string(whole)), entry(other), 1),
		"its folder as itself":  strings.Replace(string(whole), "message 2", "folder 2", 1),
		"nothing":               "",
		"more after it":         string(whole) + "{}",
		"no entry":              `{"format":"mailhaul-proof","version":1}`,
		"too much":              string(whole) + strings.Repeat(" ", maxProof),
		"a hash more":           strings.Replace(string(whole), `"hashes": [`, `"hashes": ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",`, 1),
		"a negative index":      strings.Replace(string(whole), `"index": `, `"index": -`, 1),
		"an index out of range": strings.Replace(string(whole), `"index": `, `"index": 9`, 1),
		"another size":          strings.Replace(string(whole), `"size": 2`, `"size": 3`, 1),
	} {
		if changed == string(whole) {
			t.Fatalf("%s changes nothing", name)
		}
		if v, err := CheckProof([]byte(changed), w.keys); err == nil {
			t.Errorf("%s: %+v", name, v)
		}
	}
	if _, err := CheckProof(whole, newWorld(t).keys); err == nil || !strings.Contains(err.Error(), "the head of the proof: it is not signed with the given key") {
		t.Errorf("with another key: %v", err)
	}
}

func TestOnlyWhatTheLatestReportSaysCanBeProven(t *testing.T) {
	w := newWorld(t)
	b := w.book(0)
	uid := b.records[1][0].UID
	names := &Names{w.mailboxes[0].Source, w.mailboxes[0].Target, b.folders[0].Folder.Path}
	refused := func(what string, folder int64, uid migrate.UID, names *Names, words string) {
		t.Helper()
		_, err := Prove(t.Context(), w.log, folder, uid, names)
		if _, hint := migrate.Explain(err); err == nil || !strings.Contains(err.Error(), words) || hint == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
	w.update(t)
	refused("before the first report", 1, uid, nil, "there is no report yet")
	w.publish(t)
	first := w.prove(t, 1, uid, names)
	refused("a message that there is not", 1, 12345, nil, "is not in the latest report")
	refused("a folder that there is not", 99, uid, nil, "is not in the latest report")
	refused("another name", 1, uid, &Names{names.Source, names.Target, []string{"Other"}}, "had another name")
	refused("another source", 1, uid, &Names{"x", names.Target, names.Path}, "had another name")
	refused("another target", 1, uid, &Names{names.Source, "x", names.Path}, "had another name")

	b.record(1, uid).Size++
	b.records[1] = append(b.records[1], migrate.Record{Folder: 1, UID: 5000})
	w.update(t)
	refused("superseded since", 1, uid, nil, "is not in the latest report")
	refused("new since", 1, 5000, nil, "is not in the latest report")
	w.publish(t)
	if v, err := CheckProof(w.prove(t, 1, uid, names), w.keys); err != nil || v.Message.Size != b.record(1, uid).Size {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := CheckProof(first, w.keys); err != nil {
		t.Errorf("the proof of the first report: %v", err)
	}

	b.folders[0].Folder.Path = []string{"Renamed"}
	w.update(t)
	refused("renamed since", 1, uid, names, "is not in the latest report")
	w.publish(t)
	refused("by its old name", 1, uid, names, "had another name")
	w.log.entries[0].Text += "x"
	refused("of another log", 1, uid, nil, "was signed for another log")
}

func TestAnErrorOfTheDatabaseEndsAProof(t *testing.T) {
	w := newWorld(t)
	w.publish(t)
	uid := w.book(0).records[1][0].UID
	names := &Names{w.mailboxes[0].Source, w.mailboxes[0].Target, w.book(0).folders[0].Folder.Path}
	for _, what := range []string{"heads", "size", "entries", "secret"} {
		if _, err := Prove(t.Context(), brokenLog{w.log, what}, 1, uid, names); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

// FuzzProof checks that nothing passes for a proof but what Prove made.
func FuzzProof(f *testing.F) {
	w := newWorld(f)
	w.publish(f)
	uid := w.book(0).records[1][0].UID
	proof, err := Prove(f.Context(), w.log, 1, uid, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(proof)
	f.Add([]byte(`{"format":"mailhaul-proof","version":1,"entry":"","index":0,"hashes":[],"size":1,"head":"","folder_entry":{"names":{}}}`))
	f.Fuzz(func(t *testing.T, octets []byte) {
		if v, err := CheckProof(octets, w.keys); err == nil && (v.Message.Folder != 1 || v.Message.UID != uid) {
			t.Errorf("%q proves %+v", octets, v)
		}
	})
}

// FuzzReport checks that reading a report does not panic, and that whatever is
// read as a report that was signed is that report.
func FuzzReport(f *testing.F) {
	w := newWorld(f)
	files := w.publish(f)
	whole := files["report.json"].Data
	f.Add(whole)
	f.Add([]byte(`{"folders":[{"path_name":["a"]}],"log":{"file":"a"},"head":""}`))
	f.Fuzz(func(t *testing.T, octets []byte) {
		files := map[string][]byte{"report.json": octets, "report.log.gz": files["report.log.gz"].Data}
		if w.wrong(t, mapFS(files)) == nil && !bytes.Equal(octets, whole) {
			t.Errorf("%q is good", octets)
		}
	})
}
