package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"filippo.io/age"
	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/mailhaul/mailhaul/migrate"
)

// opened returns the files of an evidence, by name.
func opened(t *testing.T, path string, key age.Identity) map[string]string {
	t.Helper()
	r, err := age.Decrypt(bytes.NewReader(read(t, path)), key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		all[f.Name] = string(text)
	}
	return all
}

// indexOf returns the rows of index.json by Message-ID, after it has found the
// same in index.csv.
func indexOf(t *testing.T, all map[string]string) map[string]map[string]any {
	t.Helper()
	var list []map[string]any
	if err := json.Unmarshal([]byte(all["index.json"]), &list); err != nil {
		t.Fatalf("%v in %s", err, all["index.json"])
	}
	table, err := csv.NewReader(strings.NewReader(all["index.csv"])).ReadAll()
	if err != nil || len(table) != len(list)+1 {
		t.Fatalf("%v, %d rows in the one and %d in the other", err, len(table), len(list))
	}
	rows := map[string]map[string]any{}
	for i, row := range list {
		if len(row) != len(table[0]) {
			t.Errorf("%d members of %v, %d columns", len(row), row, len(table[0]))
		}
		for j, name := range table[0] {
			want := row[name]
			if n, ok := want.(float64); ok {
				want = migrate.UID(n)
			}
			if got := strings.TrimPrefix(table[i+1][j], "'"); got != strings.TrimPrefix(cell(fmt.Sprint(want)), "'") {
				t.Errorf("row %d, %s: %q by CSV, %v by JSON", i, name, got, want)
			}
		}
		rows[row["message_id"].(string)] = row
	}
	return rows
}

