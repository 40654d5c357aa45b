package sourcetest

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/mailhaul/mailhaul/migrate"
)

// counts says whether the server counts changes (RFC 7162).
func (b *Mailbox) counts(t *testing.T) bool {
	t.Helper()
	c := b.Dial(t)
	defer c.Close()
	caps, err := c.Capability().Wait()
	check(t, err)
	return caps.Has(imap.CapCondStore)
}

// flagsOf returns the messages that Flags yields, and tries to read the first
// one of each batch before the next.
func flagsOf(t *testing.T, s migrate.Source, f migrate.Folder, below migrate.UID, since uint64) (ms []migrate.Message) {
	t.Helper()
	for batch, err := range s.Flags(t.Context(), f, below, since) {
		check(t, err)
		if len(batch) == 0 || len(batch) > 10_000 {
			t.Fatalf("a batch of %d", len(batch))
		}
		read := 0
		err := s.Read(t.Context(), f, []*migrate.Message{&batch[0]}, func(*migrate.Message, io.Reader) error { read++; return nil })
		if err != nil || read != 1 {
			t.Fatalf("%d messages read between two batches, %v", read, err)
		}
		ms = append(ms, batch...)
	}
	return ms
}

// spell writes messages as their UIDs and flags, whose case does not count.
func spell(ms []migrate.Message) (told []string) {
	for _, m := range ms {
		flags := slices.Sorted(strings.FieldsSeq(strings.ToLower(strings.Trim(fmt.Sprint(m.Flags), "[]"))))
		told = append(told, fmt.Sprint(m.UID, flags))
	}
	return told
}

func uidsOf(t *testing.T, s migrate.Source, f migrate.Folder, below migrate.UID) string {
	t.Helper()
	var runs []migrate.UIDRange
	for r, err := range s.UIDs(t.Context(), f, below) {
		check(t, err)
		runs = append(runs, r)
	}
	return fmt.Sprint(runs)
}

func testCount(t *testing.T, b *Mailbox) {
	inbox := []string{"INBOX"}
	counts := b.counts(t)
	b.put(t, inbox, letters(5)...)
	s := b.open(t)
	last := folder(t, s, inbox...).ModSeq
	if (last > 0) != counts {
		t.Fatalf("ModSeq is %d at a server that counts changes: %v", last, counts)
	}
	for _, step := range []struct {
		name  string
		do    func()
		grows bool
	}{
		{"nothing happened", func() {}, false},
		{"a flag was set", func() { b.flag(t, inbox, imap.StoreFlagsAdd, []migrate.Flag{migrate.Flagged}, 2) }, true},
		{"a flag was cleared", func() { b.flag(t, inbox, imap.StoreFlagsDel, []migrate.Flag{migrate.Flagged}, 2) }, true},
		{"mail came", func() { b.put(t, inbox, letters(1)...) }, true},
		{"the server was killed", func() { b.Restart(t) }, false},
		{"a keyword was set then", func() { b.flag(t, inbox, imap.StoreFlagsAdd, []migrate.Flag{migrate.Forwarded}, 1) }, true},
	} {
		step.do()
		s := b.open(t)
		now := folder(t, s, inbox...).ModSeq
		if grows := now > last; grows != (counts && step.grows) || now < last {
			t.Errorf("%s: ModSeq went from %d to %d", step.name, last, now)
		}
		last = now
	}
}

func testNow(t *testing.T, b *Mailbox) {
	inbox := []string{"INBOX"}
	b.put(t, inbox, letters(3)...)
	s := b.open(t)
	before := folder(t, s, inbox...)
	list(t, s, before, 1) // opens it
	b.put(t, inbox, letters(2)...)
	b.expunge(t, inbox, 1)
	now := folder(t, s, inbox...)
	if now.Messages != 4 || now.UIDNext != 6 || b.counts(t) && now.ModSeq <= before.ModSeq {
		t.Errorf("it was %+v, is told to be %+v", before, now)
	}
	b.flag(t, inbox, imap.StoreFlagsAdd, []migrate.Flag{migrate.Seen}, 2)
	if again := folder(t, s, inbox...); b.counts(t) && again.ModSeq <= now.ModSeq {
		t.Errorf("it was %+v, is told to be %+v", now, again)
	}
}

