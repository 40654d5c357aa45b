package checkpointtest

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

func recordIsAsSaved(t *testing.T, open Open) {
	c, reopen := open(t)
	l := mailbox(t, c, "a")
	f := folder(t, l, "INBOX")
	uids := []migrate.UID{0, 1, 2, 3, 4, 1<<31 - 1, 1 << 31, 1<<32 - 1}
	must(t, l.AddListed(t.Context(), pending(f, uids...)...))
	sameRecords(t, "records as listed", records(t, mailbox(t, reopen(), "a"), f), pending(f, uids...))

	full := migrate.Record{
		Folder: f, Outcome: migrate.Failed, Doubt: true, Target: "m-1", Digest: digest("a"), Size: 1 << 40,
		Notes: []string{"flag-dropped", "", "a/b\x00\xff"}, Reason: "too\x00 large", Hint: "make \xff it smaller", MessageID: "<\x00\xff@x>",
		Flags: []migrate.Flag{migrate.Seen, "a/\\b\x00", "$MDNSent"}, Vanished: true,
		Head:    migrate.Head{From: "é\x00\xff@x", Date: time.Date(12000, 1, 2, 3, 4, 5, 0, time.UTC), Subject: "a\x00b\xff"},
		Settled: time.Date(2000, 1, 2, 3, 4, 5, 0, time.UTC), // which is not believed
	}
	for i := range reflect.TypeOf(full).NumField() {
		if name := reflect.TypeOf(full).Field(i).Name; name != "UID" && reflect.ValueOf(full).Field(i).IsZero() {
			t.Fatalf("this test forgets %s", name)
		}
	}
	variants := []migrate.Record{
		full,
		{Folder: f, Outcome: migrate.Pending, Doubt: true, Digest: digest("b"), Size: 5, MessageID: "<b@x>"},
		{Folder: f, Outcome: migrate.Copied, Target: "18c0ffee", Digest: digest("c")},
		{Folder: f, Outcome: migrate.Adopted, Target: "18c0ffef", Digest: digest("d"), Notes: []string{"flag-dropped"},
			Head: migrate.Head{Subject: "s", Date: time.Unix(0, 0).UTC()}},
		{Folder: f, Outcome: migrate.Moved, Vanished: true, Digest: digest("c")},
		{Folder: f, Outcome: migrate.Removed, Flags: []migrate.Flag{}},
		{Folder: f, Outcome: migrate.Merged, Target: "18c0ffee", Digest: digest("c"), Notes: []string{""}},
		{Folder: f, Outcome: migrate.Excluded, Reason: "rule old-mail"},
		{Folder: f, Outcome: migrate.Gone},
		{Folder: f, Outcome: migrate.Failed, Reason: "too\x00 large", MessageID: strings.Repeat("x", 5000)},
	}
	// Each place sees each variant, so that nothing of the one before is left.
	for shift := range uids {
		var rs []migrate.Record
		for i, uid := range uids {
			r := variants[(i+shift)%len(variants)]
			r.UID = uid
			rs = append(rs, r)
		}
		l = mailbox(t, reopen(), "a")
		must(t, l.Save(t.Context(), rs...))
		sameRecords(t, "records", records(t, mailbox(t, reopen(), "a"), f), rs)
	}
}

func anyTargetIDIsKept(t *testing.T, open Open) {
	c, reopen := open(t)
	l := mailbox(t, c, "a")
	long := strings.Repeat("AAMkAGVmMDEzMTM4LTZmYWUtNDdkNC1h", 5)
	ids := []migrate.MessageID{"", "18c0ffee18c0ffee", "18c0ffee18c0ffed", "18C0FFEE", "1", "18c0ffee18c0ffee0", "0", "00", "\x00", "é", "\xc3", "\xc3\xa8",
		migrate.MessageID(long), migrate.MessageID(long + "=="), migrate.MessageID(long[:100] + "-_" + long[:50]), "x", migrate.MessageID(strings.Repeat("x", 5000))}
	for _, name := range []string{"forwards", "backwards"} { // the first id of a folder is not special
		f := folder(t, l, name)
		var rs []migrate.Record
		for i := range ids {
			id := ids[i]
			if name == "backwards" {
				id = ids[len(ids)-1-i]
			}
			r := migrate.Record{Folder: f, UID: migrate.UID(i + 1), Outcome: migrate.Copied, Target: id}
			must(t, l.AddListed(t.Context(), r))
			rs = append(rs, r)
		}
		l = mailbox(t, reopen(), "a")
		sameRecords(t, "records as added", records(t, l, f), rs)
		must(t, l.Save(t.Context(), rs...))
		sameRecords(t, "records as saved", records(t, l, f), rs)
	}
}

