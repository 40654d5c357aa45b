package sqlite

import (
	"crypto/sha256"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

var golden = flag.Bool("golden", false, "write the golden file of the schema's present version, which must not be released yet")

// goldenState, goldenFolders and goldenRecords are what the golden files hold.
func goldenState() migrate.MailboxState {
	return migrate.MailboxState{
		Position: "4711", Started: time.Date(2026, 11, 22, 1, 2, 3, 4, time.UTC), Ended: time.Date(2026, 11, 22, 5, 6, 7, 0, time.UTC),
		Error: "login refused", Hint: "see the password",
	}
}

func goldenFolders() []migrate.FolderState {
	return []migrate.FolderState{
		{ID: 1, Folder: migrate.Folder{Path: []string{"INBOX"}, Role: migrate.RoleInbox, UIDValidity: 1, UIDNext: 11, Messages: 10, Bytes: 1000}, Target: "INBOX", Name: "Inbox"},
		{ID: 2, Folder: migrate.Folder{Path: []string{"Clients", "2019/20"}, UIDValidity: 7, NoSelect: true, Placed: "Label_1"}, Target: "Label_1", Name: "Clients/2019-20", Note: "no slash"},
	}
}

func goldenRecords() []migrate.Record {
	digest := func(s string) migrate.Digest { return sha256.Sum256([]byte(s)) }
	return []migrate.Record{
		{Folder: 1, UID: 1, Outcome: migrate.Pending, Size: 100},
		{Folder: 1, UID: 2, Outcome: migrate.Pending, Size: 101, Doubt: true, Digest: digest("2")},
		{Folder: 1, UID: 3, Outcome: migrate.Copied, Size: 102, Digest: digest("3"), Target: "19a0b1c2d3e4f506", Notes: []string{"flag-dropped", "a/b"}},
		{Folder: 1, UID: 4, Outcome: migrate.Adopted, Size: 103, Digest: digest("4"), Target: "19a0b1c2d3e4f507"},
		{Folder: 1, UID: 5, Outcome: migrate.Merged, Size: 102, Digest: digest("3"), Target: "19a0b1c2d3e4f506"},
		{Folder: 1, UID: 6, Outcome: migrate.Excluded, Size: 104, Reason: "rule old-mail"},
		{Folder: 1, UID: 7, Outcome: migrate.Failed, Size: 105, Reason: "too large", Hint: "send it by hand", MessageID: "<1@old.example>"},
		{Folder: 1, UID: 1<<32 - 1, Outcome: migrate.Gone, Size: 106},
	}
}

func TestGoldenFilesOpen(t *testing.T) {
	const file = "testdata/version1.db" // of schema 1; each released schema keeps its own
	if *golden {
		writeGolden(t, file)
	}
	octets, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "mailhaul.db")
	if err := os.WriteFile(path, octets, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func(string) (*Store, error){"Open": Open, "OpenReadOnly": OpenReadOnly} {
		s, err := open(path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		defer s.Close()
		l, err := s.Mailbox(t.Context(), "a@old.example", "a@new.example")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := l.State(t.Context()); err != nil || !reflect.DeepEqual(got, goldenState()) {
			t.Errorf("%s: state %+v, error %v", name, got, err)
		}
		if got, err := l.Folders(t.Context()); err != nil || !reflect.DeepEqual(got, goldenFolders()) {
			t.Errorf("%s: folders %+v, error %v", name, got, err)
		}
		var got []migrate.Record
		for r, err := range l.Records(t.Context(), 1, 0, 1<<32-1) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got = append(got, r)
		}
		if !reflect.DeepEqual(got, goldenRecords()) {
			t.Errorf("%s: records %+v", name, got)
		}
		for i := range 2 { // a doubt, and a copy
			want := goldenRecords()[1+2*i:][:1]
			if got, err := l.ByDigest(t.Context(), want[0].Digest); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: by digest %+v, error %v, want %+v", name, got, err, want)
			}
		}
		ts, err := s.Tally(t.Context())
		if err != nil || len(ts) != 2 || ts[0].Listed != 8 || ts[0].Doubts != 1 || ts[0].Check() != nil {
			t.Errorf("%s: tallies %+v, error %v", name, ts, err)
		}
	}
}

func writeGolden(t *testing.T, file string) {
	s := open(t, filepath.Join(t.TempDir(), "mailhaul.db"))
	l, err := s.Mailbox(t.Context(), "a@old.example", "a@new.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.SaveState(t.Context(), goldenState()); err != nil {
		t.Fatal(err)
	}
	for f := range slices.Values(goldenFolders()) {
		if err := l.SaveFolder(t.Context(), &f); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.AddListed(t.Context(), goldenRecords()...); err != nil {
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
