package checkpointtest

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/verify"
)

// verifications returns the memory of a pair for verification.
func verifications(t *testing.T, c Checkpoints, source string) verify.Ledger {
	t.Helper()
	l, err := c.Verifications(t.Context(), source, "new-"+source)
	must(t, err)
	return l
}

func findings(t *testing.T, l verify.Ledger) (ds []migrate.Finding) {
	t.Helper()
	for d, err := range l.Findings(t.Context()) {
		must(t, err)
		ds = append(ds, d)
	}
	return ds
}

// sameVerification compares with the latest one.
func sameVerification(t *testing.T, what string, l verify.Ledger, want migrate.Verification) {
	t.Helper()
	got, err := l.Verification(t.Context())
	must(t, err)
	if !got.Started.Equal(want.Started) || !got.Ended.Equal(want.Ended) {
		t.Errorf("%s: got %v to %v, want %v to %v", what, got.Started, got.Ended, want.Started, want.Ended)
	}
	got.Started, got.Ended = want.Started, want.Ended
	same(t, what, got, want)
}

var started = time.Date(2026, 11, 22, 1, 2, 3, 456789, time.FixedZone("", 3600))

func verificationIsAsSaved(t *testing.T, open Open) {
	c, reopen := open(t)
	l := mailbox(t, c, "a")
	inbox, sent := folder(t, l, "INBOX"), folder(t, l, "Sent")
	v := verifications(t, c, "a")
	again := func() {
		c = reopen()
		v = verifications(t, c, "a")
	}
	sameVerification(t, "none", v, migrate.Verification{})
	same(t, "findings of none", len(findings(t, v)), 0)

	want := migrate.Verification{Depth: "sample", Sample: "5%", Started: started}
	must(t, v.BeginVerification(t.Context(), want))
	again()
	sameVerification(t, "begun", v, want)

	first := migrate.FolderVerification{Folder: inbox, Next: 1<<32 - 1, Arrived: 1 << 40, Present: 2, Merged: 3, Held: 4, New: 5, Compared: 6, Explained: 7, Unread: 8}
	for i := range reflect.TypeOf(first).NumField() {
		if reflect.ValueOf(first).Field(i).IsZero() {
			t.Fatalf("this test forgets %s", reflect.TypeOf(first).Field(i).Name)
		}
	}
	must(t, v.SaveVerified(t.Context(), migrate.FolderVerification{Folder: sent, Next: 7, Arrived: 8}, nil))
	must(t, v.SaveVerified(t.Context(), migrate.FolderVerification{Folder: inbox, Next: 1, Arrived: 1}, nil))
	must(t, v.SaveVerified(t.Context(), first, nil))
	again()
	want.Folders = []migrate.FolderVerification{first, {Folder: sent, Next: 7, Arrived: 8}}
	sameVerification(t, "folders", v, want)

	want.Ended = started.Add(time.Hour + time.Nanosecond)
	must(t, v.EndVerification(t.Context(), want))
	again()
	sameVerification(t, "ended", v, want)

	rs, err := v.Folders(t.Context())
	must(t, err)
	same(t, "folders of the mailbox", len(rs), 2)
	must(t, mailbox(t, c, "a").AddListed(t.Context(), pending(inbox, 1, 2)...))
	n := 0
	for _, err := range v.Records(t.Context(), inbox, 0, 9) {
		must(t, err)
		n++
	}
	same(t, "records", n, 2)
}

func findingIsAsSaved(t *testing.T, open Open) {
	c, reopen := open(t)
	f := folder(t, mailbox(t, c, "a"), "INBOX")
	v := verifications(t, c, "a")
	must(t, v.BeginVerification(t.Context(), migrate.Verification{Depth: "content", Started: started}))
	date := time.Date(2009, 8, 7, 6, 5, 4, 0, time.UTC)
	want := []migrate.Finding{
		{Kind: migrate.KindMissing, Folder: f, UID: 1<<32 - 1, Target: "AAMk-1", MessageID: "<\x00\xff@x>", From: "é\xff@x", Subject: "s\x00\xff", Date: date, Detail: "a\x00b\xff"},
		{Kind: migrate.KindContent, Folder: f, UID: 1, Target: "AAMk-2", Date: date, Detail: strings.Repeat("x", 5000)},
		{Kind: migrate.KindExtra, Target: "AAMk-3", Date: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)},
		{Kind: migrate.KindExtra},
		{Kind: migrate.KindFlags, Folder: f, UID: 2, Date: time.Unix(0, 0).UTC()},
		{Kind: migrate.KindDate, Folder: f, UID: 3, Date: time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)},
		{Kind: "of a later version", Folder: f, UID: 1, Target: "AAMk-1"},
	}
	must(t, v.SaveVerified(t.Context(), migrate.FolderVerification{Folder: f, Next: 1}, nil, want[:3]...))
	must(t, v.SaveVerified(t.Context(), migrate.FolderVerification{Folder: f, Next: 2}, nil, want[3:]...))
	v = verifications(t, reopen(), "a")
	got := findings(t, v)
	same(t, "how many", len(got), len(want))
	for i := range min(len(got), len(want)) {
		same(t, fmt.Sprintf("finding %d", i), got[i], want[i])
	}

	in := date.Add(999 * time.Millisecond).In(time.FixedZone("", 3600)) // is kept to the second
	must(t, v.BeginVerification(t.Context(), migrate.Verification{Started: started}))
	must(t, v.SaveVerified(t.Context(), migrate.FolderVerification{Folder: f}, nil, migrate.Finding{Kind: migrate.KindDate, Date: in}))
	same(t, "date", findings(t, v)[0].Date, date)
}