func recordsComeInOrder(t *testing.T, open Open) {
	c, _ := open(t)
	l := mailbox(t, c, "a")
	f := folder(t, l, "INBOX")
	other := folder(t, l, "Sent")
	const n = 2500
	var rs []migrate.Record
	for i := n; i > 0; i-- {
		rs = append(rs, pending(f, migrate.UID(i*3))...)
		rs = append(rs, pending(other, migrate.UID(i*3+1))...)
	}
	must(t, l.AddListed(t.Context(), rs...))

	for _, bounds := range [][2]migrate.UID{{0, 1<<32 - 1}, {3, 3 * n}, {4, 3*n - 1}, {300, 300}, {301, 302}, {300, 299}, {3 * n, 1<<32 - 1}, {3*n + 1, 1<<32 - 1}, {0, 3 * 1000}} {
		next := max((bounds[0]+2)/3*3, 3)
		for r, err := range l.Records(t.Context(), f, bounds[0], bounds[1]) {
			must(t, err)
			if want := pending(f, next)[0]; r.UID != want.UID || r.Folder != want.Folder || r.Size != want.Size {
				t.Fatalf("from %d to %d: got %+v, want %+v", bounds[0], bounds[1], r, want)
			}
			next += 3
		}
		if end := min(bounds[1], 3*n); next <= end {
			t.Errorf("from %d to %d: %d is missing", bounds[0], bounds[1], next)
		}
	}
	same(t, "records of a folder that does not exist", len(records(t, l, f+1000)), 0)
}

func recordsMayBeSavedWhileRead(t *testing.T, open Open) {
	c, _ := open(t)
	l := mailbox(t, c, "a")
	f := folder(t, l, "INBOX")
	const n = 1500
	for uid := migrate.UID(1); uid <= n; uid++ {
		must(t, l.AddListed(t.Context(), pending(f, uid)...))
	}
	seen := 0
	for r, err := range l.Records(t.Context(), f, 0, n) {
		must(t, err)
		seen++
		r.Outcome = migrate.Gone
		must(t, l.Save(t.Context(), r))
	}
	same(t, "records seen", seen, n)
	same(t, "gone", tally(t, c, "a", "INBOX").Count[migrate.Gone], int64(n))
	for range l.Records(t.Context(), f, 0, n) {
		break // and a reader may stop early
	}
}

func existingRecordIsNotAdded(t *testing.T, open Open) {
	c, _ := open(t)
	l := mailbox(t, c, "a")
	f := folder(t, l, "INBOX")
	must(t, l.AddListed(t.Context()))
	must(t, l.AddListed(t.Context(), pending(f, 1, 2)...))
	copied := migrate.Record{Folder: f, UID: 2, Outcome: migrate.Copied, Target: "m", Digest: digest("a"), Size: 7}
	must(t, l.Save(t.Context(), copied))

	wantError(t, "a record that exists", l.AddListed(t.Context(), pending(f, 3, 2, 4)...))
	wantError(t, "a record twice", l.AddListed(t.Context(), pending(f, 5, 5)...))
	wantError(t, "a folder that does not exist", l.AddListed(t.Context(), pending(f+1000, 1)...))
	wantError(t, "a folder that does not exist, among others", l.AddListed(t.Context(), append(pending(f, 6), pending(f+1000, 1)...)...))

	sameRecords(t, "records", records(t, l, f), append(pending(f, 1), copied))
	same(t, "listed", tally(t, c, "a", "INBOX").Listed, int64(2))
}

