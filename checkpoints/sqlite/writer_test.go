package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// commits counts the commits in the log of the file (sqlite.org/fileformat2.html,
// section 4.1): frames whose header has a size of the database in it.
func commits(t *testing.T, path string) (n int) {
	t.Helper()
	log, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	page := int(binary.BigEndian.Uint32(log[8:]))
	for at := 32; at < len(log); at += 24 + page {
		if binary.BigEndian.Uint32(log[at+4:]) != 0 {
			n++
		}
	}
	return n
}

func TestCallsThatWaitShareOneCommitAndFailAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "mailhaul.db")
		s := open(t, path)
		defer s.Close()
		l, folder := inbox(t, s)

		gate := make(chan struct{})
		blocked := make(chan error, 1)
		go func() {
			blocked <- s.save(t.Context(), "block", func(*writer) error {
				<-gate
				return nil
			})
		}()
		synctest.Wait() // the writer is busy
		before := commits(t, path)
		errs := make([]chan error, 20)
		for i := range errs {
			errs[i] = make(chan error, 1)
			go func() {
				r := migrate.Record{Folder: folder, UID: migrate.UID(i), Outcome: migrate.Failed, Reason: "same for all"}
				if i%5 == 0 {
					errs[i] <- l.Save(t.Context(), r) // which does not exist
				} else {
					errs[i] <- l.AddListed(t.Context(), r)
				}
			}()
		}
		synctest.Wait() // all of them wait
		close(gate)
		if err := <-blocked; err != nil {
			t.Error(err)
		}
		for i, c := range errs {
			if err := <-c; (err != nil) != (i%5 == 0) {
				t.Errorf("call %d: error %v", i, err)
			}
		}
		if got := commits(t, path) - before; got != 1 {
			t.Errorf("%d commits, want 1", got)
		}
		n := 0
		for r, err := range l.Records(t.Context(), folder, 0, 1<<32-1) {
			if err != nil || r.Reason != "same for all" || r.UID%5 == 0 {
				t.Errorf("record %+v, error %v", r, err)
			}
			n++
		}
		if n != 16 {
			t.Errorf("%d records, want 16", n)
		}
	})
}

func TestAnErrorOfTheDiskFailsEveryCallOfTheCommit(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "mailhaul.db"))
	l, folder := inbox(t, s)
	broken := errors.New("broken")
	// The writer's goroutine is idle, so the connection is free.
	_, err := s.write.commit([]*call{
		{do: func(w *writer) error {
			_, err := w.remark(remark{reason: "too large"})
			_, err2 := w.base(folder, "id-1")
			_, err3 := w.exec(`UPDATE folder SET note = 'saved' WHERE id = ?`, folder)
			return errors.Join(err, err2, err3)
		}},
		{do: func(*writer) error { return broken }},
	})
	if !errors.Is(err, broken) {
		t.Errorf("commit: error %v, want %v", err, broken)
	}
	fs, err := l.Folders(t.Context())
	if err != nil || fs[0].Note != "" {
		t.Errorf("folders %+v, error %v, want no note", fs, err)
	}
	want := migrate.Record{Folder: folder, UID: 1, Outcome: migrate.Failed, Reason: "too large", Target: "id-2"}
	if err := l.AddListed(t.Context(), want); err != nil {
		t.Errorf("the next call: %v", err)
	}
	for r, err := range l.Records(t.Context(), folder, 0, 9) {
		r.Settled = time.Time{}
		if err != nil || !reflect.DeepEqual(r, want) {
			t.Errorf("record %+v, error %v, want %+v", r, err, want)
		}
	}
}