func verificationReplacesTheOneBefore(t *testing.T, open Open) {
	c, _ := open(t)
	f := folder(t, mailbox(t, c, "a"), "INBOX")
	v := verifications(t, c, "a")
	must(t, v.BeginVerification(t.Context(), migrate.Verification{Depth: "content", Started: started}))
	must(t, v.SaveVerified(t.Context(), migrate.FolderVerification{Folder: f, Next: 9, Arrived: 9}, nil, migrate.Finding{Kind: migrate.KindExtra}))
	must(t, v.EndVerification(t.Context(), migrate.Verification{Ended: started}))

	want := migrate.Verification{Depth: "counts", Started: started.Add(time.Hour)}
	must(t, v.BeginVerification(t.Context(), want))
	sameVerification(t, "the next", v, want)
	same(t, "findings", len(findings(t, v)), 0)
}

func findingsComeInOrder(t *testing.T, open Open) {
	c, _ := open(t)
	a, b := mailbox(t, c, "a"), mailbox(t, c, "b")
	const n = 2500
	for source, l := range map[string]migrate.Ledger{"a": a, "b": b} {
		must(t, verifications(t, c, source).BeginVerification(t.Context(), migrate.Verification{Started: started}))
		folder(t, l, "INBOX")
	}
	va, vb := verifications(t, c, "a"), verifications(t, c, "b")
	fa, fb := folder(t, a, "INBOX"), folder(t, b, "INBOX")
	for i := 0; i < n; i += 100 { // one after the other, in turns
		var ds []migrate.Finding
		for k := range 100 {
			ds = append(ds, migrate.Finding{Kind: migrate.KindMissing, UID: migrate.UID(n - i - k)})
		}
		must(t, va.SaveVerified(t.Context(), migrate.FolderVerification{Folder: fa}, nil, ds...))
		must(t, vb.SaveVerified(t.Context(), migrate.FolderVerification{Folder: fb}, nil, ds...))
		if i == n/2 { // ids may be used again, and yet the order holds
			must(t, vb.BeginVerification(t.Context(), migrate.Verification{Started: started}))
		}
	}
	want := migrate.UID(n)
	for d, err := range va.Findings(t.Context()) {
		must(t, err)
		if d.UID != want {
			t.Fatalf("got %d, want %d", d.UID, want)
		}
		want--
		if want%1000 == 0 { // and may be read while others are saved
			must(t, vb.SaveVerified(t.Context(), migrate.FolderVerification{Folder: fb}, nil, d))
		}
	}
	same(t, "those that did not come", want, migrate.UID(0))
	for range va.Findings(t.Context()) {
		break // and a reader may stop early
	}
}

func refusedFolderSavesNoFinding(t *testing.T, open Open) {
	c, _ := open(t)
	f := folder(t, mailbox(t, c, "a"), "INBOX")
	other := folder(t, mailbox(t, c, "b"), "INBOX")
	v := verifications(t, c, "a")
	good := migrate.Finding{Kind: migrate.KindMissing, Folder: f, UID: 1, Target: "m"}
	wantError(t, "a verification that was not begun", v.SaveVerified(t.Context(), migrate.FolderVerification{Folder: f}, nil, good))
	wantError(t, "the end of a verification that was not begun", v.EndVerification(t.Context(), migrate.Verification{Ended: started}))

	begun := migrate.Verification{Depth: "counts", Started: started}
	must(t, v.BeginVerification(t.Context(), begun))
	wantError(t, "a folder of another mailbox", v.SaveVerified(t.Context(), migrate.FolderVerification{Folder: other}, nil, good))
	wantError(t, "a folder that does not exist", v.SaveVerified(t.Context(), migrate.FolderVerification{Folder: other + 1000}, nil, good))
	wantError(t, "a finding in a folder that does not exist", v.SaveVerified(t.Context(), migrate.FolderVerification{Folder: f}, nil, good,
		migrate.Finding{Kind: migrate.KindMissing, Folder: other + 1000, UID: 1, Target: "m"}))
	sameVerification(t, "after what was refused", v, begun)
	same(t, "findings", len(findings(t, v)), 0)
}

func verificationsAreApart(t *testing.T, open Open) {
	c, _ := open(t)
	var want [2]migrate.Verification
	for i, source := range []string{"a", "b"} {
		f := folder(t, mailbox(t, c, source), "INBOX")
		v := verifications(t, c, source)
		want[i] = migrate.Verification{Depth: source, Started: started, Folders: []migrate.FolderVerification{{Folder: f, Arrived: int64(i)}}}
		must(t, v.BeginVerification(t.Context(), want[i]))
		must(t, v.SaveVerified(t.Context(), want[i].Folders[0], nil, migrate.Finding{Kind: migrate.Kind(source)}))
	}
	must(t, verifications(t, c, "a").EndVerification(t.Context(), migrate.Verification{Ended: started}))
	sameVerification(t, "the other", verifications(t, c, "b"), want[1])
	must(t, verifications(t, c, "a").BeginVerification(t.Context(), migrate.Verification{Started: started}))
	sameVerification(t, "the other", verifications(t, c, "b"), want[1])
	same(t, "its findings", findings(t, verifications(t, c, "b")), []migrate.Finding{{Kind: "b"}})
}