func missingRecordIsNotSaved(t *testing.T, open Open) {
	c, _ := open(t)
	l := mailbox(t, c, "a")
	f := folder(t, l, "INBOX")
	must(t, l.AddListed(t.Context(), pending(f, 1, 2)...))
	must(t, l.Save(t.Context()))

	gone := func(uid migrate.UID) migrate.Record {
		return migrate.Record{Folder: f, UID: uid, Outcome: migrate.Gone, Target: "m", Reason: "r"}
	}
	wantError(t, "a record that does not exist", l.Save(t.Context(), gone(3)))
	wantError(t, "one among others", l.Save(t.Context(), gone(1), gone(3), gone(2)))
	wantError(t, "a folder that does not exist", l.Save(t.Context(), migrate.Record{Folder: f + 1000, UID: 1, Target: "m"}))
	wantError(t, "an outcome that does not exist", l.Save(t.Context(), migrate.Record{Folder: f, UID: 1, Outcome: migrate.Outcomes}))

	sameRecords(t, "records", records(t, l, f), pending(f, 1, 2))
	same(t, "listed", tally(t, c, "a", "INBOX").Listed, int64(2))
	must(t, l.Save(t.Context(), gone(1))) // what the failed call brought with it is no hindrance
	sameRecords(t, "records saved after a failure", records(t, l, f), append([]migrate.Record{gone(1)}, pending(f, 2)...))
}

func foreignRecordIsOutOfReach(t *testing.T, open Open) {
	c, _ := open(t)
	a, b := mailbox(t, c, "a"), mailbox(t, c, "b")
	f := folder(t, a, "INBOX")
	must(t, a.AddListed(t.Context(), pending(f, 1)...))

	wantError(t, "saving it", b.Save(t.Context(), migrate.Record{Folder: f, UID: 1, Outcome: migrate.Copied, Target: "m"}))
	wantError(t, "adding another", b.AddListed(t.Context(), pending(f, 2)...))
	same(t, "records seen by the other", len(records(t, b, f)), 0)
	sameRecords(t, "records", records(t, a, f), pending(f, 1))
}

func goroutinesSaveSideBySide(t *testing.T, open Open) {
	c, reopen := open(t)
	const mailboxes, workers, each = 3, 8, 40
	var wg sync.WaitGroup
	var ids [mailboxes]int64
	for m := range mailboxes {
		l := mailbox(t, c, fmt.Sprint(m))
		f := folder(t, l, "INBOX")
		ids[m] = f
		for w := range workers {
			wg.Go(func() {
				for i := range each {
					r := pending(f, migrate.UID(1+i*workers+w))[0]
					bad := migrate.Record{Folder: f, UID: r.UID + 1e6, Outcome: migrate.Copied, Target: "bad", Reason: fmt.Sprint("bad ", w)}
					err := l.AddListed(t.Context(), r)
					r.Outcome, r.Target, r.Notes = migrate.Copied, migrate.MessageID(fmt.Sprint("id-", r.UID)), []string{fmt.Sprint("note ", i)}
					if l.Save(t.Context(), r, bad) == nil {
						err = errors.Join(err, errors.New("a record that does not exist was saved"))
					}
					if err := errors.Join(err, l.Save(t.Context(), r)); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	wg.Wait()
	c = reopen()
	for m, f := range ids {
		rs := records(t, mailbox(t, c, fmt.Sprint(m)), f)
		same(t, "number of records", len(rs), workers*each)
		for _, r := range rs {
			want := pending(f, r.UID)[0]
			want.Outcome, want.Target = migrate.Copied, migrate.MessageID(fmt.Sprint("id-", r.UID))
			want.Notes = []string{fmt.Sprint("note ", (int(r.UID)-1)/workers)}
			sameRecords(t, "record", []migrate.Record{r}, []migrate.Record{want})
		}
		if err := tally(t, c, fmt.Sprint(m), "INBOX").Check(); err != nil {
			t.Error(err)
		}
	}
}