func TestReadersDoNotWaitForTheWriter(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "mailhaul.db"))
	l, folder := inbox(t, s)
	inside, gate, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- s.save(t.Context(), "block", func(w *writer) error {
			_, err := w.exec(`UPDATE folder SET listed = 7 WHERE id = ?`, folder)
			close(inside)
			<-gate
			return err
		})
	}()
	<-inside
	if ts, err := s.Tally(t.Context()); err != nil || ts[0].Listed != 0 {
		t.Errorf("during the commit: tallies %+v, error %v, want the state before", ts, err)
	}
	if fs, err := l.Folders(t.Context()); err != nil || len(fs) != 1 {
		t.Errorf("during the commit: folders %+v, error %v", fs, err)
	}
	close(gate)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if ts, err := s.Tally(t.Context()); err != nil || ts[0].Listed != 7 {
		t.Errorf("after the commit: tallies %+v, error %v, want the state after", ts, err)
	}
}

func TestACallThatHasBegunIsNotCutShort(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "mailhaul.db"))
	l, folder := inbox(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.save(ctx, "cancel", func(w *writer) error {
		cancel()
		_, err := w.exec(`UPDATE folder SET note = 'saved' WHERE id = ?`, folder)
		return err
	})
	if err != nil {
		t.Errorf("error %v, want none", err)
	}
	if fs, err := l.Folders(t.Context()); err != nil || fs[0].Note != "saved" {
		t.Errorf("folders %+v, error %v", fs, err)
	}
}

func TestACommitWaitsForTheDisk(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "mailhaul.db"))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "fullfsync": "1", "checkpoint_fullfsync": "1", "busy_timeout": "10000"} {
		var got string
		if err := s.write.get("PRAGMA "+pragma, nil, &got); err != nil || got != want {
			t.Errorf("%s is %s, error %v, want %s", pragma, got, err, want)
		}
	}
}

func TestManyFoldersAndRemarksDoNotFillTheMemory(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "mailhaul.db"))
	l, folder := inbox(t, s)
	var rs []migrate.Record
	for uid := range migrate.UID(3 * cached) {
		rs = append(rs, migrate.Record{Folder: folder, UID: uid, Outcome: migrate.Failed, Reason: fmt.Sprint("reason ", uid)})
	}
	if err := l.AddListed(t.Context(), rs...); err != nil {
		t.Fatal(err)
	}
	if n := len(s.write.notes); n == 0 || n > cached {
		t.Errorf("the writer remembers %d remarks, want 1 to %d", n, cached)
	}
}

func TestQueriesUseTheirIndex(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "mailhaul.db"))
	equal := []string{"message USING INDEX message_digest (mailbox=? AND <expr>=?)", "message USING INDEX message_doubt (mailbox=? AND <expr>=?)"}
	for query, wants := range map[string][]string{
		itsFoldersQuery: {"m USING COVERING INDEX sqlite_autoindex_mailbox_1 (source=?)", "f USING INDEX sqlite_autoindex_folder_1 (mailbox=?)"},
		recordsQuery:    {"m USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
		digestQuery:     equal,
		allDigestQuery:  equal,
		notableQuery:    {"h USING INDEX heading_mailbox (mailbox=? AND rowid>?)", "m USING INTEGER PRIMARY KEY (rowid=?)"},
		replicasQuery:   {"r USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)", "m USING INTEGER PRIMARY KEY (rowid=?)"},
		excludedQuery:   {"m USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
		timelineQuery:   {"m USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
		latestQuery:     {"entry USING COVERING INDEX entry_latest (folder=? AND id>?)", "e USING INTEGER PRIMARY KEY (rowid=?)"},
		entriesQuery:    {"entry USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
	} {
		rows, err := s.read.Query("EXPLAIN QUERY PLAN "+query, 1, 1, 1, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		for rows.Next() {
			var a, b, c any
			var step string
			if err := rows.Scan(&a, &b, &c, &step); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, step)
		}
		got := strings.Join(plan, "\n")
		scans := strings.Contains(got, "SCAN message") || strings.Contains(got, "SCAN f") ||
			strings.Contains(got, "SCAN m") && !strings.Contains(got, "CO-ROUTINE m") // which has few rows
		for _, want := range wants {
			if rows.Err() != nil || !strings.Contains(got, want) || scans {
				t.Errorf("error %v, plan\n%s\nwant %s", rows.Err(), got, want)
			}
		}
	}
}
