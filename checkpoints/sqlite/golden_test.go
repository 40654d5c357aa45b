package sqlite

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/proof"
)

var golden = flag.Bool("golden", false, "write the golden file of the schema's present version, which must not be released yet")

// goldenState and the functions below it return what the golden files hold.
func goldenState(version int) migrate.MailboxState {
	s := migrate.MailboxState{
		Position: "4711", Started: time.Date(2026, 11, 22, 1, 2, 3, 4, time.UTC), Ended: time.Date(2026, 11, 22, 5, 6, 7, 0, time.UTC),
		Error: "login refused", Hint: "see the password",
	}
	if version >= 3 {
		s.Cutover = time.Date(2026, 11, 24, 18, 0, 0, 0, time.UTC)
	}
	return s
}

func goldenFolders(version int) []migrate.FolderState {
	fs := []migrate.FolderState{
		{ID: 1, Folder: migrate.Folder{Path: []string{"INBOX"}, Role: migrate.RoleInbox, UIDValidity: 1, UIDNext: 11, Messages: 10, Bytes: 1000}, Target: "INBOX", Name: "Inbox"},
		{ID: 2, Folder: migrate.Folder{Path: []string{"Clients", "2019/20"}, UIDValidity: 7, NoSelect: true, Placed: "Label_1"}, Target: "Label_1", Name: "Clients/2019-20", Note: "no slash"},
	}
	if version >= 3 {
		fs[0].Epoch, fs[0].Walked = 2, migrate.Mark{UIDNext: 11, ModSeq: 1<<63 - 1, Messages: 7, Rules: "1a2b"}
		fs[1].Origin, fs[1].Gone = []string{"Clients", "2019"}, true
	}
	return fs
}

func goldenRecords(version int) []migrate.Record {
	digest := func(s string) migrate.Digest { return sha256.Sum256([]byte(s)) }
	rs := []migrate.Record{
		{Folder: 1, UID: 1, Outcome: migrate.Pending, Size: 100},
		{Folder: 1, UID: 2, Outcome: migrate.Pending, Size: 101, Doubt: true, Digest: digest("2")},
		{Folder: 1, UID: 3, Outcome: migrate.Copied, Size: 102, Digest: digest("3"), Target: "19a0b1c2d3e4f506", Notes: []string{"flag-dropped", "a/b"}},
		{Folder: 1, UID: 4, Outcome: migrate.Adopted, Size: 103, Digest: digest("4"), Target: "19a0b1c2d3e4f507"},
		{Folder: 1, UID: 5, Outcome: migrate.Merged, Size: 102, Digest: digest("3"), Target: "19a0b1c2d3e4f506"},
		{Folder: 1, UID: 6, Outcome: migrate.Excluded, Size: 104, Reason: "rule old-mail"},
		{Folder: 1, UID: 7, Outcome: migrate.Failed, Size: 105, Reason: "too large", Hint: "send it by hand", MessageID: "<1@old.example>"},
		{Folder: 1, UID: 1<<32 - 1, Outcome: migrate.Gone, Size: 106, Vanished: true},
	}
	if version >= 3 {
		rs[2].Flags, rs[3].Vanished = []migrate.Flag{migrate.Seen, "$Forwarded"}, true
		rs = slices.Insert(rs, 7, migrate.Record{Folder: 1, UID: 8, Outcome: migrate.Moved, Size: 107, Digest: digest("8"), Vanished: true},
			migrate.Record{Folder: 1, UID: 9, Outcome: migrate.Removed, Size: 108, Digest: digest("9"), Vanished: true})
	}
	if version >= 4 {
		for i := range rs {
			rs[i].MessageID = fmt.Sprintf("<%d@old.example>", rs[i].UID)
		}
		rs[2].Head = migrate.Head{From: "c@old.example", Date: time.Date(2015, 4, 3, 2, 1, 0, 0, time.UTC), Subject: "changed"}
		rs[6].Head = migrate.Head{From: "d@old.example", Subject: "failed"}
	}
	return rs
}

func goldenVerification() migrate.Verification {
	return migrate.Verification{
		Depth: "sample", Sample: "400", Started: time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC), Ended: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC),
		Folders: []migrate.FolderVerification{{Folder: 1, Next: 8, Arrived: 3, Present: 2, Merged: 1, Held: 4, New: 2, Compared: 2, Explained: 1, Unread: 1}},
	}
}

