package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
)

// saveUntilKilled is a child that saves records from several goroutines and
// prints the UID of each once Save has returned.
func saveUntilKilled(path string) error {
	ctx := context.Background()
	s, err := Open(path)
	if err != nil {
		return err
	}
	l, err := s.Mailbox(ctx, "a@old.example", "a@new.example")
	if err != nil {
		return err
	}
	f := migrate.FolderState{Folder: migrate.Folder{Path: []string{"INBOX"}, UIDValidity: 1}}
	if err := l.SaveFolder(ctx, &f); err != nil {
		return err
	}
	var mu sync.Mutex
	errs := make(chan error)
	for worker := range migrate.UID(8) {
		go func() {
			for uid := 1 + worker; ; uid += 8 {
				r := migrate.Record{Folder: f.ID, UID: uid}
				if err := l.AddListed(ctx, r); err != nil {
					errs <- err
					return
				}
				r.Outcome, r.Target = migrate.Copied, migrate.MessageID(fmt.Sprint("id ", uid))
				if err := l.Save(ctx, r); err != nil {
					errs <- err
					return
				}
				mu.Lock()
				fmt.Println(uid)
				mu.Unlock()
			}
		}()
	}
	return <-errs
}

func TestWhatWasSavedSurvivesAKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mailhaul.db")
	for _, moment := range []int{1, 10, 333} { // how many records are saved before the kill
		t.Run(fmt.Sprint(moment), func(t *testing.T) {
			path := fmt.Sprint(path, moment)
			c := startChild(t, "save", path)
			var printed []migrate.UID
			read := func(line string) {
				var uid migrate.UID
				if _, err := fmt.Sscan(line, &uid); err == nil {
					printed = append(printed, uid)
				}
			}
			for range moment {
				read(c.line(t))
			}
			c.cmd.Process.Kill()
			for c.lines.Scan() { // what it printed before it died
				read(c.lines.Text())
			}
			c.cmd.Wait()

			s := open(t, path)
			l, folder := inbox(t, s)
			saved := make(map[migrate.UID]migrate.Record)
			for r, err := range l.Records(t.Context(), folder, 0, 1<<32-1) {
				if err != nil {
					t.Fatal(err)
				}
				saved[r.UID] = r
			}
			for _, uid := range printed {
				r := saved[uid]
				if r.Outcome != migrate.Copied || r.Target != migrate.MessageID(fmt.Sprint("id ", uid)) {
					t.Errorf("message %d was saved and is now %+v", uid, r)
				}
			}
			ts, err := s.Tally(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := ts[0].Check(); err != nil {
				t.Error(err)
			}
		})
	}
}