func testFlags(t *testing.T, b *Mailbox) {
	inbox := []string{"INBOX"}
	b.put(t, inbox, letters(40)...)
	s := b.open(t)
	f := folder(t, s, inbox...)
	list(t, s, f, 1)
	if got := flagsOf(t, s, f, f.UIDNext, f.ModSeq); b.counts(t) && len(got) != 0 {
		t.Errorf("nothing changed, and %v is told", spell(got))
	}

	flags := func(uid migrate.UID) []migrate.Flag { return letters(40)[uid-1].Flags }
	b.flag(t, inbox, imap.StoreFlagsAdd, []migrate.Flag{migrate.Seen, "$Label7"}, 1, 2, 40)
	b.flag(t, inbox, imap.StoreFlagsDel, []migrate.Flag{migrate.Flagged}, 3, 11)
	b.flag(t, inbox, imap.StoreFlagsAdd, []migrate.Flag{migrate.Seen}, 20)
	b.expunge(t, inbox, 20, 21)
	b.put(t, inbox, letters(3)...)
	changed := map[migrate.UID][]migrate.Flag{
		1: {migrate.Seen, "$Label7"}, 2: {migrate.Seen, "$Label7"}, 40: append(flags(40), migrate.Seen, "$Label7"),
		3: {migrate.Seen}, 11: {migrate.Seen},
	}
	want := func(below migrate.UID, all bool) (ms []migrate.Message) {
		for uid := migrate.UID(1); uid < min(below, 41); uid++ {
			now, ok := changed[uid]
			if !ok {
				now = flags(uid)
			}
			if uid != 20 && uid != 21 && (ok || all) {
				ms = append(ms, migrate.Message{UID: uid, Flags: now})
			}
		}
		return ms
	}
	for name, s := range map[string]migrate.Source{"the source that saw them before": s, "another one": b.open(t)} {
		for _, below := range []migrate.UID{0, 1, 3, 40, 41} {
			for _, since := range []uint64{0, f.ModSeq} {
				got, want := spell(flagsOf(t, s, f, below, since)), spell(want(below, since == 0))
				if !slices.Equal(got, want) {
					t.Errorf("%s: below %d, since %d: %q, want %q", name, below, since, got, want)
				}
			}
		}
		later := folder(t, s, inbox...)
		if got := flagsOf(t, s, later, f.UIDNext, later.ModSeq+100); len(got) != 38 {
			t.Errorf("%s: since a time to come: %d messages", name, len(got))
		}
	}
}

func testUIDs(t *testing.T, b *Mailbox) {
	inbox := []string{"INBOX"}
	s := b.open(t)
	if got := uidsOf(t, s, folder(t, s, inbox...), 1); got != "[]" {
		t.Errorf("an empty folder has %s", got)
	}
	b.put(t, inbox, letters(20)...)
	f := folder(t, s, inbox...)
	list(t, s, f, 1)
	all := f.UIDNext
	for _, step := range []struct {
		expunged []migrate.UID
		below    migrate.UID
		want     string
	}{
		{nil, all, "[{1 20}]"},
		{[]migrate.UID{1, 5, 6, 20}, all, "[{2 4} {7 19}]"},
		{nil, 10, "[{2 4} {7 9}]"},
		{nil, 5, "[{2 4}]"},
		{nil, 1, "[]"},
		{nil, 0, "[]"},
		{[]migrate.UID{8, 10, 12}, all, "[{2 4} {7 7} {9 9} {11 11} {13 19}]"},
		{[]migrate.UID{2, 3, 4, 7, 9, 11, 13, 14, 15, 16, 17, 18, 19}, all, "[]"},
	} {
		if len(step.expunged) > 0 {
			b.expunge(t, inbox, step.expunged...)
			b.put(t, inbox, letters(1)...)
		}
		for name, s := range map[string]migrate.Source{"the source that saw them before": s, "another one": b.open(t)} {
			if got := uidsOf(t, s, f, step.below); got != step.want {
				t.Errorf("%s: without %v, below %d: %s, want %s", name, step.expunged, step.below, got, step.want)
			}
		}
	}
}

func testChangesGone(t *testing.T, b *Mailbox) {
	for _, path := range []string{"Gone", "Anew"} {
		b.create(t, path)
		b.put(t, []string{path}, letters(2)...)
		s := b.open(t)
		f := folder(t, s, path)
		list(t, s, f, 1)
		b.delete(t, path)
		if path == "Anew" {
			b.create(t, path)
			b.put(t, []string{path}, letters(4)...)
		}
		for name, s := range map[string]migrate.Source{"that had it open": s, "opened later": b.open(t)} {
			for _, below := range []migrate.UID{1, f.UIDNext} {
				steps, err := map[string]int{}, map[string]error{}
				for _, err["Flags"] = range s.Flags(t.Context(), f, below, f.ModSeq) {
					steps["Flags"]++
				}
				for _, err["UIDs"] = range s.UIDs(t.Context(), f, below) {
					steps["UIDs"]++
				}
				for call, err := range err {
					if steps[call] != 1 || !errors.Is(err, migrate.ErrFolderGone) {
						t.Errorf("%s: %s of a source %s, below %d: %d steps, %v", path, call, name, below, steps[call], err)
					}
				}
			}
		}
	}
}
