package main

import (
	"slices"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

func TestMailboxesThatTakeLongestGoFirstAndFailuresLast(t *testing.T) {
	named := func(name string, r rest, failures int) *box {
		return &box{Mailbox: migrate.Mailbox{Source: name}, rest: r, failures: failures}
	}
	boxes := []*box{
		named("failed, nothing known", rest{unknown: true}, 2),
		named("small", rest{listed: 10}, 0),
		named("new", rest{unknown: true}, 0),
		named("an hour", rest{time: time.Hour}, 0),
		named("large", rest{listed: 1000}, 0),
		named("stopped early", rest{unknown: true, time: time.Minute}, 0),
		named("new too", rest{unknown: true}, 0),
		named("failed", rest{time: time.Hour}, 1),
		named("two hours", rest{time: 2 * time.Hour}, 0),
	}
	longestFirst(boxes)
	want := []string{"stopped early", "new", "new too", "two hours", "an hour", "large", "small", "failed, nothing known", "failed"}
	if !slices.EqualFunc(boxes, want, func(b *box, name string) bool { return b.Source == name }) {
		for _, b := range boxes {
			t.Log(b.Source)
		}
		t.Errorf("want %v", want)
	}
}

func TestWhatIsLeftIsReadFromTheCheckpoints(t *testing.T) {
	const mail = "ann@example.com"
	v := newVigil(t, mail)
	store := v.store(t)
	defer store.Close()
	m := migrate.Mailbox{Source: mail, Target: mail}
	rests := func() rest {
		t.Helper()
		tallies, err := store.Tally(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r, err := restOf(t.Context(), store, m, tallies)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := rests(); r != (rest{unknown: true}) {
		t.Errorf("before the first pass: %+v", r)
	}
	ledger, err := store.Mailbox(t.Context(), m.Source, m.Target)
	if err != nil {
		t.Fatal(err)
	}
	f := migrate.FolderState{Folder: migrate.Folder{Path: []string{"INBOX"}, UIDValidity: 1}, Target: "x"}
	if err := ledger.SaveFolder(t.Context(), &f); err != nil {
		t.Fatal(err)
	}
	if err := ledger.AddListed(t.Context(), migrate.Record{Folder: f.ID, UID: 1, Size: 500_000}, migrate.Record{Folder: f.ID, UID: 2, Outcome: migrate.Gone}); err != nil {
		t.Fatal(err)
	}
	if r := rests(); r != (rest{unknown: true, time: 1250 * time.Millisecond, listed: 2}) {
		t.Errorf("after a pass that stopped early: %+v", r)
	}
	if err := ledger.SaveState(t.Context(), migrate.MailboxState{Started: time.Unix(1, 0), Ended: time.Unix(2, 0), Complete: true}); err != nil {
		t.Fatal(err)
	}
	if r := rests(); r.unknown {
		t.Errorf("after a complete pass: %+v", r)
	}
}