func goldenFindings(version int) []migrate.Finding {
	fs := []migrate.Finding{
		{Kind: migrate.KindMissing, Folder: 1, UID: 4, Target: "19a0b1c2d3e4f507", Detail: "nowhere", MessageID: "<4@old.example>", From: "b@old.example",
			Date: time.Date(2019, 8, 7, 6, 5, 4, 0, time.UTC)},
		{Kind: migrate.KindExtra, Target: "19a0b1c2d3e4f509"},
	}
	if version >= 4 {
		fs[0].Subject = "lost"
	}
	return fs
}

// goldenPasses are what older files know of them: the latest one.
func goldenPasses(version int) []migrate.Pass {
	s := goldenState(version)
	ps := []migrate.Pass{{Started: s.Started, Ended: s.Ended, Complete: s.Complete, Error: s.Error}}
	if version >= 4 {
		ps = slices.Insert(ps, 0, migrate.Pass{Started: time.Date(2026, 11, 21, 1, 2, 3, 0, time.UTC)})
	}
	return ps
}

func goldenReplica() migrate.Replica {
	return migrate.Replica{UID: 3, Content: sha256.Sum256([]byte("replica"))}
}

func goldenEntries() []proof.Entry {
	return []proof.Entry{{ID: 1, Text: "folder 1"}, {Folder: 1, ID: 3, Text: "message 1 3"}, {Folder: 1, ID: 3, Text: "message 1 3 again"}}
}

// goldenFile has what each released version of mailhaul wrote.
func goldenFile(version int) string { return fmt.Sprintf("testdata/version%d.db", version) }

func TestGoldenFilesOpen(t *testing.T) {
	if *golden {
		writeGolden(t, goldenFile(schemaVersion))
	}
	for version := 1; version <= schemaVersion; version++ {
		t.Run(fmt.Sprint("schema ", version), func(t *testing.T) {
			path := copyGolden(t, version)
			for _, step := range []struct {
				name   string
				open   func(string) (*Store, error)
				schema int
			}{{"to look", OpenReadOnly, version}, {"for a run", Open, schemaVersion}, {"to look again", OpenReadOnly, schemaVersion}} {
				s, err := step.open(path)
				if err != nil {
					t.Fatalf("%s: %v", step.name, err)
				}
				defer s.Close()
				var schema int
				if err := s.read.QueryRow(`PRAGMA user_version`).Scan(&schema); err != nil || schema != step.schema {
					t.Errorf("%s: schema %d, error %v, want %d", step.name, schema, err, step.schema)
				}
				isGolden(t, step.name, s, version)
			}
		})
	}
}

// copyGolden returns the path of a copy of a golden file.
func copyGolden(t *testing.T, version int) string {
	t.Helper()
	octets, err := os.ReadFile(goldenFile(version))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "mailhaul.db")
	if err := os.WriteFile(path, octets, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// isGolden expects what a golden file of a version holds.
func isGolden(t *testing.T, name string, s *Store, version int) {
	t.Helper()
	l, err := s.Mailbox(t.Context(), "a@old.example", "a@new.example")
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if got, err := l.State(t.Context()); err != nil || !reflect.DeepEqual(got, goldenState(version)) {
		t.Errorf("%s: state %+v, error %v", name, got, err)
	}
	if got, err := l.Folders(t.Context()); err != nil || !reflect.DeepEqual(got, goldenFolders(version)) {
		t.Errorf("%s: folders %+v, error %v", name, got, err)
	}
	var got []migrate.Record
	for r, err := range l.Records(t.Context(), 1, 0, 1<<32-1) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if version < 4 && !r.Settled.IsZero() || version >= 4 && r.Settled.IsZero() != (r.Outcome == migrate.Pending) {
			t.Errorf("%s: %v was settled at %v", name, r.Outcome, r.Settled)
		}
		r.Settled = time.Time{}
		got = append(got, r)
	}
	if !reflect.DeepEqual(got, goldenRecords(version)) {
		t.Errorf("%s: records %+v", name, got)
	}
	for i := range 2 { // a doubt, and a copy
		want := goldenRecords(version)[1+2*i:][:1]
		got, err := l.ByDigest(t.Context(), want[0].Digest, false)
		if len(got) == 1 {
			got[0].Settled = time.Time{}
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: by digest %+v, error %v, want %+v", name, got, err, want)
		}
	}
	ts, err := s.Tally(t.Context())
	if err != nil || len(ts) != 2 || ts[0].Listed != int64(len(goldenRecords(version))) || ts[0].Doubts != 1 || ts[0].Check() != nil {
		t.Errorf("%s: tallies %+v, error %v", name, ts, err)
	}

	verification, findings := goldenVerification(), goldenFindings(version)
	if version < 2 {
		verification, findings = migrate.Verification{}, nil
	}
	v := l.(*ledger)
	if got, err := v.Verification(t.Context()); err != nil || !reflect.DeepEqual(got, verification) {
		t.Errorf("%s: verification %+v, error %v", name, got, err)
	}
	var found []migrate.Finding
	for d, err := range v.Findings(t.Context()) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found = append(found, d)
	}
	if !reflect.DeepEqual(found, findings) {
		t.Errorf("%s: findings %+v", name, found)
	}
	isGoldenReport(t, name, v, version)
	isGoldenLog(t, name, s, version)
}