func newKey(t *testing.T) *age.X25519Identity {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestEvidenceHoldsWhatFailedAndWhatWasChangedForItsRecipientsAlone(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	client, auditor := newKey(t), newKey(t)
	path := filepath.Join(h.dir, "evidence.age")
	h.write(t, "keys", "# the auditor's\n"+auditor.Recipient().String()+"\n")
	h.report(t, "report", "--evidence", path, "--recipient", client.Recipient().String(), "--recipient", "@"+filepath.Join(h.dir, "keys"))
	raw := read(t, path)
	for _, text := range []string{"No sender.", "refused@example.com", "PK\x03\x04"} {
		if bytes.Contains(raw, []byte(text)) {
			t.Errorf("%q can be read", text)
		}
	}
	all := opened(t, path, client)
	if !maps.Equal(all, opened(t, path, auditor)) {
		t.Error("the recipients are told different things")
	}
	if _, err := age.Decrypt(bytes.NewReader(raw), newKey(t)); !errors.As(err, new(*age.NoIdentityMatchError)) {
		t.Errorf("with another key: %v", err)
	}
	rows := indexOf(t, all)
	if len(rows) != 3 || len(all) != 5 {
		t.Fatalf("%d rows in %q: %v", len(rows), slices.Sorted(maps.Keys(all)), rows)
	}
	for id, want := range map[string]struct{ text, folder, outcome, subject string }{
		"<refused@example.com>": {refused, "INBOX", "failed", `=HYPERLINK("http://evil.example")`},
		"<old@example.com>":     {old, "INBOX", "copied", "Old"},
		"<bob-1@example.com>":   {letter("bob", 1, ""), "Sent", "merged", "Letter 1"},
	} {
		row := rows[id]
		if all[row["file"].(string)] != want.text || row["state"] != "complete" || row["outcome"] != want.outcome || row["subject"] != want.subject ||
			row["mailbox"] != "bob@example.com" || row["folder"] != want.folder || len(row["sha256"].(string)) != 64 || (row["reason"] == "") == (want.outcome == "failed") || (row["notes"] == "") != (want.outcome == "failed") {
			t.Errorf("%s: %v\n%q", id, row, all[row["file"].(string)])
		}
	}
	if !strings.Contains(all["index.csv"], `"'=HYPERLINK(""http://evil.example"")"`) {
		t.Errorf("a formula is in the table:\n%s", all["index.csv"])
	}
	for _, name := range files(t, h.dir) {
		if strings.Contains(name, "unfinished") {
			t.Errorf("%s was left behind", name)
		}
	}
	ends(t, exitError, []string{"report", "--config", h.config, "--evidence", path, "--recipient", client.Recipient().String()}, path+" exists already")
	if !bytes.Equal(raw, read(t, path)) {
		t.Error("it was written over")
	}
}

// expunge deletes a message of a person's inbox for good.
func (o *office) expunge(t *testing.T, person string, uid imap.UID) {
	t.Helper()
	c, err := imapclient.DialInsecure(fmt.Sprintf("127.0.0.1:%d", o.port), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.Login(person+"@example.com", officePassword).Wait()
	if err == nil {
		_, err = c.Select("INBOX", nil).Wait()
	}
	if err == nil {
		err = c.Store(imap.UIDSetNum(uid), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close()
	}
	if err == nil {
		err = c.Expunge().Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestEvidenceSaysWhatTheSourceHasNoMoreOrOtherwise(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	key := newKey(t)
	h.expunge(t, "bob", 2) // what was refused
	h.expunge(t, "bob", 1) // of which there is another copy in another folder
	path := filepath.Join(h.dir, "evidence.age")
	out := ends(t, exitDone, []string{"report", "--config", h.config, "--evidence", path, "--recipient", key.Recipient().String()},
		"The evidence is "+path+", encrypted: 2 messages.", "1 message is not in it: the source has it no more.")
	rows := indexOf(t, opened(t, path, key))
	if row := rows["<refused@example.com>"]; row["state"] != "gone" || row["file"] != "" || rows["<old@example.com>"]["state"] != "complete" {
		t.Errorf("%v\n%s", rows, out)
	}
}

func TestEvidenceOfADraftPassesOverMailboxesThatNoRunCameTo(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	h.write(t, "mailboxes.csv", "source,target\nbob@example.com,bob@example.org\ncleo@example.com,cleo@example.org\n")
	key := newKey(t)
	path := filepath.Join(h.dir, "evidence.age")
	h.report(t, "draft", "--draft", "--users", "--evidence", path, "--recipient", key.Recipient().String())
	if rows := indexOf(t, opened(t, path, key)); len(rows) != 3 {
		t.Errorf("%v", rows)
	}
}

func TestEvidenceOfASourceThatIsDownIsMissedAndTheReportIsThere(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	key := newKey(t)
	h.write(t, "password", "wrong\n")
	path := filepath.Join(h.dir, "evidence.age")
	out := filepath.Join(h.dir, "out")
	ends(t, exitPerson, []string{"report", "--config", h.config, "--out", out, "--evidence", path, "--recipient", key.Recipient().String()},
		"encrypted: 0 messages.", "3 messages are not in it: the source did not deliver them. Its index says why.",
		"mailhaul: the report is written; 3 messages are not in the evidence")
	ends(t, exitPerson, []string{"report", "--config", h.config, "--evidence", filepath.Join(h.dir, "none", "x"), "--recipient", key.Recipient().String()},
		"mailhaul: the report is written; the evidence is not: ", "no such file")
	rows := indexOf(t, opened(t, path, key))
	if row := rows["<old@example.com>"]; len(rows) != 3 || row["state"] != "unread" || !strings.Contains(row["why"].(string), "login") {
		t.Errorf("%v", rows)
	}
	ends(t, exitDone, []string{"report", "check", filepath.Join(out, reportJSON)})
}

// A moody source delivers its messages, but breaks off some as often as
// breaks says, and is down once it was asked so often.
type moody struct {
	migrate.Source
	mail   map[migrate.UID]string
	breaks map[migrate.UID]int
	down   int // calls until then; 0 for never
	calls  int
	gone   bool
}

func (s *moody) Read(_ context.Context, _ migrate.Folder, ms []*migrate.Message, body func(*migrate.Message, io.Reader) error) error {
	s.calls++
	if s.gone {
		return fmt.Errorf("select: %w", migrate.ErrFolderGone)
	}
	if s.down > 0 && s.calls >= s.down {
		return fmt.Errorf("dial: %w", migrate.ErrUnreachable)
	}
	for _, m := range ms {
		text, ok := s.mail[m.UID]
		if !ok {
			continue
		}
		var r io.Reader = strings.NewReader(text)
		if s.breaks[m.UID] > 0 {
			s.breaks[m.UID]--
			r = io.MultiReader(strings.NewReader(text[:len(text)/2]), iotest.ErrReader(errors.New("broke off")))
		}
		if err := body(m, r); err != nil {
			return err
		}
	}
	return nil
}

func TestEvidenceIsReadAgainFromASourceThatBreaksOff(t *testing.T) {
	mail := map[migrate.UID]string{1: "one message", 2: "another one", 3: "the third", 5: "the last"}
	var batch []migrate.Record
	for uid := range migrate.UID(5) {
		r := migrate.Record{Folder: 7, UID: uid + 1}
		if uid < 2 {
			r.Digest = sha256.Sum256([]byte("one message"))
		}
		batch = append(batch, r)
	}
	for name, c := range map[string]struct {
		source *moody
		lives  bool // the folder is at the source
		fails  error
		want   string // states by UID
		files  []string
	}{
		"well":       {&moody{}, true, nil, "complete different complete gone complete", []string{"7-1", "7-2", "7-3", "7-5"}},
		"once":       {&moody{breaks: map[migrate.UID]int{2: 1}}, true, nil, "complete different complete gone complete", []string{"7-1", "7-2", "7-2-2", "7-3", "7-5"}},
		"twice":      {&moody{breaks: map[migrate.UID]int{3: 2}}, true, nil, "complete different complete gone complete", []string{"7-1", "7-2", "7-3", "7-3-2", "7-3-3", "7-5"}},
		"always":     {&moody{breaks: map[migrate.UID]int{1: 9}}, true, nil, "unread different complete gone complete", []string{"7-1", "7-1-2", "7-1-3", "7-2", "7-3", "7-5"}},
		"gone":       {&moody{gone: true}, true, nil, "gone gone gone gone gone", nil},
		"not listed": {&moody{}, false, nil, "gone gone gone gone gone", nil},
		"down":       {&moody{down: 1}, true, migrate.ErrUnreachable, "unread unread unread unread unread", nil},
		"goes down":  {&moody{breaks: map[migrate.UID]int{3: 1}, down: 2}, true, migrate.ErrUnreachable, "complete different unread unread unread", []string{"7-1", "7-2", "7-3"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.source.mail = mail
			var out bytes.Buffer
			a := &archive{zip.NewWriter(&out), &noting{w: &out}, map[place]taken{}}
			f := migrate.Folder{Path: []string{"INBOX"}, UIDValidity: 1}
			if !c.lives {
				f = migrate.Folder{}
			}
			if err := a.group(t.Context(), c.source, f, batch); !errors.Is(err, c.fails) {
				t.Errorf("got %v, want %v", err, c.fails)
			}
			if err := a.zip.Close(); err != nil {
				t.Fatal(err)
			}
			var states []string
			for _, r := range batch {
				states = append(states, string(a.taken[at(r)].state))
			}
			if got := strings.Join(states, " "); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
			if err != nil {
				t.Fatal(err)
			}
			texts := map[string]string{}
			var names []string
			for _, f := range z.File {
				r, err := f.Open()
				if err != nil {
					t.Fatal(err)
				}
				text, err := io.ReadAll(r)
				if err != nil {
					t.Fatal(err)
				}
				texts[f.Name] = string(text)
				names = append(names, strings.TrimSuffix(strings.TrimPrefix(f.Name, "messages/"), ".eml"))
			}
			if slices.Sort(names); !slices.Equal(names, c.files) {
				t.Errorf("there are %q, want %q", names, c.files)
			}
			for _, r := range batch {
				if got := a.taken[at(r)]; (got.state == complete || got.state == different) && texts[at(r).file(got.begun)] != mail[r.UID] {
					t.Errorf("UID %d is %q", r.UID, texts[at(r).file(got.begun)])
				}
			}
		})
	}
}

func TestEvidenceIsReadFromTheFoldersOfTheRecordsAlone(t *testing.T) {
	folder := func(validity uint32, path ...string) migrate.Folder {
		return migrate.Folder{Path: path, UIDValidity: validity}
	}
	folders := []migrate.Folder{folder(1, "INBOX"), folder(2, "Sent"), {Path: []string{"Lists"}, UIDValidity: 3, NoSelect: true}, folder(4, "A", "B")}
	live := living([]migrate.FolderState{
		{ID: 1, Folder: folder(1, "INBOX"), Gone: true}, // its UIDs were given out anew
		{ID: 2, Folder: folder(1, "INBOX")},
		{ID: 3, Folder: folder(1, "Sent")}, // it was made anew
		{ID: 4, Folder: folder(3, "Lists")},
		{ID: 5, Folder: folder(4, "A", "B")},
		{ID: 6, Folder: folder(4, "A")},
	}, folders)
	if len(live) != 2 || live[2].Path[0] != "INBOX" || live[5].Path[1] != "B" {
		t.Errorf("read would be %v", live)
	}
}

func TestEvidenceStopsWhenItsDiskIsFull(t *testing.T) {
	full := &noting{w: &smallDisk{room: 100}}
	a := &archive{zip.NewWriter(full), full, map[place]taken{}}
	source := &moody{mail: map[migrate.UID]string{}}
	var batch []migrate.Record
	for uid := migrate.UID(1); uid <= 9; uid++ {
		source.mail[uid] = rand.Text() + strings.Repeat(rand.Text(), 10_000)
		batch = append(batch, migrate.Record{Folder: 7, UID: uid})
	}
	if err := a.group(t.Context(), source, migrate.Folder{UIDValidity: 1}, batch); !errors.Is(err, errFull) || source.calls != 1 {
		t.Errorf("%v after %d calls", err, source.calls)
	}
}

var errFull = errors.New("no space left")

type smallDisk struct{ room int }

func (d *smallDisk) Write(p []byte) (int, error) {
	if d.room -= len(p); d.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestEvidenceIsNotWrittenOverWhatCameMeanwhile(t *testing.T) {
	path := written(t, "evidence.age", "mine")
	_, err := writeEvidence(t.Context(), path, []age.Recipient{newKey(t).Recipient()}, nil, nil)
	if err == nil || !strings.Contains(err.Error(), path+" exists already") {
		t.Errorf("got %v", err)
	}
	if text := read(t, path); string(text) != "mine" || len(files(t, filepath.Dir(path))) != 1 {
		t.Errorf("there are %q, and it is %q", files(t, filepath.Dir(path)), text)
	}
}

func TestRecipientsArePublicKeysOfAge(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	for _, text := range []string{"", "ssh-ed25519 AAAA", key.String(), "age1qqqq", "@/none", "@" + written(t, "keys", key.String()+"\n"), "@" + written(t, "keys", "")} {
		_, err := recipients([]string{text})
		if err == nil || !strings.HasPrefix(err.Error(), "--recipient") || strings.Contains(err.Error(), key.String()) {
			t.Errorf("%.12q: %v", text, err)
		}
	}
	if got, err := recipients([]string{key.Recipient().String(), "@" + written(t, "keys", key.Recipient().String()+"\n\n# more\n"+newKey(t).Recipient().String()+"\n")}); err != nil || len(got) != 3 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestCellsAreNoFormulas(t *testing.T) {
	for in, want := range map[string]string{
		"=1": "'=1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\t=1": "'\t=1", "\r=1": "'\r=1", "": "", "a=1": "a=1", "1": "1", "'": "'",
	} {
		if got := cell(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
