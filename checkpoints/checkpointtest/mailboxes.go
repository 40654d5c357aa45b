package checkpointtest

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/migrate/proof"
)

func pairHasOneMemory(t *testing.T, open Open) {
	c, reopen := open(t)
	one, other := mailbox(t, c, "a"), mailbox(t, c, "a")
	must(t, one.SaveState(t.Context(), migrate.MailboxState{Position: "p1"}))
	f := folder(t, one, "INBOX")
	must(t, one.AddListed(t.Context(), pending(f, 1)...))

	for _, again := range []func() migrate.Ledger{
		func() migrate.Ledger { return other },
		func() migrate.Ledger { return mailbox(t, c, "a") },
		func() migrate.Ledger { return mailbox(t, reopen(), "a") },
	} {
		l := again()
		s, err := l.State(t.Context())
		must(t, err)
		same(t, "position", s.Position, migrate.Position("p1"))
		same(t, "folder", folder(t, l, "INBOX"), f)
		sameRecords(t, "records", records(t, l, f), pending(f, 1))
	}
}

func pairsAreApart(t *testing.T, open Open) {
	c, _ := open(t)
	a := mailbox(t, c, "a")
	must(t, a.SaveState(t.Context(), migrate.MailboxState{Position: "p1"}))
	f := folder(t, a, "INBOX")
	must(t, a.AddListed(t.Context(), pending(f, 1)...))

	for _, pair := range [][2]string{{"a", "other"}, {"other", "new-a"}, {"A", "new-a"}, {"new-a", "a"}, {"an", "ew-a"}} {
		l, err := c.Mailbox(t.Context(), pair[0], pair[1])
		must(t, err)
		s, err := l.State(t.Context())
		must(t, err)
		same(t, "state of a new pair", s, migrate.MailboxState{})
		fs, err := l.Folders(t.Context())
		must(t, err)
		same(t, "folders of a new pair", len(fs), 0)
		if folder(t, l, "INBOX") == f {
			t.Errorf("pair %q has the folder of another", pair)
		}
	}
}

func stateIsAsSaved(t *testing.T, open Open) {
	c, reopen := open(t)
	l := mailbox(t, c, "a")
	started := time.Date(2026, 11, 22, 1, 2, 3, 456789, time.FixedZone("", 3600))
	for _, want := range []migrate.MailboxState{
		{},
		{Position: "12\x00\xff", Started: started, Error: "login refused", Hint: "see the password"},
		{Position: "13", Started: started, Ended: started.Add(time.Hour + time.Nanosecond), Complete: true},
		{},
	} {
		must(t, l.SaveState(t.Context(), want))
		c = reopen()
		l = mailbox(t, c, "a")
		got, err := l.State(t.Context())
		must(t, err)
		if !got.Started.Equal(want.Started) || !got.Ended.Equal(want.Ended) {
			t.Errorf("times: got %v to %v, want %v to %v", got.Started, got.Ended, want.Started, want.Ended)
		}
		got.Started, got.Ended = want.Started, want.Ended
		same(t, "state", got, want)
	}
}

func cancelledContextIsError(t *testing.T, open Open) {
	c, _ := open(t)
	l := mailbox(t, c, "a")
	f := folder(t, l, "INBOX")
	must(t, l.AddListed(t.Context(), pending(f, 1)...))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()

	want := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want %v", what, err, context.Canceled)
		}
	}
	want("AddListed", l.AddListed(ctx, pending(f, 2)...))
	for range 50 { // not by chance
		want("Save", l.Save(ctx, migrate.Record{Folder: f, UID: 1, Outcome: migrate.Gone}))
	}
	want("SaveState", l.SaveState(ctx, migrate.MailboxState{Complete: true}))
	want("SaveFolder", l.SaveFolder(ctx, &migrate.FolderState{Folder: migrate.Folder{Path: []string{"x"}}}))
	_, err := l.State(ctx)
	want("State", err)
	_, err = l.Folders(ctx)
	want("Folders", err)
	_, err = l.ByDigest(ctx, digest("a"), false)
	want("ByDigest", err)
	_, err = c.Tally(ctx)
	want("Tally", err)
	want("Records", lastError(l.Records(ctx, f, 0, 9)))

	v := verifications(t, c, "a")
	want("BeginVerification", v.BeginVerification(ctx, migrate.Verification{Started: started}))
	want("SaveVerified", v.SaveVerified(ctx, migrate.FolderVerification{Folder: f}, nil))
	want("EndVerification", v.EndVerification(ctx, migrate.Verification{Ended: started}))
	_, err = v.Verification(ctx)
	want("Verification", err)
	want("Findings", lastError(v.Findings(ctx)))

	r, log := reports(t, c, "a"), c.Log()
	_, err = r.Passes(ctx)
	want("Passes", err)
	_, err = r.Excluded(ctx)
	want("Excluded", err)
	_, err = r.Timeline(ctx)
	want("Timeline", err)
	want("Notable", lastError(r.Notable(ctx)))
	want("Replicas", lastError(proofs(t, c, "a").Replicas(ctx, f)))
	want("Append", log.Append(ctx, proof.Entry{}))
	want("AddHead", log.AddHead(ctx, "head"))
	_, err = log.Secret(ctx)
	want("Secret", err)
	_, err = log.Size(ctx)
	want("Size", err)
	_, err = log.Heads(ctx)
	want("Heads", err)
	want("Entries", lastError(log.Entries(ctx, 0, 1)))
	want("Latest", lastError(log.Latest(ctx, 0)))

	sameRecords(t, "records", records(t, l, f), pending(f, 1))
}

// lastError returns the error with which a sequence ends.
func lastError[T any](seq iter.Seq2[T, error]) (err error) {
	for _, err = range seq {
	}
	return err
}