// isGoldenReport expects what a golden file holds for reports.
func isGoldenReport(t *testing.T, name string, l *ledger, version int) {
	t.Helper()
	if got, err := l.Passes(t.Context()); err != nil || !reflect.DeepEqual(got, goldenPasses(version)) {
		t.Errorf("%s: passes %+v, error %v", name, got, err)
	}
	var notable, want []migrate.Record
	for r, err := range l.Notable(t.Context()) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r.Settled = time.Time{}
		notable = append(notable, r)
	}
	for _, r := range goldenRecords(version) {
		if r.Notable() {
			want = append(want, r)
		}
	}
	if !reflect.DeepEqual(notable, want) {
		t.Errorf("%s: notable %+v", name, notable)
	}
	if got, err := l.Excluded(t.Context()); err != nil || !maps.Equal(got, map[string]int64{"rule old-mail": 1}) {
		t.Errorf("%s: excluded %v, error %v", name, got, err)
	}
	hours, err := l.Timeline(t.Context())
	if err != nil || version < 4 && len(hours) > 0 || version >= 4 && (len(hours) != 1 || hours[0].Messages != 1 || hours[0].Bytes != 102) {
		t.Errorf("%s: timeline %+v, error %v", name, hours, err)
	}
	var replicas []migrate.Replica
	for r, err := range l.Replicas(t.Context(), 1) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		replicas = append(replicas, r)
	}
	if version < 4 && len(replicas) > 0 || version >= 4 && !slices.Equal(replicas, []migrate.Replica{goldenReplica()}) {
		t.Errorf("%s: replicas %+v", name, replicas)
	}
}

// isGoldenLog expects the log of a golden file.
func isGoldenLog(t *testing.T, name string, s *Store, version int) {
	t.Helper()
	var want, texts []string
	var latest []proof.Entry
	heads := []string(nil)
	if version >= 4 {
		for _, e := range goldenEntries() {
			want = append(want, e.Text)
		}
		heads = []string{"head"}
	}
	l := s.Log()
	n, err := l.Size(t.Context())
	if err != nil || n != int64(len(want)) {
		t.Errorf("%s: a log of %d entries, error %v", name, n, err)
	}
	for text, err := range l.Entries(t.Context(), 0, 9) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		texts = append(texts, text)
	}
	if !slices.Equal(texts, want) {
		t.Errorf("%s: entries %q", name, texts)
	}
	for e, err := range l.Latest(t.Context(), 1) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		latest = append(latest, e)
	}
	if version < 4 && len(latest) > 0 || version >= 4 && !slices.Equal(latest, goldenEntries()[2:]) {
		t.Errorf("%s: latest entries %+v", name, latest)
	}
	if got, err := l.Heads(t.Context()); err != nil || !slices.Equal(got, heads) {
		t.Errorf("%s: heads %q, error %v", name, got, err)
	}
	if secret, err := l.Secret(t.Context()); version >= 4 && (err != nil || fmt.Sprintf("%x", sha256.Sum256(secret)) != goldenSecret) {
		t.Errorf("%s: secret with the digest %x, error %v", name, sha256.Sum256(secret), err)
	}
}

