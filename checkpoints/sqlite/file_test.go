package sqlite

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

// wantHint says that err is fatal and that its hint has part in it.
func wantHint(t *testing.T, err error, part string) {
	t.Helper()
	e, ok := errors.AsType[*migrate.Error](err)
	if !ok || e.Class != migrate.Fatal || !strings.Contains(e.Hint, part) {
		t.Errorf("error %#v, want a fatal one that hints at %q", err, part)
	}
}

// filled makes a file with a few thousand messages and returns its octets.
func filled(t *testing.T, path string) []byte {
	t.Helper()
	s := open(t, path)
	fill(t, s, 4000, gmailID)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	octets, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return octets
}

func TestADamagedFileIsRefusedAndLeftAlone(t *testing.T) {
	whole := filled(t, filepath.Join(t.TempDir(), "whole.db"))
	damage := func(at, n int) []byte {
		octets := bytes.Clone(whole)
		copy(octets[at:], bytes.Repeat([]byte{0xa5}, n))
		return octets
	}
	for name, octets := range map[string][]byte{
		"empty":            {},
		"a single octet":   {'S'},
		"only a header":    whole[:100],
		"half":             whole[:len(whole)/2/4096*4096],
		"half a page less": whole[:len(whole)-2048],
		"a page less":      whole[:len(whole)-4096],
		"no database":      []byte(strings.Repeat("Subject: hello\r\n", 1000)),
		"header spoilt":    damage(0, 16),
		"schema spoilt":    damage(100, 200),
		"page spoilt":      damage(4096*(len(whole)/4096/2), 4096),
		"schema version 0": func() []byte { o := bytes.Clone(whole); copy(o[60:64], []byte{0, 0, 0, 0}); return o }(),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "mailhaul.db")
			if err := os.WriteFile(path, octets, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Open(path)
			if err == nil || !strings.Contains(err.Error(), path+" is damaged") {
				t.Errorf("error %v, want one that says that %s is damaged", err, path)
			}
			wantHint(t, err, "backup copy")
			wantHint(t, err, "mailhaul.db.bak")
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, octets) {
				t.Errorf("the file was changed; %v", err)
			}
			// The lock is free again.
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			open(t, path)
		})
	}
}

func TestALogWithoutItsFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mailhaul.db")
	if err := os.WriteFile(path+"-wal", []byte("log"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(path)
	wantHint(t, err, "backup copy")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was made beside the log: %v", err)
	}
}

func TestWhatACrashLeavesOfANewFileIsNoHindrance(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mailhaul.db")
	for _, name := range []string{".new", ".new-wal", ".new-shm"} {
		if err := os.WriteFile(path+name, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inbox(t, open(t, path))
}

func TestANewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mailhaul.db")
	filled(t, path)
	change(t, path, `PRAGMA user_version = 5`)
	for name, open := range map[string]func(string) (*Store, error){"Open": Open, "OpenReadOnly": OpenReadOnly} {
		_, err := open(path)
		if err == nil || !strings.Contains(err.Error(), path+" was written by a newer mailhaul: it has schema 5, and this one knows up to 4") {
			t.Errorf("%s: error %v, want one that names both schemas", name, err)
		}
		wantHint(t, err, "that version of mailhaul")
	}
}

func TestTheDatabaseOfAnotherProgramIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mailhaul.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	change(t, path, `CREATE TABLE cookies (name TEXT); PRAGMA user_version = 1`)
	for name, open := range map[string]func(string) (*Store, error){"Open": Open, "OpenReadOnly": OpenReadOnly} {
		_, err := open(path)
		if err == nil || !strings.Contains(err.Error(), "another program") {
			t.Errorf("%s: error %v, want one that says that it is another program's", name, err)
		}
		wantHint(t, err, "Name another file")
	}
}

// change runs statements on a file behind the store's back.
func change(t *testing.T, path, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statements); err != nil {
		t.Fatal(err)
	}
}

func TestOnlyTheOwnerCanReadTheFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no modes")
	}
	path := filepath.Join(t.TempDir(), "mailhaul.db")
	s := open(t, path)
	for _, reopened := range []bool{false, true} {
		if reopened { // as a copy that others can read
			if err := errors.Join(s.Close(), os.Chmod(path, 0o644)); err != nil {
				t.Fatal(err)
			}
			s = open(t, path)
		}
		inbox(t, s)
		for _, name := range []string{"", "-wal", "-shm", ".lock"} {
			info, err := os.Stat(path + name)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode() != 0o600 {
				t.Errorf("%s has mode %v, want 0600", info.Name(), info.Mode())
			}
		}
	}
}

func TestAnyPathNamesAFile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, path := range []string{"relative.db", "a b%20c#d&e=f;g+h.db", "Müller 🚀.db", filepath.Join(dir, "what%3f.db"), "-.db"} {
		if runtime.GOOS != "windows" {
			path = strings.ReplaceAll(path, "%3f", "?")
		}
		s := open(t, path)
		inbox(t, s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", path, err)
		}
	}
	es, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(es) != 5*2 { // with their locks
		t.Errorf("there are %v", es)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("a folder: error %v", err)
	}
	if _, err := Open(filepath.Join(dir, "missing", "mailhaul.db")); err == nil {
		t.Error("a file in a folder that is missing was opened")
	}
}

func TestAClosedStoreRefuses(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "mailhaul.db"))
	l, folder := inbox(t, s)
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if err := l.AddListed(t.Context(), migrate.Record{Folder: folder, UID: 1}); !errors.Is(err, errClosed) {
		t.Errorf("AddListed: error %v, want %v", err, errClosed)
	}
	if _, err := s.Tally(t.Context()); err == nil {
		t.Error("Tally: no error")
	}
}

// full has the file grow by no more than a few pages; room undoes that.
func full(t *testing.T, s *Store) (room func()) {
	limit := func(pages int) {
		err := s.save(t.Context(), "limit", func(w *writer) error {
			_, err := w.exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // SQLite takes what it has now for the least
	return func() { limit(1 << 30) }
}

func TestAFullDiskIsAnErrorOfWhatWasNotSaved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mailhaul.db")
	s := open(t, path)
	l, folder := inbox(t, s)
	room := full(t, s)
	saved := migrate.UID(0)
	var err error
	for uid := migrate.UID(1); uid < 10_000 && err == nil; uid++ {
		// The remark is new with each call, and must not be taken for saved.
		r := migrate.Record{Folder: folder, UID: uid, Outcome: migrate.Failed, Reason: strings.Repeat("x", int(uid))}
		if err = l.AddListed(t.Context(), r); err == nil {
			saved = uid
		}
	}
	if err == nil || saved == 0 || !strings.Contains(err.Error(), "the disk that holds "+path+" is full") {
		t.Fatalf("after %d messages: error %v, want one that says that the disk is full", saved, err)
	}
	wantHint(t, err, "Make room")

	room()
	if err := l.AddListed(t.Context(), migrate.Record{Folder: folder, UID: saved + 1, Outcome: migrate.Failed, Reason: strings.Repeat("x", int(saved)+1)}); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	l, folder = inbox(t, open(t, path))
	next := migrate.UID(1)
	for r, err := range l.Records(t.Context(), folder, 0, 1<<32-1) {
		if err != nil || r.UID != next || len(r.Reason) != int(next) {
			t.Fatalf("message %d with a reason of %d octets, error %v, want message %d", r.UID, len(r.Reason), err, next)
		}
		next++
	}
	if next != saved+2 {
		t.Errorf("%d messages, want %d", next-1, saved+1)
	}
}