// goldenSecret is the digest of the secret in the golden files.
const goldenSecret = "ad8809fc4766dc4b892480e14ec81a323fe2bf2785fee4655b3efa1ef1954a95"

func TestWhatIsReadBackOfOldMailCounts(t *testing.T) {
	s := open(t, copyGolden(t, 3)) // which does not say when messages came to their outcome
	m, err := s.Mailbox(t.Context(), "a@old.example", "a@new.example")
	if err != nil {
		t.Fatal(err)
	}
	l := m.(*ledger)
	if err := l.SaveVerified(t.Context(), migrate.FolderVerification{Folder: 1}, []migrate.Replica{goldenReplica()}); err != nil {
		t.Fatal(err)
	}
	n := 0
	for r, err := range l.Replicas(t.Context(), 1) {
		if err != nil || r != goldenReplica() {
			t.Errorf("%+v, error %v", r, err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("%d replicas, want 1", n)
	}
}

func TestAnUpgradeThatFailsLeavesTheFileAsItWas(t *testing.T) {
	path := copyGolden(t, 1)
	change(t, path, `CREATE TABLE finding (of TEXT)`) // by somebody, in the way of the last of the new tables
	for range 2 {
		if _, err := Open(path); err == nil {
			t.Fatal("no error")
		}
	}
	s, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	isGolden(t, "after the failure", s, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	change(t, path, `DROP TABLE finding`)
	isGolden(t, "after the cause is gone", open(t, path), 1)
}

func TestAnUpgradeThatIsKilledLeavesTheFileAsItWas(t *testing.T) {
	path := copyGolden(t, 1)
	killed := filepath.Join(t.TempDir(), "mailhaul.db")
	w, err := newWriter(path)
	if err != nil {
		t.Fatal(err)
	}
	errKill := errors.New("killed")
	err = w.do(t.Context(), func(w *writer) error {
		// Pages go to the log as soon as they are written.
		if _, err := w.conn.ExecContext(t.Context(), "PRAGMA cache_size = 1; PRAGMA cache_spill = 1;"+upgrade(1)); err != nil {
			return err
		}
		for _, name := range []string{"", "-wal"} { // what the next process finds
			octets, err := os.ReadFile(path + name)
			if err != nil {
				return err
			}
			if err := os.WriteFile(killed+name, octets, 0o600); err != nil {
				return err
			}
		}
		return errKill
	})
	if !errors.Is(err, errKill) {
		t.Fatal(err)
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"the process was killed": killed, "the upgrade was undone": path} {
		s, err := OpenReadOnly(path)
		if err != nil {
			t.Fatal(err)
		}
		if s.schema != 1 {
			t.Errorf("%s: schema %d", name, s.schema)
		}
		isGolden(t, name, s, 1)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		isGolden(t, name, open(t, path), 1)
	}
}

func writeGolden(t *testing.T, file string) {
	s := open(t, filepath.Join(t.TempDir(), "mailhaul.db"))
	l, err := s.Mailbox(t.Context(), "a@old.example", "a@new.example")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range goldenPasses(schemaVersion) {
		state := goldenState(schemaVersion)
		state.Started, state.Ended, state.Complete, state.Error = p.Started, p.Ended, p.Complete, p.Error
		if err := l.SaveState(t.Context(), state); err != nil {
			t.Fatal(err)
		}
	}
	for f := range slices.Values(goldenFolders(schemaVersion)) {
		f.ID = 0
		if err := l.SaveFolder(t.Context(), &f); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.AddListed(t.Context(), goldenRecords(schemaVersion)...); err != nil {
		t.Fatal(err)
	}
	v, verification, log := l.(*ledger), goldenVerification(), s.Log()
	_, err = log.Secret(t.Context())
	if err := errors.Join(err, log.Append(t.Context(), goldenEntries()...), log.AddHead(t.Context(), "head"),
		v.BeginVerification(t.Context(), verification),
		v.SaveVerified(t.Context(), verification.Folders[0], []migrate.Replica{goldenReplica()}, goldenFindings(schemaVersion)...),
		v.EndVerification(t.Context(), verification)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	octets, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, octets, 0o644); err != nil {
		t.Fatal(err)
	}
}
